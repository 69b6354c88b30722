//! Who encodes, captures and virtualises.

use gpulse_models::{
    AccountedProcess, Bytes, FramesPerSecond, Microseconds, Percent, Reading, Reason, Seconds, Sessions,
    Timestamp, Vgpu,
};
use nvml_wrapper::{struct_wrappers::device::AccountingStats, vgpu::VgpuInstance};

use super::Gpu;
use crate::{convert, processes::patiently, raw};

/// Accounts that are read: the driver keeps some thousands, each of which costs a call.
const MOST_ACCOUNTS: usize = 64;

/// vGPUs that are read: no GPU can be cut into more.
const MOST_VGPUS: usize = 64;

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Sessions {
    let device = gpu.device;
    let encoder = gpu
        .asker
        .ask("nvmlDeviceGetEncoderStats", || device.encoder_stats(), Ok);
    let capture = gpu.asker.ask("nvmlDeviceGetFBCStats", || device.fbc_stats(), Ok);
    let (encoder, capture) = (encoder.as_ref(), capture.as_ref());
    Sessions {
        encoder_sessions: encoder.map(|stats| stats.session_count),
        encoder_average_fps: encoder.map(|stats| FramesPerSecond(stats.average_fps)),
        encoder_latency_microseconds: encoder.map(|stats| Microseconds(stats.average_latency.into())),
        capture_sessions: capture.map(|stats| stats.sessions_count),
        capture_average_fps: capture.map(|stats| FramesPerSecond(stats.average_fps)),
        capture_latency_microseconds: capture.map(|stats| Microseconds(stats.average_latency.into())),
        vgpus: vgpus(gpu),
        accounts: accounts(gpu),
    }
}

fn vgpus(gpu: &mut Gpu<'_, '_>) -> Reading<Vec<Vgpu>> {
    let device = gpu.device;
    let active = gpu.asker.ask(
        "nvmlDeviceGetActiveVgpus",
        || raw::active_vgpus(device, MOST_VGPUS),
        Ok,
    );
    active.map(|active| active.into_iter().map(|id| describe(gpu, id)).collect())
}

fn describe(gpu: &mut Gpu<'_, '_>, id: u32) -> Vgpu {
    let nvml = gpu.nvml;
    let vgpu = VgpuInstance::new(id, gpu.device);
    let asker = &mut *gpu.asker;
    Vgpu {
        uuid: asker.ask("nvmlVgpuInstanceGetUUID", || raw::vgpu_uuid(nvml, id), Ok),
        virtual_machine: asker.ask(
            "nvmlVgpuInstanceGetVmID",
            || vgpu.vm_id(),
            |id| Ok(raw::virtual_machine(id)),
        ),
        type_name: asker.ask(
            "nvmlVgpuTypeGetName",
            || vgpu.instance_type().and_then(|of| of.name()),
            Ok,
        ),
        memory_used_bytes: asker.ask(
            "nvmlVgpuInstanceGetFbUsage",
            || vgpu.fb_usage(),
            |bytes| convert::count(bytes).map(Bytes),
        ),
        licensed: asker.ask(
            "nvmlVgpuInstanceGetLicenseInfo_v2",
            || vgpu.license_info_v2(),
            |licence| Ok(licence.is_licensed),
        ),
    }
}

fn accounts(gpu: &mut Gpu<'_, '_>) -> Reading<Vec<AccountedProcess>> {
    let device = gpu.device;
    let pids = gpu.asker.ask(
        "nvmlDeviceGetAccountingPids",
        || patiently(|| device.accounting_pids()),
        Ok,
    );
    pids.map(|mut pids| {
        // The newest accounts come last.
        let old = pids.len().saturating_sub(MOST_ACCOUNTS);
        pids.drain(..old);
        pids.into_iter().map(|pid| account(gpu, pid)).collect()
    })
}

fn account(gpu: &mut Gpu<'_, '_>, pid: u32) -> AccountedProcess {
    let device = gpu.device;
    let stats = gpu.asker.ask(
        "nvmlDeviceGetAccountingStats",
        || device.accounting_stats_for(pid),
        Ok,
    );
    let stats = stats.as_ref();
    let share = |of: fn(&AccountingStats) -> Option<u32>| {
        stats.and_then(|stats| {
            of(stats)
                .ok_or(Reason::NotSupported)
                .map(|share| Percent(share.into()))
        })
    };
    AccountedProcess {
        pid: Reading::Value(pid),
        gpu_percent: share(|stats| stats.gpu_utilization),
        memory_percent: share(|stats| stats.memory_utilization),
        max_memory_bytes: stats
            .and_then(|stats| stats.max_memory_usage.ok_or(Reason::NotSupported).map(Bytes)),
        active_seconds: stats.and_then(|stats| active(stats, gpu.now)),
        started_at: stats.and_then(|stats| started_at(stats).ok_or(Reason::Error)),
        running: stats.map(|stats| stats.is_running),
    }
}

fn started_at(stats: &AccountingStats) -> Option<Timestamp> {
    let microseconds = i64::try_from(stats.start_time).ok().filter(|time| *time > 0)?;
    Timestamp::from_microsecond(microseconds).ok()
}

/// How long a process was at work. The driver says 0 while it runs: then it is the time since its start.
fn active(stats: &AccountingStats, now: Timestamp) -> Result<Seconds, Reason> {
    if !stats.is_running {
        return Ok(Seconds(stats.time as f64 / 1_000.0));
    }
    let started = started_at(stats).ok_or(Reason::Error)?;
    let seconds = now.duration_since(started).as_secs_f64();
    Ok(Seconds(seconds.max(0.0)))
}
