//! How busy a GPU is.

use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::{DynamicPstates, DynamicUtilization, EncoderSession, FbcStats, Utilization};

/// The driver averages engine utilisation over this time, µs.
const SAMPLING_PERIOD_US: u32 = 167_000;

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
        engine(gpu.truth()?.encoder_utilization, gpu.has_mig(), &utilization, &period_us)
    }

    device fn nvmlDeviceGetDecoderUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        engine(gpu.truth()?.decoder_utilization, gpu.has_mig(), &utilization, &period_us)
    }

    device fn nvmlDeviceGetJpgUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        // No simulated job decodes JPEG or computes optical flow: an engine that is there idles.
        engine(0, gpu.has_mig() || gpu.spec()?.engines.jpeg == 0, &utilization, &period_us)
    }

    device fn nvmlDeviceGetOfaUtilization(utilization: Out<u32>, period_us: Out<u32>) |gpu| {
        engine(0, gpu.has_mig() || gpu.spec()?.engines.ofa == 0, &utilization, &period_us)
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
        sessions.write(0)?;
        fps.write(0)?;
        latency.write(0)
    }

    device fn nvmlDeviceGetEncoderSessions(count: InOut<u32>, sessions: Array<EncoderSession>) |gpu| {
        if gpu.spec()?.engines.encoders == 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        sessions.fill(&count, &[])
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

fn engine(percent: u32, missing: bool, utilization: &Out<u32>, period_us: &Out<u32>) -> Result {
    if missing {
        return Err(Code::NOT_SUPPORTED);
    }
    utilization.write(percent)?;
    period_us.write(SAMPLING_PERIOD_US)
}
