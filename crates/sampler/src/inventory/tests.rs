//! The PCI devices of made-up machines.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use tempfile::TempDir;

use super::*;

/// A sysfs as the kernel makes it: the devices are links into a tree.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        fs::create_dir_all(root.path().join("bus/pci/devices")).unwrap();
        Self(root)
    }

    fn device(&self, place: &str, files: &[(&str, &str)]) -> &Self {
        let tree = self.0.path().join("devices/pci0000:00").join(place);
        fs::create_dir_all(&tree).unwrap();
        for (name, text) in files {
            fs::write(tree.join(name), format!("{text}\n")).unwrap();
        }
        symlink(
            Path::new("../../../devices/pci0000:00").join(place),
            self.0.path().join("bus/pci/devices").join(place),
        )
        .unwrap();
        self
    }

    fn gpu(&self, place: &str, class: &str, driver: Option<&str>) -> &Self {
        let files = [("vendor", "0x10de"), ("class", class), ("device", "0x2330")];
        self.device(place, &files);
        driver.map_or(self, |driver| {
            self.link(place, "driver", &format!("../../../bus/pci/drivers/{driver}"))
        })
    }

    fn link(&self, place: &str, name: &str, target: &str) -> &Self {
        symlink(target, self.file(place, name)).unwrap();
        self
    }

    fn file(&self, place: &str, name: &str) -> PathBuf {
        self.0.path().join("bus/pci/devices").join(place).join(name)
    }

    fn gpus(&self) -> Vec<String> {
        let gpus = pci::gpus(self.0.path()).unwrap();
        gpus.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect()
    }
}

const VGA: &str = "0x030000";
const THREE_D: &str = "0x030200";

#[test]
fn gpus_are_told_from_what_is_beside_them() {
    let machine = Machine::new();
    machine
        .gpu("0000:9b:00.0", THREE_D, Some("nvidia"))
        .gpu("0000:3b:00.0", VGA, Some("nvidia"))
        .gpu("0000:3b:00.1", "0x040300", Some("snd_hda_intel"))
        .gpu("0000:05:00.0", "0x068000", Some("nvidia-nvswitch"))
        .device(
            "0000:00:02.0",
            &[("vendor", "0x8086"), ("class", VGA), ("device", "0x1234")],
        );
    assert_eq!(machine.gpus(), ["00000000:3B:00.0", "00000000:9B:00.0"]);
}

#[test]
fn a_gpu_without_a_driver_is_expected_and_one_of_another_driver_is_not() {
    let machine = Machine::new();
    machine
        .gpu("0000:01:00.0", THREE_D, None)
        .gpu("0000:02:00.0", THREE_D, Some("vfio-pci"))
        .gpu("0000:03:00.0", VGA, Some("nouveau"))
        .gpu("10000:04:00.0", VGA, Some("nvidia"));
    let gpus = pci::gpus(machine.0.path()).unwrap();
    let found: Vec<_> = gpus
        .iter()
        .map(|gpu| {
            (
                gpu.pci_bus_id.to_string(),
                gpu.driver.as_deref(),
                gpu.device_id.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("00000000:01:00.0".to_owned(), None, Some("0x2330")),
            ("00010000:04:00.0".to_owned(), Some("nvidia"), Some("0x2330")),
        ]
    );
}

#[test]
fn virtual_functions_do_not_count() {
    let machine = Machine::new();
    machine
        .gpu("0000:01:00.0", THREE_D, Some("nvidia"))
        .gpu("0000:01:00.4", THREE_D, Some("nvidia"))
        .link("0000:01:00.4", "physfn", "../0000:01:00.0");
    assert_eq!(machine.gpus(), ["00000000:01:00.0"]);
}

#[test]
fn names_that_are_no_bus_ids_and_devices_that_went_are_passed_over() {
    let machine = Machine::new();
    machine.gpu("0000:01:00.0", THREE_D, Some("nvidia"));
    let devices = machine.0.path().join("bus/pci/devices");
    fs::create_dir(devices.join(OsStr::from_bytes(b"0000:\xff2:00.0"))).unwrap();
    fs::create_dir(devices.join("power")).unwrap();
    symlink("../../../devices/gone", devices.join("0000:02:00.0")).unwrap();
    assert_eq!(machine.gpus(), ["00000000:01:00.0"]);
}

#[test]
fn a_device_that_cannot_be_judged_leaves_the_number_unknown() {
    for file in ["vendor", "class"] {
        let machine = Machine::new();
        machine
            .gpu("0000:01:00.0", THREE_D, Some("nvidia"))
            .gpu("0000:02:00.0", THREE_D, Some("nvidia"));
        let file = machine.file("0000:02:00.0", file);
        for bytes in [b"\xff\xfe\n".as_slice(), b"", b"16\n", b"0x\n", b"0x123456789\n"] {
            fs::write(&file, bytes).unwrap();
            let absence = pci::gpus(machine.0.path()).unwrap_err();
            assert_eq!(absence.reason, Reason::Error, "{bytes:?}");
            assert!(
                absence.message.contains(&file.display().to_string()),
                "{}",
                absence.message
            );
        }
        // Reading a directory fails for every user.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert_eq!(pci::gpus(machine.0.path()).unwrap_err().reason, Reason::Error);
    }
}

#[test]
fn a_device_id_that_cannot_be_read_is_no_reason_to_forget_the_gpu() {
    let machine = Machine::new();
    machine.gpu("0000:01:00.0", THREE_D, None);
    fs::write(machine.file("0000:01:00.0", "device"), b"\xff").unwrap();
    let gpus = pci::gpus(machine.0.path()).unwrap();
    assert_eq!(gpus[0].device_id, None);
}

#[test]
fn a_container_without_sysfs_says_so() {
    let root = TempDir::new().unwrap();
    let absence = pci::gpus(root.path()).unwrap_err();
    assert_eq!(absence.reason, Reason::NotSupported);
    assert!(absence.message.contains("bus/pci/devices"), "{}", absence.message);
}

fn settings(expectation: Expectation, sysfs: &Path) -> InventorySettings {
    InventorySettings {
        expectation,
        sysfs: sysfs.to_owned(),
        interval: Duration::from_millis(10),
    }
}

#[test]
fn a_container_that_was_given_some_gpus_is_not_measured_by_the_machine() {
    let machine = Machine::new();
    machine.gpu("0000:01:00.0", THREE_D, Some("nvidia"));
    let devices = settings(Expectation::Devices, machine.0.path());
    for visible in [None, Some(""), Some("all")] {
        assert_eq!(take(&devices, visible).devices.unwrap().len(), 1, "{visible:?}");
    }
    for visible in ["0,1", "GPU-1", "void", "none"] {
        let absence = take(&devices, Some(visible)).devices.unwrap_err();
        assert_eq!(absence.reason, Reason::NoPermission);
        assert!(
            absence.message.contains("health.expected_gpus"),
            "{}",
            absence.message
        );
    }
    let number = settings(Expectation::Number(2), machine.0.path());
    let inventory = take(&number, Some("0,1"));
    assert_eq!(
        (inventory.configured, inventory.is_of_this_machine),
        (Some(2), false)
    );
}

#[test]
fn what_is_off_is_not_looked_at() {
    let inventory = take(&settings(Expectation::Off, Path::new("/nowhere")), None);
    assert_eq!(inventory.devices.unwrap_err().reason, Reason::Disabled);
}
