//! When each group of readings is read.

use std::{fmt, time::Duration};

use gpulse_models::catalogue::{Cadence, Group};
use gpulse_sampler::{MAX_INTERVAL, MIN_INTERVAL, Schedule};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Declares the groups that can be configured, each with its usual time.
macro_rules! groups {
    ($($key:ident $group:ident),* $(,)?) => {
        /// When each group of readings is read.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Groups {
            $(#[serde(with = "text")] $key: Cadence,)*
        }

        impl Default for Groups {
            fn default() -> Self {
                Self { $($key: Group::$group.usual_cadence(),)* }
            }
        }

        impl Groups {
            /// The groups, the keys that they are configured by, and when they are read.
            fn all(&self) -> impl Iterator<Item = (Group, &'static str, Cadence)> {
                [$((Group::$group, concat!("sampler.groups.", stringify!($key)), self.$key)),*].into_iter()
            }
        }
    };
}

groups! {
    load Load, activity Activity, memory Memory, power Power, thermal Thermal, clocks Clocks, mig Mig, pcie Pcie,
    nvlink Nvlink, reliability Reliability, modes Modes, sessions Sessions, processes Processes,
}

impl Groups {
    /// The schedule of a sampler that ticks every `tick`.
    pub(crate) fn schedule(&self, tick: Duration, slow: Duration) -> Schedule {
        self.all()
            .fold(Schedule::usual(tick, slow), |schedule, (group, _, cadence)| {
                schedule.with(group, cadence)
            })
    }

    /// The key of the first group whose time is out of range, and the time.
    pub(super) fn out_of_range(&self) -> Option<(&'static str, Duration)> {
        self.all().find_map(|(_, key, cadence)| match cadence {
            Cadence::Every(time) if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&time) => Some((key, time)),
            _ => None,
        })
    }
}

/// A cadence as a text: `tick`, `slow`, `off` or a duration.
mod text {
    use super::{Cadence, CadenceText, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(cadence: &Cadence, serializer: S) -> Result<S::Ok, S::Error> {
        match cadence {
            Cadence::Every(time) => serializer.collect_str(&humantime::format_duration(*time)),
            cadence => serializer.collect_str(cadence),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cadence, D::Error> {
        deserializer.deserialize_any(CadenceText)
    }
}

struct CadenceText;

impl de::Visitor<'_> for CadenceText {
    type Value = Cadence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tick, slow, off, or a duration with its unit such as 10s")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cadence, E> {
        match text {
            "tick" => Ok(Cadence::Tick),
            "slow" => Ok(Cadence::Slow),
            "off" => Ok(Cadence::Off),
            text => humantime::parse_duration(text)
                .map(Cadence::Every)
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    /// What the environment and TOML make of the word `off`, or of `false`.
    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Cadence, E> {
        if on {
            Err(E::invalid_value(de::Unexpected::Bool(on), &self))
        } else {
            Ok(Cadence::Off)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_that_can_be_configured_has_a_key() {
        let groups = Groups::default();
        let keys: Vec<_> = groups.all().map(|(group, key, _)| (group, key)).collect();
        let expected: Vec<_> = Group::ALL
            .into_iter()
            .filter(|group| group.is_configurable())
            .collect();
        assert_eq!(keys.iter().map(|(group, _)| *group).collect::<Vec<_>>(), expected);
        for (group, key) in keys {
            assert_eq!(key, format!("sampler.groups.{}", group.as_str()));
        }
    }

    #[test]
    fn a_cadence_survives_its_own_text() {
        for cadence in [
            Cadence::Tick,
            Cadence::Slow,
            Cadence::Off,
            Cadence::Every(Duration::from_millis(2_500)),
        ] {
            let groups = Groups {
                nvlink: cadence,
                ..Groups::default()
            };
            let text = serde_json::to_string(&groups).unwrap();
            assert_eq!(serde_json::from_str::<Groups>(&text).unwrap(), groups, "{text}");
        }
    }

    #[test]
    fn a_time_that_no_sampler_can_keep_is_found() {
        let groups = Groups {
            pcie: Cadence::Every(Duration::from_millis(1)),
            ..Groups::default()
        };
        assert_eq!(
            groups.out_of_range(),
            Some(("sampler.groups.pcie", Duration::from_millis(1)))
        );
        assert_eq!(Groups::default().out_of_range(), None);
    }
}
