//! Why a GPU's clocks are lower than they could be.

use serde::{Deserialize, Serialize};

/// NVML's bit mask of clock event reasons (`nvmlDeviceGetCurrentClocksThrottleReasons`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThrottleReasons(pub u64);

/// The bits that nvml.h names, lowest first.
const NAMES: [&str; 9] = [
    "gpu_idle",
    "applications_clocks_setting",
    "sw_power_cap",
    "hw_slowdown",
    "sync_boost",
    "sw_thermal_slowdown",
    "hw_thermal_slowdown",
    "hw_power_brake_slowdown",
    "display_clock_setting",
];

impl ThrottleReasons {
    /// Each reason that has a name, and whether it holds.
    pub fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
        NAMES
            .into_iter()
            .enumerate()
            .map(move |(bit, name)| (name, self.0 >> bit & 1 == 1))
    }

    /// The names of the reasons that hold; a bit without a name is `unknown_bit_N`, so that nothing is lost.
    pub fn names(self) -> Vec<String> {
        (0..u64::BITS as usize)
            .filter(|bit| self.0 >> bit & 1 == 1)
            .map(|bit| {
                NAMES
                    .get(bit)
                    .map_or_else(|| format!("unknown_bit_{bit}"), |name| (*name).to_owned())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_the_names_of_the_header() {
        assert_eq!(
            ThrottleReasons(0x1 | 0x4 | 0x40).names(),
            ["gpu_idle", "sw_power_cap", "hw_thermal_slowdown"]
        );
        assert!(ThrottleReasons(0).names().is_empty());
    }

    #[test]
    fn a_bit_of_a_later_driver_is_not_lost() {
        assert_eq!(ThrottleReasons(1 << 63).names(), ["unknown_bit_63"]);
    }
}
