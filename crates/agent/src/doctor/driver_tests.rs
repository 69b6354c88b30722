//! Machines that are made up, each with one thing wrong.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::doctor::{check::Status, host::User};

/// A machine with these files.
fn machine(files: &[(&str, &[u8])]) -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let host = Host {
        environment: Default::default(),
        user: User {
            id: 1000,
            groups: vec![1000],
        },
        architecture: "x86_64",
        ..Host::here(Some(root.path()))
    };
    for (path, bytes) in files {
        let path = host.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    (root, host)
}

fn elf(machine: u8) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(18, 0);
    bytes.extend([machine, 0]);
    bytes.extend(b"\0nvmlInit_v2\0");
    bytes
}

const MODULES: (&str, &[u8]) = (
    "/proc/modules",
    b"nvidia_uvm 1 0 - Live\nnvidia 2 1 nvidia_uvm, Live\n",
);
const KERNEL: (&str, &[u8]) = (
    "/proc/driver/nvidia/version",
    b"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\nGCC version: 13.2.0\n",
);
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1";
const NOT_LOADED: &str = "not asked";

#[track_caller]
fn assert_says(check: &Check, status: Status, word: &str) {
    let text = format!("{:?} {:?} {:?}", check.found, check.why, check.fix);
    assert!(check.status == status && text.contains(word), "{check:#?}");
}

#[test]
fn a_library_that_cannot_be_loaded_is_told_why() {
    let info = json!({ "available": false, "pynvml_installed": false, "reason": "library_not_found", "message": "dlopen: no" });
    let said = |bytes: &[u8]| {
        let (_root, host) = machine(&[(LIBRARY, bytes)]);
        library::check(&host, Ok(&info), None)
    };
    assert_says(&said(b""), Status::Fail, "empty");
    assert_says(&said(b"text that is no library"), Status::Fail, "no ELF");
    assert_says(&said(&elf(183)), Status::Fail, "for aarch64, and this is x86_64");
    assert_says(&said(&elf(62)[..20]), Status::Fail, "nvmlInit_v2");
    assert_says(&said(&elf(62)), Status::Fail, "dlopen: no");
    let (_root, host) = machine(&[]);
    assert_says(
        &library::check(&host, Ok(&info), None),
        Status::Fail,
        "--nvml-library",
    );
    fs::create_dir_all(host.path("/usr/lib64")).unwrap();
    symlink("nowhere", host.path("/usr/lib64/libnvidia-ml.so.1")).unwrap();
    assert_says(
        &library::check(&host, Ok(&info), None),
        Status::Fail,
        "link to a file that is not there",
    );
    let missing = library::check(&host, Ok(&info), Some(Path::new("/opt/nvml.so")));
    assert_says(&missing, Status::Fail, "no such file");
    let (_root, host) = machine(&[(LIBRARY, &elf(62))]);
    let unasked = library::check(&host, Err(NOT_LOADED), None);
    assert_says(&unasked, Status::Skipped, NOT_LOADED);
}

#[test]
fn versions_of_library_and_kernel_driver_are_compared() {
    let (_root, host) = machine(&[
        KERNEL,
        ("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.580.95.05", &elf(62)),
    ]);
    symlink("libnvidia-ml.so.580.95.05", host.path(LIBRARY)).unwrap();
    assert_says(&versions(&host, Err(NOT_LOADED), None), Status::Ok, "580.95.05");
    fs::remove_file(host.path(LIBRARY)).unwrap();
    fs::write(
        host.path("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.570.1.2"),
        elf(62),
    )
    .unwrap();
    symlink("libnvidia-ml.so.570.1.2", host.path(LIBRARY)).unwrap();
    assert_says(
        &versions(&host, Err(NOT_LOADED), None),
        Status::Fail,
        "library 570.1.2, kernel driver 580.95.05",
    );
    let mismatch = json!({ "reason": "version_mismatch" });
    let (_root, host) = machine(&[KERNEL]);
    assert_says(&versions(&host, Ok(&mismatch), None), Status::Fail, "rmmod");
    assert_says(
        &versions(&host, Err(NOT_LOADED), None),
        Status::Skipped,
        "does not say its version",
    );
    assert_says(
        &versions(&machine(&[]).1, Err(NOT_LOADED), None),
        Status::Skipped,
        "no kernel driver",
    );
    let classic =
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.154.05  Thu Dec 28 15:37:48 UTC 2023\n";
    assert_eq!(kernel_version(classic).as_deref(), Some("535.154.05"));
    assert_eq!(kernel_version("nothing"), None);
}

#[test]
fn modules_are_looked_at_together_with_the_gpus_of_the_machine() {
    let gpu: [(&str, &[u8]); 2] = [
        ("/sys/bus/pci/devices/0000:19:00.0/vendor", b"0x10de\n"),
        ("/sys/bus/pci/devices/0000:19:00.0/class", b"0x030200\n"),
    ];
    let said = |files: &[(&str, &[u8])]| modules(&machine(files).1);
    assert_says(
        &said(&[MODULES, ("/sys/module/nvidia/version", b"580.95.05\n")]),
        Status::Ok,
        "nvidia 580.95.05",
    );
    let nouveau: (&str, &[u8]) = ("/proc/modules", b"nouveau 1 0 - Live\n");
    assert_says(&said(&[nouveau]), Status::Fail, "blacklist nouveau");
    let none: (&str, &[u8]) = ("/proc/modules", b"ext4 1 0 - Live\n");
    assert_says(&said(&[none, gpu[0], gpu[1]]), Status::Fail, "modprobe nvidia");
    assert_says(&said(&[none]), Status::Skipped, "no NVIDIA GPU");
    assert_says(&said(&[]), Status::Skipped, "/proc/modules");
    assert_says(&said(&[none, ("/dev/dxg", b"")]), Status::Ok, "WSL");
}

#[test]
fn devices_have_to_be_there_and_to_be_open_to_this_user() {
    let files: [(&str, &[u8]); 4] = [
        MODULES,
        ("/dev/nvidiactl", b""),
        ("/dev/nvidia0", b""),
        ("/dev/nvidia-uvm", b""),
    ];
    let (_root, host) = machine(&files);
    let mode =
        |path: &str, mode| fs::set_permissions(host.path(path), fs::Permissions::from_mode(mode)).unwrap();
    // Tests may run as root, to whom files of a test belong: what counts is the user that the machine was made up with.
    mode("/dev/nvidiactl", 0o666);
    mode("/dev/nvidia0", 0o666);
    let fine = |_: &Path| Ok(());
    assert_says(&devices(&host, fine), Status::Ok, "/dev/nvidiactl, /dev/nvidia0");
    let refused = |_: &Path| Err(io::Error::from_raw_os_error(NOT_PERMITTED));
    assert_says(&devices(&host, refused), Status::Fail, "cgroup");
    let broken = |_: &Path| Err(io::Error::from_raw_os_error(5));
    assert_says(&devices(&host, broken), Status::Fail, "dmesg");
    mode("/dev/nvidia0", 0o000);
    assert_says(
        &devices(&host, fine),
        Status::Fail,
        "/dev/nvidia0 has the mode 0000",
    );

    let (_root, host) = machine(&[MODULES]);
    assert_says(&devices(&host, fine), Status::Fail, "nvidia-modprobe");
    let (_root, host) = machine(&[MODULES, ("/.dockerenv", b"")]);
    assert_says(&devices(&host, fine), Status::Fail, "--gpus all");
    assert_says(
        &devices(&machine(&[]).1, fine),
        Status::Skipped,
        "without the kernel driver",
    );
}

#[test]
fn what_an_agent_says_of_nvml_is_passed_on() {
    let down =
        json!({ "available": false, "reason": "no_permission", "message": "may not", "hint": "be root" });
    assert_says(&nvml(Ok(&down)), Status::Fail, "be root");
    let up = json!({ "available": true, "driver_version": "580", "cuda_driver_version": "13.0", "gpu_count": 8, "simulated": true });
    assert_says(&nvml(Ok(&up)), Status::Ok, "GPUs: 8, SIMULATED");
    assert_says(&nvml(Err(NOT_LOADED)), Status::Skipped, NOT_LOADED);
}
