//! The paths of single values of a GPU, from the tables of readings: a path that names more is all that is below it.

use std::sync::LazyLock;

use gpulse_models::catalogue::{Group, Metric, What};

/// Keys of a GPU that are no group of readings.
const ABOUT_GPU: [&str; 13] = [
    "index",
    "uuid",
    "state",
    "state_since",
    "sequence",
    "failures",
    "overruns",
    "dropped",
    "last_error.reason",
    "last_error.call",
    "last_error.message",
    "last_error.at",
    "sampled_at",
];

/// All of them, in the order of the answer.
static LEAVES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut leaves: Vec<_> = ABOUT_GPU.map(str::to_owned).into();
    for group in Group::ALL {
        if group.is_configurable() {
            leaves.push(format!("{}.read_at", group.as_str()));
        }
        gather(group.as_str(), group.metrics(), &mut leaves);
    }
    leaves
});

fn gather(above: &str, metrics: &[Metric], leaves: &mut Vec<String>) {
    for metric in metrics {
        let path = format!("{above}.{}", metric.key);
        match metric.what {
            What::Reading(_) => leaves.push(path),
            What::Part(below) | What::List(_, below) => gather(&path, below, leaves),
        }
    }
}

/// Whether this is the path of a single value.
#[cfg(test)]
pub(crate) fn is_known(path: &str) -> bool {
    LEAVES.iter().any(|leaf| leaf == path)
}

/// The paths of the single values that `paths` name, each once. A path that is not known here stays as it is.
pub(crate) fn expanded(paths: &[String]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for path in paths {
        let below = format!("{path}.");
        let mut named: Vec<_> = LEAVES
            .iter()
            .filter(|leaf| *leaf == path || leaf.starts_with(&below))
            .cloned()
            .collect();
        if named.is_empty() {
            named.push(path.clone());
        }
        named.retain(|leaf| !columns.contains(leaf));
        columns.extend(named);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_all_that_is_below_it() {
        let all = |paths: &[&str]| expanded(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(all(&["power.draw_watts", "index"]), ["power.draw_watts", "index"]);
        let fans = all(&["thermal.fans", "thermal.fans.speed_rpm"]);
        assert!(
            fans.contains(&"thermal.fans.speed_rpm".to_owned()) && fans.len() == 5,
            "{fans:?}"
        );
        assert_eq!(all(&["load"])[0], "load.read_at");
        assert_eq!(all(&["of.a.newer.agent"]), ["of.a.newer.agent"]);
    }
}
