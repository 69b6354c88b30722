//! What the nodes other than the default one show to `nvml-wrapper`.

use std::collections::HashSet;
use std::time::Duration;

use nvml_sim::testing::Simulator;
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, P2pCapabilitiesIndex, P2pStatus, TopologyLevel};
use nvml_wrapper::error::NvmlError;

fn start(profile: &str) -> (Simulator, Nvml) {
    let simulator = Simulator::builder(profile)
        .frozen_at(Duration::from_secs(100))
        .start()
        .expect("the simulator starts");
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .expect("the library initialises");
    (simulator, nvml)
}

#[test]
fn the_nodes_are_what_their_data_sheets_say() {
    // Name, GPUs, memory (MiB), limit (mW), memory clock (MHz), memory bus (bits), links.
    let sheets = [
        ("h200-8", "NVIDIA H200", 8, 143_771, 700_000, 3_201, 6_144, 18),
        ("b200-8", "NVIDIA B200", 8, 183_359, 1_000_000, 3_996, 7_680, 18),
        ("l40s-4", "NVIDIA L40S", 4, 46_068, 350_000, 9_001, 384, 0),
        (
            "a100-nvlink-2",
            "NVIDIA A100 80GB PCIe",
            2,
            81_920,
            300_000,
            1_512,
            5_120,
            12,
        ),
    ];
    for (profile, name, gpus, memory_mib, limit_mw, memory_mhz, bus_bits, links) in sheets {
        let (_simulator, nvml) = start(profile);
        assert_eq!(nvml.device_count().unwrap(), gpus);
        for index in 0..gpus {
            let device = nvml.device_by_index(index).unwrap();
            assert_eq!(device.name().unwrap(), name);
            assert_eq!(device.memory_info().unwrap().total, memory_mib << 20);
            assert_eq!(device.enforced_power_limit().unwrap(), limit_mw);
            assert_eq!(device.max_clock_info(Clock::Memory).unwrap(), memory_mhz);
            assert_eq!(device.memory_bus_width().unwrap(), bus_bits);
            let active = (0..18).filter(|n| device.link_wrapper_for(*n).is_active().unwrap_or(false));
            assert_eq!(active.count(), links, "{profile}");
            assert!(matches!(device.num_fans(), Err(NvmlError::NotSupported)));
            assert!(matches!(device.fan_speed(0), Err(NvmlError::NotSupported)));
        }
    }
}

#[test]
fn no_two_models_share_a_uuid() {
    let profiles = [
        "h100-sxm-8",
        "h200-8",
        "b200-8",
        "l40s-4",
        "a100-nvlink-2",
        "a100-pcie-4",
        "a100-mig",
        "a100-vgpu",
        "t4",
        "rtx-4090",
        "gb10",
    ];
    let (mut seen, mut gpus) = (HashSet::new(), 0);
    for profile in profiles {
        let (_simulator, nvml) = start(profile);
        for index in 0..nvml.device_count().unwrap() {
            seen.insert(nvml.device_by_index(index).unwrap().uuid().unwrap());
            gpus += 1;
        }
    }
    assert_eq!(seen.len(), gpus);
}

#[test]
fn a_blackwell_node_has_the_links_and_metrics_of_its_generation() {
    let (_simulator, nvml) = start("b200-8");
    let device = nvml.device_by_index(7).unwrap();
    assert_eq!(device.cuda_compute_capability().unwrap().major, 10);
    assert!(device.gpm_support().unwrap());
    for link in 0..18 {
        let link = device.link_wrapper_for(link);
        assert_eq!(link.version().unwrap(), 7, "NVLink 5");
        assert_eq!(
            link.remote_pci_info().unwrap().bus_id,
            "FFFFFFFF:FF:FF.0",
            "its switches are no PCI devices"
        );
    }
    assert!(matches!(
        device.link_wrapper_for(18).is_active(),
        Err(NvmlError::InvalidArg)
    ));
}

#[test]
fn bridged_gpus_are_at_each_others_ends() {
    let (_simulator, nvml) = start("a100-nvlink-2");
    let (a, b) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
    for (from, to) in [(&a, &b), (&b, &a)] {
        for link in 0..12 {
            let link = from.link_wrapper_for(link);
            assert!(link.is_active().unwrap());
            assert_eq!(link.version().unwrap(), 4, "NVLink 3");
            let (remote, there) = (link.remote_pci_info().unwrap(), to.pci_info().unwrap());
            assert_eq!(remote.bus_id, there.bus_id);
            assert_eq!(remote.pci_device_id, there.pci_device_id);
        }
    }
    assert!(matches!(
        a.topology_common_ancestor(nvml.device_by_index(1).unwrap())
            .unwrap(),
        TopologyLevel::Node
    ));
    let near = a.topology_nearest_gpus(TopologyLevel::Node).unwrap();
    assert_eq!(near.len(), 1);
    assert_eq!(near[0].uuid().unwrap(), b.uuid().unwrap());
    assert_eq!(a.cpu_affinity(2).unwrap(), b.cpu_affinity(2).unwrap());
    assert!(matches!(
        a.p2p_status(&b, P2pCapabilitiesIndex::NvLink).unwrap(),
        P2pStatus::Ok
    ));
    let (_simulator, nvml) = start("a100-pcie-4");
    let (a, b) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
    assert!(!matches!(
        a.p2p_status(&b, P2pCapabilitiesIndex::NvLink).unwrap(),
        P2pStatus::Ok
    ));
}

#[test]
fn a_video_node_encodes_and_decodes() {
    for second in [100, 260, 390] {
        let simulator = Simulator::builder("l40s-4")
            .frozen_at(Duration::from_secs(second))
            .start()
            .unwrap();
        let nvml = Nvml::builder()
            .lib_path(simulator.library_path().as_os_str())
            .init()
            .unwrap();
        for index in 0..4 {
            let device = nvml.device_by_index(index).unwrap();
            assert!((30..=100).contains(&device.encoder_utilization().unwrap().utilization));
            assert!((20..=100).contains(&device.decoder_utilization().unwrap().utilization));
            let sessions = device.encoder_sessions().unwrap();
            assert!(sessions.len() >= 5);
            assert_eq!(
                device.encoder_stats().unwrap().session_count as usize,
                sessions.len()
            );
            let stats = device.encoder_stats().unwrap();
            assert!((30..=60).contains(&stats.average_fps) && stats.average_latency > 1_000);
            let captures = device.fbc_sessions_info().unwrap();
            let stats = device.fbc_stats().unwrap();
            assert_eq!((stats.sessions_count, captures.len()), (2, 2));
            assert_eq!(stats.average_fps, 45);
            let processes = device.running_compute_processes().unwrap();
            assert!(sessions.iter().all(|s| processes.iter().any(|p| p.pid == s.pid)));
            assert!(captures.iter().all(|s| processes.iter().any(|p| p.pid == s.pid)));
            assert!(matches!(device.serial(), Ok(serial) if !serial.is_empty()));
            assert!(matches!(device.mig_mode(), Err(NvmlError::NotSupported)));
        }
    }
}

#[test]
fn whoever_keeps_encoders_busy_has_a_session() {
    let (mut recorded, mut idle) = (0, 0);
    for second in (0..480).step_by(10) {
        let simulator = Simulator::builder("rtx-4090")
            .frozen_at(Duration::from_secs(second))
            .start()
            .unwrap();
        let nvml = Nvml::builder()
            .lib_path(simulator.library_path().as_os_str())
            .init()
            .unwrap();
        let device = nvml.device_by_index(0).unwrap();
        let sessions = device.encoder_sessions().unwrap();
        if device.encoder_utilization().unwrap().utilization > 5 {
            let graphics = device.running_graphics_processes().unwrap();
            assert_eq!(sessions.len(), 1);
            assert!(graphics.iter().any(|process| process.pid == sessions[0].pid));
            recorded += 1;
        } else {
            idle += usize::from(sessions.is_empty());
        }
        assert!(device.fbc_sessions_info().unwrap().is_empty());
    }
    assert!(recorded > 3 && idle > 3, "{recorded}, {idle}");
    let (_simulator, nvml) = start("h100-sxm-8");
    let device = nvml.device_by_index(0).unwrap();
    assert!(matches!(device.encoder_sessions(), Err(NvmlError::NotSupported)));
}

#[test]
fn only_a_virtualisation_host_has_vgpus() {
    use nvml_wrapper::enum_wrappers::device::{GpuVirtualizationMode, HostVgpuMode};
    for profile in nvml_sim::profile::names().filter(|name| *name != "no-driver") {
        let (_simulator, nvml) = start(profile);
        for index in 0..nvml.device_count().unwrap() {
            let device = nvml.device_by_index(index).unwrap();
            let mode = if profile.ends_with("-vgpu") {
                GpuVirtualizationMode::Vgpu
            } else {
                GpuVirtualizationMode::Bare
            };
            assert_eq!(device.virtualization_mode().unwrap(), mode, "{profile}");
            assert!(matches!(device.vgpu_host_mode(), Err(NvmlError::NotSupported)));
            assert!(matches!(device.active_vgpus(), Err(NvmlError::NotSupported)));
            assert!(matches!(
                device.vgpu_supported_types(),
                Err(NvmlError::NotSupported)
            ));
        }
    }

    let host =
        "gpu.vgpu = { name = \"NVIDIA L40S-12Q\", type_id = 1151, memory_mib = 12288, most = 4, active = 3 }";
    let simulator = Simulator::builder("l40s-4")
        .overrides(host)
        .unwrap()
        .start()
        .unwrap();
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .unwrap();
    let mut seen = HashSet::new();
    for index in 0..4 {
        let device = nvml.device_by_index(index).unwrap();
        assert!(matches!(
            device.virtualization_mode(),
            Ok(GpuVirtualizationMode::HostVgpu)
        ));
        assert!(matches!(device.vgpu_host_mode(), Ok(HostVgpuMode::Sriov)));
        let types = device.vgpu_supported_types().unwrap();
        assert_eq!(types.len(), 1);
        assert_eq!(types[0].name().unwrap(), "NVIDIA L40S-12Q");
        assert_eq!(types[0].framebuffer_size().unwrap(), 12_288 << 20);
        assert_eq!(types[0].max_instances().unwrap(), 4);
        assert_eq!(device.vgpu_creatable_types().unwrap().len(), 1);
        for vgpu in device.active_vgpus().unwrap() {
            assert!(seen.insert(vgpu.uuid().unwrap()));
            assert!(seen.insert(format!("{:?}", vgpu.vm_id().unwrap())));
            assert_eq!(vgpu.instance_type().unwrap().id(), types[0].id());
            assert!((1..=12_288 << 20).contains(&vgpu.fb_usage().unwrap()));
        }
    }
    assert_eq!(seen.len(), 2 * 3 * 4);
}

#[test]
fn accounts_can_be_read_where_they_are_kept() {
    let simulator = Simulator::builder("l40s-4")
        .overrides("gpu.accounting = true")
        .unwrap()
        .frozen_at(Duration::from_secs(900))
        .start()
        .unwrap();
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .unwrap();
    let device = nvml.device_by_index(0).unwrap();
    assert!(device.is_accounting_enabled().unwrap());
    let pids = device.accounting_pids().unwrap();
    assert!(pids.len() < device.accounting_buffer_size().unwrap() as usize);
    let running: HashSet<u32> = simulator.processes(0).iter().map(|process| process.pid).collect();
    for pid in &pids {
        let stats = device.accounting_stats_for(*pid).unwrap();
        assert_eq!(stats.is_running, running.contains(pid));
        assert_eq!(stats.time == 0, stats.is_running);
        assert!(
            stats
                .gpu_utilization
                .is_some_and(|share| (1..=100).contains(&share))
        );
    }
    assert!(running.iter().all(|pid| pids.contains(pid)) && pids.len() > running.len());
    let (_simulator, nvml) = start("l40s-4");
    let device = nvml.device_by_index(0).unwrap();
    assert!(!device.is_accounting_enabled().unwrap());
    assert!(matches!(device.accounting_pids(), Err(NvmlError::NotSupported)));
}
