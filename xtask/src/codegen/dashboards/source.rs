//! What the tables of dashboards say: the keys of `deploy/grafana/source/*.toml`.

use anyhow::{Result, bail};
use serde::Deserialize;

/// Columns that Grafana's grid has.
pub(super) const COLUMNS: u32 = 24;

/// What stands for the selector in an expression. PromQL's own `@` follows a range or an offset and is not used here.
const SELECTOR: char = '@';

/// A dashboard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dashboard {
    /// Grafana's key of it, which links keep to.
    pub(super) uid: String,
    /// Its name.
    pub(super) title: String,
    /// What it shows.
    pub(super) description: String,
    /// What a reader chooses beside the data source.
    pub(super) variables: Vec<Variable>,
    /// Label matchers that follow from that choice; they stand where an expression has `@`.
    selector: String,
    /// Its rows, from the top.
    pub(super) row: Vec<Row>,
}

/// What a reader chooses.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Variable {
    /// Scrape jobs, usually all.
    Job,
    /// A node.
    Instance,
    /// GPUs of the node, usually all.
    Gpu,
}

/// A row, which can be folded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// Its heading.
    pub(super) title: String,
    /// Its panels, from left to right; those that do not fit go below.
    pub(super) panel: Vec<Panel>,
}

/// A panel.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Panel {
    /// Its heading.
    pub(super) title: String,
    /// What else has to be said.
    #[serde(default)]
    pub(super) description: String,
    /// What it looks like.
    #[serde(default)]
    pub(super) kind: Kind,
    /// Grafana's name of the unit; none for numbers.
    #[serde(default = "short")]
    pub(super) unit: String,
    /// The end of its axis, where that is known.
    pub(super) max: Option<f64>,
    /// Columns, of 24.
    #[serde(default = "third")]
    pub(super) width: u32,
    /// Grid rows of some 30 pixels.
    height: Option<u32>,
    /// Whether its series stand on each other.
    #[serde(default)]
    pub(super) stacked: bool,
    /// Whether a `stat` shows a series' value or its name.
    #[serde(default)]
    pub(super) shows: Shows,
    /// Colours from values on.
    #[serde(default)]
    pub(super) steps: Vec<(f64, String)>,
    /// Expressions, each with the name of its series.
    pub(super) targets: Vec<(String, String)>,
}

/// What a panel looks like.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Lines over time.
    #[default]
    Lines,
    /// The latest values, large.
    Stat,
    /// The latest values, as bars.
    Bars,
    /// The latest values, with their labels.
    Table,
    /// Which values there were, over time.
    Timeline,
}

/// What a `stat` shows of a series.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shows {
    /// Its value.
    #[default]
    Value,
    /// Its name: the series is 1, and what it says is in its labels.
    Name,
}

fn short() -> String {
    "short".to_owned()
}

fn third() -> u32 {
    COLUMNS / 3
}

impl Panel {
    /// Grid rows.
    pub(super) fn height(&self) -> u32 {
        self.height.unwrap_or(match self.kind {
            Kind::Stat => 4,
            _ => 8,
        })
    }
}

impl Dashboard {
    /// Reads a table.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut dashboard: Self = toml::from_str(text)?;
        let selector = dashboard.selector.clone();
        for panel in dashboard.row.iter_mut().flat_map(|row| &mut row.panel) {
            if panel.width == 0 || panel.width > COLUMNS {
                bail!(
                    "`{}` is {} columns wide: 1 to {COLUMNS}",
                    panel.title,
                    panel.width
                );
            }
            if panel.targets.is_empty() {
                bail!("`{}` shows nothing: give it `targets`", panel.title);
            }
            for (expression, _) in &mut panel.targets {
                *expression = expression.replace(SELECTOR, &selector);
            }
        }
        Ok(dashboard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "uid = 'u'\ntitle = 't'\ndescription = 'd'\nvariables = ['job']\nselector = 'a=\"b\"'\n[[row]]\ntitle = 'r'\n[[row.panel]]\ntitle = 'p'\n";

    fn parse(panel: &str) -> Result<Dashboard> {
        Dashboard::parse(&format!("{HEAD}{panel}"))
    }

    #[test]
    fn the_selector_stands_in_each_expression() {
        let dashboard = parse("targets = [['x{@,c=\"d\"} / y{@}', '']]").unwrap();
        assert_eq!(
            dashboard.row[0].panel[0].targets[0].0,
            "x{a=\"b\",c=\"d\"} / y{a=\"b\"}"
        );
    }

    #[test]
    fn what_shows_nothing_or_is_misspelt_is_an_error() {
        assert!(parse("targets = []").is_err());
        assert!(parse("targets = [['x', '']]\nwidth = 25").is_err());
        assert!(parse("targets = [['x', '']]\nkid = 'stat'").is_err());
        assert!(parse("targets = [['x', '']]\nkind = 'pie'").is_err());
    }
}
