//! The GPUs among the PCI devices of a sysfs that NVML should know.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use gpulse_models::{Absence, PciBusId, PciGpu, Reason};

/// NVIDIA's PCI vendor id.
const NVIDIA: u32 = 0x10de;

/// PCI classes of GPUs, without the programming interface: display controller for VGA, and for 3D.
const GPU_CLASSES: [u32; 2] = [0x0300, 0x0302];

/// The one kernel driver whose GPUs NVML knows. What is bound to another (`vfio-pci` for a virtual machine, `nouveau`) was
/// given to that one.
const DRIVER: &str = "nvidia";

/// An attribute is a number in hexadecimal.
const ATTRIBUTE_BYTES: u64 = 64;

/// The GPUs below `sysfs`, by bus id.
pub(super) fn gpus(sysfs: &Path) -> Result<Vec<PciGpu>, Absence> {
    let directory = sysfs.join("bus/pci/devices");
    let refused = |error: io::Error| refused(&directory, &error);
    let mut gpus = Vec::new();
    for entry in fs::read_dir(&directory).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        // The kernel names every device here by its bus id.
        let Some(place) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match look(&entry.path(), place) {
            Ok(gpu) => gpus.extend(gpu),
            // It was taken out meanwhile.
            Err((_, error)) if is_gone(&error) => {}
            Err((file, error)) => return Err(self::refused(&entry.path().join(file), &error)),
        }
    }
    gpus.sort_by_key(|gpu| gpu.pci_bus_id);
    Ok(gpus)
}

/// The device in `directory`, if it is a GPU that NVML should know, or the file that could not be read. Whether it is one
/// must be known of each device: a list that misses some would call a machine complete that is not.
fn look(directory: &Path, place: PciBusId) -> Result<Option<PciGpu>, (&'static str, io::Error)> {
    let number = |file| match attribute(directory, file) {
        Ok(text) => hex(&text).ok_or_else(|| (file, io::ErrorKind::InvalidData.into())),
        Err(error) => Err((file, error)),
    };
    if number("vendor")? != NVIDIA || !GPU_CLASSES.contains(&(number("class")? >> 8)) {
        return Ok(None);
    }
    // A virtual function is a part of a GPU that is listed itself.
    if link(directory, "physfn")?.is_some() {
        return Ok(None);
    }
    let driver = link(directory, "driver")?;
    if driver.as_deref().is_some_and(|driver| driver != DRIVER) {
        return Ok(None);
    }
    Ok(Some(PciGpu {
        pci_bus_id: place,
        device_id: attribute(directory, "device").ok(),
        driver,
    }))
}

/// What the link `name` leads to; nothing if there is none.
fn link(directory: &Path, name: &'static str) -> Result<Option<String>, (&'static str, io::Error)> {
    match fs::read_link(directory.join(name)) {
        Ok(target) => Ok(target
            .file_name()
            .map(|target| target.to_string_lossy().into_owned())),
        // A device that is gone altogether is found out by its other files.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err((name, error)),
    }
}

fn attribute(directory: &Path, name: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(directory.join(name))?
        .take(ATTRIBUTE_BYTES)
        .read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(text.trim().to_owned())
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// A device that is being removed answers a read of an open attribute so.
fn is_gone(error: &io::Error) -> bool {
    const ENODEV: i32 = 19;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ENODEV)
}

fn refused(path: &Path, error: &io::Error) -> Absence {
    let reason = match error.kind() {
        // In a container without it, and on machines that have no PCI.
        io::ErrorKind::NotFound => Reason::NotSupported,
        io::ErrorKind::PermissionDenied => Reason::NoPermission,
        _ => Reason::Error,
    };
    Absence::new(reason, format!("{}: {error}", path.display()))
}
