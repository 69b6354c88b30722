//! What is at a path of a GPU's JSON: a value, several of a list, nothing, or the reason why it is absent.

use serde_json::Value;

/// What is at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A value.
    One(Value),
    /// One for each part of a list, in its order; null where one is absent.
    Several(Vec<Value>),
    /// There is nothing, and that is the answer.
    Nothing,
    /// It cannot be had, for this reason of `unavailable`.
    Absent(String),
}

/// What is at `path` of `gpu`; a list is named without positions.
pub(crate) fn cell(gpu: &Value, path: &str) -> Cell {
    let mut found = Vec::new();
    let mut absent = None;
    let in_list = collect(gpu, gpu, path, String::new(), &mut found, &mut absent);
    let all_null = found.iter().all(Value::is_null);
    match (absent, found.len()) {
        (Some(reason), _) if all_null => Cell::Absent(reason),
        (_, 1) if !in_list && !all_null => Cell::One(found.remove(0)),
        _ if in_list && !all_null => Cell::Several(found),
        _ => Cell::Nothing,
    }
}

/// Collects what is at `rest` below `node`, which is at `at` of `gpu`. Returns whether there was a list on the way.
fn collect(
    gpu: &Value,
    node: &Value,
    rest: &str,
    at: String,
    found: &mut Vec<Value>,
    absent: &mut Option<String>,
) -> bool {
    match node {
        Value::Array(parts) if !rest.is_empty() => {
            for (place, part) in parts.iter().enumerate() {
                collect(gpu, part, rest, format!("{at}.{place}"), found, absent);
            }
            true
        }
        Value::Object(keys) if !rest.is_empty() => {
            let (key, below) = rest.split_once('.').unwrap_or((rest, ""));
            let at = if at.is_empty() {
                key.to_owned()
            } else {
                format!("{at}.{key}")
            };
            match keys.get(key) {
                Some(node) => collect(gpu, node, below, at, found, absent),
                None => false,
            }
        }
        node => {
            if node.is_null() {
                let whole = if rest.is_empty() {
                    at
                } else {
                    format!("{at}.{rest}")
                };
                *absent = absent.take().or_else(|| reason(gpu, &whole));
            }
            found.push(node.clone());
            false
        }
    }
}

/// Why what is at `path`, with positions, is absent: the reason of its own path, or of the nearest one above.
fn reason(gpu: &Value, path: &str) -> Option<String> {
    let reasons = gpu.get("unavailable")?.as_object()?;
    let mut path = path;
    loop {
        if let Some(reason) = reasons.get(path) {
            return reason.as_str().map(str::to_owned);
        }
        path = path.rsplit_once('.')?.0;
    }
}

impl Cell {
    /// As a text without a unit: numbers and words as JSON has them, parts of a list joined by `;`; empty if there is none.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::One(value) => plain(value),
            Self::Several(values) => values.iter().map(plain).collect::<Vec<_>>().join(";"),
            Self::Nothing | Self::Absent(_) => String::new(),
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::One(value) => value.as_f64(),
            _ => None,
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_has_a_value_values_nothing_or_a_reason() {
        let gpu = json!({
            "index": 0,
            "power": { "draw_watts": 12.5, "average_watts": null },
            "load": { "interval": { "gpu": null }, "ofa_percent": null },
            "thermal": { "fans": [{ "speed_rpm": 1200 }, { "speed_rpm": null }] },
            "processes": { "processes": [{ "container_id": null }] },
            "mig": { "instances": [] },
            "clocks": { "event_reasons": ["gpu_idle", "sw_power_cap"] },
            "nvlink": null,
            "unavailable": {
                "power.average_watts": "not_supported", "load.interval": "not_ready",
                "thermal.fans.1.speed_rpm": "error", "nvlink": "disabled",
            },
        });
        let absent = |reason: &str| Cell::Absent(reason.to_owned());
        for (path, expected) in [
            ("index", Cell::One(json!(0))),
            ("power.draw_watts", Cell::One(json!(12.5))),
            ("power.average_watts", absent("not_supported")),
            ("load.interval.gpu.mean_percent", absent("not_ready")),
            ("load.ofa_percent", Cell::Nothing),
            (
                "thermal.fans.speed_rpm",
                Cell::Several(vec![json!(1200), json!(null)]),
            ),
            ("processes.processes.container_id", Cell::Nothing),
            ("mig.instances.name", Cell::Nothing),
            ("nvlink.links.state", absent("disabled")),
            ("no.such.path", Cell::Nothing),
        ] {
            assert_eq!(cell(&gpu, path), expected, "{path}");
        }
        assert_eq!(cell(&gpu, "thermal.fans.speed_rpm").plain(), "1200;");
        assert_eq!(
            cell(&gpu, "clocks.event_reasons").plain(),
            "gpu_idle;sw_power_cap"
        );
    }
}
