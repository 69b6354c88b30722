//! What a metric family is, and who takes it: encoders see families one after the other, each with all its series.

use std::{borrow::Cow, fmt::Write as _};

use gpulse_models::Timestamp;

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows, until its process starts anew.
    Counter,
    /// Always 1: its labels are what it says. The name ends in `_info`.
    Info,
    /// Counts of observations by size, with their number and sum.
    Histogram,
}

/// A metric family: its name, and what is said of it once for all its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name; that of a counter ends in `_total` where its naming scheme does so.
    pub name: Cow<'static, str>,
    /// The type.
    pub kind: Kind,
    /// What it means, a sentence.
    pub help: Cow<'static, str>,
    /// The unit, if it is a part of the name.
    pub unit: &'static str,
}

impl Family {
    /// A family; the unit is the one that the name ends in.
    pub fn new(kind: Kind, name: impl Into<Cow<'static, str>>, help: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let unit = unit_of(&name);
        Self {
            name,
            kind,
            help: help.into(),
            unit,
        }
    }
}

/// Units that names end in, longer ones before those that they contain.
const UNITS: [&str; 11] = [
    "bytes_per_second",
    "frames_per_second",
    "seconds",
    "celsius",
    "joules",
    "watts",
    "hertz",
    "bytes",
    "ratio",
    "rpm",
    "percent",
];

/// The unit that a name ends in; empty if it does in none.
fn unit_of(name: &str) -> &'static str {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let ends = |unit: &&&str| stem.strip_suffix(**unit).is_some_and(|rest| rest.ends_with('_'));
    UNITS.iter().find(ends).copied().unwrap_or("")
}

/// Labels that many series share, with their text made once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    pairs: Vec<(&'static str, String)>,
    text: String,
}

impl Labels {
    /// These labels. Empty values are left out: to every monitoring system a label without a value is none.
    pub fn new(pairs: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let mut labels = Self {
            pairs: pairs.collect(),
            text: String::new(),
        };
        for (name, value) in &labels.pairs {
            write_label(&mut labels.text, name, value);
        }
        labels
    }

    /// Name and value of each, in the order in which they were given.
    pub fn pairs(&self) -> impl Iterator<Item = Extra<'_>> {
        self.pairs.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// As they stand between the braces of a series.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Appends `name="value"`, after a comma where something stands before it.
pub(crate) fn write_label(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() && !text.ends_with('{') {
        text.push(',');
    }
    text.push_str(name);
    text.push_str("=\"");
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// One value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<'a> {
    /// The value; finite.
    pub value: f64,
    /// Since when a counter counts, where that is known.
    pub created: Option<Timestamp>,
    /// What the last increase of a counter was about.
    pub exemplar: Option<Exemplar<'a>>,
}

impl From<f64> for Point<'_> {
    fn from(value: f64) -> Self {
        Self {
            value,
            created: None,
            exemplar: None,
        }
    }
}

/// Points from a counter's increase to something that can be looked up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar<'a> {
    /// Name and value of its one label.
    pub label: (&'a str, &'a str),
    /// What the counter was increased by.
    pub value: f64,
    /// When.
    pub at: Timestamp,
}

/// A label of one series alone.
pub type Extra<'a> = (&'a str, &'a str);

/// Takes families and their series, in the order of the exposition.
pub trait Sink {
    /// The series that follow belong to `family`.
    fn family(&mut self, family: &Family);

    /// A series of the family.
    fn series(&mut self, labels: &Labels, extra: &[Extra<'_>], point: Point<'_>);

    /// A histogram of the family: the upper bounds of its buckets with how many observations each holds, those above the
    /// last bound, and the sum.
    fn histogram(&mut self, labels: &Labels, extra: &[Extra<'_>], histogram: &Histogram<'_>);
}

/// Observations by size.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a> {
    /// Upper bounds, ascending.
    pub bounds: &'a [f64],
    /// Observations in each bucket alone, and at the end those above the last bound.
    pub counts: &'a [u64],
    /// Sum of all observations.
    pub sum: f64,
}

/// A number as text, the shortest that reads as the same.
pub(crate) fn write_number(text: &mut String, value: f64) {
    /// Below this every whole number is one of `f64`, and reads better without a fraction.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < WHOLE {
        text.push_str(itoa::Buffer::new().format(value as i64));
    } else if value.is_finite() {
        text.push_str(zmij::Buffer::new().format_finite(value));
    } else {
        let _ = write!(
            text,
            "{}",
            if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            }
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_end_of_the_name() {
        for (name, unit) in [
            ("gpulse_power_draw_watts", "watts"),
            ("gpulse_pcie_sent_bytes_total", "bytes"),
            ("gpulse_pcie_sent_bytes_per_second", "bytes_per_second"),
            ("gpulse_generation", ""),
            ("ratio", ""),
        ] {
            assert_eq!(unit_of(name), unit, "{name}");
        }
    }

    #[test]
    fn what_would_end_a_label_is_escaped() {
        let labels = Labels::new([
            ("a", "x\"y\\z\n".to_owned()),
            ("b", String::new()),
            ("c", "ü".to_owned()),
        ]);
        assert_eq!(labels.text(), r#"a="x\"y\\z\n",c="ü""#);
        assert_eq!(labels.pairs().count(), 2);
    }

    #[test]
    fn numbers_read_as_what_they_were() {
        for value in [0.0, -1.0, 0.1, 1e300, 9_007_199_254_740_993.0, 87.5, -0.25, 1e-9] {
            let mut text = String::new();
            write_number(&mut text, value);
            assert_eq!(text.parse::<f64>().unwrap(), value, "{text}");
        }
        let mut text = String::new();
        write_number(&mut text, 1_593_000_000.0);
        assert_eq!(text, "1593000000");
    }
}
