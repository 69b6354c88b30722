//! The reference of metrics, `docs/METRICS.md`: written from the tables, so that it cannot say anything else.

mod words;

use std::fmt::Write as _;

use super::{Cadence, Described, Group, Metric, What};
use crate::{
    EventKind, HostTotals, Reason, TopologyOverview, Xid,
    catalogue::{Catalogued as _, Unit},
};

/// How each table of readings begins.
const HEAD: &str =
    "| Path | Type | Unit | Kind | Source | Since | Meaning |\n|---|---|---|---|---|---|---|\n";

/// The reference of all readings, events and XIDs, as Markdown.
pub fn metrics_reference() -> String {
    let mut text = words::INTRODUCTION.to_owned();
    reasons(&mut text);
    text += words::CLOCKS;
    for group in Group::ALL {
        self::group(&mut text, group);
    }
    text += words::TOPOLOGY;
    table(&mut text, "", TopologyOverview::METRICS);
    text += words::TOTALS;
    table(&mut text, "totals", HostTotals::METRICS);
    events(&mut text);
    xids(&mut text);
    text
}

fn reasons(text: &mut String) {
    *text += "| Reason | When | Lasts |\n|---|---|---|\n";
    for reason in words::REASONS {
        let lasts = if reason.is_permanent() {
            "as long as the driver stays loaded"
        } else {
            "until a read succeeds"
        };
        line(text, &[&code(reason.as_str()), words::meaning(reason), lasts]);
    }
}

fn group(text: &mut String, group: Group) {
    let cadence = match group.usual_cadence() {
        Cadence::Once => "once per initialisation".to_owned(),
        cadence => format!("`{cadence}`, configured by `sampler.groups.{}`", group.as_str()),
    };
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\n### {}: {}\n\n{} Read: {cadence}. {}\n\n",
        code(group.as_str()),
        group.usual_cadence(),
        group.description().trim(),
        words::gaps(group)
    );
    table(text, group.as_str(), group.metrics());
}

fn table(text: &mut String, above: &str, metrics: &[Metric]) {
    *text += HEAD;
    rows(text, above, metrics);
}

fn rows(text: &mut String, above: &str, metrics: &[Metric]) {
    for metric in metrics {
        let path = if above.is_empty() {
            metric.key.to_owned()
        } else {
            format!("{above}.{}", metric.key)
        };
        match metric.what {
            What::Reading(described) => row(text, &path, metric, described),
            What::Part(below) => rows(text, &path, below),
            What::List(described, below) => {
                row(text, &path, metric, described);
                rows(text, &path, below);
            }
        }
    }
}

fn row(text: &mut String, path: &str, metric: &Metric, described: Described) {
    let unit = match described.unit {
        Unit::None => "",
        unit => unit.as_str(),
    };
    line(
        text,
        &[
            &code(path),
            described.shape.as_str(),
            unit,
            described.kind.as_str(),
            &code(described.source),
            described.since.as_str(),
            metric.description.trim(),
        ],
    );
}

fn events(text: &mut String) {
    *text += words::EVENTS;
    for kind in EventKind::ALL {
        line(text, &[&code(kind.as_str()), kind.description()]);
    }
}

fn xids(text: &mut String) {
    *text += words::XIDS;
    for xid in Xid::all() {
        line(
            text,
            &[
                &xid.code.to_string(),
                xid.name,
                &code(xid.severity.as_str()),
                &code(xid.cause.as_str()),
                &code(xid.action.as_str()),
                xid.meaning,
            ],
        );
    }
}

/// A line of a table.
fn line(text: &mut String, cells: &[&str]) {
    for cell in cells {
        *text += "| ";
        *text += &cell.replace('|', "\\|");
        *text += " ";
    }
    *text += "|\n";
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_event_and_code_has_a_line() {
        fn check(text: &str, path: &str, metrics: &[Metric]) {
            for metric in metrics {
                let path = format!("{path}.{}", metric.key);
                match metric.what {
                    What::Reading(_) => assert!(text.contains(&format!("| `{path}` |")), "{path}"),
                    What::Part(below) | What::List(_, below) => check(text, &path, below),
                }
            }
        }
        let text = metrics_reference();
        for group in Group::ALL {
            check(&text, group.as_str(), group.metrics());
        }
        for kind in EventKind::ALL {
            assert!(text.contains(&format!("| `{}` |", kind.as_str())));
        }
        for xid in Xid::all() {
            assert!(text.contains(&format!("| {} | {} |", xid.code, xid.name.replace('|', "\\|"))));
        }
        for reason in words::REASONS {
            assert!(text.contains(&format!("| `{}` |", reason.as_str())));
        }
    }

    #[test]
    fn every_line_of_a_table_has_as_many_cells_as_its_head() {
        let text = metrics_reference();
        let mut cells = None;
        for line in text.lines() {
            let found = line
                .starts_with('|')
                .then(|| line.replace("\\|", "").matches('|').count());
            if let (Some(before), Some(found)) = (cells, found) {
                assert_eq!(before, found, "{line}");
            }
            cells = found;
        }
    }
}
