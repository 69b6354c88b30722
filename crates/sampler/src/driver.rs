//! Loads NVML, and says why not and what to do where that fails.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Arc,
};

use gpulse_aggregator::Calls;
use gpulse_models::{DriverInfo, DriverReason};
use nvml_wrapper::{Nvml, error::NvmlError};

use crate::{convert, counted::counted, library::Library};

/// Where NVML lies: the loader's own search first, then places that it does not search.
const LIBRARIES: [&str; 3] = [
    "libnvidia-ml.so.1",
    "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    "/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
];

/// The initialisation, the loading of the library included.
pub(crate) const INIT: &str = "nvmlInit_v2";

const COUNT: &str = "nvmlDeviceGetCount_v2";

/// How the simulated library ends its own version.
const SIMULATED: &str = "-sim";

/// A loaded and initialised NVML.
pub(crate) struct Driver {
    pub(crate) nvml: Arc<Library>,
    pub(crate) info: DriverInfo,
    pub(crate) gpus: u32,
}

/// Why NVML cannot be used.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: DriverReason,
    pub(crate) message: String,
    pub(crate) library_loaded: bool,
}

/// Loads and initialises NVML from `library`, or from where it usually lies. May block for long.
pub(crate) fn load(library: Option<&Path>, calls: &Calls) -> Result<Driver, Refusal> {
    let candidates = match library {
        Some(path) => vec![path.to_owned()],
        None => LIBRARIES.map(PathBuf::from).to_vec(),
    };
    let mut first = None;
    for candidate in candidates {
        match initialise(&candidate, calls) {
            Ok(driver) => return Ok(driver),
            // The next place is tried only where this one holds no library at all.
            Err(refusal) if refusal.library_loaded => return Err(refusal),
            Err(refusal) => first = first.or(Some(refusal)),
        }
    }
    Err(first.unwrap_or_else(|| refusal(Path::new(""), &NvmlError::LibraryNotFound)))
}

/// How many GPUs the driver knows now, or why it does not answer. May block for long.
pub(crate) fn count(nvml: &Nvml, library: &Path, calls: &Calls) -> Result<u32, Refusal> {
    counted(calls, COUNT, || nvml.device_count()).map_err(|error| refusal(library, &error))
}

fn initialise(library: &Path, calls: &Calls) -> Result<Driver, Refusal> {
    let refused = |error: NvmlError| refusal(library, &error);
    let init = || Nvml::builder().lib_path(OsStr::new(library)).init();
    let nvml = counted(calls, INIT, init).map_err(refused)?;
    let gpus = counted(calls, COUNT, || nvml.device_count()).map_err(refused)?;
    let nvml_version = counted(calls, "nvmlSystemGetNVMLVersion", || nvml.sys_nvml_version()).ok();
    let driver_version = counted(calls, "nvmlSystemGetDriverVersion", || nvml.sys_driver_version());
    let cuda_version = counted(calls, "nvmlSystemGetCudaDriverVersion", || {
        nvml.sys_cuda_driver_version()
    });
    let info = DriverInfo {
        driver_version: driver_version.unwrap_or_else(|_| "unknown".to_owned()),
        cuda_driver_version: cuda_version.ok().map(convert::cuda_version),
        simulated: nvml_version
            .as_deref()
            .is_some_and(|version| version.ends_with(SIMULATED)),
        nvml_version,
        library: library.to_owned(),
    };
    Ok(Driver {
        nvml: Arc::new(Library::new(nvml)),
        info,
        gpus,
    })
}

fn refusal(library: &Path, error: &NvmlError) -> Refusal {
    let reason = match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => DriverReason::LibraryNotFound,
        NvmlError::FailedToLoadSymbol(_) => DriverReason::LibraryNotFound,
        NvmlError::DriverNotLoaded | NvmlError::Uninitialized => DriverReason::DriverNotLoaded,
        NvmlError::LibRmVersionMismatch => DriverReason::VersionMismatch,
        NvmlError::NoPermission | NvmlError::OperatingSystem => DriverReason::NoPermission,
        _ => DriverReason::Error,
    };
    Refusal {
        reason,
        message: format!("{}: {error}", library.display()),
        library_loaded: !matches!(
            error,
            NvmlError::LibloadingError(_) | NvmlError::FailedToLoadSymbol(_)
        ),
    }
}

/// What to do about it.
pub(crate) fn hint(reason: DriverReason) -> &'static str {
    match reason {
        DriverReason::LibraryNotFound => {
            "install the NVIDIA driver (it brings libnvidia-ml.so.1), pass GPUs into the container \
             (`--gpus all`), or say where the library lies with --nvml-library; without a GPU try --simulate"
        }
        DriverReason::DriverNotLoaded => {
            "load the kernel driver (`sudo modprobe nvidia`) and check `dmesg | grep -i nvrm`"
        }
        DriverReason::VersionMismatch => {
            "the driver was upgraded while the old kernel module is loaded: reboot, or unload and reload it \
             (`sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe nvidia`)"
        }
        DriverReason::NoPermission => {
            "give this user access to /dev/nvidiactl and /dev/nvidia*, and in a container pass the devices in"
        }
        DriverReason::Timeout => {
            "NVML does not return from its initialisation: check `dmesg | grep -i -e nvrm -e xid`"
        }
        DriverReason::Parked => {
            "do what the GPUs were let go for, then let them be read again: POST /api/v1/admin/resume"
        }
        DriverReason::Starting | DriverReason::NoGpus | DriverReason::Error => {
            "run `nvidia-smi`, which goes the same way, and check `dmesg | grep -i -e nvrm -e xid`"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_named_with_its_path() {
        let refusal = load(Some(Path::new("/nowhere/libnvidia-ml.so.1")), &Calls::default())
            .err()
            .unwrap();
        assert_eq!(refusal.reason, DriverReason::LibraryNotFound);
        assert!(
            refusal.message.contains("/nowhere/libnvidia-ml.so.1"),
            "{}",
            refusal.message
        );
        assert!(!refusal.library_loaded);
    }

    #[test]
    fn a_file_that_is_no_library_is_refused() {
        let refusal = load(Some(Path::new("/etc/hostname")), &Calls::default())
            .err()
            .unwrap();
        assert_eq!(refusal.reason, DriverReason::LibraryNotFound);
    }
}
