//! Device memory.

use crate::{Bytes, catalogue::readings};

readings! {
    /// Device memory, as the driver counts it.
    pub struct Memory {
        /// All of it.
        reading total_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2, or without it nvmlDeviceGetMemoryInfo", Fermi;
        /// Allocated. Drivers without version 2 of the call count the reserved part in.
        reading used_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2, or without it nvmlDeviceGetMemoryInfo", Fermi;
        /// Not allocated.
        reading free_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2, or without it nvmlDeviceGetMemoryInfo", Fermi;
        /// Kept by driver and firmware.
        reading reserved_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2", Fermi;
        /// The window through which the host and other devices reach the memory.
        reading bar1_total_bytes: Bytes, gauge, "nvmlDeviceGetBAR1MemoryInfo", Kepler;
        /// What of the window is in use.
        reading bar1_used_bytes: Bytes, gauge, "nvmlDeviceGetBAR1MemoryInfo", Kepler;
        /// What of the window is left.
        reading bar1_free_bytes: Bytes, gauge, "nvmlDeviceGetBAR1MemoryInfo", Kepler;
        /// Whether the GPU has no memory of its own and shares that of the host: then nothing above can be had, also where
        /// the driver gives the host's memory in its place.
        reading unified: bool, info, "nvmlDeviceGetMemoryInfo_v2 against nvmlDeviceGetAddressingMode and nvmlDeviceGetC2cModeInfoV", Fermi;
    }
}
