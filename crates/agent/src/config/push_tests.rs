//! To whom is pushed: what is refused, and with what advice.

use figment::Jail;
use gpulse_exporters::{Profile, Profiles};

use super::*;

#[allow(clippy::result_large_err)]
fn jailed(test: impl FnOnce(&mut Jail)) {
    Jail::expect_with(|jail| {
        jail.clear_env();
        test(jail);
        Ok(())
    });
}

fn loaded() -> Config {
    load(&Settings::default()).unwrap().config
}

fn refused(jail: &mut Jail, variables: &[(&str, &str)]) -> String {
    jail.clear_env();
    for (name, value) in variables {
        jail.set_env(name, value);
    }
    load(&Settings::default()).unwrap_err().to_string()
}

#[test]
fn nothing_is_pushed_unless_somebody_said_where_to() {
    jailed(|_| {
        assert!(loaded().otlp.settings().is_none());
        assert!(loaded().remote_write.settings().is_none());
    });
}

#[test]
fn a_receiver_can_be_named_in_the_environment() {
    jailed(|jail| {
        jail.set_env("GPULSE_OTLP__ENDPOINT", "http://collector:4317");
        jail.set_env(
            "GPULSE_OTLP__RESOURCE",
            "deployment.environment.name=prod, rack=7",
        );
        jail.set_env("GPULSE_REMOTE_WRITE__ENDPOINT", "https://prometheus/api/v1/write");
        jail.set_env("GPULSE_REMOTE_WRITE__PROFILES", "dcgm,native");
        jail.set_env("GPULSE_REMOTE_WRITE__LABELS", "cluster=1");
        jail.set_env("GPULSE_REMOTE_WRITE__USERNAME", "42");
        jail.set_env("GPULSE_REMOTE_WRITE__PASSWORD_FILE", "/run/password");
        let otlp = loaded().otlp.settings().unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            otlp.resource,
            [pair("deployment.environment.name", "prod"), pair("rack", "7")]
        );
        let write = loaded().remote_write.settings().unwrap();
        assert_eq!(
            write.profiles,
            Profiles::from_iter([Profile::Native, Profile::Dcgm])
        );
        assert_eq!(write.labels, [pair("cluster", "1")]);
        assert_eq!(write.access.username.as_deref(), Some("42"));
        let printed = load(&Settings::default()).unwrap();
        jail.clear_env();
        jail.create_file("gpulse.toml", &printed.to_string()).unwrap();
        let file = Settings {
            config: Some("gpulse.toml".into()),
            ..Settings::default()
        };
        assert_eq!(load(&file).unwrap().config, printed.config);
    });
}

#[test]
fn what_does_not_go_together_is_refused_with_what_to_do() {
    jailed(|jail| {
        let http = ("GPULSE_OTLP__ENDPOINT", "http://collector:4317");
        for (variables, key, advice) in [
            (
                &[("GPULSE_OTLP__ENDPOINT", "collector:4317")][..],
                "otlp.endpoint",
                "http://",
            ),
            (
                &[("GPULSE_OTLP__ENDPOINT", "http://collector:4318/v1/metrics")],
                "otlp.endpoint",
                "otlp.protocol",
            ),
            (
                &[("GPULSE_REMOTE_WRITE__ENDPOINT", "https://me:pw@prometheus")],
                "remote_write.endpoint",
                "files",
            ),
            (&[http, ("GPULSE_OTLP__CA", "/ca.pem")], "otlp.ca", "https"),
            (
                &[("GPULSE_OTLP__CERTIFICATE", "/c.pem")],
                "otlp.key",
                "needs its key",
            ),
            (
                &[("GPULSE_REMOTE_WRITE__USERNAME", "me")],
                "remote_write.password_file",
                "password",
            ),
            (
                &[("GPULSE_REMOTE_WRITE__LABELS", "a-b=c")],
                "remote_write.labels",
                "`a-b`",
            ),
            (
                &[("GPULSE_REMOTE_WRITE__LABELS", "__name__=c")],
                "remote_write.labels",
                "`__name__`",
            ),
            (
                &[("GPULSE_REMOTE_WRITE__LABELS", "cluster")],
                "remote_write.labels",
                "name=value",
            ),
            (&[("GPULSE_OTLP__RESOURCE", "a=b,a=c")], "otlp.resource", "twice"),
            (&[("GPULSE_OTLP__INTERVAL", "100ms")], "otlp.interval", "`1s`"),
            (
                &[("GPULSE_OTLP__BUFFER_BYTES", "1000")],
                "otlp.buffer_bytes",
                "1048576",
            ),
            (
                &[("GPULSE_OTLP__PROTOCOL", "udp")],
                "otlp.protocol",
                "`grpc` or `http`",
            ),
        ] {
            let error = refused(jail, variables);
            assert!(error.contains(&format!("`{key}`")), "{error}");
            assert!(error.contains(advice), "{error}");
            assert!(!error.contains("me:pw"), "{error}");
        }
    });
}
