//! How busy a GPU is.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, export};
use super::layout::{DynamicPstates, DynamicUtilization, Utilization};

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

/// Answers for one kind of engine, where there are any: with MIG on, instances have them.
fn engine(gpu: &Device, percent: u32, exists: bool, utilization: &Out<u32>, period_us: &Out<u32>) -> Result {
    if gpu.has_mig() || !exists {
        return Err(Code::NOT_SUPPORTED);
    }
    utilization.write(percent)?;
    period_us.write(gpu.spec()?.sampling_period_ms * 1_000)
}
