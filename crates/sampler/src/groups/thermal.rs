//! Temperatures and fans.

use gpulse_models::{Fan, Reading, Reason, Revolutions, Thermal};
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;

use super::{Gpu, fields};
use crate::{convert, label, raw};

/// More fans than any board has: a driver that counts wrongly must not make the agent ask for ever.
const MOST_FANS: u32 = 16;

/// The fan that drivers without a count of fans speak of.
const FIRST_FAN: u32 = 0;

pub(super) fn read(gpu: &mut Gpu<'_>) -> Thermal {
    let device = gpu.device;
    let [memory] = gpu.fields([fields::MEMORY_TEMPERATURE]);
    Thermal {
        gpu_celsius: gpu.asker.ask(
            "nvmlDeviceGetTemperature",
            || device.temperature(TemperatureSensor::Gpu),
            convert::celsius,
        ),
        memory_celsius: memory.and_then(convert::memory_celsius),
        margin_celsius: gpu.asker.ask(
            "nvmlDeviceGetMarginTemperature",
            || raw::margin_temperature(device),
            convert::margin,
        ),
        fans: fans(gpu),
    }
}

fn fans(gpu: &mut Gpu<'_>) -> Reading<Vec<Fan>> {
    let device = gpu.device;
    let count = gpu.asker.ask("nvmlDeviceGetNumFans", || device.num_fans(), Ok);
    match count {
        Reading::Value(count) => {
            Reading::Value((0..count.min(MOST_FANS)).map(|index| fan(gpu, index)).collect())
        }
        // Drivers before R460 do not count fans; what the first one says tells whether there are any.
        Reading::Unavailable(Reason::FunctionNotFound) => {
            let first = fan(gpu, FIRST_FAN);
            match first.speed_percent {
                Reading::Value(_) => Reading::Value(vec![first]),
                Reading::Unavailable(reason) => Reading::Unavailable(reason),
            }
        }
        Reading::Unavailable(reason) => Reading::Unavailable(reason),
    }
}

fn fan(gpu: &mut Gpu<'_>, index: u32) -> Fan {
    let device = gpu.device;
    let asker = &mut *gpu.asker;
    Fan {
        index: Reading::Value(index),
        speed_percent: asker.ask_of(
            "nvmlDeviceGetFanSpeed_v2",
            index,
            || raw::where_known(device.fan_speed(index)),
            convert::percent,
        ),
        target_percent: asker.ask_of(
            "nvmlDeviceGetTargetFanSpeed",
            index,
            || raw::where_known(raw::target_fan_speed(device, index)),
            convert::percent,
        ),
        speed_rpm: asker.ask_of(
            "nvmlDeviceGetFanSpeedRPM",
            index,
            || raw::where_known(device.fan_speed_rpm(index)),
            |rpm| convert::small_number(rpm).map(Revolutions),
        ),
        policy: asker.ask_of(
            "nvmlDeviceGetFanControlPolicy_v2",
            index,
            || raw::where_known(raw::fan_policy(device, index)),
            |policy| Ok(label::fan_policy(policy)),
        ),
    }
}
