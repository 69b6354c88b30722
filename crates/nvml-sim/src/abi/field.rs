//! Field values: readings by number, several with one call.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, export};
use super::layout::FieldValue;
use super::reliability::{
    AGGREGATE, CORRECTED, DOUBLE_BIT, SINGLE_BIT, UNCORRECTED, VOLATILE, errors, recovery_action, remapped,
    retired, retirement_pending,
};
use super::{link_fields, nvlink, power};

/// `nvmlValueType_t`.
const UNSIGNED_INT: u32 = 1;
const UNSIGNED_LONG_LONG: u32 = 3;
const SIGNED_INT: u32 = 5;

/// The scope of power readings: the GPU, or the whole module.
const SCOPE_GPU: u32 = 0;

/// What reading one field takes, as the caller sees it, µs.
const LATENCY_US: i64 = 3;

/// What a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Int(u32),
    Long(u64),
    Signed(i32),
}

export! {
    any_device fn nvmlDeviceGetFieldValues(count: i32, values: Array<FieldValue>) |gpu| {
        let count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Code::INVALID_ARGUMENT)?;
        let timestamp = gpu.world.timestamp_us(gpu.now()) as i64;
        for index in 0..count {
            let place = values.item(index);
            let asked = place.read()?;
            let answer = FieldValue { timestamp, latency_us: LATENCY_US, code: 0, ..asked };
            place.write(match read(gpu, asked.field, asked.scope) {
                Ok(Value::Int(value)) => {
                    FieldValue { value_type: UNSIGNED_INT, value: u64::from(value), ..answer }
                }
                Ok(Value::Long(value)) => FieldValue { value_type: UNSIGNED_LONG_LONG, value, ..answer },
                Ok(Value::Signed(value)) => {
                    FieldValue { value_type: SIGNED_INT, value: u64::from(value.cast_unsigned()), ..answer }
                }
                Err(code) => FieldValue { code: code.0, value: 0, ..answer },
            })?;
        }
        Ok(())
    }
}

/// The value of one field; NVML's numbers, in NVML's order.
pub(super) fn read(gpu: &Device, field: u32, scope: u32) -> Result<Value> {
    let spec = gpu.spec()?;
    if gpu.mig.is_some() || spec.unsupported_fields.contains(&field) {
        return Err(Code::NOT_SUPPORTED);
    }
    let truth = gpu.truth()?;
    let milliwatts = |watts| Ok(Value::Int(power::to_milliwatts(watts)));
    let margin = |threshold: u32| Ok(Value::Signed(spec.thermal.gpu_max_c as i32 - threshold as i32));
    match field {
        1 | 2 => super::reliability::needs_ecc(gpu).map(|()| Value::Int(1)),
        3..=28 => ecc(gpu, field),
        29 => retired(gpu, SINGLE_BIT).map(|pages| Value::Long(u64::from(pages))),
        30 => retired(gpu, DOUBLE_BIT).map(|pages| Value::Long(u64::from(pages))),
        31 => retirement_pending(gpu).map(|pending| Value::Int(u32::from(pending))),
        74 => Ok(Value::Long(truth.power_violation_ns)),
        75 | 269 => Ok(Value::Long(truth.thermal_violation_ns)),
        // Below the application clocks for whatever reason; below the base clocks, or for other reasons, never.
        80 => Ok(Value::Long(truth.power_violation_ns + truth.thermal_violation_ns)),
        76..=79 | 81 | 270 | 271 => Ok(Value::Long(0)),
        82 => truth
            .memory_temperature
            .map(Value::Int)
            .ok_or(Code::NOT_SUPPORTED),
        83 | 191 => Ok(Value::Long(truth.energy_mj)),
        84..=89 => link(gpu, field - 84).map(|link| Value::Int(link.speed_mbps)),
        132..=137 => link(gpu, field - 132 + 6).map(|link| Value::Int(link.speed_mbps)),
        92 => retirement_pending(gpu).map(|_| Value::Int(0)),
        93 => retirement_pending(gpu).map(|pending| Value::Int(u32::from(pending))),
        90 => link(gpu, 0).map(|link| Value::Int(link.speed_mbps)),
        91 => link(gpu, 0).map(|link| Value::Int(link.links)),
        94 => Ok(Value::Int(super::pci::replay_counter(gpu))),
        95 | 169 | 173..=183 => Ok(Value::Int(0)),
        147 => link(gpu, 0).map(|link| Value::Int(if link.switch { link.active } else { 0 })),
        142 => remapped(gpu).map(|rows| Value::Int(rows.corrected_active)),
        143 => remapped(gpu).map(|rows| Value::Int(rows.uncorrected_active)),
        144 => remapped(gpu).map(|rows| Value::Int(rows.pending)),
        145 => remapped(gpu).map(|rows| Value::Int(rows.failed)),
        164 => link(gpu, scope).map(|link| Value::Int(link.speed_mbps)),
        165 => nvlink::is_active(gpu, scope).map(|active| Value::Int(u32::from(active))),
        166 => link(gpu, scope).map(|link| Value::Int(link.version)),
        185..=190 | 192 if scope != SCOPE_GPU => Err(Code::NOT_SUPPORTED),
        185 => Ok(Value::Int(truth.power_average_mw)),
        186 => Ok(Value::Int(truth.power_instant_mw)),
        187 => milliwatts(spec.power.min_limit_w),
        188 => milliwatts(spec.power.max_limit_w),
        189 => milliwatts(spec.power.default_limit_w),
        190 | 192 => Ok(Value::Int(truth.power_limit_mw)),
        193..=196 if !spec.has_thermal_margins() => Err(Code::NOT_SUPPORTED),
        193 => margin(spec.thermal.shutdown_c),
        194 => margin(spec.thermal.slowdown_c),
        // The memory's margin counts from the memory's own limit.
        195 if spec.thermal.memory_max_c.is_some() => Ok(Value::Signed(0)),
        196 => margin(spec.thermal.gpu_max_c),
        197 => Ok(Value::Long(spec.pcie.wrapped(truth.pcie_tx_bytes))),
        198 => Ok(Value::Long(spec.pcie.wrapped(truth.pcie_rx_bytes))),
        230 => Ok(Value::Int(recovery_action(gpu))),
        301 => remapped(gpu).map(|rows| Value::Int(rows.corrected_inactive)),
        302 => remapped(gpu).map(|rows| Value::Int(rows.uncorrected_inactive)),
        308 => Ok(Value::Int(truth.temperature)),
        _ => link_fields::read(gpu, field, scope, &truth)
            .map_or(Err(Code::NOT_SUPPORTED), |value| value.map(Value::Long)),
    }
}

/// Totals first, then by location: the device memory has them all.
fn ecc(gpu: &Device, field: u32) -> Result<Value> {
    let count = match field {
        3 | 11 => errors(gpu, CORRECTED, VOLATILE)?,
        4 | 12 => errors(gpu, UNCORRECTED, VOLATILE)?,
        5 | 22 => errors(gpu, CORRECTED, AGGREGATE)?,
        6 | 23 => errors(gpu, UNCORRECTED, AGGREGATE)?,
        _ => errors(gpu, CORRECTED, VOLATILE).map(|_| 0)?,
    };
    Ok(Value::Long(count))
}

fn link(gpu: &Device, link: u32) -> Result<&crate::profile::NvLink> {
    nvlink::existing(gpu, link)
}
