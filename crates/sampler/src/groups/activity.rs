//! Which parts of the GPU, or of a MIG instance, work: by the performance monitor, between two ticks.

use std::time::Instant;

use gpulse_models::{Activity, BytesPerSecond, Percent, Reading, Reason, Seconds, catalogue::Catalogued};
use nvml_wrapper::{enums::gpm::GpmMetricId, error::NvmlError};

use super::Gpu;
use crate::{asker::WHOLE, convert, raw::GpmBuffers, schedule::MONITOR_APART};

/// What is asked for, in the order in which [`shown`] takes it.
const METRICS: [GpmMetricId; 16] = [
    GpmMetricId::GraphicsUtil,
    GpmMetricId::SmUtil,
    GpmMetricId::SmOccupancy,
    GpmMetricId::IntegerUtil,
    GpmMetricId::AnyTensorUtil,
    GpmMetricId::DfmaTensorUtil,
    GpmMetricId::HmmaTensorUtil,
    GpmMetricId::ImmaTensorUtil,
    GpmMetricId::DramBwUtil,
    GpmMetricId::Fp64Util,
    GpmMetricId::Fp32Util,
    GpmMetricId::Fp16Util,
    GpmMetricId::PcieTxPerSec,
    GpmMetricId::PcieRxPerSec,
    GpmMetricId::NvlinkTotalTxPerSec,
    GpmMetricId::NvlinkTotalRxPerSec,
];

/// The monitor counts MiB.
const MEBIBYTE: f64 = 1_048_576.0;

/// The monitor of one GPU or instance: two samples, taken in turns.
#[derive(Default)]
pub(super) struct Monitor<'n> {
    buffers: Option<GpmBuffers<'n>>,
    taken_at: Option<Instant>,
    latest: Option<Activity>,
}

impl<'n> Monitor<'n> {
    /// What the GPU did since this was last called.
    pub(super) fn read(&mut self, gpu: &mut Gpu<'_, 'n>) -> Activity {
        self.of(gpu, WHOLE)
    }

    /// What a GPU instance did since this was last called.
    pub(super) fn read_instance(&mut self, gpu: &mut Gpu<'_, 'n>, instance: u32) -> Activity {
        self.of(gpu, instance)
    }

    fn of(&mut self, gpu: &mut Gpu<'_, 'n>, instance: u32) -> Activity {
        // Of a MIG instance the answer before is given again: its group has other readings that are due.
        let early = self
            .taken_at
            .is_some_and(|taken_at| taken_at.elapsed() < MONITOR_APART);
        if let (true, Some(latest)) = (early, &self.latest) {
            return latest.clone();
        }
        let activity = match self.take(gpu, instance) {
            Ok(Some(over)) => self.metrics(gpu, instance, over),
            Ok(None) => Activity::absent(Reason::NotReady),
            Err(reason) => {
                // A sample that failed must not be half of the next answer.
                self.buffers = None;
                self.taken_at = None;
                Activity::absent(reason)
            }
        };
        self.latest = Some(activity.clone());
        activity
    }

    /// Takes the next sample; the time since the one before, if there was one.
    fn take(&mut self, gpu: &mut Gpu<'_, 'n>, instance: u32) -> Result<Option<Seconds>, Reason> {
        let (nvml, device) = (gpu.nvml, gpu.device);
        let asker = &mut *gpu.asker;
        asker
            .ask_of(
                "nvmlGpmQueryDeviceSupport",
                WHOLE,
                || match device.gpm_support() {
                    Ok(false) => Err(NvmlError::NotSupported),
                    answer => answer,
                },
                Ok,
            )
            .into_result()?;
        let of = (instance != WHOLE).then_some(instance);
        let buffers = self.buffers.get_or_insert_with(|| GpmBuffers::new(nvml, of));
        let call = if instance == WHOLE {
            "nvmlGpmSampleGet"
        } else {
            "nvmlGpmMigSampleGet"
        };
        asker
            .ask_of(call, instance, || buffers.take(device), Ok)
            .into_result()?;
        let now = Instant::now();
        let before = self.taken_at.replace(now);
        Ok(before.map(|before| Seconds(now.duration_since(before).as_secs_f64())))
    }

    fn metrics(&mut self, gpu: &mut Gpu<'_, '_>, instance: u32, over: Seconds) -> Activity {
        const CALL: &str = "nvmlGpmMetricsGet";
        let Some(buffers) = &mut self.buffers else {
            return Activity::absent(Reason::NotReady);
        };
        let answer = gpu.asker.ask_of(CALL, instance, || buffers.metrics(&METRICS), Ok);
        let answers = match answer {
            Reading::Value(Some(answers)) => answers,
            Reading::Value(None) => return Activity::absent(Reason::NotReady),
            Reading::Unavailable(reason) => return Activity::absent(reason),
        };
        let mut numbers = answers.into_iter().map(|answer| {
            answer
                .map_err(|error| convert::reason(&error))
                .and_then(convert::finite)
        });
        shown(over, &mut || numbers.next().unwrap_or(Err(Reason::Error)).into())
    }
}

/// Numbers in the order of [`METRICS`] become readings.
fn shown(over: Seconds, next: &mut dyn FnMut() -> Reading<f64>) -> Activity {
    let mut share = || next().map(Percent);
    let shares: [Reading<Percent>; 12] = std::array::from_fn(|_| share());
    let mut rate = || next().map(|mebibytes| BytesPerSecond(mebibytes * MEBIBYTE));
    let rates: [Reading<BytesPerSecond>; 4] = std::array::from_fn(|_| rate());
    let [
        graphics,
        sm,
        occupancy,
        integer,
        tensor,
        dfma,
        hmma,
        imma,
        dram,
        fp64,
        fp32,
        fp16,
    ] = shares;
    let [pcie_sent, pcie_received, nvlink_sent, nvlink_received] = rates;
    Activity {
        over_seconds: Reading::Value(over),
        graphics_percent: graphics,
        sm_percent: sm,
        sm_occupancy_percent: occupancy,
        integer_percent: integer,
        tensor_percent: tensor,
        tensor_fp64_percent: dfma,
        tensor_fp16_percent: hmma,
        tensor_integer_percent: imma,
        dram_percent: dram,
        fp64_percent: fp64,
        fp32_percent: fp32,
        fp16_percent: fp16,
        pcie_sent_bytes_per_second: pcie_sent,
        pcie_received_bytes_per_second: pcie_received,
        nvlink_sent_bytes_per_second: nvlink_sent,
        nvlink_received_bytes_per_second: nvlink_received,
    }
}
