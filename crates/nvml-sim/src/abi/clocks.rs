//! Clocks, and why they are what they are.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::ViolationTime;

/// Graphics clocks are offered in steps of this many MHz.
const STEP_MHZ: u32 = 15;

/// Idle, application clocks, power cap, hardware slowdown, sync boost, thermal slowdown, hardware thermal
/// slowdown, power brake.
const SUPPORTED_REASONS: u64 = 0xFF;

export! {
    device fn nvmlDeviceGetClockInfo(kind: u32, mhz: Out<u32>) |gpu| {
        mhz.write(current(gpu, kind)?)
    }

    device fn nvmlDeviceGetMaxClockInfo(kind: u32, mhz: Out<u32>) |gpu| {
        mhz.write(highest(gpu, kind)?)
    }

    device fn nvmlDeviceGetMaxCustomerBoostClock(kind: u32, mhz: Out<u32>) |gpu| {
        mhz.write(settable(gpu).and_then(|()| highest(gpu, kind))?)
    }

    device fn nvmlDeviceGetApplicationsClock | nvmlDeviceGetDefaultApplicationsClock (
        kind: u32,
        mhz: Out<u32>,
    ) |gpu| {
        mhz.write(application(gpu, kind)?)
    }

    device fn nvmlDeviceGetClock(kind: u32, id: u32, mhz: Out<u32>) |gpu| {
        let clock = match id {
            0 => current(gpu, kind)?,
            1 | 2 => application(gpu, kind)?,
            3 => settable(gpu).and_then(|()| highest(gpu, kind))?,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        mhz.write(clock)
    }

    device fn nvmlDeviceGetSupportedMemoryClocks(count: InOut<u32>, mhz: Array<u32>) |gpu| {
        let clocks = &gpu.spec()?.clocks;
        let mut list = vec![clocks.memory_max, clocks.memory_idle];
        list.dedup();
        mhz.fill(&count, &list)
    }

    device fn nvmlDeviceGetSupportedGraphicsClocks(
        memory_mhz: u32,
        count: InOut<u32>,
        mhz: Array<u32>,
    ) |gpu| {
        let clocks = &gpu.spec()?.clocks;
        if memory_mhz != clocks.memory_max && memory_mhz != clocks.memory_idle {
            return Err(Code::NOT_FOUND);
        }
        let steps = (clocks.graphics_max - clocks.graphics_idle) / STEP_MHZ;
        let list: Vec<u32> = (0..=steps).map(|n| clocks.graphics_max - n * STEP_MHZ).collect();
        mhz.fill(&count, &list)
    }

    device fn nvmlDeviceGetMinMaxClockOfPState(
        kind: u32,
        state: u32,
        lowest: Out<u32>,
        highest: Out<u32>,
    ) |gpu| {
        let clocks = &gpu.spec()?.clocks;
        if state != 0 && state != gpu.spec()?.idle_performance_state {
            return Err(Code::NOT_SUPPORTED);
        }
        let low = match kind {
            0 | 1 => clocks.graphics_idle,
            2 => clocks.memory_idle,
            3 => clocks.video_max * 35 / 100,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        lowest.write(low)?;
        highest.write(if state == 0 { self::highest(gpu, kind)? } else { low })
    }

    device fn nvmlDeviceGetAutoBoostedClocksEnabled(_enabled: Out<u32>, _default: Out<u32>) |_gpu| {
        // Only chips before Pascal have a switch for it.
        Err(Code::NOT_SUPPORTED)
    }

    device fn nvmlDeviceGetAdaptiveClockInfoStatus(status: Out<u32>) |_gpu| {
        status.write(1)
    }

    device fn nvmlDeviceGetCurrentClocksEventReasons | nvmlDeviceGetCurrentClocksThrottleReasons (
        reasons: Out<u64>,
    ) |gpu| {
        reasons.write(gpu.truth()?.event_reasons)
    }

    device fn nvmlDeviceGetSupportedClocksEventReasons | nvmlDeviceGetSupportedClocksThrottleReasons (
        reasons: Out<u64>,
    ) |_gpu| {
        reasons.write(SUPPORTED_REASONS)
    }

    device fn nvmlDeviceGetViolationStatus(policy: u32, time: Out<ViolationTime>) |gpu| {
        let truth = gpu.truth()?;
        let violation = match policy {
            0 => truth.power_violation_ns,
            1 => truth.thermal_violation_ns,
            // Below the application clocks for whatever reason; never below the base clocks.
            10 => truth.power_violation_ns + truth.thermal_violation_ns,
            2..=5 | 11 => 0,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        let reference = gpu.world.timestamp_us(gpu.now());
        time.write(ViolationTime { reference, violation })
    }
}

/// Graphics, SM, memory, video.
pub(super) fn current(gpu: &Device, kind: u32) -> Result<u32> {
    let truth = gpu.truth()?;
    match kind {
        0 | 1 => Ok(truth.graphics_mhz),
        2 => Ok(truth.memory_mhz),
        3 => Ok(truth.video_mhz),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

fn highest(gpu: &Device, kind: u32) -> Result<u32> {
    let clocks = &gpu.spec()?.clocks;
    match kind {
        0 | 1 => Ok(clocks.graphics_max),
        2 => Ok(clocks.memory_max),
        3 => Ok(clocks.video_max),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

fn application(gpu: &Device, kind: u32) -> Result<u32> {
    settable(gpu)?;
    let clocks = &gpu.spec()?.clocks;
    match kind {
        0 | 1 => Ok(clocks.graphics_default),
        2 => Ok(clocks.memory_max),
        3 => Err(Code::NOT_SUPPORTED),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// Consumer cards have no application clocks.
fn settable(gpu: &Device) -> Result {
    if gpu.spec()?.is_consumer() {
        Err(Code::NOT_SUPPORTED)
    } else {
        Ok(())
    }
}
