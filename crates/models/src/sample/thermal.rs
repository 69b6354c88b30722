//! Temperatures and fans.

use crate::{Celsius, Label, Percent, Reading, Reason, Revolutions, catalogue::readings};

readings! {
    /// Temperatures and fans.
    pub struct Thermal {
        /// Core.
        reading gpu_celsius: Celsius, gauge, "nvmlDeviceGetTemperature", Fermi;
        /// Device memory.
        reading memory_celsius: Celsius, gauge, "nvmlDeviceGetFieldValues(82)", Volta;
        /// How far the core is from the nearest temperature at which clocks are lowered; below 0 they are.
        reading margin_celsius: Celsius, gauge, "nvmlDeviceGetMarginTemperature", Ampere;
        /// Each fan; none where the board is cooled by others.
        list fans: Fan, gauge, "nvmlDeviceGetNumFans", Maxwell;
    }

    /// A fan.
    pub struct Fan {
        /// Its number.
        reading index: u32, info, "nvmlDeviceGetNumFans", Maxwell;
        /// The speed that it is driven at, of its highest; not measured. It may lie above 100.
        reading speed_percent: Percent, gauge, "nvmlDeviceGetFanSpeed_v2", Maxwell;
        /// The speed that the control wants.
        reading target_percent: Percent, gauge, "nvmlDeviceGetTargetFanSpeed", Maxwell;
        /// How fast it turns, measured.
        reading speed_rpm: Revolutions, gauge, "nvmlDeviceGetFanSpeedRPM", Maxwell;
        /// Who sets its speed: `automatic` or `manual`.
        reading policy: Label, info, "nvmlDeviceGetFanControlPolicy_v2", Maxwell;
    }
}

impl Thermal {
    /// The speed that the first fan is driven at, where there is one.
    pub fn first_fan_speed(&self) -> Reading<Percent> {
        match &self.fans {
            Reading::Value(fans) => fans
                .first()
                .map_or(Reading::Unavailable(Reason::NotSupported), |fan| {
                    fan.speed_percent
                }),
            Reading::Unavailable(reason) => Reading::Unavailable(*reason),
        }
    }
}
