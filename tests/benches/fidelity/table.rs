//! The result as a table, with the goals below it.

use std::fmt::Write as _;

use crate::{errors::Errors, loads::LOADS};

/// What gpulse's own means and counters may be off by at most, percent.
const GOAL_PERCENT: f64 = 1.0;

/// A column of errors.
struct Column {
    title: [&'static str; 3],
    read: fn(&Errors) -> f64,
    /// Whether the goal is about it.
    is_ours: bool,
    /// Whether it is in percent of the truth, with a sign.
    is_relative: bool,
}

const COLUMNS: [Column; 8] = [
    column(["gpulse", "mean", "%"], |errors| errors.mean, true, true),
    column(
        ["gpulse", "a tick", "points"],
        |errors| errors.mean_of_tick,
        false,
        false,
    ),
    column(["samples", "mean", "%"], |errors| errors.point, false, true),
    column(
        ["samples", "a tick", "points"],
        |errors| errors.point_of_tick,
        false,
        false,
    ),
    column(["gpulse", "counter", "%"], |errors| errors.counter, true, true),
    column(["gpulse", "mean W", "%"], |errors| errors.mean_power, true, true),
    column(["samples", "draw", "%"], |errors| errors.draw, false, true),
    column(["samples", "instant", "%"], |errors| errors.instant, false, true),
];

const fn column(
    title: [&'static str; 3],
    read: fn(&Errors) -> f64,
    is_ours: bool,
    is_relative: bool,
) -> Column {
    Column {
        title,
        read,
        is_ours,
        is_relative,
    }
}

/// Whether every error that the goal is about is within it.
pub(crate) fn reaches_the_goals(rows: &[Errors]) -> bool {
    let mut ours = COLUMNS.iter().filter(|column| column.is_ours);
    ours.all(|column| column.worst(rows) <= GOAL_PERCENT)
}

/// The table: a row for each load, the largest error of each column, and what becomes of the goal.
pub(crate) fn render(rows: &[Errors]) -> String {
    let mut text = String::from(
        "\nErrors of mean utilisation and of energy over simulated loads, in percent of the truth of the same time.\n\
         gpulse: what it reports of the time between its ticks, one a second. samples: what is read at each tick, as a\n\
         client does that polls; `draw` is the driver's average over a second, `instant` the draw of the moment. What\n\
         samples are off by depends on where in the periods of a load they fall, and is another in every run.\n\n",
    );
    for line in 0..3 {
        let of_loads = ["load        Hz", "", ""][line];
        let of_truth = ["utilisation", "truth", "%"][line];
        let of_power = ["energy", "truth", "W"][line];
        let mut titles = format!("  {of_loads:<14} {of_truth:>11}");
        for (place, column) in COLUMNS.iter().enumerate() {
            if place == COLUMNS_OF_LOAD {
                let _ = write!(titles, "  {of_power:>7}");
            }
            let _ = write!(titles, " {:>8}", column.title[line]);
        }
        text += &titles;
        text.push('\n');
    }
    for (load, errors) in LOADS.iter().zip(rows) {
        let name = format!("{:<8} {:>5}", load.shape, load.frequency_hz);
        text += &row(&name, Some(errors), |column| column.show((column.read)(errors)));
    }
    text.push('\n');
    text += &row("largest", None, |column| column.show_size(column.worst(rows)));
    text += &row("goal", None, |column| {
        if column.is_ours {
            format!("<= {GOAL_PERCENT}")
        } else {
            String::new()
        }
    });
    text += &row("verdict", None, |column| column.verdict(rows).to_owned());
    text
}

/// So many columns are about utilisation, the others about energy.
const COLUMNS_OF_LOAD: usize = 4;

fn row(name: &str, truth: Option<&Errors>, cell: impl Fn(&Column) -> String) -> String {
    let shown = |value: Option<f64>| value.map(|value| format!("{value:.1}")).unwrap_or_default();
    let mut text = format!(
        "  {name:<14} {:>11}",
        shown(truth.map(|errors| errors.true_percent))
    );
    for (place, column) in COLUMNS.iter().enumerate() {
        if place == COLUMNS_OF_LOAD {
            let _ = write!(text, "  {:>7}", shown(truth.map(|errors| errors.true_watts)));
        }
        let _ = write!(text, " {:>8}", cell(column));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

impl Column {
    fn worst(&self, rows: &[Errors]) -> f64 {
        // What is no number is worse than all that is one.
        rows.iter()
            .map(|row| (self.read)(row).abs())
            .fold(0.0, |worst: f64, error| {
                if error.is_nan() {
                    f64::INFINITY
                } else {
                    worst.max(error)
                }
            })
    }

    fn show(&self, error: f64) -> String {
        if self.is_relative {
            format!("{error:+.2}")
        } else {
            self.show_size(error)
        }
    }

    fn show_size(&self, error: f64) -> String {
        format!("{error:.2}")
    }

    fn verdict(&self, rows: &[Errors]) -> &'static str {
        match (self.is_ours, self.worst(rows) <= GOAL_PERCENT) {
            (false, _) => "",
            (true, true) => "reached",
            (true, false) => "MISSED",
        }
    }
}
