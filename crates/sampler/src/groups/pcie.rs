//! The link to the host.

use gpulse_models::{Bytes, BytesPerSecond, Megabits, Pcie, Reading, Reason};
use nvml_wrapper::enum_wrappers::device::PcieUtilCounter;

use super::{Gpu, counting::Counted, fields};
use crate::{book::What, convert};

/// `nvmlDeviceGetPcieThroughput` counts "KB", which are KiB here: `docs/ARCHITECTURE.md` says why.
const KIBIBYTE: f64 = 1_024.0;

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Pcie {
    let device = gpu.device;
    let generation = gpu.asker.ask(
        "nvmlDeviceGetCurrPcieLinkGeneration",
        || device.current_pcie_link_gen(),
        convert::small_number,
    );
    let width = gpu.asker.ask(
        "nvmlDeviceGetCurrPcieLinkWidth",
        || device.current_pcie_link_width(),
        convert::small_number,
    );
    let lane_mbps = gpu
        .asker
        .ask(
            "nvmlDeviceGetPcieSpeed",
            || device.pcie_link_speed(),
            convert::small_number,
        )
        .map(Megabits);
    let replays = gpu.asker.ask(
        "nvmlDeviceGetPcieReplayCounter",
        || device.pcie_replay_counter(),
        |count| convert::small_number(count).map(u64::from),
    );
    let replays = gpu.count(What::PcieReplays, replays);
    let [sent, received] = gpu
        .fields([fields::PCIE_SENT, fields::PCIE_RECEIVED])
        .map(|field| field.and_then(convert::field_count));
    let sent = gpu.count(What::PcieSent, sent);
    let received = gpu.count(What::PcieReceived, received);
    let resets = Counted::resets([&sent, &received, &replays]);
    let (sent_rate, received_rate, source) = rates(gpu, &sent, &received);
    Pcie {
        generation,
        width,
        lane_mbps,
        sent_bytes_total: sent.total().map(Bytes),
        received_bytes_total: received.total().map(Bytes),
        sent_bytes_per_second: sent_rate,
        received_bytes_per_second: received_rate,
        rate_source: source.map(Into::into),
        replays_total: replays.total(),
        resets_total: resets,
    }
}

type Rate = Reading<BytesPerSecond>;

/// Rates from the counters, or, where the GPU has none or they may have gone round unseen, from what went over the link within
/// 20 ms: the driver waits for as long for each direction, which is why this group is on the slow clock.
fn rates(gpu: &mut Gpu<'_, '_>, sent: &Counted, received: &Counted) -> (Rate, Rate, Reading<&'static str>) {
    // One direction may have carried too little yet to be told from a counter that has gone round.
    match sent.total().reason().or(received.total().reason()) {
        Some(Reason::Error) => {}
        Some(reason) if reason.is_permanent() => {}
        Some(reason) => {
            let rate = Reading::Unavailable(reason);
            return (rate, rate, Reading::Unavailable(reason));
        }
        None => {
            let rate = |counted: &Counted| counted.rate().map(BytesPerSecond);
            return (rate(sent), rate(received), Reading::Value("counters"));
        }
    }
    let device = gpu.device;
    let mut sampled = |key, direction| {
        gpu.asker.ask(
            key,
            || device.pcie_throughput(direction),
            |kibibytes| convert::small_number(kibibytes).map(|k| BytesPerSecond(f64::from(k) * KIBIBYTE)),
        )
    };
    let sent = sampled("nvmlDeviceGetPcieThroughput(sent)", PcieUtilCounter::Send);
    let received = sampled("nvmlDeviceGetPcieThroughput(received)", PcieUtilCounter::Receive);
    let source = sent.map(|_| "sampled");
    (sent, received, source)
}
