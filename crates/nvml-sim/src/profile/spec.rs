//! The properties of one GPU, as written in a profile file.

use serde::Deserialize;

use super::{LicensableFeature, Vgpu, Virtualization, Waveform, WorkKind};

/// The installed driver.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// What `nvmlSystemGetDriverVersion` says, for example `580.95.05`.
    pub version: String,
    /// The newest CUDA version the driver serves, as 1000 × major + 10 × minor.
    pub cuda: i32,
    /// The code with which initialisation fails; absent when the driver works.
    pub init_error: Option<u32>,
    /// Bytes from one entry of the `_v3` process lists to the next: 24, or 32 as early drivers of the R535 branch had it.
    #[serde(default = "current_entry")]
    pub process_entry_bytes: u32,
    /// Whether confidential computing is on, which protects all memory of all GPUs.
    #[serde(default)]
    pub confidential_compute: bool,
}

/// Everything fixed about one GPU.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuSpec {
    /// Product name.
    pub name: String,
    /// Product line.
    pub brand: Brand,
    /// Chip generation.
    pub architecture: Architecture,
    /// CUDA compute capability, major and minor.
    pub compute_capability: [i32; 2],
    /// CUDA cores.
    pub cores: u32,
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// VBIOS version.
    pub vbios: String,
    /// Board part number, absent on consumer cards.
    pub board_part: Option<String>,
    /// What the board's own memory says of itself; absent where there is none.
    pub inforom: Option<Inforom>,
    /// UUID; derived from the seed when absent.
    pub uuid: Option<String>,
    /// Serial number; consumer cards have none.
    pub serial: Option<String>,
    /// The performance state in which the GPU idles.
    #[serde(default)]
    pub idle_performance_state: u32,
    /// Whether the driver keeps accounts of processes.
    #[serde(default)]
    pub accounting: bool,
    /// Whether the GPU hangs on its processor by a chip-to-chip link.
    #[serde(default)]
    pub c2c: bool,
    /// NUMA node, when the platform tells.
    pub numa_node: Option<u32>,
    /// Memory.
    pub memory: Memory,
    /// Electrical power.
    pub power: Power,
    /// Clocks.
    pub clocks: Clocks,
    /// Temperatures.
    pub thermal: Thermal,
    /// The place on the PCI bus.
    pub pcie: Pcie,
    /// Fans on the board; absent on passively cooled boards.
    pub fans: Option<Fans>,
    /// NVLink; absent where there is none.
    pub nvlink: Option<NvLink>,
    /// Video engines.
    #[serde(default)]
    pub engines: Engines,
    /// MIG instances; MIG mode is on when there are any.
    #[serde(default)]
    pub mig: Vec<MigSpec>,
    /// What the GPU is cut into for virtual machines; absent everywhere but on virtualisation hosts.
    pub vgpu: Option<Vgpu>,
    /// How the machine came by the GPU.
    #[serde(default)]
    pub virtualization: Virtualization,
    /// What of NVIDIA's vGPU software takes a licence here; without any, the driver says that there is no licensing.
    #[serde(default)]
    pub licensable: Vec<LicensableFeature>,
    /// Whether the chip can be partitioned.
    #[serde(default)]
    pub mig_capable: bool,
    /// The kind of work the GPU is given.
    pub work: WorkKind,
    /// The course of the load where `work` is a waveform.
    pub waveform: Option<Waveform>,
    /// The driver averages utilisations over this time, ms. NVML's header says that it is between a sixth of a second and a
    /// second, depending on the product; the encoder call of most boards reports a sixth.
    #[serde(default = "sixth_of_a_second")]
    pub sampling_period_ms: u32,
    /// Functions (globs) that this GPU does not support.
    #[serde(default)]
    pub unsupported: Vec<String>,
    /// Field ids that this GPU does not support.
    #[serde(default)]
    pub unsupported_fields: Vec<u32>,
    /// Kinds of samples (`nvmlSamplingType_t`) that are not kept of this GPU.
    #[serde(default)]
    pub unsupported_samples: Vec<u32>,
}

impl GpuSpec {
    /// Whether it is capable of confidential computing: Hopper and Blackwell for data centres.
    pub fn can_be_confidential(&self) -> bool {
        self.architecture >= Architecture::Hopper && self.mig_capable
    }

    /// Whether it tells how far it is from its thermal limits: from Ada on.
    pub fn has_thermal_margins(&self) -> bool {
        self.architecture >= Architecture::Ada
    }

    /// Whether it is a consumer card: those have a display and no application clocks.
    pub fn is_consumer(&self) -> bool {
        matches!(self.brand, Brand::Geforce | Brand::GeforceRtx)
    }
}

/// Versions of what is in the board's own memory, the infoROM.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inforom {
    /// Of all of it.
    pub image: String,
    /// Of the vendor's object.
    pub oem: Option<String>,
    /// Of the object for memory errors.
    pub ecc: Option<String>,
    /// Of the object for power management.
    pub power: Option<String>,
}

/// Device memory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// All of it, MiB.
    pub total_mib: u64,
    /// What the firmware keeps for itself, MiB.
    pub reserved_mib: u64,
    /// The BAR1 window, MiB.
    pub bar1_mib: u64,
    /// Bus width in bits.
    pub bus_width_bits: u32,
    /// Whether errors are corrected.
    pub ecc: bool,
    /// Whether bad rows are replaced by spare ones (Ampere and later).
    #[serde(default)]
    pub row_remapping: bool,
}

/// Power, in watts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// Draw with nothing running.
    pub idle_w: f64,
    /// Draw at full load if no limit held it back; above the limit, the GPU is power-capped under full load.
    pub demand_w: f64,
    /// The limit in force; the default limit when absent.
    pub limit_w: Option<f64>,
    /// The default limit.
    pub default_limit_w: f64,
    /// The lowest limit that can be set.
    pub min_limit_w: f64,
    /// The highest limit that can be set.
    pub max_limit_w: f64,
    /// Whether `nvmlDeviceGetPowerUsage` is the mean of the last second (Ampere and later except GA100).
    pub averaged: bool,
}

impl Power {
    /// The limit in force, watts.
    pub fn enforced_w(&self) -> f64 {
        self.limit_w.unwrap_or(self.default_limit_w)
    }
}

/// Clocks, in MHz.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// Highest graphics and SM clock.
    pub graphics_max: u32,
    /// Graphics and SM clock with nothing running.
    pub graphics_idle: u32,
    /// The default application clock for graphics.
    pub graphics_default: u32,
    /// Highest memory clock.
    pub memory_max: u32,
    /// Memory clock with nothing running.
    pub memory_idle: u32,
    /// Highest video clock.
    pub video_max: u32,
}

/// Temperatures, in °C.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thermal {
    /// What the GPU settles at with nothing running.
    pub idle_c: f64,
    /// What the GPU settles at while drawing its default limit.
    pub full_load_c: f64,
    /// The highest operating temperature; software slows the clocks above it.
    pub gpu_max_c: u32,
    /// Hardware slows the clocks here.
    pub slowdown_c: u32,
    /// The board switches itself off here.
    pub shutdown_c: u32,
    /// The highest operating temperature of the memory; absent where the memory has no sensor.
    pub memory_max_c: Option<u32>,
}

/// PCI identity and link.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pcie {
    /// Device and vendor id, device in the upper half.
    pub device_id: u32,
    /// Subsystem device and vendor id, device in the upper half.
    pub subsystem_id: u32,
    /// Generation of the link under load.
    pub generation: u32,
    /// Generation that an idle link falls back to.
    pub idle_generation: u32,
    /// Lanes.
    pub width: u32,
    /// PCI domain.
    #[serde(default)]
    pub domain: u32,
    /// Bus numbers by GPU index; beyond the list, buses follow on.
    pub buses: Vec<u32>,
    /// Bits of the byte counters (fields 197 and 198), which begin again at 0 when they are full.
    #[serde(default = "all_bits")]
    pub counter_bits: u32,
}

impl Pcie {
    /// What a byte counter says after so many bytes.
    pub fn wrapped(&self, bytes: u64) -> u64 {
        bytes & (u64::MAX >> u64::BITS.saturating_sub(self.counter_bits).min(u64::BITS - 1))
    }
}

fn current_entry() -> u32 {
    24
}

fn sixth_of_a_second() -> u32 {
    167
}

fn all_bits() -> u32 {
    u64::BITS
}

/// Fans.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fans {
    /// How many the board reports.
    pub count: u32,
    /// Speed at 100 %, revolutions per minute.
    pub max_rpm: u32,
    /// Lowest speed while turning, percent.
    pub min_percent: u32,
    /// Below this GPU temperature the fans stand still; 0 when they always turn.
    pub stop_below_c: u32,
}

/// NVLink.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NvLink {
    /// Links of the chip.
    pub links: u32,
    /// Links that are up.
    pub active: u32,
    /// `nvmlNvlinkVersion_t`.
    pub version: u32,
    /// Speed of one link and direction, MB/s.
    pub speed_mbps: u32,
    /// Whether the other end is a switch; otherwise bridges join the GPUs in pairs, 0 with 1, 2 with 3.
    pub switch: bool,
    /// Whether the host sees the switches as no PCI devices, as that of NVLink 5: where they sit is then told in ones only.
    #[serde(default)]
    pub hidden: bool,
}

/// Video engines, by number.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engines {
    /// Encoders.
    #[serde(default)]
    pub encoders: u32,
    /// Decoders.
    #[serde(default)]
    pub decoders: u32,
    /// JPEG decoders.
    #[serde(default)]
    pub jpeg: u32,
    /// Optical flow accelerators.
    #[serde(default)]
    pub ofa: u32,
    /// Copy engines.
    #[serde(default)]
    pub copy: u32,
}

/// One MIG instance: a GPU instance with one compute instance that fills it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigSpec {
    /// Profile name, for example `3g.20gb`.
    pub profile: String,
    /// NVML's id of the GPU instance profile.
    pub profile_id: u32,
    /// GPU instance id.
    pub gpu_instance: u32,
    /// Compute instance id.
    #[serde(default)]
    pub compute_instance: u32,
    /// UUID; derived from the seed when absent.
    pub uuid: Option<String>,
    /// Compute slices out of seven.
    pub slices: u32,
    /// First memory slice.
    pub start: u32,
    /// Memory slices out of eight.
    pub memory_slices: u32,
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Copy engines.
    pub copy_engines: u32,
    /// Decoders.
    pub decoders: u32,
}

impl MigSpec {
    /// Its share of the GPU's compute power.
    pub fn share(&self) -> f64 {
        const SLICES: f64 = 7.0;
        f64::from(self.slices) / SLICES
    }
}

/// Product line, with NVML's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Brand {
    /// Tesla.
    Tesla = 2,
    /// GeForce.
    Geforce = 5,
    /// Virtual Compute Server: vGPUs for computing.
    NvidiaVcs = 9,
    /// The plain NVIDIA line of data-centre boards.
    Nvidia = 14,
    /// GeForce RTX.
    GeforceRtx = 15,
}

/// Chip generation, with NVML's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// Volta.
    Volta = 5,
    /// Turing.
    Turing = 6,
    /// Ampere.
    Ampere = 7,
    /// Ada Lovelace.
    Ada = 8,
    /// Hopper.
    Hopper = 9,
    /// Blackwell.
    Blackwell = 10,
}
