//! Draw, limits and energy.

use gpulse_models::{Joules, Power, Reading, Watts, WattsSpread, catalogue::Catalogued};
use nvml_wrapper::enum_wrappers::device::Sampling;

use super::{Gpu, counting::Counted, fields, load::covered};
use crate::{book::What, convert, interval::rate, label, raw};

/// Millijoules a second are milliwatts.
const MILLI: f64 = 1_000.0;

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Power {
    let device = gpu.device;
    let energy = gpu.asker.ask(
        "nvmlDeviceGetTotalEnergyConsumption",
        || device.total_energy_consumption(),
        convert::count,
    );
    let counted = gpu.count(What::Energy, energy);
    let [average, instant, module_average, module_instant] = gpu
        .fields([
            fields::POWER_AVERAGE,
            fields::POWER_INSTANT,
            fields::MODULE_POWER_AVERAGE,
            fields::MODULE_POWER_INSTANT,
        ])
        .map(|field| field.and_then(convert::field_watts));
    let interval = interval(gpu);
    let asker = &mut *gpu.asker;
    Power {
        draw_watts: asker.ask("nvmlDeviceGetPowerUsage", || device.power_usage(), convert::watts),
        average_watts: average,
        instant_watts: instant,
        module_average_watts: module_average,
        module_instant_watts: module_instant,
        mean_watts: counted.rate().map(rate::watts),
        management_limit_watts: asker.ask(
            "nvmlDeviceGetPowerManagementLimit",
            || device.power_management_limit(),
            convert::watts,
        ),
        enforced_limit_watts: asker.ask(
            "nvmlDeviceGetEnforcedPowerLimit",
            || device.enforced_power_limit(),
            convert::watts,
        ),
        driver_energy_joules: energy.and_then(convert::joules),
        energy_joules_total: counted
            .total()
            .map(|millijoules| Joules(millijoules as f64 / MILLI)),
        energy_resets_total: Counted::resets([&counted]),
        source: asker.ask(
            "nvmlDeviceGetPowerSource",
            || raw::power_source(device),
            |source| Ok(label::power_source(source)),
        ),
        interval,
    }
}

fn interval(gpu: &mut Gpu<'_, '_>) -> WattsSpread {
    let watts = |milliwatts: f64| Reading::Value(Watts(milliwatts / MILLI));
    match gpu.samples("nvmlDeviceGetSamples(power)", Sampling::Power) {
        Reading::Value(stats) => WattsSpread {
            mean_watts: watts(stats.mean),
            min_watts: watts(stats.min),
            max_watts: watts(stats.max),
            p95_watts: watts(stats.p95),
            samples: Reading::Value(stats.count),
            covered_seconds: Reading::Value(covered(&stats)),
        },
        Reading::Unavailable(reason) => WattsSpread::absent(reason),
    }
}
