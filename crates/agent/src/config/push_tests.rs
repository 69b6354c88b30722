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

#[test]
fn opentelemetrys_variables_are_honoured_below_those_of_the_agent() {
    jailed(|jail| {
        jail.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/otlp/");
        jail.set_env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-scope=gpus,authorization=Bearer%20secret",
        );
        jail.set_env("OTEL_EXPORTER_OTLP_TIMEOUT", "2500");
        jail.set_env("OTEL_METRIC_EXPORT_INTERVAL", "60000");
        jail.set_env("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,rack=7%2C8");
        jail.set_env("OTEL_SERVICE_NAME", "gpus");
        let found = load(&Settings::default()).unwrap();
        let otlp = found.config.otlp.settings().unwrap();
        assert_eq!(otlp.endpoint.to_string(), "http://collector:4318/otlp/v1/metrics");
        assert_eq!(
            found.config.otlp.protocol,
            crate::config::push::OtlpProtocol::Http
        );
        assert_eq!(
            (otlp.push.timeout.as_millis(), otlp.push.interval.as_secs()),
            (2_500, 60)
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(otlp.resource, [pair("rack", "7,8"), pair("service.name", "gpus")]);
        let headers = otlp.access.headers().unwrap();
        assert_eq!(headers["x-scope"], "gpus");
        assert_eq!(headers["authorization"], "Bearer secret");
        let shown = format!("{found}\n{:?}", found.config);
        assert!(!shown.contains("secret"), "{shown}");
        assert!(
            shown.contains("# environment variable OTEL_EXPORTER_OTLP_ENDPOINT"),
            "{shown}"
        );
        assert!(
            shown.contains("# environment variable OTEL_RESOURCE_ATTRIBUTES"),
            "{shown}"
        );

        jail.set_env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:4317");
        jail.set_env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        assert_eq!(loaded().otlp.endpoint.as_deref(), Some("http://metrics:4317"));
        assert_eq!(loaded().otlp.protocol, crate::config::push::OtlpProtocol::Grpc);
        jail.set_env("GPULSE_OTLP__ENDPOINT", "http://own:4317");
        assert_eq!(loaded().otlp.endpoint.as_deref(), Some("http://own:4317"));
    });
}

#[test]
fn opentelemetry_can_be_told_to_be_off() {
    jailed(|jail| {
        for off in [
            ("OTEL_SDK_DISABLED", "true"),
            ("OTEL_METRICS_EXPORTER", "prometheus, none"),
        ] {
            jail.clear_env();
            jail.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
            jail.set_env("OTEL_EXPORTER_OTLP_HEADERS", "no list");
            assert!(load(&Settings::default()).is_err());
            jail.set_env(off.0, off.1);
            assert!(loaded().otlp.settings().is_none(), "{off:?}");
        }
    });
}

#[test]
fn what_opentelemetrys_variables_get_wrong_is_refused_with_their_names() {
    jailed(|jail| {
        for (name, value, says) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "`otlp.endpoint`"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "`otlp.protocol`"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon", "`otlp.timeout`"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5", "`otlp.interval`"),
            ("OTEL_RESOURCE_ATTRIBUTES", "rack", "`otlp.resource`"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "entry 1"),
        ] {
            let error = refused(jail, &[(name, value)]);
            assert!(error.contains(&format!("environment variable {name}")), "{error}");
            assert!(error.contains(says), "{error}");
        }
    });
}
