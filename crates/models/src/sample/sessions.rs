//! Who encodes, captures and virtualises.

use crate::{Bytes, FramesPerSecond, Microseconds, Percent, Seconds, Timestamp, catalogue::readings};

readings! {
    /// Sessions of encoding and capture, vGPUs, and the accounts of processes.
    pub struct Sessions {
        /// Sessions that encode video.
        reading encoder_sessions: u32, gauge, "nvmlDeviceGetEncoderStats", Maxwell;
        /// Mean of their frame rates.
        reading encoder_average_fps: FramesPerSecond, gauge, "nvmlDeviceGetEncoderStats", Maxwell;
        /// Mean of the time that a frame takes.
        reading encoder_latency_microseconds: Microseconds, gauge, "nvmlDeviceGetEncoderStats", Maxwell;
        /// Sessions that capture the frame buffer.
        reading capture_sessions: u32, gauge, "nvmlDeviceGetFBCStats", Maxwell;
        /// Mean of their frame rates.
        reading capture_average_fps: FramesPerSecond, gauge, "nvmlDeviceGetFBCStats", Maxwell;
        /// Mean of the time that a frame takes.
        reading capture_latency_microseconds: Microseconds, gauge, "nvmlDeviceGetFBCStats", Maxwell;
        /// Each vGPU at work.
        list vgpus: Vgpu, gauge, "nvmlDeviceGetActiveVgpus", Kepler;
        /// Accounts of processes, running and ended, as many as are kept; where accounting is on.
        list accounts: AccountedProcess, gauge, "nvmlDeviceGetAccountingPids", Kepler;
    }

    /// A vGPU.
    pub struct Vgpu {
        /// Its UUID.
        reading uuid: String, info, "nvmlVgpuInstanceGetUUID", Kepler;
        /// The virtual machine that has it.
        reading virtual_machine: String, info, "nvmlVgpuInstanceGetVmID", Kepler;
        /// Its type, such as `NVIDIA L40S-12Q`.
        reading type_name: String, info, "nvmlVgpuTypeGetName", Kepler;
        /// Memory in use.
        reading memory_used_bytes: Bytes, gauge, "nvmlVgpuInstanceGetFbUsage", Kepler;
        /// Whether its guest has a licence.
        reading licensed: bool, info, "nvmlVgpuInstanceGetLicenseInfo_v2", Kepler;
    }

    /// The account of a process.
    pub struct AccountedProcess {
        /// Its process id.
        reading pid: u32, info, "nvmlDeviceGetAccountingPids", Kepler;
        /// Share of its time in which a kernel of it ran.
        reading gpu_percent: Percent, gauge, "nvmlDeviceGetAccountingStats", Kepler;
        /// Share of its time in which memory was read or written for it.
        reading memory_percent: Percent, gauge, "nvmlDeviceGetAccountingStats", Kepler;
        /// The most memory that it ever held.
        reading max_memory_bytes: Bytes, gauge, "nvmlDeviceGetAccountingStats", Kepler;
        /// How long it has been, or was, at work.
        reading active_seconds: Seconds, gauge, "nvmlDeviceGetAccountingStats", Kepler;
        /// When it started.
        reading started_at: Timestamp, info, "nvmlDeviceGetAccountingStats", Kepler;
        /// Whether it runs still.
        reading running: bool, info, "nvmlDeviceGetAccountingStats", Kepler;
    }
}
