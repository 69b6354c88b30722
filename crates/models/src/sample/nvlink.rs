//! The links to other GPUs.

use crate::{Bytes, BytesPerSecond, Label, Megabits, PciBusId, catalogue::readings};

readings! {
    /// NVLink, all links together and each.
    pub struct Nvlink {
        /// Links that are up.
        reading active_links: u32, gauge, "nvmlDeviceGetNvLinkState", Pascal;
        /// Sent over all links since the read before, a second.
        reading sent_bytes_per_second: BytesPerSecond, gauge, "nvmlDeviceGetFieldValues(138 or 202)", Ampere;
        /// Received over all links since the read before, a second.
        reading received_bytes_per_second: BytesPerSecond, gauge, "nvmlDeviceGetFieldValues(139 or 204)", Ampere;
        /// Each link, up or down.
        list links: NvlinkLink, gauge, "nvmlDeviceGetNvLinkState", Pascal;
    }

    /// A link. Its counters go on where the driver's begin anew.
    pub struct NvlinkLink {
        /// Its number.
        reading index: u32, info, "nvmlDeviceGetNvLinkState", Pascal;
        /// `up` or `down`.
        reading state: Label, info, "nvmlDeviceGetNvLinkState", Pascal;
        /// Version of the link, such as `4.0`.
        reading version: Label, info, "nvmlDeviceGetNvLinkVersion", Pascal;
        /// Its rate, each way.
        reading speed_mbps: Megabits, gauge, "nvmlDeviceGetFieldValues(164)", Ampere;
        /// What is at the far end: `gpu`, `switch`, `cpu` or `unknown`.
        reading remote_type: Label, info, "nvmlDeviceGetNvLinkRemoteDeviceType", Volta;
        /// Where the far end sits. Nothing where that is no PCI device of the host, as a switch of NVLink 5.
        reading remote_pci_bus_id: PciBusId, info, "nvmlDeviceGetNvLinkRemotePciInfo_v2", Pascal;
        /// Sent.
        reading sent_bytes_total: Bytes, counter, "nvmlDeviceGetFieldValues(138 or 202)", Ampere;
        /// Received.
        reading received_bytes_total: Bytes, counter, "nvmlDeviceGetFieldValues(139 or 204)", Ampere;
        /// Sent since the read before, a second.
        reading sent_bytes_per_second: BytesPerSecond, gauge, "nvmlDeviceGetFieldValues(138 or 202)", Ampere;
        /// Received since the read before, a second.
        reading received_bytes_per_second: BytesPerSecond, gauge, "nvmlDeviceGetFieldValues(139 or 204)", Ampere;
        /// Packets that arrived broken.
        reading crc_errors_total: u64, counter, "nvmlDeviceGetFieldValues(163)", Pascal;
        /// Packets that had to be sent again.
        reading replay_errors_total: u64, counter, "nvmlDeviceGetFieldValues(161)", Pascal;
        /// How often the link had to be brought up again.
        reading recovery_errors_total: u64, counter, "nvmlDeviceGetFieldValues(162)", Pascal;
        /// How often one of the driver's counters was seen to begin anew.
        reading resets_total: u64, counter, "nvmlDeviceGetFieldValues", Pascal;
    }
}
