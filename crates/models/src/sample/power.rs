//! Draw, limits and energy.

use crate::{Joules, Label, Seconds, Watts, catalogue::readings};

readings! {
    /// Draw, limits and energy.
    pub struct Power {
        /// Draw; a one-second average on Ampere and later (but for GA100), at this moment on others.
        reading draw_watts: Watts, gauge, "nvmlDeviceGetPowerUsage", Fermi;
        /// Draw, averaged by the driver over a second.
        reading average_watts: Watts, gauge, "nvmlDeviceGetFieldValues(185)", Ampere;
        /// Draw at this moment.
        reading instant_watts: Watts, gauge, "nvmlDeviceGetFieldValues(186)", Ampere;
        /// Draw of the whole module, processor and memory included, averaged by the driver.
        reading module_average_watts: Watts, gauge, "nvmlDeviceGetFieldValues(185, module)", Hopper;
        /// Draw of the whole module, processor and memory included, at this moment.
        reading module_instant_watts: Watts, gauge, "nvmlDeviceGetFieldValues(186, module)", Hopper;
        /// Exact mean draw since the tick before: what the energy counter grew by, divided by the time.
        reading mean_watts: Watts, gauge, "nvmlDeviceGetTotalEnergyConsumption", Volta;
        /// The limit that is set.
        reading management_limit_watts: Watts, gauge, "nvmlDeviceGetPowerManagementLimit", Fermi;
        /// The limit in force, all limiters considered.
        reading enforced_limit_watts: Watts, gauge, "nvmlDeviceGetEnforcedPowerLimit", Kepler;
        /// Energy since the driver was loaded, as the driver counts it.
        reading driver_energy_joules: Joules, gauge, "nvmlDeviceGetTotalEnergyConsumption", Volta;
        /// Energy, going on where the driver's counter begins anew.
        reading energy_joules_total: Joules, counter, "nvmlDeviceGetTotalEnergyConsumption", Volta;
        /// How often the driver's counter was seen to begin anew.
        reading energy_resets_total: u64, counter, "nvmlDeviceGetTotalEnergyConsumption", Volta;
        /// Where the power comes from: `ac`, `battery` or `undersized`.
        reading source: Label, info, "nvmlDeviceGetPowerSource", Pascal;
        /// Statistics of the draw since the tick before, from every sample that the driver took meanwhile.
        part interval: WattsSpread;
    }

    /// Statistics of the draw, over the samples that the driver took since the tick before.
    pub struct WattsSpread {
        /// Mean, weighted by the time that each sample stands for.
        reading mean_watts: Watts, gauge, "nvmlDeviceGetSamples", Kepler;
        /// The lowest sample.
        reading min_watts: Watts, gauge, "nvmlDeviceGetSamples", Kepler;
        /// The highest sample.
        reading max_watts: Watts, gauge, "nvmlDeviceGetSamples", Kepler;
        /// The draw below which the GPU was for 95 % of the time.
        reading p95_watts: Watts, gauge, "nvmlDeviceGetSamples", Kepler;
        /// Number of samples.
        reading samples: u64, gauge, "nvmlDeviceGetSamples", Kepler;
        /// Time that the samples stand for.
        reading covered_seconds: Seconds, gauge, "nvmlDeviceGetSamples", Kepler;
    }
}
