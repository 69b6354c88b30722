//! vGPUs: what a host cuts its GPUs into, and what a guest has a licence for.

use serde::Deserialize;
use toml::value::{Date, Datetime, Offset, Time};

/// How a machine came by its GPU, with NVML's number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Virtualization {
    /// The machine is a real one.
    #[default]
    None = 0,
    /// A virtual machine that was given a whole board.
    Passthrough = 1,
    /// A virtual machine that was given a vGPU.
    Vgpu = 2,
}

/// The one type of vGPU that a GPU is cut into.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vgpu {
    /// Type name, for example `NVIDIA L40S-12Q`.
    pub name: String,
    /// NVML's number of the type.
    pub type_id: u32,
    /// Memory of each, MiB.
    pub memory_mib: u64,
    /// How many a GPU has room for.
    pub most: u32,
    /// How many of them are at work.
    pub active: u32,
}

/// A feature of the vGPU software that takes a licence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicensableFeature {
    /// Which one.
    pub code: FeatureCode,
    /// Name of the product that is licensed, for example `NVIDIA Virtual Compute Server`.
    pub product: String,
    /// Whether the machine wants it.
    #[serde(default)]
    pub enabled: bool,
    /// Whether a licence has been given for it.
    #[serde(default)]
    pub licensed: bool,
    /// When the licence ends, such as `2030-01-31T11:32:22Z`; one that does not say is permanent.
    pub expires: Option<Moment>,
}

/// A second in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment {
    /// Its day.
    pub date: Date,
    /// Its time of day.
    pub time: Time,
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let moment: Option<Datetime> = text.parse().ok();
        let parts = moment.filter(|moment| moment.offset == Some(Offset::Z));
        let parts = parts.and_then(|moment| moment.date.zip(moment.time));
        let (date, time) =
            parts.ok_or_else(|| format!("`{text}` is no second in UTC, such as 2030-01-31T11:32:22Z"))?;
        Ok(Self { date, time })
    }
}

/// Features that take a licence, with NVML's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureCode {
    /// vGPUs.
    Vgpu = 1,
    /// RTX Virtual Workstation, on a whole board.
    NvidiaRtx = 2,
    /// Cloud gaming.
    Gaming = 3,
    /// Computing.
    Compute = 4,
}
