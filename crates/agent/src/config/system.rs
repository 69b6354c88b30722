//! Keys about the machine and its service manager: what GPUs there should be, and what a stuck agent leads to.

use std::{fmt, path::PathBuf, time::Duration};

use gpulse_sampler::{Expectation, InventorySettings, SYSFS};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    duration,
    schema::{Violation, within},
};

/// What GPUs the machine should have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {
    #[serde(with = "expectation")]
    pub(crate) expected_gpus: Expectation,
    pub(crate) sysfs_root: PathBuf,
    #[serde(with = "duration")]
    pub(crate) interval: Duration,
}

/// When the service manager is to start the agent anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watchdog {
    pub(crate) on_total_hang: OnTotalHang,
    #[serde(with = "duration")]
    pub(crate) total_hang_after: Duration,
}

/// What to do once nothing of NVML returns any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnTotalHang {
    Wait,
    Restart,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            expected_gpus: Expectation::Devices,
            sysfs_root: SYSFS.into(),
            interval: Duration::from_secs(60),
        }
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            on_total_hang: OnTotalHang::Wait,
            total_hang_after: Duration::from_secs(300),
        }
    }
}

impl Health {
    /// How the machine's GPUs are looked for.
    pub(crate) fn inventory(&self) -> InventorySettings {
        InventorySettings {
            expectation: self.expected_gpus,
            sysfs: self.sysfs_root.clone(),
            interval: self.interval,
        }
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        if let Expectation::Number(number) = self.expected_gpus {
            within("health.expected_gpus", number, 0, MOST_GPUS)?;
        }
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(86_400));
        within("health.interval", self.interval, least, most)
    }
}

/// More than any machine has: a larger number is a mistake.
const MOST_GPUS: usize = 1_024;

impl Watchdog {
    pub(super) fn check(&self) -> Result<(), Violation> {
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(86_400));
        within("watchdog.total_hang_after", self.total_hang_after, least, most)
    }
}

/// `auto`, `off` or a number.
mod expectation {
    use super::{Deserializer, Expectation, ExpectationText, Serializer};

    pub(super) fn serialize<S: Serializer>(
        expectation: &Expectation,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match expectation {
            Expectation::Devices => serializer.serialize_str("auto"),
            Expectation::Off => serializer.serialize_str("off"),
            Expectation::Number(number) => serializer.serialize_u64(*number as u64),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Expectation, D::Error> {
        deserializer.deserialize_any(ExpectationText)
    }
}

struct ExpectationText;

impl de::Visitor<'_> for ExpectationText {
    type Value = Expectation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("auto, off, or a number of GPUs")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expectation, E> {
        match text {
            "auto" => Ok(Expectation::Devices),
            "off" => Ok(Expectation::Off),
            text => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Expectation, E> {
        let most = usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Expectation::Number(most))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Expectation, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
        }
    }

    /// What a layer may make of the word `off`.
    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Expectation, E> {
        if on {
            Err(E::invalid_value(de::Unexpected::Bool(on), &self))
        } else {
            Ok(Expectation::Off)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> Result<Expectation, String> {
        let text = format!("expected_gpus = {value}\nsysfs_root = \"/sys\"\ninterval = \"1m\"\n");
        let read = figment::Figment::from(<figment::providers::Toml as figment::providers::Format>::string(
            &text,
        ));
        let health: Result<Health, _> = read.extract();
        let health = health.map_err(|error| error.to_string())?;
        health.check().map_err(|violation| violation.problem)?;
        Ok(health.expected_gpus)
    }

    #[test]
    fn what_there_should_be_is_a_word_or_a_number() {
        assert_eq!(parsed("\"auto\""), Ok(Expectation::Devices));
        assert_eq!(parsed("\"off\""), Ok(Expectation::Off));
        assert_eq!(parsed("false"), Ok(Expectation::Off));
        assert_eq!(parsed("0"), Ok(Expectation::Number(0)));
        assert_eq!(parsed("8"), Ok(Expectation::Number(8)));
        for wrong in ["-1", "1025", "true", "\"eight\"", "1.5"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_expectation_survives_its_own_text() {
        for expected_gpus in [Expectation::Devices, Expectation::Off, Expectation::Number(4)] {
            let health = Health {
                expected_gpus,
                ..Health::default()
            };
            let text = serde_json::to_string(&health).unwrap();
            assert_eq!(serde_json::from_str::<Health>(&text).unwrap(), health, "{text}");
        }
    }
}
