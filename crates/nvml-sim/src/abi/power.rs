//! Power and energy.

use super::code::Code;
use super::ffi::{Out, export};

export! {
    device fn nvmlDeviceGetPowerUsage(milliwatts: Out<u32>) |gpu| {
        milliwatts.write(gpu.truth()?.power_usage_mw)
    }

    device fn nvmlDeviceGetPowerManagementMode(enabled: Out<u32>) |_gpu| {
        enabled.write(1)
    }

    device fn nvmlDeviceGetPowerManagementLimit | nvmlDeviceGetEnforcedPowerLimit (
        milliwatts: Out<u32>,
    ) |gpu| {
        milliwatts.write(gpu.truth()?.power_limit_mw)
    }

    device fn nvmlDeviceGetPowerManagementDefaultLimit(milliwatts: Out<u32>) |gpu| {
        milliwatts.write(to_milliwatts(gpu.spec()?.power.default_limit_w))
    }

    device fn nvmlDeviceGetPowerManagementLimitConstraints(lowest: Out<u32>, highest: Out<u32>) |gpu| {
        let power = &gpu.spec()?.power;
        lowest.write(to_milliwatts(power.min_limit_w))?;
        highest.write(to_milliwatts(power.max_limit_w))
    }

    device fn nvmlDeviceGetTotalEnergyConsumption(millijoules: Out<u64>) |gpu| {
        millijoules.write(gpu.truth()?.energy_mj)
    }

    device fn nvmlDeviceGetPowerSource(source: Out<u32>) |_gpu| {
        // Mains.
        source.write(0)
    }

    device fn nvmlDeviceGetPowerState | nvmlDeviceGetPerformanceState (state: Out<u32>) |gpu| {
        state.write(gpu.truth()?.performance_state)
    }

    device fn nvmlDeviceGetSupportedPerformanceStates(states: super::ffi::Array<u32>, bytes: u32) |gpu| {
        // NVML takes the room in bytes here, and wants the rest filled with "unknown".
        const UNKNOWN_STATE: u32 = 32;
        let idle = gpu.spec()?.idle_performance_state;
        let mut list = vec![0];
        list.extend((idle > 0).then_some(idle));
        let room = bytes as usize / size_of::<u32>();
        if room < list.len() {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        // There are sixteen states; a caller with more room than that has it left alone.
        list.resize(room.min(16), UNKNOWN_STATE);
        states.copy(&list)
    }
}

pub(super) fn to_milliwatts(watts: f64) -> u32 {
    (watts * 1e3).round() as u32
}
