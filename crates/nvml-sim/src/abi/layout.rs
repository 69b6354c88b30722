//! The structures of NVML that the simulator fills, laid out as C does, with their sizes checked at compile
//! time.

use super::ffi::Versioned;
use super::handle::Handle;

/// Declares C structures with the size each must have.
macro_rules! c_structs {
    ($($(#[$doc:meta])* $name:ident = $size:literal { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy)]
        pub(super) struct $name { $(pub(super) $field: $type),* }
        const _: () = assert!(size_of::<$name>() == $size, concat!("size of ", stringify!($name)));
    )*};
}

/// Gives structures their version numbers.
macro_rules! versions {
    ($($name:ident = $version:literal),* $(,)?) => {$(
        impl Versioned for $name {
            const TAG: u32 = size_of::<$name>() as u32 | $version << 24;
        }
    )*};
}

c_structs! {
    Utilization = 8 { gpu: u32, memory: u32 }
    Memory = 24 { total: u64, free: u64, used: u64 }
    MemoryV2 = 40 { version: u32, total: u64, reserved: u64, free: u64, used: u64 }
    Bar1Memory = 24 { total: u64, free: u64, used: u64 }
    /// The part of `PciInfo` that its first version had, under the same names.
    PciInfoV1 = 32 { bus_id: [u8; 16], domain: u32, bus: u32, device: u32, pci_device_id: u32 }
    /// The part that its second version had; four reserved words followed, which stay as they are.
    PciInfoV2 = 36 {
        bus_id: [u8; 16],
        domain: u32,
        bus: u32,
        device: u32,
        pci_device_id: u32,
        pci_subsystem_id: u32,
    }
    PciInfo = 68 {
        bus_id_legacy: [u8; 16],
        domain: u32,
        bus: u32,
        device: u32,
        pci_device_id: u32,
        pci_subsystem_id: u32,
        bus_id: [u8; 32],
    }
    PciInfoExt = 64 {
        version: u32,
        domain: u32,
        bus: u32,
        device: u32,
        pci_device_id: u32,
        pci_subsystem_id: u32,
        base_class: u32,
        sub_class: u32,
        bus_id: [u8; 32],
    }
    ProcessInfoV1 = 16 { pid: u32, used_gpu_memory: u64 }
    ProcessInfo = 24 { pid: u32, used_gpu_memory: u64, gpu_instance: u32, compute_instance: u32 }
    ProcessDetail = 32 {
        pid: u32,
        used_gpu_memory: u64,
        gpu_instance: u32,
        compute_instance: u32,
        protected_memory: u64,
    }
    ProcessDetailList = 24 { version: u32, mode: u32, count: u32, list: usize }
    AccountingStats = 56 {
        gpu_utilization: u32,
        memory_utilization: u32,
        most_memory: u64,
        time_ms: u64,
        start_us: u64,
        running: u32,
        reserved: [u32; 5],
    }
    AccountingStatsV2 = 64 {
        pid: u32,
        running: u32,
        gpu_utilization: u32,
        memory_utilization: u32,
        most_memory: u64,
        samples: u32,
        gpu_sum: u64,
        memory_sum: u64,
        time_ms: u64,
        start_us: u64,
    }
    ProcessUtilization = 32 { pid: u32, timestamp: u64, sm: u32, memory: u32, encoder: u32, decoder: u32 }
    ProcessUtilizationInfo = 40 {
        timestamp: u64,
        pid: u32,
        sm: u32,
        memory: u32,
        encoder: u32,
        decoder: u32,
        jpeg: u32,
        ofa: u32,
    }
    ProcessesUtilizationInfo = 24 { version: u32, count: u32, last_seen: u64, list: usize }
    FieldValue = 40 {
        field: u32,
        scope: u32,
        timestamp: i64,
        latency_us: i64,
        value_type: u32,
        code: u32,
        value: u64,
    }
    Sample = 16 { timestamp: u64, value: u64 }
    ViolationTime = 16 { reference: u64, violation: u64 }
    /// The part of `EventData` that its first version had.
    EventDataV1 = 24 { device: Handle, kind: u64, data: u64 }
    EventData = 32 { device: Handle, kind: u64, data: u64, gpu_instance: u32, compute_instance: u32 }
    EccErrorCounts = 32 { l1_cache: u64, l2_cache: u64, device_memory: u64, register_file: u64 }
    EccSramErrorStatus = 104 {
        version: u32,
        aggregate_parity: u64,
        aggregate_sec_ded: u64,
        aggregate_corrected: u64,
        volatile_parity: u64,
        volatile_sec_ded: u64,
        volatile_corrected: u64,
        bucket_l2: u64,
        bucket_sm: u64,
        bucket_pcie: u64,
        bucket_mcu: u64,
        bucket_other: u64,
        threshold_exceeded: u32,
    }
    RowRemapperHistogram = 20 { max: u32, high: u32, partial: u32, low: u32, none: u32 }
    RemappedRows = 24 {
        corrected_active: u32,
        corrected_inactive: u32,
        uncorrected_active: u32,
        uncorrected_inactive: u32,
        pending: u32,
        failed: u32,
    }
    TemperatureReading = 12 { version: u32, sensor: u32, temperature: i32 }
    MarginTemperature = 8 { version: u32, margin: i32 }
    ThermalSensor = 20 { controller: i32, default_min: i32, default_max: i32, current: i32, target: i32 }
    ThermalSettings = 64 { count: u32, sensors: [ThermalSensor; 3] }
    FanSpeedInfo = 12 { version: u32, fan: u32, speed: u32 }
    CoolerInfo = 16 { version: u32, index: u32, signal: u32, target: u32 }
    DeviceAttributes = 40 {
        multiprocessors: u32,
        copy_engines: u32,
        decoders: u32,
        encoders: u32,
        jpegs: u32,
        ofas: u32,
        gpu_slices: u32,
        compute_slices: u32,
        memory_mb: u64,
    }
    /// The part of `DeviceAttributes` that its first version had.
    DeviceAttributesV1 = 24 {
        multiprocessors: u32,
        copy_engines: u32,
        decoders: u32,
        encoders: u32,
        jpegs: u32,
        ofas: u32,
    }
    Placement = 8 { start: u32, size: u32 }
    GpuInstanceInfo = 24 { device: Handle, id: u32, profile: u32, placement: Placement }
    /// The first version of `ComputeInstanceInfo`, without the placement.
    ComputeInstanceInfoV1 = 24 { device: Handle, gpu_instance: Handle, id: u32, profile: u32 }
    ComputeInstanceInfo = 32 {
        device: Handle,
        gpu_instance: Handle,
        id: u32,
        profile: u32,
        placement: Placement,
    }
    DynamicUtilization = 16 { present: u32, percentage: u32, increase: u32, decrease: u32 }
    DynamicPstates = 132 { flags: u32, domains: [DynamicUtilization; 8] }
    DriverBranch = 84 { version: u32, branch: [u8; 80] }
    AddressingMode = 8 { version: u32, mode: u32 }
    FabricInfo = 28 { cluster: [u8; 16], status: u32, clique: u32, state: u8, padding: [u8; 3] }
    /// Clients that take the state for a number of four bytes, as nvidia-ml-py does, read the padding with it.
    FabricInfoV2 = 36 {
        version: u32,
        cluster: [u8; 16],
        status: u32,
        clique: u32,
        state: u8,
        padding: [u8; 3],
        health_mask: u32,
    }
    FabricInfoV3 = 40 {
        version: u32,
        cluster: [u8; 16],
        status: u32,
        clique: u32,
        state: u8,
        padding: [u8; 3],
        health_mask: u32,
        health_summary: u8,
        end: [u8; 3],
    }
    ConfComputeCapabilities = 8 { cpu: u32, gpus: u32 }
    ConfComputeSettings = 20 { version: u32, environment: u32, feature: u32, dev_tools: u32, multi_gpu: u32 }
    ConfComputeSettingsV2 = 24 {
        version: u32,
        environment: u32,
        feature: u32,
        dev_tools: u32,
        multi_gpu: u32,
        tdisp: u32,
    }
    C2cMode = 4 { enabled: u32 }
    PlatformInfo = 44 {
        version: u32,
        guid: [u8; 16],
        chassis: [u8; 16],
        slot: u8,
        tray: u8,
        host: u8,
        peer: u8,
        module: u8,
    }
    ConfComputeState = 12 { environment: u32, feature: u32, dev_tools: u32 }
    ConfComputeMemory = 16 { protected_kib: u64, unprotected_kib: u64 }
    FbcSession = 48 {
        session: u32,
        pid: u32,
        vgpu_instance: u32,
        display: u32,
        kind: u32,
        flags: u32,
        most_width: u32,
        most_height: u32,
        width: u32,
        height: u32,
        average_fps: u32,
        average_latency: u32,
    }
    FbcStats = 12 { sessions: u32, average_fps: u32, average_latency: u32 }
    EncoderSession = 32 {
        session: u32,
        pid: u32,
        vgpu_instance: u32,
        codec: u32,
        width: u32,
        height: u32,
        average_fps: u32,
        average_latency: u32,
    }
    LicenseExpiry = 16 {
        year: u32,
        month: u16,
        day: u16,
        hour: u16,
        minute: u16,
        second: u16,
        status: u8,
        padding: u8,
    }
    LicensableFeature = 284 {
        code: u32,
        state: u32,
        info: [u8; 128],
        product: [u8; 128],
        enabled: u32,
        expiry: LicenseExpiry,
    }
    LicensableFeatures = 860 { supported: i32, count: u32, features: [LicensableFeature; 3] }
    Capabilities = 8 { version: u32, mask: u32 }
    RepairStatus = 12 { version: u32, channel_pending: u32, tpc_pending: u32 }
    GpmSupport = 8 { version: u32, supported: u32 }
    GpmMetric = 40 { metric: u32, code: u32, value: f64, short_name: usize, long_name: usize, unit: usize }
    GpmMetricsGet = 24 { version: u32, count: u32, first: Handle, second: Handle }
}

versions! {
    MemoryV2 = 2,
    PciInfoExt = 1,
    ProcessDetailList = 1,
    ProcessesUtilizationInfo = 1,
    EccSramErrorStatus = 1,
    TemperatureReading = 1,
    MarginTemperature = 1,
    FanSpeedInfo = 1,
    CoolerInfo = 1,
    DriverBranch = 1,
    AddressingMode = 1,
    FabricInfoV2 = 2,
    FabricInfoV3 = 3,
    Capabilities = 1,
    RepairStatus = 1,
    ConfComputeSettings = 1,
    ConfComputeSettingsV2 = 2,
    PlatformInfo = 2,
}

/// A string in a field of fixed length, cut to leave room for its end.
pub(super) fn fixed<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let length = text.len().min(N.saturating_sub(1));
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
    field
}
