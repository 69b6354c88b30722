//! What the engine relies on and the types of a profile alone do not say.

use std::ops::RangeInclusive;

use super::{Driver, GpuSpec, WorkKind};

/// From one step of the engine to twice the longest period that NVML's header speaks of.
const SAMPLING_PERIODS_MS: RangeInclusive<u32> = 20..=2_000;

/// Whether a driver can exist.
pub(super) fn driver(driver: &Driver) -> Result<(), String> {
    if [24, 32].contains(&driver.process_entry_bytes) {
        Ok(())
    } else {
        Err("driver: `process_entry_bytes` must be 24 or 32".into())
    }
}

/// Whether a GPU can exist.
pub(super) fn gpu(spec: &GpuSpec) -> Result<(), String> {
    let power = &spec.power;
    let limits = [power.idle_w, power.enforced_w(), power.max_limit_w];
    if limits.iter().any(|w| !w.is_finite() || *w <= 0.0) || power.idle_w >= power.enforced_w() {
        return Err("power: needs 0 < idle_w < the limit in force".into());
    }
    if !power.demand_w.is_finite() || power.demand_w < power.idle_w {
        return Err("power: `demand_w` must not be below `idle_w`".into());
    }
    if !power.default_limit_w.is_finite() || power.default_limit_w <= power.idle_w {
        return Err("power: `default_limit_w` must be above `idle_w`".into());
    }
    if spec.clocks.graphics_idle > spec.clocks.graphics_max {
        return Err("clocks: `graphics_idle` must not be above `graphics_max`".into());
    }
    if !(spec.thermal.full_load_c >= spec.thermal.idle_c && spec.thermal.idle_c >= 0.0) {
        return Err("thermal: needs 0 <= idle_c <= full_load_c".into());
    }
    if spec.fans.as_ref().is_some_and(|fans| fans.min_percent > 100) {
        return Err("fans: `min_percent` must not be above 100".into());
    }
    if spec.memory.reserved_mib >= spec.memory.total_mib {
        return Err("memory: `reserved_mib` must be below `total_mib`".into());
    }
    if spec
        .nvlink
        .as_ref()
        .is_some_and(|link| link.active > link.links || link.links > 36)
    {
        return Err("nvlink: needs active <= links <= 36".into());
    }
    if !(1..=u64::BITS).contains(&spec.pcie.counter_bits) {
        return Err("pcie: `counter_bits` must be between 1 and 64".into());
    }
    if spec
        .vgpu
        .as_ref()
        .is_some_and(|vgpu| vgpu.active > vgpu.most || vgpu.most > 64)
    {
        return Err("vgpu: needs active <= most <= 64".into());
    }
    if !SAMPLING_PERIODS_MS.contains(&spec.sampling_period_ms) {
        return Err("`sampling_period_ms` must be between 20 and 2000".into());
    }
    match &spec.waveform {
        Some(waveform) => waveform.check()?,
        None if spec.work == WorkKind::Waveform => {
            return Err("`work` is a waveform, and `waveform` does not say which".into());
        }
        None => {}
    }
    if spec.mig.len() > 8 {
        return Err("mig: at most 8 instances".into());
    }
    Ok(())
}
