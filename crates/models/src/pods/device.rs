//! What device plugins call a GPU or an instance of one.

use std::str::FromStr;

use crate::{GpuSnapshot, MigDevice};

/// The name of a device, as the kubelet passes it on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodDevice {
    /// A GPU by its UUID: `GPU-…`.
    Gpu(String),
    /// A MIG instance by its UUID: `MIG-…`.
    Instance(String),
    /// A MIG instance as drivers before R470 name it: `MIG-GPU-…/1/0`.
    InstanceOf {
        /// UUID of its GPU.
        gpu: String,
        /// Id of the GPU instance.
        gpu_instance: u32,
        /// Id of the compute instance within it.
        compute_instance: u32,
    },
    /// A GPU by the number of its device file: `nvidia0`, of GKE's device plugin.
    Minor(u32),
    /// A GPU instance of the GPU with that device file: `nvidia0/gi1`.
    MinorInstance {
        /// Number of the GPU's device file.
        minor: u32,
        /// Id of the GPU instance.
        gpu_instance: u32,
    },
    /// A GPU by NVML's index: `0`.
    Index(u32),
    /// The instance at a place of the GPU at an index: `0:1`.
    IndexInstance {
        /// NVML's index of the GPU.
        index: u32,
        /// Number of the instance on it.
        instance: u32,
    },
}

/// A name that is that of no GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownDevice;

/// The longest name that means anything: `MIG-GPU-`, a UUID and two numbers.
const LONGEST_ID: usize = 96;

impl FromStr for PodDevice {
    type Err = UnknownDevice;

    /// Accepts the replicas of a shared device for the device: `GPU-…::3`, `nvidia0/vgpu1`.
    fn from_str(id: &str) -> Result<Self, UnknownDevice> {
        if id.len() > LONGEST_ID {
            return Err(UnknownDevice);
        }
        let id = match id.rsplit_once("::") {
            Some((device, replica)) if number(replica).is_ok() => device,
            _ => id,
        };
        if let Some(place) = id.strip_prefix("MIG-").filter(|place| place.starts_with("GPU-")) {
            return instance_of(place);
        }
        if let Some(place) = id.strip_prefix("nvidia") {
            return with_minor(place);
        }
        match id.split_once(':') {
            _ if id.starts_with("GPU-") => uuid(id).map(Self::Gpu),
            _ if id.starts_with("MIG-") => uuid(id).map(Self::Instance),
            None => number(id).map(Self::Index),
            Some((index, instance)) => Ok(Self::IndexInstance {
                index: number(index)?,
                instance: number(instance)?,
            }),
        }
    }
}

impl PodDevice {
    /// What NVIDIA's driver for dynamic resources calls a GPU: `gpu-0`, by the number of its device file. Its instances go
    /// by profile and place, which NVML does not tell of an instance, so that those are not known.
    pub fn from_dynamic(name: &str) -> Option<Self> {
        number(name.strip_prefix("gpu-")?).ok().map(Self::Minor)
    }

    /// All names that `gpu` may go by.
    pub(super) fn of_gpu(gpu: &GpuSnapshot) -> impl Iterator<Item = Self> {
        let uuid = gpu.uuid().map(|uuid| Self::Gpu(uuid.as_str().to_owned()));
        let minor = minor_of(gpu).map(Self::Minor);
        [uuid, minor, Some(Self::Index(gpu.index))].into_iter().flatten()
    }

    /// All names that `instance` of `gpu` may go by.
    pub(super) fn of_instance(gpu: &GpuSnapshot, instance: &MigDevice) -> impl Iterator<Item = Self> {
        let gpu_instance = instance.gpu_instance_id.value().copied();
        let compute_instance = instance.compute_instance_id.value().copied();
        let uuid = instance.uuid.value().and_then(|uuid| uuid.parse().ok());
        let old = gpu_instance.zip(compute_instance).zip(gpu.uuid()).map(
            |((gpu_instance, compute_instance), gpu)| Self::InstanceOf {
                gpu: gpu.as_str().to_owned(),
                gpu_instance,
                compute_instance,
            },
        );
        let minor = minor_of(gpu)
            .zip(gpu_instance)
            .map(|(minor, gpu_instance)| Self::MinorInstance { minor, gpu_instance });
        let index = instance.index.value().map(|instance| Self::IndexInstance {
            index: gpu.index,
            instance: *instance,
        });
        [uuid, old, minor, index].into_iter().flatten()
    }
}

fn minor_of(gpu: &GpuSnapshot) -> Option<u32> {
    gpu.facts.as_ref()?.identity.minor_number.value().copied()
}

/// What follows `MIG-`.
fn instance_of(place: &str) -> Result<PodDevice, UnknownDevice> {
    let (rest, compute_instance) = place.rsplit_once('/').ok_or(UnknownDevice)?;
    let (gpu, gpu_instance) = rest.rsplit_once('/').ok_or(UnknownDevice)?;
    Ok(PodDevice::InstanceOf {
        gpu: uuid(gpu)?,
        gpu_instance: number(gpu_instance)?,
        compute_instance: number(compute_instance)?,
    })
}

/// What follows `nvidia`.
fn with_minor(place: &str) -> Result<PodDevice, UnknownDevice> {
    let place = match place.rsplit_once("/vgpu") {
        Some((device, replica)) if number(replica).is_ok() => device,
        _ => place,
    };
    match place.split_once("/gi") {
        None => number(place).map(PodDevice::Minor),
        Some((minor, gpu_instance)) => Ok(PodDevice::MinorInstance {
            minor: number(minor)?,
            gpu_instance: number(gpu_instance)?,
        }),
    }
}

fn uuid(id: &str) -> Result<String, UnknownDevice> {
    let is_of_uuid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if id.bytes().all(is_of_uuid) {
        Ok(id.to_owned())
    } else {
        Err(UnknownDevice)
    }
}

/// Digits and nothing else: no sign.
fn number(text: &str) -> Result<u32, UnknownDevice> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| UnknownDevice)
    } else {
        Err(UnknownDevice)
    }
}
