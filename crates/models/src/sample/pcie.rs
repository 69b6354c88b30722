//! The link to the host.

use crate::{Bytes, BytesPerSecond, Label, Megabits, catalogue::readings};

readings! {
    /// The PCIe link. It is lowered while the GPU is idle.
    pub struct Pcie {
        /// Current generation.
        reading generation: u32, gauge, "nvmlDeviceGetCurrPcieLinkGeneration", Kepler;
        /// Current width, in lanes.
        reading width: u32, gauge, "nvmlDeviceGetCurrPcieLinkWidth", Kepler;
        /// Current rate of a lane.
        reading lane_mbps: Megabits, gauge, "nvmlDeviceGetPcieSpeed", Kepler;
        /// Sent, going on where the driver's counter wraps or begins anew.
        reading sent_bytes_total: Bytes, counter, "nvmlDeviceGetFieldValues(197)", Hopper;
        /// Received, going on where the driver's counter wraps or begins anew.
        reading received_bytes_total: Bytes, counter, "nvmlDeviceGetFieldValues(198)", Hopper;
        /// Sent since the read before, a second.
        reading sent_bytes_per_second: BytesPerSecond, gauge, "nvmlDeviceGetFieldValues(197), or without it nvmlDeviceGetPcieThroughput", Maxwell;
        /// Received since the read before, a second.
        reading received_bytes_per_second: BytesPerSecond, gauge, "nvmlDeviceGetFieldValues(198), or without it nvmlDeviceGetPcieThroughput", Maxwell;
        /// Where the rates come from: `counters` are exact, `sampled` is what went over the link within 20 ms.
        reading rate_source: Label, info, "nvmlDeviceGetFieldValues(197), or without it nvmlDeviceGetPcieThroughput", Maxwell;
        /// Packets that had to be sent again, going on where the driver's counter begins anew.
        reading replays_total: u64, counter, "nvmlDeviceGetPcieReplayCounter", Kepler;
        /// How often one of the driver's counters was seen to begin anew.
        reading resets_total: u64, counter, "nvmlDeviceGetFieldValues(197, 198)", Kepler;
    }
}
