//! Rule `library`: each foreign library is known to one crate, so that replacing it stays the work of one crate.

use crate::tidy::Violation;
use crate::tidy::workspace::Workspace;

const RULE: &str = "library";

struct Library {
    name: &'static str,
    /// May use it anywhere.
    normal: &'static [&'static str],
    /// May use it in its tests.
    dev: &'static [&'static str],
    reason: &'static str,
}

const NVML: &str = "only the sampler knows NVML";
const HTTP: &str = "only the api knows HTTP";
const SECRETS: &str = "only the api knows who may read; the tests have a TLS client";
const PUSH: &str = "only exporters pushes; the tests have receivers of their own";
const ACTORS: &str = "only aggregator, sampler and agent have to do with actors";
const HISTORY: &str = "only the aggregator keeps the history";
const GRPC: &str =
    "only exporters talks to the kubelet and in protobuf; the tests have a kubelet of their own";
const MANAGER: &str = "only the binary talks to the service manager";
const START: &str = "libraries have errors of their own and no command line";

const LIBRARIES: [Library; 35] = [
    // The simulator is tested with a foreign client.
    Library {
        name: "nvml-wrapper",
        normal: &["gpulse-sampler"],
        dev: &["nvml-sim"],
        reason: NVML,
    },
    Library {
        name: "nvml-wrapper-sys",
        normal: &["gpulse-sampler"],
        dev: &["nvml-sim"],
        reason: NVML,
    },
    Library {
        name: "actix-web",
        normal: &["gpulse-api"],
        dev: &[],
        reason: HTTP,
    },
    Library {
        name: "actix-http",
        normal: &["gpulse-api"],
        dev: &[],
        reason: HTTP,
    },
    Library {
        name: "actix-service",
        normal: &["gpulse-api"],
        dev: &[],
        reason: HTTP,
    },
    Library {
        name: "rustls",
        normal: &["gpulse-api", "gpulse-exporters"],
        dev: &["gpulse-e2e"],
        reason: "only the api serves by TLS and only exporters pushes by it; the tests have a TLS client",
    },
    Library {
        name: "tokio-rustls",
        normal: &["gpulse-api"],
        dev: &[],
        reason: SECRETS,
    },
    Library {
        name: "ring",
        normal: &["gpulse-api"],
        dev: &[],
        reason: SECRETS,
    },
    Library {
        name: "bcrypt",
        normal: &["gpulse-api"],
        dev: &[],
        reason: SECRETS,
    },
    Library {
        name: "subtle",
        normal: &["gpulse-api"],
        dev: &[],
        reason: SECRETS,
    },
    Library {
        name: "governor",
        normal: &["gpulse-api"],
        dev: &[],
        reason: SECRETS,
    },
    Library {
        name: "actix-cors",
        normal: &["gpulse-api"],
        dev: &[],
        reason: HTTP,
    },
    Library {
        name: "utoipa-swagger-ui",
        normal: &["gpulse-api"],
        dev: &[],
        reason: HTTP,
    },
    Library {
        name: "rust-embed",
        normal: &["gpulse-dashboard"],
        dev: &[],
        reason: "only the dashboard has files of its own in the binary",
    },
    Library {
        name: "utoipa",
        normal: &["gpulse-api", "gpulse-models"],
        dev: &[],
        reason: "only models and api describe themselves",
    },
    Library {
        name: "dashmap",
        normal: &["gpulse-aggregator"],
        dev: &[],
        reason: "only the aggregator holds the cache",
    },
    Library {
        name: "pco",
        normal: &["gpulse-aggregator"],
        dev: &[],
        reason: HISTORY,
    },
    Library {
        name: "redb",
        normal: &["gpulse-aggregator"],
        dev: &[],
        reason: HISTORY,
    },
    Library {
        name: "actix",
        normal: &["gpulse", "gpulse-aggregator", "gpulse-sampler"],
        dev: &[],
        reason: ACTORS,
    },
    Library {
        name: "figment",
        normal: &["gpulse"],
        dev: &[],
        reason: "only the binary reads configuration",
    },
    Library {
        name: "anyhow",
        normal: &["gpulse", "xtask"],
        dev: &[],
        reason: START,
    },
    Library {
        name: "clap",
        normal: &["gpulse", "xtask"],
        dev: &[],
        reason: START,
    },
    Library {
        name: "clap_complete",
        normal: &["gpulse"],
        dev: &[],
        reason: START,
    },
    Library {
        name: "clap_mangen",
        normal: &["gpulse"],
        dev: &[],
        reason: START,
    },
    Library {
        name: "ratatui",
        normal: &["gpulse-terminal"],
        dev: &[],
        reason: "only terminal draws on a terminal",
    },
    Library {
        name: "sd-notify",
        normal: &["gpulse"],
        dev: &[],
        reason: MANAGER,
    },
    Library {
        name: "listenfd",
        normal: &["gpulse"],
        dev: &[],
        reason: MANAGER,
    },
    Library {
        name: "prost",
        normal: &["gpulse-exporters"],
        dev: &["gpulse-e2e"],
        reason: GRPC,
    },
    Library {
        name: "tonic",
        normal: &["gpulse-exporters"],
        dev: &["gpulse-e2e"],
        reason: GRPC,
    },
    Library {
        name: "tonic-prost",
        normal: &["gpulse-exporters"],
        dev: &[],
        reason: GRPC,
    },
    Library {
        name: "opentelemetry-proto",
        normal: &["gpulse-exporters"],
        dev: &["gpulse-e2e"],
        reason: PUSH,
    },
    Library {
        name: "percent-encoding",
        normal: &["gpulse-exporters"],
        dev: &[],
        reason: PUSH,
    },
    Library {
        name: "snap",
        normal: &["gpulse-exporters"],
        dev: &["gpulse-e2e"],
        reason: PUSH,
    },
    Library {
        name: "reqwest",
        normal: &["gpulse-exporters", "gpulse"],
        dev: &[],
        reason: "only exporters pushes and only the binary is a client of agents",
    },
    Library {
        name: "rustls-native-certs",
        normal: &["gpulse-exporters"],
        dev: &[],
        reason: PUSH,
    },
];

/// Reports every use of a library outside its crate.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in &workspace.members {
        let name = member.name.as_str();
        for dependency in &member.dependencies {
            let Some(library) = LIBRARIES
                .iter()
                .find(|library| library.name == dependency.package)
            else {
                continue;
            };
            if library.normal.contains(&name) || dependency.dev && library.dev.contains(&name) {
                continue;
            }
            let (package, home) = (library.name, library.normal.join(", "));
            violations.push(Violation {
                path: member.path.clone(),
                line: dependency.line,
                rule: RULE,
                advice: format!("remove `{package}`, it belongs to {home}: {}", library.reason),
            });
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::{LIBRARIES, check};
    use crate::tidy::workspace::Workspace;

    fn count(name: &str, rest: &str) -> usize {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        check(&Workspace::of(&[("crates/x/Cargo.toml", &text)])).len()
    }

    #[test]
    fn every_library_is_refused_elsewhere() {
        for library in &LIBRARIES {
            let rest = format!("[dependencies]\n{}.workspace = true\n", library.name);
            assert_eq!(count("gpulse-e2e", &rest), 1, "{}", library.name);
            assert_eq!(count(library.normal[0], &rest), 0, "{}", library.name);
        }
    }

    #[test]
    fn the_simulator_may_test_itself_with_a_foreign_client() {
        assert_eq!(
            count("nvml-sim", "[dev-dependencies]\nnvml-wrapper.workspace = true\n"),
            0
        );
        assert_eq!(
            count("nvml-sim", "[dependencies]\nnvml-wrapper.workspace = true\n"),
            1
        );
    }
}
