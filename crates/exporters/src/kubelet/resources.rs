//! Which devices of the kubelet's answer are GPUs, and whose they are.

use gpulse_models::{PodContainer, PodDevice, PodHolders};

use super::wire::{Claimed, Container, ListResponse};

/// Resources that are GPUs, of NVIDIA's device plugin and of GKE's.
const WHOLE: [&str; 2] = ["nvidia.com/gpu", "nvidia.com/gpu.shared"];

/// What the resources of MIG instances begin with; their profile follows.
const INSTANCES: &str = "nvidia.com/mig-";

/// NVIDIA's driver for dynamic resources.
const DRIVER: &str = "gpu.nvidia.com";

/// What the CDI devices of that driver begin with; `device=` or `claim=` follows.
const CDI_VENDOR: &str = "k8s.gpu.nvidia.com/";

/// The length of the uid that the name of a claim's CDI device begins with.
const UID: usize = 36;

/// The names of resources whose devices are GPUs.
#[derive(Clone, Debug)]
pub(super) struct ResourceNames {
    /// Beside those that everybody knows; one that ends in `*` is what a name begins with.
    pub(super) others: Vec<String>,
}

impl ResourceNames {
    /// Who holds which GPU. What is no GPU is left out, and so is a name of a device that means none.
    pub(super) fn holders(&self, response: &ListResponse) -> PodHolders {
        let mut holders = PodHolders::default();
        for pod in &response.pods {
            for container in &pod.containers {
                for device in self.devices(container) {
                    let holder = PodContainer {
                        namespace: pod.namespace.clone(),
                        pod: pod.name.clone(),
                        container: container.name.clone(),
                    };
                    holders.add(device, holder);
                }
            }
        }
        holders
    }

    fn devices(&self, container: &Container) -> impl Iterator<Item = PodDevice> {
        let plugins = container
            .devices
            .iter()
            .filter(|devices| self.is_gpu(&devices.resource_name))
            .flat_map(|devices| &devices.device_ids)
            .filter_map(|id| id.parse().ok());
        let dynamic = container
            .dynamic_resources
            .iter()
            .flat_map(|resource| &resource.claimed)
            .flat_map(claimed);
        plugins.chain(dynamic)
    }

    fn is_gpu(&self, name: &str) -> bool {
        let is_configured = |other: &String| match other.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == other,
        };
        WHOLE.contains(&name) || name.starts_with(INSTANCES) || self.others.iter().any(is_configured)
    }
}

/// The GPUs that a claim was given. Where the driver is not named, the CDI devices say whose they are.
fn claimed(claimed: &Claimed) -> Vec<PodDevice> {
    match claimed.driver_name.as_str() {
        DRIVER => PodDevice::from_dynamic(&claimed.device_name)
            .into_iter()
            .collect(),
        "" => {
            let names = claimed.cdi_devices.iter();
            names.filter_map(|device| of_cdi(&device.name)).collect()
        }
        _ => Vec::new(),
    }
}

/// `k8s.gpu.nvidia.com/device=gpu-0`, or `k8s.gpu.nvidia.com/claim=<uid>-gpu-0`.
fn of_cdi(name: &str) -> Option<PodDevice> {
    match name.strip_prefix(CDI_VENDOR)?.split_once('=')? {
        ("claim", device) => PodDevice::from_dynamic(device.get(UID..)?.strip_prefix('-')?),
        (_, device) => PodDevice::from_dynamic(device),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubelet::wire::{CdiDevice, Devices, DynamicResource, Pod};

    fn held(container: Container, others: &[&str]) -> Vec<PodDevice> {
        let names = ResourceNames {
            others: others.iter().map(|&other| other.to_owned()).collect(),
        };
        let pod = Pod {
            name: "pod".to_owned(),
            namespace: "default".to_owned(),
            containers: vec![Container {
                name: "main".to_owned(),
                ..container
            }],
        };
        let holders = names.holders(&ListResponse { pods: vec![pod] });
        holders.devices().map(|(device, _)| device.clone()).collect()
    }

    fn devices(resource: &str, ids: &[&str]) -> Container {
        Container {
            devices: vec![Devices {
                resource_name: resource.to_owned(),
                device_ids: ids.iter().map(|&id| id.to_owned()).collect(),
            }],
            ..Container::default()
        }
    }

    fn claim(driver: &str, device: &str, cdi: &[&str]) -> Container {
        let cdi = cdi.iter().map(|&name| CdiDevice {
            name: name.to_owned(),
        });
        Container {
            dynamic_resources: vec![DynamicResource {
                claimed: vec![Claimed {
                    cdi_devices: cdi.collect(),
                    driver_name: driver.to_owned(),
                    device_name: device.to_owned(),
                }],
            }],
            ..Container::default()
        }
    }

    #[test]
    fn devices_of_known_and_configured_resources_are_gpus_and_no_others() {
        let of = |resource: &str, others: &[&str]| held(devices(resource, &["0"]), others).len();
        for gpu in [
            "nvidia.com/gpu",
            "nvidia.com/gpu.shared",
            "nvidia.com/mig-1g.10gb",
            "nvidia.com/mig-1g.10gb.shared",
        ] {
            assert_eq!(of(gpu, &[]), 1, "{gpu}");
        }
        for other in [
            "nvidia.com/hostdev",
            "nvidia.com/gpus",
            "cpu",
            "",
            "example.com/gpu",
        ] {
            assert_eq!(of(other, &[]), 0, "{other}");
        }
        assert_eq!(of("example.com/gpu", &["example.com/gpu"]), 1);
        assert_eq!(of("example.com/gpu-large", &["example.com/gpu"]), 0);
        assert_eq!(of("example.com/gpu-large", &["example.com/gpu*"]), 1);
    }

    #[test]
    fn a_device_that_means_nothing_is_left_out_beside_one_that_does() {
        assert_eq!(
            held(devices("nvidia.com/gpu", &["x", "GPU-1"]), &[]),
            [PodDevice::Gpu("GPU-1".to_owned())]
        );
    }

    #[test]
    fn of_dynamic_resources_whole_gpus_of_nvidias_driver_are_known() {
        let uid = "a85e5873-fc49-4554-a151-de159f528a04";
        let claimed = format!("k8s.gpu.nvidia.com/claim={uid}-gpu-3");
        let instance = format!("k8s.gpu.nvidia.com/claim={uid}-gpu-3-mig-1g18gb-19-0");
        let gpu = vec![PodDevice::Minor(3)];
        for (driver, device, cdi, expected) in [
            ("gpu.nvidia.com", "gpu-3", claimed.as_str(), &gpu),
            ("gpu.nvidia.com", "gpu-3-mig-1g18gb-19-0", &instance, &vec![]),
            ("", "", &claimed, &gpu),
            ("", "", "k8s.gpu.nvidia.com/device=gpu-3", &gpu),
            ("", "", &instance, &vec![]),
            ("", "", "example.com/device=gpu-3", &vec![]),
            ("", "", "k8s.gpu.nvidia.com/claim=gpu-3", &vec![]),
            (
                "",
                "",
                "k8s.gpu.nvidia.com/claim=äääääääääääääääääää-gpu-3",
                &vec![],
            ),
            ("gpu.example.com", "gpu-3", &claimed, &vec![]),
            ("compute-domain.nvidia.com", "channel-0", "", &vec![]),
        ] {
            assert_eq!(
                held(claim(driver, device, &[cdi]), &[]),
                *expected,
                "{driver} {device} {cdi}"
            );
        }
    }
}
