//! Which readings have a history: the numbers of the catalogue that move, each GPU's own and not those of its parts.

use std::{collections::HashMap, sync::LazyLock};

use gpulse_models::{
    Sample,
    catalogue::{Below, Described, Group, Kind, Metric, Readings, Shape, Shown, Unit, What},
};

/// The groups that are looked at: what a GPU is and what it can be driven to does not move, and processes are rows of
/// their own.
const GROUPS: [Group; 12] = [
    Group::Load,
    Group::Activity,
    Group::Memory,
    Group::Power,
    Group::Thermal,
    Group::Clocks,
    Group::Mig,
    Group::Pcie,
    Group::Nvlink,
    Group::Reliability,
    Group::Modes,
    Group::Sessions,
];

/// Readings that are left out: they say how others came about, or cannot be put together, since the 95th percentile of an hour
/// does not follow from those of its seconds.
const LEFT_OUT: [&str; 5] = [
    "samples",
    "covered_seconds",
    "over_seconds",
    "p95_percent",
    "p95_watts",
];

/// A reading that has a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMetric {
    /// Its path in the reference, such as `power.draw_watts`.
    pub path: String,
    /// Its unit.
    pub unit: Unit,
    /// Whether it goes up and down or only grows.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
}

/// The place of a metric among those that have a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricId(pub(crate) usize);

/// All readings that have a history.
pub static KEPT: LazyLock<Kept> = LazyLock::new(Kept::new);

/// All readings that have a history, in the order of the catalogue.
#[derive(Debug)]
pub struct Kept {
    metrics: Vec<KeptMetric>,
    paths: HashMap<String, MetricId>,
    /// For each group, and each of its cells depth first, the place of the metric, if it is one that is kept.
    cells: Vec<(Group, Vec<Option<usize>>)>,
}

impl Kept {
    fn new() -> Self {
        let mut kept = Self {
            metrics: Vec::new(),
            paths: HashMap::new(),
            cells: Vec::new(),
        };
        for group in GROUPS {
            let mut cells = Vec::new();
            kept.add(group.as_str(), group.metrics(), &mut cells);
            kept.cells.push((group, cells));
        }
        for (place, metric) in kept.metrics.iter().enumerate() {
            kept.paths.insert(metric.path.clone(), MetricId(place));
        }
        kept
    }

    fn add(&mut self, above: &str, metrics: &'static [Metric], cells: &mut Vec<Option<usize>>) {
        for metric in metrics {
            let path = format!("{above}.{}", metric.key);
            match metric.what {
                What::Part(below) => self.add(&path, below, cells),
                What::Reading(described) if moves(metric, described) => {
                    cells.push(Some(self.metrics.len()));
                    self.metrics.push(KeptMetric {
                        path,
                        unit: described.unit,
                        kind: described.kind,
                        help: metric.description.trim(),
                    });
                }
                What::Reading(_) | What::List(..) => cells.push(None),
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.metrics.len()
    }

    /// All of them.
    pub fn all(&self) -> &[KeptMetric] {
        &self.metrics
    }

    /// The metric with this path.
    pub fn find(&self, path: &str) -> Option<MetricId> {
        self.paths.get(path).copied()
    }

    /// The metric with this place.
    pub fn at(&self, metric: MetricId) -> &KeptMetric {
        &self.metrics[metric.0]
    }

    /// What `sample` read anew since `before`, by place; not a number where that is nothing. A group that was not due is
    /// shared with the sample before, and is not a reading of now.
    pub(crate) fn read(&self, sample: &Sample, before: Option<&Sample>) -> Vec<f64> {
        let mut values = vec![f64::NAN; self.count()];
        for (group, cells) in &self.cells {
            let Some((readings, Some(read_at))) = sample.group(*group) else {
                continue;
            };
            let earlier = before.and_then(|before| before.group(*group)?.1);
            if earlier != Some(read_at) {
                walk(readings, &mut cells.iter(), &mut values);
            }
        }
        values
    }
}

fn moves(metric: &Metric, described: Described) -> bool {
    let is_number = matches!(described.shape, Shape::Number | Shape::Integer);
    is_number && described.kind != Kind::Info && !LEFT_OUT.contains(&metric.key)
}

fn walk(readings: &dyn Readings, cells: &mut std::slice::Iter<'_, Option<usize>>, values: &mut [f64]) {
    readings.see(&mut |_, reading| {
        let shown = reading.into_result().ok();
        if let Some(Shown::Part(Below::Kept(part))) = shown {
            return walk(part, cells, values);
        }
        let place = cells.next().copied().flatten();
        let number = match shown {
            Some(Shown::Float(value)) => value,
            Some(Shown::Integer(value)) => value as f64,
            _ => return,
        };
        if let Some(value) = place.and_then(|place| values.get_mut(place)) {
            *value = number;
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gpulse_models::{Percent, Reading, Timed, Watts, example};

    use super::*;

    fn at(values: &[f64], path: &str) -> f64 {
        values[KEPT.find(path).unwrap().0]
    }

    #[test]
    fn each_number_comes_from_its_place() {
        let mut sample = example::sample();
        let mut power = Timed::clone(&sample.power);
        power.readings.draw_watts = Reading::Value(Watts(123.25));
        power.readings.interval.max_watts = Reading::Value(Watts(456.5));
        sample.power = Arc::new(power);
        let mut load = Timed::clone(&sample.load);
        load.readings.gpu_percent = Reading::Value(Percent(7.0));
        load.readings.memory_percent = Reading::Unavailable(gpulse_models::Reason::Error);
        sample.load = Arc::new(load);
        let values = KEPT.read(&sample, None);
        assert_eq!(at(&values, "power.draw_watts"), 123.25);
        assert_eq!(at(&values, "power.interval.max_watts"), 456.5);
        assert_eq!(at(&values, "load.gpu_percent"), 7.0);
        assert!(at(&values, "load.memory_percent").is_nan());
        let used = sample.memory.used_bytes.value().unwrap().0;
        assert_eq!(at(&values, "memory.used_bytes"), used as f64);
        let sessions = *sample.sessions.encoder_sessions.value().unwrap();
        assert_eq!(at(&values, "sessions.encoder_sessions"), f64::from(sessions));
    }

    #[test]
    fn what_was_not_read_anew_is_no_reading_of_now() {
        let before = example::sample();
        let mut sample = before.clone();
        let mut power = Timed::clone(&sample.power);
        power.read_at = Some(example::at() + std::time::Duration::from_secs(1));
        sample.power = Arc::new(power);
        let values = KEPT.read(&sample, Some(&before));
        assert!(!at(&values, "power.draw_watts").is_nan());
        assert!(at(&values, "load.gpu_percent").is_nan());
    }

    #[test]
    fn what_does_not_move_or_is_no_number_has_no_history() {
        for path in [
            "limits.power_max_watts",
            "identity.cores",
            "clocks.performance_state",
            "load.interval.gpu.samples",
        ] {
            assert_eq!(KEPT.find(path), None, "{path}");
        }
        for path in [
            "power.energy_joules_total",
            "pcie.sent_bytes_per_second",
            "reliability.corrected_volatile",
        ] {
            assert!(KEPT.find(path).is_some(), "{path}");
        }
    }
}
