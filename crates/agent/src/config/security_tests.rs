//! Who may read: which values of the configuration go together, and which are refused with what to do.

use std::net::SocketAddr;

use figment::Jail;
use proptest::prelude::*;

use super::*;

#[allow(clippy::result_large_err)]
fn jailed(test: impl FnOnce(&mut Jail)) {
    Jail::expect_with(|jail| {
        jail.clear_env();
        test(jail);
        Ok(())
    });
}

fn refused() -> String {
    load(&Settings::default()).unwrap_err().to_string()
}

fn addresses(flags: &Settings) -> Vec<String> {
    let bind = load(flags).unwrap().config.bind;
    bind.0.iter().map(SocketAddr::to_string).collect()
}

#[test]
fn addresses_are_one_or_a_list_in_every_layer() {
    jailed(|jail| {
        jail.set_env("GPULSE_BIND", "[::1]:8003");
        assert_eq!(addresses(&Settings::default()), ["[::1]:8003"]);
        jail.set_env("GPULSE_BIND", "[\"127.0.0.1:1\",\"[::1]:2\"]");
        assert_eq!(addresses(&Settings::default()), ["127.0.0.1:1", "[::1]:2"]);
        let flags = Settings {
            bind: vec!["127.0.0.3:3".to_owned(), "127.0.0.4:4".to_owned()],
            ..Settings::default()
        };
        assert_eq!(addresses(&flags), ["127.0.0.3:3", "127.0.0.4:4"]);
        jail.clear_env();
        jail.create_file("gpulse.toml", "bind = [\"127.0.0.1:1\", \"[::1]:2\"]")
            .unwrap();
        let file = Settings {
            config: Some("gpulse.toml".into()),
            ..Settings::default()
        };
        jail.set_env("PORT", "9000");
        assert_eq!(addresses(&file), ["127.0.0.1:9000", "[::1]:9000"]);
        let printed = load(&file).unwrap();
        jail.clear_env();
        jail.create_file("gpulse.toml", &printed.to_string()).unwrap();
        assert_eq!(load(&file).unwrap().config, printed.config);
    });
}

#[test]
fn other_hosts_are_served_only_if_somebody_said_how() {
    jailed(|jail| {
        jail.set_env("GPULSE_BIND", "0.0.0.0:8003");
        let error = refused();
        for part in [
            "`bind` (set by environment variable GPULSE_BIND)",
            "0.0.0.0:8003",
            "gpulse token",
            "--insecure",
        ] {
            assert!(error.contains(part), "{error}");
        }
        for (name, value) in [
            ("GPULSE_HTTP__INSECURE", "true"),
            ("GPULSE_AUTH__TOKENS_FILE", "/tokens"),
            ("GPULSE_AUTH__USERS_FILE", "/users"),
        ] {
            jail.set_env(name, value);
            assert!(load(&Settings::default()).is_ok(), "{name}");
            jail.clear_env();
            jail.set_env("GPULSE_BIND", "0.0.0.0:8003");
        }
        let flags = Settings {
            insecure: true,
            ..Settings::default()
        };
        assert!(load(&flags).unwrap().config.http.insecure);
        // TLS alone asks nobody who they are.
        jail.set_env("GPULSE_TLS__CERTIFICATE", "/certificate");
        jail.set_env("GPULSE_TLS__KEY", "/key");
        assert!(
            refused().contains("nobody has to say who they are"),
            "{}",
            refused()
        );
        jail.set_env("GPULSE_TLS__CLIENT_CA", "/authorities");
        assert!(load(&Settings::default()).is_ok());
    });
}

#[test]
fn what_does_not_go_together_is_refused_by_its_key() {
    for (variables, key) in [
        (&[("GPULSE_TLS__CERTIFICATE", "/c")][..], "`tls.key`"),
        (&[("GPULSE_TLS__KEY", "/k")], "`tls.certificate`"),
        (&[("GPULSE_TLS__CLIENT_CA", "/a")], "`tls.client_ca`"),
        (
            &[("GPULSE_TLS__CLIENT_SCOPES", "[\"write\"]")],
            "`tls.client_scopes",
        ),
        (&[("GPULSE_BIND", "[]")], "`bind`"),
        (&[("GPULSE_HTTP__RATE_BURST", "5")], "`http.rate_burst`"),
        (&[("GPULSE_HTTP__RATE_LIMIT", "0")], "`http.rate_limit`"),
        (
            &[("GPULSE_HTTP__MAX_CONNECTIONS_PER_CLIENT", "0")],
            "`http.max_connections_per_client`",
        ),
        (
            &[("GPULSE_HTTP__UNIX_SOCKET_MODE", "rw")],
            "`http.unix_socket_mode`",
        ),
        (
            &[("GPULSE_HTTP__UNIX_SOCKET_MODE", "0999")],
            "`http.unix_socket_mode`",
        ),
    ] {
        jailed(|jail| {
            for (name, value) in variables {
                jail.set_env(name, value);
            }
            let error = refused();
            assert!(error.contains(key) && error.contains("permitted: "), "{error}");
        });
    }
}

#[test]
fn a_mode_in_the_environment_is_octal_as_it_is_written() {
    jailed(|jail| {
        jail.set_env("GPULSE_HTTP__UNIX_SOCKET", "/run/gpulse.sock");
        jail.set_env("GPULSE_HTTP__UNIX_SOCKET_MODE", "0620");
        jail.set_env("GPULSE_HTTP__UNIX_SOCKET_GROUP", "1000");
        let socket = load(&Settings::default())
            .unwrap()
            .config
            .http
            .unix_socket()
            .unwrap();
        assert_eq!((socket.mode, socket.group.as_deref()), (0o620, Some("1000")));
    });
}

#[test]
fn a_backslash_after_a_character_of_several_bytes_is_a_wrong_value_and_no_panic() {
    jailed(|jail| {
        jail.set_env("GPULSE_BIND", "\"\u{a1}\\\u{a1}\"");
        let error = load(&Settings::default()).unwrap_err().to_string();
        assert!(error.starts_with("configuration: "), "{error}");
        assert!(error.contains("GPULSE_BIND"), "{error}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_makes_the_loader_panic(text in "\\PC{0,60}", key in "(bind|http|tls|auth|log|x)", value in "\\PC{0,20}") {
        jailed(|jail| {
            for text in [text.clone(), format!("{key} = {value}"), format!("[{key}]\n{value}")] {
                jail.create_file("gpulse.toml", &text).unwrap();
                let file = Settings { config: Some("gpulse.toml".into()), ..Settings::default() };
                if let Err(error) = load(&file) {
                    assert!(error.to_string().starts_with("configuration: "), "{error}");
                }
            }
        });
    }

    #[test]
    fn no_variable_makes_the_loader_panic(
        name in prop::sample::select(vec!["BIND", "HTTP__UNIX_SOCKET_MODE", "HTTP__RATE_LIMIT", "TLS__CLIENT_SCOPES", "AUTH__TOKENS_FILE", "X__Y"]),
        value in "[^\0]{0,30}",
    ) {
        jailed(|jail| {
            jail.set_env(format!("GPULSE_{name}"), &value);
            if let Err(error) = load(&Settings::default()) {
                assert!(error.to_string().starts_with("configuration: "), "{error}");
            }
        });
    }
}
