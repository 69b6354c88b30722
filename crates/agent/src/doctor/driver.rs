//! NVML, the kernel driver and the devices through which they speak.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{check::Check, host::Host, library};

/// The kernel driver says its version here.
const VERSION: &str = "/proc/driver/nvidia/version";

/// The device that everybody needs who uses NVML.
const CONTROL: &str = "/dev/nvidiactl";

/// What WSL has in place of a driver and its devices.
const WSL: &str = "/dev/dxg";

/// `EPERM`: what the list of devices of a cgroup answers. Permissions answer `EACCES`.
const NOT_PERMITTED: i32 = 1;

const INSTALL: &str = "install NVIDIA's driver (`sudo apt install nvidia-driver-580-server`, `sudo dnf install nvidia-driver`, or the \
                       package of the distribution)";

/// All of them. `info` is what an agent says of its driver (`/gpu/info`), `configured` the library to load.
pub(super) fn checks(host: &Host, info: Result<&Value, &str>, configured: Option<&Path>) -> Vec<Check> {
    let is_simulated = info.is_ok_and(|info| info["simulated"] == true);
    let mut checks = vec![nvml(info), library::check(host, info, configured)];
    if is_simulated {
        let why = "the GPUs are simulated: no driver is used";
        checks.extend(["modules", "versions", "devices"].map(|name| Check::skipped(name, why)));
    } else {
        checks.extend([
            modules(host),
            versions(host, info, configured),
            devices(host, fs_open),
        ]);
    }
    checks
}

/// Whether the GPUs can be read at all.
fn nvml(info: Result<&Value, &str>) -> Check {
    let info = match info {
        Ok(info) => info,
        Err(why) => return Check::skipped("nvml", why),
    };
    let text = |key: &str| info[key].as_str().unwrap_or("unknown").to_owned();
    if info["available"] == true {
        let simulated = if info["simulated"] == true {
            ", SIMULATED"
        } else {
            ""
        };
        let (driver, cuda, count) = (
            text("driver_version"),
            text("cuda_driver_version"),
            &info["gpu_count"],
        );
        return Check::ok(
            "nvml",
            format!("driver {driver}, CUDA {cuda}, GPUs: {count}{simulated}"),
        );
    }
    Check::fail("nvml", text("reason"), text("message"), text("hint"))
}

fn modules(host: &Host) -> Check {
    const NAME: &str = "modules";
    let modules = match host.modules() {
        Ok(modules) => modules,
        Err(error) => return Check::skipped(NAME, format!("/proc/modules cannot be read: {error}")),
    };
    let has = |name: &str| modules.iter().any(|module| module == name);
    let gpus = host.pci_gpus();
    let nouveau = "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee /etc/modprobe.d/nouveau.conf && sudo \
                   update-initramfs -u (or `sudo dracut -f`), and reboot";
    match (has("nvidia"), has("nouveau")) {
        (true, true) => Check::warn(
            NAME,
            "nvidia and nouveau are loaded",
            "nouveau holds GPUs that NVIDIA's driver then does not get",
            nouveau,
        ),
        (true, false) => {
            let version = host.text("/sys/module/nvidia/version").unwrap_or_default();
            Check::ok(NAME, format!("nvidia {}", version.trim()).trim_end())
        }
        (false, true) => Check::fail(
            NAME,
            "nouveau is loaded, nvidia is not",
            "nouveau has the GPUs, and NVIDIA's driver cannot have them as well",
            nouveau,
        ),
        (false, false) if host.exists(WSL) => Check::ok(NAME, "WSL: the driver is that of Windows"),
        (false, false) if gpus.is_empty() => Check::skipped(
            NAME,
            "there is no NVIDIA GPU among the PCI devices of this machine",
        ),
        (false, false) => Check::fail(
            NAME,
            format!("nvidia is not loaded, and there are GPUs: {}", gpus.join(", ")),
            "without the kernel driver NVML has nobody to ask",
            format!("sudo modprobe nvidia; where there is no such module, {INSTALL}"),
        ),
    }
}

/// Library and kernel driver have to be of one version.
fn versions(host: &Host, info: Result<&Value, &str>, configured: Option<&Path>) -> Check {
    const NAME: &str = "versions";
    let Some(kernel) = host.text(VERSION).ok().as_deref().and_then(kernel_version) else {
        return Check::skipped(NAME, format!("no kernel driver says its version in {VERSION}"));
    };
    let is_mismatch = info.is_ok_and(|info| info["reason"] == "version_mismatch");
    let mend = "reboot; or with nothing on the GPUs: sudo systemctl stop nvidia-persistenced; sudo rmmod nvidia_drm \
                nvidia_modeset nvidia_uvm nvidia && sudo modprobe nvidia";
    let why =
        "the driver was upgraded and its old kernel modules are still loaded: NVML refuses to work with them";
    match library::version(host, configured) {
        Some(library) if library != kernel => Check::fail(
            NAME,
            format!("library {library}, kernel driver {kernel}"),
            why,
            mend,
        ),
        _ if is_mismatch => Check::fail(
            NAME,
            format!("kernel driver {kernel}, another version of the library"),
            why,
            mend,
        ),
        Some(_) => Check::ok(NAME, format!("library and kernel driver {kernel}")),
        None => Check::skipped(
            NAME,
            format!("kernel driver {kernel}; the file of the library does not say its version"),
        ),
    }
}

/// The version in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue …`.
fn kernel_version(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version:"))?;
    let is_version = |word: &&str| {
        word.contains('.')
            && word
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    line.split_whitespace().find(is_version).map(str::to_owned)
}

fn fs_open(path: &Path) -> io::Result<()> {
    fs::File::options().read(true).write(true).open(path).map(drop)
}

/// The devices: there, and to be opened by this user.
fn devices(host: &Host, open: fn(&Path) -> io::Result<()>) -> Check {
    const NAME: &str = "devices";
    if host.exists(WSL) && !host.exists(CONTROL) {
        return Check::ok(NAME, WSL);
    }
    let names = host.names("/dev");
    let is_gpu = |name: &&String| {
        name.strip_prefix("nvidia")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let gpus: Vec<_> = names
        .iter()
        .filter(is_gpu)
        .map(|name| format!("/dev/{name}"))
        .collect();
    if !host.exists(CONTROL) || gpus.is_empty() {
        let is_loaded = host
            .modules()
            .is_ok_and(|modules| modules.iter().any(|module| module == "nvidia"));
        let found = format!(
            "{CONTROL} {}, GPUs: {}",
            if host.exists(CONTROL) {
                "is there"
            } else {
                "is not there"
            },
            gpus.len()
        );
        return match (host.container(), is_loaded) {
            (Some(_), _) => Check::fail(
                NAME,
                found,
                "the container was not given the GPUs",
                "docker run --gpus all …; in Kubernetes, see docs/KUBERNETES.md",
            ),
            (None, true) => Check::fail(
                NAME,
                found,
                "the driver is loaded, and nobody has made its devices",
                "sudo nvidia-modprobe -c 0 -u, or start nvidia-persistenced",
            ),
            (None, false) => {
                Check::skipped(NAME, format!("{found}: without the kernel driver there are none"))
            }
        };
    }
    let all: Vec<String> = std::iter::once(CONTROL.to_owned()).chain(gpus).collect();
    for device in &all {
        let path = host.path(device);
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
        if !host.user.may(6, &metadata) {
            let user = host.user.id;
            return Check::fail(
                NAME,
                format!("{device} has the mode {mode:04o}, and this process is of user {user}"),
                "NVML opens the devices for reading and writing",
                "sudo usermod -aG video $USER and log in anew where the group `video` has them; otherwise set \
                 NVreg_DeviceFileMode=0666 of the module nvidia",
            );
        }
        if let Err(error) = open(&path) {
            return unopened(device, mode, &error);
        }
    }
    Check::ok(NAME, all.join(", "))
}

/// A device that cannot be opened although its permissions let this user.
fn unopened(device: &str, mode: u32, error: &io::Error) -> Check {
    let found = format!("{device} has the mode {mode:04o}, and opening it fails: {error}");
    if error.raw_os_error() == Some(NOT_PERMITTED) {
        return Check::fail(
            "devices",
            found,
            "the cgroup of this process does not list the device. Containers lose theirs when `systemctl daemon-reload` runs on the host",
            "restart the container, and give it the devices by CDI or `--device`; for a service: DeviceAllow=char-nvidia* rw",
        );
    }
    Check::fail(
        "devices",
        found,
        "NVML opens the devices for reading and writing",
        "look for what the kernel says of it: sudo dmesg | grep -i nvrm",
    )
}

/// Where a library may be found that is looked at: the configured file, or the usual names in the usual places.
pub(super) fn usual_library(host: &Host, configured: Option<&Path>) -> Option<PathBuf> {
    match configured {
        Some(path) => Some(path.to_owned()),
        None => library::places(host)
            .into_iter()
            .find(|path| fs::symlink_metadata(host.path(path)).is_ok()),
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
