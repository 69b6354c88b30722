//! Which parts of the GPU work.

use crate::{BytesPerSecond, Percent, Seconds, catalogue::readings};

readings! {
    /// What the GPU's performance monitor (GPM) counted between two ticks. Shares are of the peak of the GPU, or of the
    /// MIG instance.
    pub struct Activity {
        /// Time over which was counted.
        reading over_seconds: Seconds, gauge, "nvmlGpmSampleGet", Hopper;
        /// Share of time in which graphics or compute engines were at work.
        reading graphics_percent: Percent, gauge, "nvmlGpmMetricsGet(1: graphics util)", Hopper;
        /// Share of time in which the SMs had at least one warp, averaged over SMs.
        reading sm_percent: Percent, gauge, "nvmlGpmMetricsGet(2: SM util)", Hopper;
        /// Warps that were resident, of those that could be.
        reading sm_occupancy_percent: Percent, gauge, "nvmlGpmMetricsGet(3: SM occupancy)", Hopper;
        /// Cycles in which the integer pipes were at work.
        reading integer_percent: Percent, gauge, "nvmlGpmMetricsGet(4: integer util)", Hopper;
        /// Cycles in which the tensor cores were at work, in any precision.
        reading tensor_percent: Percent, gauge, "nvmlGpmMetricsGet(5: any tensor util)", Hopper;
        /// The same in double precision.
        reading tensor_fp64_percent: Percent, gauge, "nvmlGpmMetricsGet(6: DFMA tensor util)", Hopper;
        /// The same in half precision.
        reading tensor_fp16_percent: Percent, gauge, "nvmlGpmMetricsGet(7: HMMA tensor util)", Hopper;
        /// The same in whole numbers.
        reading tensor_integer_percent: Percent, gauge, "nvmlGpmMetricsGet(9: IMMA tensor util)", Hopper;
        /// Bandwidth of the device memory that was used.
        reading dram_percent: Percent, gauge, "nvmlGpmMetricsGet(10: DRAM bandwidth util)", Hopper;
        /// Cycles in which the FP64 pipes were at work.
        reading fp64_percent: Percent, gauge, "nvmlGpmMetricsGet(11: FP64 util)", Hopper;
        /// Cycles in which the FP32 pipes were at work.
        reading fp32_percent: Percent, gauge, "nvmlGpmMetricsGet(12: FP32 util)", Hopper;
        /// Cycles in which the FP16 pipes were at work.
        reading fp16_percent: Percent, gauge, "nvmlGpmMetricsGet(13: FP16 util)", Hopper;
        /// Sent over PCIe.
        reading pcie_sent_bytes_per_second: BytesPerSecond, gauge, "nvmlGpmMetricsGet(20: PCIe TX)", Hopper;
        /// Received over PCIe.
        reading pcie_received_bytes_per_second: BytesPerSecond, gauge, "nvmlGpmMetricsGet(21: PCIe RX)", Hopper;
        /// Sent over all NVLinks.
        reading nvlink_sent_bytes_per_second: BytesPerSecond, gauge, "nvmlGpmMetricsGet(61: NVLink total TX)", Hopper;
        /// Received over all NVLinks.
        reading nvlink_received_bytes_per_second: BytesPerSecond, gauge, "nvmlGpmMetricsGet(60: NVLink total RX)", Hopper;
    }
}
