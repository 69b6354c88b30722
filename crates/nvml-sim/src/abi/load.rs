//! How busy a GPU is.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::{DynamicPstates, DynamicUtilization, EncoderSession, FbcStats, Utilization};
use super::lookup::fill_or_count;
use crate::profile::WorkKind;

export! {
    any_device fn nvmlDeviceGetUtilizationRates(utilization: Out<Utilization>) |gpu| {
        // With MIG on, neither the GPU as a whole nor its instances report it.
        if gpu.has_mig() {
            return Err(Code::NOT_SUPPORTED);
        }
        let truth = gpu.truth()?;
        utilization.write(Utilization { gpu: truth.gpu_utilization, memory: truth.memory_utilization })
    }

    device fn nvmlDeviceGetEncoderUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        engine(gpu, gpu.truth()?.encoder_utilization, true, &utilization, &period_us)
    }

    device fn nvmlDeviceGetDecoderUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        engine(gpu, gpu.truth()?.decoder_utilization, true, &utilization, &period_us)
    }

    device fn nvmlDeviceGetJpgUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        engine(gpu, gpu.truth()?.jpeg_utilization, gpu.spec()?.engines.jpeg > 0, &utilization, &period_us)
    }

    device fn nvmlDeviceGetOfaUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        engine(gpu, gpu.truth()?.ofa_utilization, gpu.spec()?.engines.ofa > 0, &utilization, &period_us)
    }

    device fn nvmlDeviceGetEncoderCapacity(kind: u32, capacity: Out<u32>) |gpu| {
        if kind > 2 {
            return Err(Code::INVALID_ARGUMENT);
        }
        if gpu.spec()?.engines.encoders == 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        capacity.write(100 - gpu.truth()?.encoder_utilization.min(100))
    }

    device fn nvmlDeviceGetEncoderStats(sessions: Out<u32>, fps: Out<u32>, latency: Out<u32>) |gpu| {
        if gpu.spec()?.engines.encoders == 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        let active = encoder_sessions(gpu)?;
        sessions.write(active.len() as u32)?;
        fps.write(active.first().map_or(0, |session| session.average_fps))?;
        latency.write(active.first().map_or(0, |session| session.average_latency))
    }

    device fn nvmlDeviceGetEncoderSessions(count: InOut<u32>, sessions: Array<EncoderSession>) |gpu| {
        if gpu.spec()?.engines.encoders == 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        fill_or_count(&count, &sessions, &encoder_sessions(gpu)?)
    }

    device fn nvmlDeviceGetFBCStats(stats: Out<FbcStats>) |_gpu| {
        stats.write(FbcStats { sessions: 0, average_fps: 0, average_latency: 0 })
    }

    device fn nvmlDeviceGetFBCSessions(count: InOut<u32>, sessions: Array<u32>) |_gpu| {
        sessions.fill(&count, &[])
    }

    device fn nvmlDeviceGetDynamicPstatesInfo(info: Out<DynamicPstates>) |gpu| {
        if gpu.has_mig() {
            return Err(Code::NOT_SUPPORTED);
        }
        let truth = gpu.truth()?;
        let domain = |percentage| DynamicUtilization { present: 1, percentage, increase: 0, decrease: 0 };
        let absent = DynamicUtilization { present: 0, percentage: 0, increase: 0, decrease: 0 };
        // Graphics, frame buffer, video, bus.
        let mut domains = [absent; 8];
        domains[0] = domain(truth.gpu_utilization);
        domains[1] = domain(truth.memory_utilization);
        domains[2] = domain(truth.encoder_utilization.max(truth.decoder_utilization));
        domains[3] = domain(0);
        info.write(DynamicPstates { flags: 0, domains })
    }
}

/// The sessions of a video server, each of which takes a few percent of the encoders. Other work has too few to speak of.
fn encoder_sessions(gpu: &Device) -> Result<Vec<EncoderSession>> {
    const PERCENT_EACH: u32 = 6;
    if gpu.spec()?.work != WorkKind::Video {
        return Ok(Vec::new());
    }
    let busy = gpu.truth()?.encoder_utilization;
    let processes = gpu.processes();
    let pid = processes.iter().find(|process| process.encoder_utilization > 0);
    let pid = pid.map_or(0, |process| process.pid);
    let session = |session| EncoderSession {
        session,
        pid,
        vgpu_instance: 0,
        codec: session % 2,
        width: 1920,
        height: 1080,
        average_fps: 30,
        average_latency: 3_400,
    };
    Ok((1..=busy.div_ceil(PERCENT_EACH)).map(session).collect())
}

/// Answers for one kind of engine, where there are any: with MIG on, instances have them.
fn engine(gpu: &Device, percent: u32, exists: bool, utilization: &Out<u32>, period_us: &Out<u32>) -> Result {
    if gpu.has_mig() || !exists {
        return Err(Code::NOT_SUPPORTED);
    }
    utilization.write(percent)?;
    period_us.write(gpu.spec()?.sampling_period_ms * 1_000)
}
