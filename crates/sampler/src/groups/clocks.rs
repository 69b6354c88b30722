//! Clocks, and why they are lower than they could be.

use gpulse_models::{Clocks, Reading, Seconds, ThrottleReasons, Violations};
use nvml_wrapper::enum_wrappers::device::Clock;

use super::{Gpu, counting::Counted, fields};
use crate::{book::What, convert, raw};

/// The driver counts nanoseconds.
const NANO: f64 = 1e-9;

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Clocks {
    let lowered = lowered(gpu);
    let device = gpu.device;
    let asker = &mut *gpu.asker;
    let mut clock = |key, clock| {
        asker.ask(
            key,
            || raw::where_known(device.clock_info(clock)),
            convert::megahertz,
        )
    };
    let graphics_mhz = clock("nvmlDeviceGetClockInfo(graphics)", Clock::Graphics);
    let sm_mhz = clock("nvmlDeviceGetClockInfo(sm)", Clock::SM);
    let memory_mhz = clock("nvmlDeviceGetClockInfo(memory)", Clock::Memory);
    let video_mhz = clock("nvmlDeviceGetClockInfo(video)", Clock::Video);
    let mut application = |key, clock| {
        asker.ask(
            key,
            || raw::where_known(device.applications_clock(clock)),
            convert::megahertz,
        )
    };
    Clocks {
        graphics_mhz,
        sm_mhz,
        memory_mhz,
        video_mhz,
        application_graphics_mhz: application("nvmlDeviceGetApplicationsClock(graphics)", Clock::Graphics),
        application_memory_mhz: application("nvmlDeviceGetApplicationsClock(memory)", Clock::Memory),
        performance_state: asker.ask(
            "nvmlDeviceGetPerformanceState",
            || device.performance_state(),
            convert::performance_state,
        ),
        event_reasons: asker.ask(
            "nvmlDeviceGetCurrentClocksEventReasons",
            || raw::clocks_event_reasons(device),
            |mask| Ok(ThrottleReasons(mask)),
        ),
        lowered,
    }
}

fn lowered(gpu: &mut Gpu<'_, '_>) -> Violations {
    let counted = gpu.fields(fields::LOWERED);
    let mut cause = 0;
    let counted = counted.map(|field| {
        let counted = gpu.count(What::Lowered(cause), field.and_then(convert::field_count));
        cause += 1;
        counted
    });
    let seconds = |counted: &Counted| -> Reading<Seconds> {
        counted
            .total()
            .map(|nanoseconds| Seconds(nanoseconds as f64 * NANO))
    };
    let resets_total = Counted::resets(&counted);
    let [power, thermal, sync, board, low, reliability, application, base] = &counted;
    Violations {
        power_seconds_total: seconds(power),
        thermal_seconds_total: seconds(thermal),
        sync_boost_seconds_total: seconds(sync),
        board_limit_seconds_total: seconds(board),
        low_utilization_seconds_total: seconds(low),
        reliability_seconds_total: seconds(reliability),
        application_clocks_seconds_total: seconds(application),
        base_clocks_seconds_total: seconds(base),
        resets_total,
    }
}
