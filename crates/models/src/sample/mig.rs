//! The instances that a GPU is cut into.

use crate::{Activity, Bytes, catalogue::readings};

readings! {
    /// MIG: whether the GPU is cut into instances, and into which.
    pub struct Mig {
        /// Whether it is cut.
        reading enabled: bool, info, "nvmlDeviceGetMigMode", Ampere;
        /// Whether it will be after the next reset.
        reading enabled_after_reset: bool, info, "nvmlDeviceGetMigMode", Ampere;
        /// Into how many instances it can be cut at most.
        reading max_instances: u32, info, "nvmlDeviceGetMaxMigDeviceCount", Ampere;
        /// Each instance; none where it is not cut.
        list instances: MigDevice, gauge, "nvmlDeviceGetMigDeviceHandleByIndex", Ampere;
    }

    /// A MIG instance. What it has is a part of what the GPU has, and counts nowhere twice.
    pub struct MigDevice {
        /// Its number on the GPU.
        reading index: u32, info, "nvmlDeviceGetMigDeviceHandleByIndex", Ampere;
        /// Its UUID.
        reading uuid: String, info, "nvmlDeviceGetUUID", Ampere;
        /// Its name, which ends in its profile.
        reading name: String, info, "nvmlDeviceGetName", Ampere;
        /// What share of the GPU it has, such as `3g.40gb`.
        reading profile: String, info, "nvmlDeviceGetName", Ampere;
        /// Id of the GPU instance.
        reading gpu_instance_id: u32, info, "nvmlDeviceGetGpuInstanceId", Ampere;
        /// Id of the compute instance within it.
        reading compute_instance_id: u32, info, "nvmlDeviceGetComputeInstanceId", Ampere;
        /// Streaming multiprocessors that it has.
        reading multiprocessors: u32, info, "nvmlDeviceGetAttributes_v2", Ampere;
        /// Compute slices that its GPU instance has.
        reading gpu_slices: u32, info, "nvmlDeviceGetAttributes_v2", Ampere;
        /// Compute slices that it has.
        reading compute_slices: u32, info, "nvmlDeviceGetAttributes_v2", Ampere;
        /// Its memory.
        reading memory_total_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2", Ampere;
        /// What of it is allocated.
        reading memory_used_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2", Ampere;
        /// What of it is not.
        reading memory_free_bytes: Bytes, gauge, "nvmlDeviceGetMemoryInfo_v2", Ampere;
        /// Who is on it, by process id; more of them stands in the GPU's processes.
        reading process_ids: Vec<u32>, gauge, "nvmlDeviceGetComputeRunningProcesses_v3", Ampere;
        /// What its performance monitor counted between two ticks.
        part activity: Activity;
    }
}
