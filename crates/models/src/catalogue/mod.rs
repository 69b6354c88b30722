//! What can be read of a GPU, described beside where it is declared: the same table makes the types, the native JSON,
//! its schema and the reference of metrics, so that they cannot differ.
//!
//! A struct of readings is declared with `readings!`. Each of its fields is a [`Metric`]: a reading with its unit, its
//! source and what it counts, a part with readings of its own, or a list of such parts. Whoever wants to show readings
//! walks them with [`Readings::see`].

mod group;
mod readings;
mod reference;
mod shown;

pub use group::{Cadence, Group};
pub(crate) use readings::{readings, what_is_read, what_it_is};
pub use reference::metrics_reference;
pub use shown::{Below, Quantity, Shape, Shown, Unit};

use crate::{Reading, Reason};

/// One key of a struct of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name on the wire and in the code; the unit is a part of it.
    pub key: &'static str,
    /// What it means.
    pub description: &'static str,
    /// What is below the key.
    pub what: What,
}

/// What is below a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A value.
    Reading(Described),
    /// A part with keys of its own.
    Part(&'static [Metric]),
    /// A list of parts with these keys; the list as a whole is a reading.
    List(Described, &'static [Metric]),
}

/// How a reading comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its unit.
    pub unit: Unit,
    /// Its type in JSON.
    pub shape: Shape,
    /// What kind of number it is.
    pub kind: Kind,
    /// The NVML call, field or other source.
    pub source: &'static str,
    /// The generation of GPUs from which on it can be had.
    pub since: Since,
}

/// What kind of number a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows, for as long as the agent lives.
    Counter,
    /// It says what something is.
    Info,
}

impl Kind {
    /// The name used in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Info => "info",
        }
    }
}

/// The generation of GPUs from which on something can be had, by NVIDIA's documentation; boards differ within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// All that NVML serves.
    Fermi,
    /// 2012.
    Kepler,
    /// 2014.
    Maxwell,
    /// 2016.
    Pascal,
    /// 2017.
    Volta,
    /// 2018.
    Turing,
    /// 2020.
    Ampere,
    /// 2022.
    Hopper,
    /// 2024.
    Blackwell,
}

impl Since {
    /// The name used in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fermi => "Fermi",
            Self::Kepler => "Kepler",
            Self::Maxwell => "Maxwell",
            Self::Pascal => "Pascal",
            Self::Volta => "Volta",
            Self::Turing => "Turing",
            Self::Ampere => "Ampere",
            Self::Hopper => "Hopper",
            Self::Blackwell => "Blackwell",
        }
    }
}

/// Something whose readings can be looked at one after the other.
pub trait Readings {
    /// Shows each key with what is below it, in the order of their declaration.
    fn see<'a>(&'a self, visit: &mut dyn FnMut(&'static Metric, Reading<Shown<'a>>));

    /// The reason why nothing was read, where each reading is absent for the same one.
    fn absence(&self) -> Option<Reason> {
        let mut found: Result<Option<Reason>, ()> = Ok(None);
        self.see(&mut |_, reading| {
            let reason = match reading {
                Reading::Unavailable(reason) => Some(reason),
                Reading::Value(Shown::Part(part)) => part.absence(),
                Reading::Value(_) => None,
            };
            found = match (found, reason) {
                (Ok(None), Some(reason)) => Ok(Some(reason)),
                (Ok(Some(before)), Some(reason)) if before == reason => Ok(Some(reason)),
                _ => Err(()),
            };
        });
        found.ok().flatten()
    }
}

/// Readings that are described.
pub trait Catalogued: Readings + Sized {
    /// The keys, in the order of their declaration.
    const METRICS: &'static [Metric];

    /// All of it absent, for one reason.
    fn absent(reason: Reason) -> Self;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Power, Watts};

    #[test]
    fn what_is_absent_for_one_reason_says_so_once() {
        let mut power = Power::absent(Reason::NotSupported);
        assert_eq!(power.absence(), Some(Reason::NotSupported));
        power.interval.mean_watts = Reading::Unavailable(Reason::NotReady);
        assert_eq!(power.absence(), None);
        power = Power::absent(Reason::Disabled);
        power.draw_watts = Reading::Value(Watts(5.0));
        assert_eq!(power.absence(), None);
    }

    #[test]
    fn every_key_is_seen_in_the_order_of_the_table() {
        let mut seen = Vec::new();
        Power::absent(Reason::Error).see(&mut |metric, _| seen.push(metric.key));
        let keys: Vec<_> = Power::METRICS.iter().map(|metric| metric.key).collect();
        assert_eq!(seen, keys);
    }

    #[test]
    fn keys_carry_their_unit_and_descriptions_end_as_sentences() {
        fn check(path: &str, metrics: &[Metric]) {
            for metric in metrics {
                let path = format!("{path}.{}", metric.key);
                assert!(
                    metric.description.trim().ends_with('.'),
                    "{path}: {}",
                    metric.description
                );
                match metric.what {
                    What::Reading(described) => {
                        let ending = described.unit.ending();
                        let stem = metric.key.trim_end_matches("_total");
                        assert!(stem.ends_with(ending), "{path} is in {:?}", described.unit);
                        let counts = described.kind == Kind::Counter;
                        assert_eq!(
                            counts,
                            metric.key.ends_with("_total"),
                            "{path}: counters end in _total"
                        );
                        assert!(!described.source.is_empty(), "{path} has no source");
                    }
                    What::Part(metrics) | What::List(_, metrics) => check(&path, metrics),
                }
            }
        }
        for group in Group::ALL {
            check(group.as_str(), group.metrics());
        }
    }
}
