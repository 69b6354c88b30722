//! Errors, and what was done about them.

use crate::{Label, catalogue::readings};

readings! {
    /// Errors, and what was done about them. These counts are the driver's own: they begin anew when it says so.
    pub struct Reliability {
        /// Whether memory is protected by ECC.
        reading ecc_enabled: bool, info, "nvmlDeviceGetEccMode", Fermi;
        /// Whether it will be after the next reset.
        reading ecc_enabled_after_reset: bool, info, "nvmlDeviceGetEccMode", Fermi;
        /// Errors that ECC mended since the driver was loaded.
        reading corrected_volatile: u64, gauge, "nvmlDeviceGetTotalEccErrors(corrected, volatile)", Fermi;
        /// Errors that it could not mend since the driver was loaded.
        reading uncorrected_volatile: u64, gauge, "nvmlDeviceGetTotalEccErrors(uncorrected, volatile)", Fermi;
        /// Errors that ECC mended over the board's life.
        reading corrected_aggregate: u64, gauge, "nvmlDeviceGetTotalEccErrors(corrected, aggregate)", Fermi;
        /// Errors that it could not mend over the board's life.
        reading uncorrected_aggregate: u64, gauge, "nvmlDeviceGetTotalEccErrors(uncorrected, aggregate)", Fermi;
        /// Errors in on-chip memory.
        part sram: SramErrors;
        /// Pages of memory that were taken out of use after several corrected errors.
        reading retired_pages_corrected: u32, gauge, "nvmlDeviceGetRetiredPages(multiple single-bit errors)", Kepler;
        /// Pages of memory that were taken out of use after an uncorrected error.
        reading retired_pages_uncorrected: u32, gauge, "nvmlDeviceGetRetiredPages(double-bit error)", Kepler;
        /// Whether pages will be taken out of use at the next reset.
        reading retirement_pending: bool, gauge, "nvmlDeviceGetRetiredPagesPendingStatus", Kepler;
        /// Rows of memory that were replaced by spare ones.
        part remapped_rows: RemappedRows;
        /// What has to be done to bring the GPU back into order: `none`, `gpu_reset`, `node_reboot`, `drain_p2p`,
        /// `drain_and_reset`, or the number that has no name yet.
        reading recovery_action: Label, info, "nvmlDeviceGetFieldValues(recovery action)", Ampere;
        /// The fabric that joins the GPUs of several boards or nodes.
        part fabric: Fabric;
    }

    /// Errors in on-chip memory.
    pub struct SramErrors {
        /// Mended since the driver was loaded.
        reading corrected_volatile: u64, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
        /// Mended over the board's life.
        reading corrected_aggregate: u64, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
        /// Not mended since the driver was loaded, found by parity.
        reading uncorrected_parity_volatile: u64, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
        /// Not mended since the driver was loaded, found by SEC-DED.
        reading uncorrected_secded_volatile: u64, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
        /// Not mended over the board's life, found by parity.
        reading uncorrected_parity_aggregate: u64, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
        /// Not mended over the board's life, found by SEC-DED.
        reading uncorrected_secded_aggregate: u64, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
        /// Whether there were so many that the board should be replaced.
        reading threshold_exceeded: bool, gauge, "nvmlDeviceGetSramEccErrorStatus", Ampere;
    }

    /// Rows of memory that were replaced by spare ones.
    pub struct RemappedRows {
        /// After corrected errors.
        reading corrected: u32, gauge, "nvmlDeviceGetRemappedRows", Ampere;
        /// After uncorrected errors.
        reading uncorrected: u32, gauge, "nvmlDeviceGetRemappedRows", Ampere;
        /// Whether rows will be replaced at the next reset.
        reading pending: bool, gauge, "nvmlDeviceGetRemappedRows", Ampere;
        /// Whether a row could not be replaced.
        reading failed: bool, gauge, "nvmlDeviceGetRemappedRows", Ampere;
        /// Banks that have all their spare rows.
        reading banks_max_spare: u32, gauge, "nvmlDeviceGetRowRemapperHistogram", Ampere;
        /// Banks that have most of their spare rows.
        reading banks_high_spare: u32, gauge, "nvmlDeviceGetRowRemapperHistogram", Ampere;
        /// Banks that have some of their spare rows.
        reading banks_partial_spare: u32, gauge, "nvmlDeviceGetRowRemapperHistogram", Ampere;
        /// Banks that have few spare rows left.
        reading banks_low_spare: u32, gauge, "nvmlDeviceGetRowRemapperHistogram", Ampere;
        /// Banks that have no spare row left.
        reading banks_no_spare: u32, gauge, "nvmlDeviceGetRowRemapperHistogram", Ampere;
    }

    /// The fabric that joins the GPUs of several boards or nodes.
    pub struct Fabric {
        /// How far joining it has come: `not_started`, `in_progress`, `completed` or `not_supported`.
        reading state: Label, info, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// What came of it: `success`, or the error of NVML.
        reading status: Label, info, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// The cluster that it belongs to.
        reading cluster_uuid: String, info, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// The clique that it belongs to: GPUs of one clique reach each other.
        reading clique_id: u32, info, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// Whether its bandwidth is lowered.
        reading degraded_bandwidth: bool, gauge, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// Whether a route has to be recovered.
        reading route_recovery: bool, gauge, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// Whether a route is not healthy.
        reading route_unhealthy: bool, gauge, "nvmlDeviceGetGpuFabricInfoV", Hopper;
        /// Whether access has to be recovered after a timeout.
        reading access_timeout_recovery: bool, gauge, "nvmlDeviceGetGpuFabricInfoV", Hopper;
    }
}
