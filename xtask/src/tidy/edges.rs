//! Rule `edge`: which crate of the workspace may depend on which. The map is in `docs/ARCHITECTURE.md`.

use crate::tidy::Violation;
use crate::tidy::workspace::Workspace;

const RULE: &str = "edge";

struct Member {
    name: &'static str,
    /// Allowed in every dependency table.
    normal: &'static [&'static str],
    /// Allowed in `[dev-dependencies]` in addition.
    dev: &'static [&'static str],
}

const MAP: [Member; 11] = [
    Member {
        name: "gpulse-models",
        normal: &[],
        dev: &[],
    },
    Member {
        name: "gpulse-aggregator",
        normal: &["gpulse-models"],
        dev: &[],
    },
    Member {
        name: "gpulse-sampler",
        normal: &["gpulse-aggregator", "gpulse-models"],
        dev: &["nvml-sim"],
    },
    Member {
        name: "gpulse-exporters",
        normal: &["gpulse-aggregator", "gpulse-models"],
        dev: &[],
    },
    Member {
        name: "gpulse-api",
        normal: &[
            "gpulse-aggregator",
            "gpulse-dashboard",
            "gpulse-exporters",
            "gpulse-models",
        ],
        dev: &[],
    },
    Member {
        name: "gpulse-dashboard",
        normal: &[],
        dev: &["gpulse-models"],
    },
    Member {
        name: "gpulse",
        normal: &[
            "gpulse-aggregator",
            "gpulse-api",
            "gpulse-exporters",
            "gpulse-models",
            "gpulse-sampler",
            "gpulse-terminal",
        ],
        dev: &["nvml-sim"],
    },
    Member {
        name: "gpulse-terminal",
        normal: &["gpulse-models"],
        dev: &[],
    },
    Member {
        name: "nvml-sim",
        normal: &[],
        dev: &[],
    },
    Member {
        name: "gpulse-e2e",
        normal: &["gpulse", "gpulse-terminal", "nvml-sim"],
        dev: &[],
    },
    Member {
        name: "xtask",
        normal: &[],
        dev: &[],
    },
];

/// Reports every edge that is not on the map, and every crate that is not.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let is_member = |package: &str| workspace.members.iter().any(|member| member.name == package);
    let mut violations = Vec::new();
    for member in &workspace.members {
        let report = |line, advice| Violation {
            path: member.path.clone(),
            line,
            rule: RULE,
            advice,
        };
        let Some(allowed) = MAP.iter().find(|entry| entry.name == member.name) else {
            let advice = format!(
                "`{}` is a new crate: enter it in xtask/src/tidy/edges.rs",
                member.name
            );
            violations.push(report(1, advice));
            continue;
        };
        for dependency in &member.dependencies {
            let package = dependency.package.as_str();
            let fine = allowed.normal.contains(&package) || dependency.dev && allowed.dev.contains(&package);
            if is_member(package) && !fine {
                let only = match allowed.normal {
                    [] => "no other crate of the workspace".to_owned(),
                    some => format!("only {}", some.join(", ")),
                };
                let advice = format!("remove `{package}`: `{}` may depend on {only}", member.name);
                violations.push(report(dependency.line, advice));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::workspace::Workspace;

    fn violations(manifests: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<(String, String)> = manifests
            .iter()
            .map(|(name, rest)| {
                (
                    format!("crates/{name}/Cargo.toml"),
                    format!("[package]\nname = \"{name}\"\n{rest}"),
                )
            })
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        check(&Workspace::of(&files))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_edge_off_the_map_is_found() {
        let sampler = "[dependencies]\ngpulse-api.workspace = true\ngpulse-models.workspace = true\n";
        assert_eq!(
            violations(&[
                ("gpulse-sampler", sampler),
                ("gpulse-api", ""),
                ("gpulse-models", "")
            ]),
            [
                "crates/gpulse-sampler/Cargo.toml:4: edge: remove `gpulse-api`: `gpulse-sampler` may depend on only \
              gpulse-aggregator, gpulse-models"
            ]
        );
    }

    #[test]
    fn the_simulator_is_for_tests_only() {
        let normal = "[dependencies]\nnvml-sim.workspace = true\n";
        let dev = "[dev-dependencies]\nnvml-sim.workspace = true\n";
        assert_eq!(
            violations(&[("gpulse-sampler", normal), ("nvml-sim", "")]).len(),
            1
        );
        assert_eq!(violations(&[("gpulse-sampler", dev), ("nvml-sim", "")]).len(), 0);
        assert_eq!(violations(&[("gpulse-api", dev), ("nvml-sim", "")]).len(), 1);
    }

    #[test]
    fn dev_dependencies_do_not_get_around_the_map() {
        let api = "[dev-dependencies]\ngpulse-sampler.workspace = true\n";
        assert_eq!(
            violations(&[("gpulse-api", api), ("gpulse-sampler", "")]).len(),
            1
        );
    }

    #[test]
    fn a_new_crate_has_to_be_entered() {
        assert!(violations(&[("gpulse-new", "")])[0].contains("enter it in"));
    }
}
