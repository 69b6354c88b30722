//! The layers, their order and what they refuse.

use std::net::SocketAddr;

use figment::Jail;
use gpulse_models::CommandLines;
use proptest::prelude::*;

use gpulse_sampler::{Expectation, MAX_INTERVAL, MIN_INTERVAL};

use super::*;
use crate::config::schema::Sampling;

/// Runs in a directory and an environment of its own. The error of a jail is that of the test.
#[allow(clippy::result_large_err)]
fn jailed(test: impl FnOnce(&mut Jail)) {
    Jail::expect_with(|jail| {
        jail.clear_env();
        test(jail);
        Ok(())
    });
}

fn refused(flags: &Settings) -> String {
    load(flags).unwrap_err().to_string()
}

fn with_file(jail: &mut Jail, text: &str) -> Settings {
    jail.create_file("gpulse.toml", text).unwrap();
    Settings {
        config: Some("gpulse.toml".into()),
        ..Settings::default()
    }
}

#[test]
fn the_topmost_layer_wins() {
    jailed(|jail| {
        let mut flags = with_file(jail, "agent_id = \"file\"\n[sampler]\ninterval = \"2s\"");
        assert_eq!(load(&flags).unwrap().config.agent_id, "file");
        jail.set_env("AGENT_ID", "python");
        assert_eq!(load(&flags).unwrap().config.agent_id, "python");
        jail.set_env("GPULSE_AGENT_ID", "variable");
        assert_eq!(load(&flags).unwrap().config.agent_id, "variable");
        flags.agent_id = Some("flag".to_owned());
        let config = load(&flags).unwrap().config;
        assert_eq!(config.agent_id, "flag");
        assert_eq!(config.sampler.interval.as_secs(), 2);
    });
}

#[test]
fn the_python_agents_variables_are_honoured() {
    jailed(|jail| {
        let flags = with_file(jail, "bind = \"127.0.0.2:1\"");
        jail.set_env("PORT", "9000");
        jail.set_env("LOG_LEVEL", "WARNING");
        let config = load(&flags).unwrap().config;
        assert_eq!(config.bind.0, [SocketAddr::from(([127, 0, 0, 2], 9000))]);
        assert_eq!(config.log.level, crate::config::LogLevel::Warn);
        jail.set_env("PORT", "http");
        assert!(
            refused(&flags).contains("`bind` (set by environment variable PORT)"),
            "{}",
            refused(&flags)
        );
    });
}

#[test]
fn a_name_of_digits_is_a_name() {
    jailed(|jail| {
        for name in ["12345", "007", "1.50", "true", "[a]", "{b}", "\"quoted\""] {
            jail.set_env("GPULSE_AGENT_ID", name);
            assert_eq!(load(&Settings::default()).unwrap().config.agent_id, name);
        }
    });
}

#[test]
fn unknown_keys_are_refused_with_key_source_and_what_is_known() {
    jailed(|jail| {
        let flags = with_file(jail, "[sampler]\nintervall = \"1s\"");
        let error = refused(&flags);
        assert!(error.contains("`sampler.intervall`"), "{error}");
        assert!(error.contains("gpulse.toml"), "{error}");
        assert!(error.contains("slow_interval"), "{error}");
        jail.create_file("gpulse.toml", "").unwrap();
        jail.set_env("GPULSE_HTTP__WORKER", "3");
        let error = refused(&flags);
        assert!(
            error.contains("`http.worker` (set by environment variable GPULSE_HTTP__WORKER)"),
            "{error}"
        );
    });
}

#[test]
fn bad_values_are_refused_with_key_source_and_what_is_permitted() {
    jailed(|jail| {
        for (value, flag) in [
            ("fast", true),
            ("1", true),
            ("5ms", true),
            ("2h", true),
            ("-1s", true),
            ("0s", false),
        ] {
            let flags = Settings {
                interval: flag.then(|| value.to_owned()),
                ..Settings::default()
            };
            if !flag {
                jail.set_env("GPULSE_SAMPLER__INTERVAL", value);
            }
            let error = refused(&flags);
            assert!(error.contains("`sampler.interval` (set by "), "{error}");
            assert!(
                error.contains(if flag {
                    "flag --interval"
                } else {
                    "GPULSE_SAMPLER__INTERVAL"
                }),
                "{error}"
            );
            assert!(
                error.contains("permitted: a duration from `10ms` to `1h`"),
                "{error}"
            );
        }
    });
}

#[test]
fn arguments_of_processes_are_shown_only_on_request() {
    jailed(|jail| {
        let loaded = || load(&Settings::default()).unwrap().config.sampler.command_lines;
        assert_eq!(loaded(), CommandLines::Executable);
        jail.set_env("GPULSE_SAMPLER__COMMAND_LINES", "full");
        assert_eq!(loaded(), CommandLines::Full);
        jail.set_env("GPULSE_SAMPLER__COMMAND_LINES", "all");
        let error = refused(&Settings::default());
        assert!(
            error.contains("permitted: `off`, `executable` or `full`"),
            "{error}"
        );
    });
}

#[test]
fn the_number_of_processes_is_bounded() {
    jailed(|jail| {
        for number in ["0", "1025"] {
            jail.set_env("GPULSE_SAMPLER__MAX_PROCESSES", number);
            let error = refused(&Settings::default());
            assert!(error.contains("permitted: a number from 1 to 1024"), "{error}");
        }
        jail.set_env("GPULSE_SAMPLER__MAX_PROCESSES", "1024");
        let most = load(&Settings::default()).unwrap().config.sampler.max_processes;
        assert_eq!(most, 1_024);
    });
}

#[test]
fn what_gpus_there_should_be_can_be_said_in_the_environment() {
    jailed(|jail| {
        let loaded = || load(&Settings::default()).unwrap().config.health.expected_gpus;
        assert_eq!(loaded(), Expectation::Devices);
        for (text, expectation) in [
            ("auto", Expectation::Devices),
            ("off", Expectation::Off),
            ("4", Expectation::Number(4)),
        ] {
            jail.set_env("GPULSE_HEALTH__EXPECTED_GPUS", text);
            assert_eq!(loaded(), expectation);
        }
        jail.set_env("GPULSE_HEALTH__EXPECTED_GPUS", "some");
        let error = refused(&Settings::default());
        assert!(error.contains("permitted: `auto`, `off`, or a number"), "{error}");
    });
}

#[test]
fn a_number_without_unit_is_no_duration() {
    jailed(|jail| {
        jail.set_env("GPULSE_SHUTDOWN_GRACE", "5");
        let error = refused(&Settings::default());
        assert!(error.contains("a duration with its unit"), "{error}");
    });
}

#[test]
fn a_port_of_ones_own_is_not_taken_for_that_of_kubernetes() {
    jailed(|jail| {
        jail.set_env("GPULSE_PORT", "9000");
        assert!(
            refused(&Settings::default()).contains("GPULSE_PORT"),
            "{}",
            refused(&Settings::default())
        );
    });
}

#[test]
fn a_wrong_origin_and_a_short_patience_are_refused_with_what_to_write() {
    jailed(|jail| {
        jail.set_env("GPULSE_HTTP__CORS_ORIGINS", "[\"https://a.example/\"]");
        let error = refused(&Settings::default());
        assert!(
            error.contains("`http.cors_origins`") && error.contains("without a slash"),
            "{error}"
        );
        jail.clear_env();
        jail.set_env("GPULSE_SAMPLER__STALE_AFTER", "100ms");
        let error = refused(&Settings::default());
        assert!(
            error.contains("`sampler.stale_after` (set by environment variable"),
            "{error}"
        );
    });
}

#[test]
fn a_gpu_that_is_read_without_pause_is_not_stale() {
    let sampling = |interval| Sampling {
        interval,
        ..Config::default().sampler
    };
    for interval in [MIN_INTERVAL, std::time::Duration::from_secs(1), MAX_INTERVAL] {
        let sampling = sampling(interval);
        assert!(sampling.effective_stale_after() >= sampling.effective_deadline() + interval);
        assert!(sampling.effective_stale_after() >= interval * 3);
    }
}

#[test]
fn a_file_that_is_named_must_exist_and_be_toml() {
    jailed(|jail| {
        let missing = Settings {
            config: Some("missing.toml".into()),
            ..Settings::default()
        };
        assert!(
            refused(&missing).contains("missing.toml"),
            "{}",
            refused(&missing)
        );
        let broken = with_file(jail, "bind = ");
        assert!(refused(&broken).contains("gpulse.toml"), "{}", refused(&broken));
    });
}

#[test]
fn library_and_simulator_exclude_each_other() {
    jailed(|jail| {
        let flags = with_file(jail, "[nvml]\nlibrary = \"/x\"\nsimulate = \"t4\"");
        assert!(refused(&flags).contains("`nvml.simulate`"));
    });
}

#[test]
fn variables_that_kubernetes_sets_are_not_ours() {
    jailed(|jail| {
        jail.set_env("GPULSE_SERVICE_HOST", "10.0.0.1");
        jail.set_env("GPULSE_SERVICE_PORT", "8003");
        jail.set_env("GPULSE_PORT", "tcp://10.0.0.1:8003");
        jail.set_env("GPULSE_PORT_8003_TCP_ADDR", "10.0.0.1");
        jail.set_env("GPULSE_SERVICE_PORT_HTTP", "8003");
        jail.set_env("GPULSE_AGENT_SERVICE_HOST", "10.0.0.2");
        jail.set_env("GPULSE_METRICS_PORT", "tcp://10.0.0.2:8003");
        jail.set_env("GPULSE_METRICS_PORT_8003_TCP", "tcp://10.0.0.2:8003");
        jail.set_env("GPULSE_CONFIG", "elsewhere.toml");
        assert_eq!(load(&Settings::default()).unwrap().config, Config::default());
    });
}

#[test]
fn what_is_printed_is_a_configuration_of_the_same_effect() {
    jailed(|jail| {
        jail.set_env("GPULSE_HTTP__CORS_ORIGINS", "[\"https://a.example\"]");
        let flags = Settings {
            interval: Some("250ms".to_owned()),
            ..Settings::default()
        };
        let printed = load(&flags).unwrap();
        let text = printed.to_string();
        assert!(text.contains("sampler.interval = \"250ms\""), "{text}");
        assert!(text.contains("# flag --interval"), "{text}");
        assert!(
            text.contains("# environment variable GPULSE_HTTP__CORS_ORIGINS"),
            "{text}"
        );
        jail.clear_env();
        let again = load(&with_file(jail, &text)).unwrap();
        assert_eq!(again.config, printed.config);
    });
}

proptest! {
    #[test]
    fn no_interval_makes_the_loader_panic(text in "\\PC*") {
        let _ = load(&Settings { interval: Some(text), ..Settings::default() });
    }
}
