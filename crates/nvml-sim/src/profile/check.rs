//! What the engine relies on and the types of a profile alone do not say.

use std::ops::RangeInclusive;

use super::{Driver, GpuSpec, LicensableFeature, Virtualization, WorkKind};

/// From one step of the engine to twice the longest period that NVML's header speaks of.
const SAMPLING_PERIODS_MS: RangeInclusive<u32> = 20..=2_000;

/// `NVML_GRID_LICENSE_FEATURE_MAX_COUNT`.
const MOST_FEATURES: usize = 3;

/// `NVML_GRID_LICENSE_BUFFER_SIZE`, of which the last byte is the end.
const LONGEST_PRODUCT: usize = 127;

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
    sizes(spec)?;
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
    if spec.vgpu.is_some() && spec.virtualization != Virtualization::None {
        return Err("vgpu: a virtual machine has no vGPUs to give away".into());
    }
    licensable(&spec.licensable)?;
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

/// Whether NVML can tell of these features.
fn licensable(features: &[LicensableFeature]) -> Result<(), String> {
    if features.len() > MOST_FEATURES {
        return Err(format!("licensable: at most {MOST_FEATURES} features"));
    }
    for feature in features {
        if feature.product.len() > LONGEST_PRODUCT || feature.product.contains('\0') {
            return Err(format!(
                "licensable: a product has at most {LONGEST_PRODUCT} bytes, none of them 0"
            ));
        }
    }
    Ok(())
}

/// Whether every number is one that hardware could come to have, so that no sum or product of them overflows.
fn sizes(spec: &GpuSpec) -> Result<(), String> {
    const MIB: f64 = 16.0 * 1024.0 * 1024.0;
    const WATTS: f64 = 100_000.0;
    const MHZ: f64 = 100_000.0;
    const CELSIUS: f64 = 1_000.0;
    const PARTS: f64 = 64.0;
    let (power, clocks, thermal, pcie) = (&spec.power, &spec.clocks, &spec.thermal, &spec.pcie);
    let mut sizes = vec![
        ("cores", spec.cores.into(), 1_000_000.0),
        ("multiprocessors", spec.multiprocessors.into(), 10_000.0),
        ("memory: total_mib", mib(spec.memory.total_mib), MIB),
        (
            "memory: bus_width_bits",
            spec.memory.bus_width_bits.into(),
            1_000_000.0,
        ),
        ("power: demand_w", power.demand_w, WATTS),
        ("power: default_limit_w", power.default_limit_w, WATTS),
        ("power: min_limit_w", power.min_limit_w, WATTS),
        ("power: max_limit_w", power.max_limit_w, WATTS),
        ("power: limit_w", power.enforced_w(), WATTS),
        ("clocks: graphics_max", clocks.graphics_max.into(), MHZ),
        ("clocks: graphics_default", clocks.graphics_default.into(), MHZ),
        ("clocks: memory_max", clocks.memory_max.into(), MHZ),
        ("clocks: memory_idle", clocks.memory_idle.into(), MHZ),
        ("clocks: video_max", clocks.video_max.into(), MHZ),
        ("thermal: full_load_c", thermal.full_load_c, CELSIUS),
        ("thermal: gpu_max_c", thermal.gpu_max_c.into(), CELSIUS),
        ("thermal: slowdown_c", thermal.slowdown_c.into(), CELSIUS),
        ("thermal: shutdown_c", thermal.shutdown_c.into(), CELSIUS),
        (
            "thermal: memory_max_c",
            thermal.memory_max_c.unwrap_or(0).into(),
            CELSIUS,
        ),
        ("pcie: generation", pcie.generation.into(), PARTS),
        ("pcie: idle_generation", pcie.idle_generation.into(), PARTS),
        ("pcie: width", pcie.width.into(), PARTS),
        ("engines: encoders", spec.engines.encoders.into(), PARTS),
        ("engines: decoders", spec.engines.decoders.into(), PARTS),
        ("engines: jpeg", spec.engines.jpeg.into(), PARTS),
        ("engines: ofa", spec.engines.ofa.into(), PARTS),
        ("engines: copy", spec.engines.copy.into(), PARTS),
    ];
    if let Some(fans) = &spec.fans {
        sizes.push(("fans: count", fans.count.into(), PARTS));
        sizes.push(("fans: max_rpm", fans.max_rpm.into(), 1_000_000.0));
    }
    if let Some(link) = &spec.nvlink {
        sizes.push(("nvlink: speed_mbps", link.speed_mbps.into(), 100_000_000.0));
    }
    if let Some(vgpu) = &spec.vgpu {
        sizes.push(("vgpu: memory_mib", mib(vgpu.memory_mib), MIB));
    }
    for instance in &spec.mig {
        sizes.push(("mig: memory_mib", mib(instance.memory_mib), MIB));
        sizes.push(("mig: slices", instance.slices.into(), PARTS));
        sizes.push(("mig: memory_slices", instance.memory_slices.into(), PARTS));
        sizes.push(("mig: start", instance.start.into(), PARTS));
        sizes.push(("mig: multiprocessors", instance.multiprocessors.into(), 10_000.0));
    }
    match sizes
        .iter()
        .find(|(_, value, most)| !(0.0..=*most).contains(value))
    {
        None => Ok(()),
        Some((name, value, most)) => Err(format!("{name} is {value}, and must be between 0 and {most}")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bound needs no exact number")]
fn mib(size: u64) -> f64 {
    size as f64
}
