//! Who holds what, by whatever name a device plugin gives it.

use proptest::prelude::*;

use super::*;
use crate::{Reading::Value, catalogue::Catalogued as _, example};

const GPU: &str = "GPU-00000000-0000-0000-0000-000000000001";
const MIG: &str = "MIG-6f9d1d2c-7f3f-5f0a-9d2b-0d7e6c1f2a3b";

fn container(pod: &str) -> PodContainer {
    PodContainer {
        namespace: "default".to_owned(),
        pod: pod.to_owned(),
        container: "main".to_owned(),
    }
}

fn assigned(given: &[(&str, &str)]) -> PodAssignments {
    let mut holders = PodHolders::default();
    for (id, pod) in given {
        if let Ok(device) = id.parse() {
            holders.add(device, container(pod));
        }
    }
    PodAssignments::known(holders, example::at())
}

fn pods(holders: &[PodContainer]) -> Vec<&str> {
    holders.iter().map(|holder| holder.pod.as_str()).collect()
}

fn instance() -> MigDevice {
    MigDevice {
        index: Value(2),
        uuid: Value(MIG.to_owned()),
        gpu_instance_id: Value(5),
        compute_instance_id: Value(0),
        ..MigDevice::absent(Reason::NotSupported)
    }
}

#[test]
fn a_gpu_is_found_by_every_name_that_device_plugins_give_it() {
    let (first, second) = (example::gpu(0), example::gpu(1));
    for id in [
        GPU,
        &format!("{GPU}::0"),
        &format!("{GPU}::17"),
        "nvidia1",
        "nvidia1/vgpu3",
        "1",
        "1::2",
    ] {
        let pods_of = assigned(&[(id, "job")]);
        assert_eq!(pods(pods_of.of_gpu(&second)), ["job"], "{id}");
        assert!(pods_of.of_gpu(&first).is_empty(), "{id}");
        assert!(pods_of.of_instance(&second, &instance()).is_empty(), "{id}");
    }
}

#[test]
fn an_instance_is_found_by_every_name_and_is_not_its_gpu() {
    let gpu = example::gpu(1);
    for id in [
        MIG,
        &format!("{MIG}::1"),
        &format!("MIG-{GPU}/5/0"),
        &format!("MIG-{GPU}/5/0::3"),
        "nvidia1/gi5",
        "nvidia1/gi5/vgpu0",
        "1:2",
    ] {
        let pods_of = assigned(&[(id, "job")]);
        assert_eq!(pods(pods_of.of_instance(&gpu, &instance())), ["job"], "{id}");
        assert!(pods_of.of_gpu(&gpu).is_empty(), "{id}");
        assert!(
            pods_of
                .of_instance(&example::gpu(0), &other_instance())
                .is_empty()
        );
    }
    assert_eq!(pods(assigned(&[(MIG, "job")]).of_mig(MIG)), ["job"]);
    let old = format!("MIG-{GPU}/5/0");
    assert_eq!(pods(assigned(&[(&old, "job")]).of_mig(&old)), ["job"]);
}

fn other_instance() -> MigDevice {
    MigDevice {
        uuid: Value("MIG-00000000-7f3f-5f0a-9d2b-0d7e6c1f2a3b".to_owned()),
        ..instance()
    }
}

#[test]
fn what_is_no_name_of_a_gpu_is_not_guessed() {
    for id in [
        "",
        "gpu",
        "nvidia",
        "nvidiactl",
        "nvidia0/nvidia1",
        "nvidia-1",
        "-1",
        "+1",
        "1:",
        "0:1:2",
        "4294967296",
        "MIG-GPU-1/2",
        "MIG-GPU-1/2/x",
        "GPU-a/b",
        "GPU-a b",
        &"9".repeat(1_000),
    ] {
        assert!(id.parse::<PodDevice>().is_err(), "{id}");
    }
}

#[test]
fn dynamic_resources_name_whole_gpus_by_device_file() {
    assert_eq!(PodDevice::from_dynamic("gpu-3"), Some(PodDevice::Minor(3)));
    for name in ["gpu-3-mig-1g10gb-19-0", "gpu-vfio-0", "gpu-", "3", "channel-0"] {
        assert_eq!(PodDevice::from_dynamic(name), None, "{name}");
    }
}

#[test]
fn a_shared_gpu_has_all_its_holders_once_each_and_in_order() {
    let replicas = [
        (format!("{GPU}::0"), "b"),
        (format!("{GPU}::1"), "a"),
        (format!("{GPU}::2"), "b"),
    ];
    let given: Vec<_> = replicas.iter().map(|(id, pod)| (id.as_str(), *pod)).collect();
    assert_eq!(pods(assigned(&given).of_gpu(&example::gpu(1))), ["a", "b"]);
}

#[test]
fn what_is_too_much_is_counted() {
    let mut holders = PodHolders::default();
    for number in 0..MAX_HOLDERS + 3 {
        holders.add(PodDevice::Index(0), container(&format!("pod-{number}")));
    }
    assert_eq!(holders.devices().next().unwrap().1.len(), MAX_HOLDERS);
    assert_eq!(holders.omitted(), 3);
    let first: u32 = 1;
    for index in (first..).take(MAX_HELD_DEVICES) {
        holders.add(PodDevice::Index(index), container("pod"));
    }
    assert_eq!(
        (holders.devices().count(), holders.omitted()),
        (MAX_HELD_DEVICES, 4)
    );
    for name in ["", &"x".repeat(LONGEST_NAME + 1)] {
        holders.add(PodDevice::Index(0), container(name));
    }
    assert_eq!(holders.omitted(), 6);
}

#[test]
fn nobody_holds_a_gpu_where_that_is_not_known() {
    let gpu = example::gpu(0);
    for pods_of in [PodAssignments::unread(), PodAssignments::disabled()] {
        assert!(pods_of.of_gpu(&gpu).is_empty() && pods_of.holders.is_err());
    }
}

proptest! {
    #[test]
    fn no_id_makes_it_panic(id in "\\PC{0,120}") {
        let _ = id.parse::<PodDevice>();
        let _ = PodDevice::from_dynamic(&id);
    }

    #[test]
    fn a_replica_is_its_device(index in 0..200_u32, replica in 0..200_u32) {
        prop_assert_eq!(
            format!("nvidia{index}/vgpu{replica}").parse::<PodDevice>(),
            format!("nvidia{index}").parse()
        );
        prop_assert_eq!(format!("GPU-{index}::{replica}").parse::<PodDevice>(), format!("GPU-{index}").parse());
    }
}
