//! Calls that the client of the other tests does not offer, made as a C program makes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ffi::{InOut, Out, Tagged, Versioned};
use super::field_tests::{AGE, node};
use super::handle::{Handle, Target};
use super::layout::{
    AddressingMode, C2cMode, EccSramErrorStatus, EventData, FabricInfoV2, MarginTemperature, Memory, PciInfo,
    PlatformInfo,
};
use super::{events, identity, load, lookup, memory, mig, modes, pci, reliability, thermal, unsupported};
use crate::faults::{Fault, Values};
use crate::world::{self, World};

/// One world at a time can be in force.
static ONE: Mutex<()> = Mutex::new(());

/// Keeps others from putting a world in force.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes calls while a world is in force.
pub(super) fn within<T>(world: &Arc<World>, act: impl FnOnce() -> T) -> T {
    /// Ends the world after a test that failed as well, so that the next one does not fail for it.
    struct InForce;

    impl Drop for InForce {
        fn drop(&mut self) {
            world::shut_down();
        }
    }

    let _alone = alone();
    world::initialise(Arc::clone(world));
    let _in_force = InForce;
    act()
}

pub(super) fn gpu(index: usize) -> Handle {
    Handle::new(Target::Gpu(index))
}

/// A structure of nothing but zeros and its tag.
pub(super) fn blank<T: Versioned + Zeros>() -> T {
    T::zeros(T::TAG)
}

/// What C programs initialise with `= {0}`.
pub(super) trait Zeros {
    fn zeros(version: u32) -> Self;
}

impl Zeros for PlatformInfo {
    fn zeros(version: u32) -> Self {
        let (guid, chassis) = ([0; 16], [0; 16]);
        Self {
            version,
            guid,
            chassis,
            slot: 0,
            tray: 0,
            host: 0,
            peer: 0,
            module: 0,
        }
    }
}

impl Zeros for MarginTemperature {
    fn zeros(version: u32) -> Self {
        Self { version, margin: 0 }
    }
}

impl Zeros for FabricInfoV2 {
    fn zeros(version: u32) -> Self {
        Self {
            version,
            cluster: [9; 16],
            status: 9,
            clique: 9,
            state: 0,
            padding: [9; 3],
            health_mask: 0,
        }
    }
}

impl Zeros for EccSramErrorStatus {
    fn zeros(version: u32) -> Self {
        Self {
            version,
            aggregate_parity: 0,
            aggregate_sec_ded: 0,
            aggregate_corrected: 0,
            volatile_parity: 0,
            volatile_sec_ded: 0,
            volatile_corrected: 0,
            bucket_l2: 0,
            bucket_sm: 0,
            bucket_pcie: 0,
            bucket_mcu: 0,
            bucket_other: 0,
            threshold_exceeded: 9,
        }
    }
}

#[test]
fn boards_tell_where_they_are_from_blackwell_on() {
    within(&node("b200-8", &[]), || {
        let mut modules = Vec::new();
        for index in 0..8 {
            let mut info = blank::<PlatformInfo>();
            assert_eq!(
                modes::nvmlDeviceGetPlatformInfo(gpu(index), Tagged::from(&mut info)),
                0
            );
            assert!(info.guid[..8].iter().any(|byte| *byte != 0) && info.guid[8..] == [0; 8]);
            assert!(info.chassis[..13].iter().all(u8::is_ascii_digit) && info.chassis[13..] == [0; 3]);
            let mut module = 0;
            assert_eq!(
                identity::nvmlDeviceGetModuleId(gpu(index), Out::from(&mut module)),
                0
            );
            assert_eq!(u32::from(info.module), module);
            modules.push((info.module, info.guid));
        }
        modules.dedup();
        assert_eq!(modules.len(), 8);
        let mut first = blank::<PlatformInfo>();
        first.version = size_of::<PlatformInfo>() as u32 | 1 << 24;
        assert_eq!(
            modes::nvmlDeviceGetPlatformInfo(gpu(0), Tagged::from(&mut first)),
            0
        );
        first.version = 7;
        assert_eq!(
            modes::nvmlDeviceGetPlatformInfo(gpu(0), Tagged::from(&mut first)),
            25
        );
    });
    within(&node("h100-sxm-8", &[]), || {
        let mut info = blank::<PlatformInfo>();
        assert_eq!(
            modes::nvmlDeviceGetPlatformInfo(gpu(0), Tagged::from(&mut info)),
            3
        );
        let mut fabric = blank::<FabricInfoV2>();
        assert_eq!(
            modes::nvmlDeviceGetGpuFabricInfoV(gpu(0), Tagged::from(&mut fabric)),
            0
        );
        assert_eq!((fabric.state, fabric.status, fabric.clique), (3, 0, 0));
        assert_eq!(fabric.padding, [0; 3], "the state as a number of four bytes");
        assert_eq!(fabric.health_mask & 3, 2, "bandwidth not degraded");
    });
}

#[test]
fn only_a_gpu_that_hangs_on_its_processor_has_a_chip_to_chip_link() {
    for (profile, code) in [("gb10", 0), ("h100-sxm-8", 3), ("t4", 3)] {
        within(&node(profile, &[]), || {
            let mut mode = C2cMode { enabled: 0 };
            assert_eq!(
                modes::nvmlDeviceGetC2cModeInfoV(gpu(0), Out::from(&mut mode)),
                code
            );
            assert_eq!(mode.enabled, u32::from(code == 0));
        });
    }
}

#[test]
fn margins_and_errors_inside_the_chip_are_there_from_their_generation_on() {
    for (profile, margin, sram) in [
        ("h100-sxm-8", 0, 0),
        ("a100-pcie-4", 3, 0),
        ("t4", 3, 3),
        ("rtx-4090", 0, 3),
    ] {
        let said = Values {
            sram_uncorrected: Some(4),
            sram_threshold_exceeded: Some(true),
            ..Values::default()
        };
        let world = node(profile, &[Fault::on("nvmlDeviceGetSram*").values(said)]);
        within(&world, || {
            let mut reading = blank::<MarginTemperature>();
            assert_eq!(
                thermal::nvmlDeviceGetMarginTemperature(gpu(0), Tagged::from(&mut reading)),
                margin
            );
            let truth = world.engine.truth(0, AGE).unwrap();
            if margin == 0 {
                let highest = world.profile.gpus[0].thermal.gpu_max_c;
                assert_eq!(reading.margin, highest as i32 - truth.temperature as i32);
            }
            let mut status = blank::<EccSramErrorStatus>();
            assert_eq!(
                reliability::nvmlDeviceGetSramEccErrorStatus(gpu(0), Tagged::from(&mut status)),
                sram
            );
            if sram == 0 {
                assert_eq!((status.volatile_sec_ded, status.volatile_corrected), (4, 0));
                assert_eq!((status.bucket_l2, status.threshold_exceeded), (4, 1));
            }
        });
    }
}

#[test]
fn every_kind_of_video_engine_that_a_board_has_is_busy_on_a_video_node() {
    for (profile, jpeg, ofa) in [("l40s-4", 0, 0), ("a100-pcie-4", 0, 0), ("h100-sxm-8", 0, 3)] {
        let world = node(profile, &[]);
        let truth = world.engine.truth(1, AGE).unwrap();
        within(&world, || {
            let ask = |call: extern "C" fn(Handle, Out<u32>, Out<u32>) -> u32| {
                let (mut share, mut period) = (0, 0);
                let code = call(gpu(1), Out::from(&mut share), Out::from(&mut period));
                (code, share, period)
            };
            let said = |code, share| {
                if code == 0 {
                    (0, share, 167_000)
                } else {
                    (code, 0, 0)
                }
            };
            assert_eq!(
                ask(load::nvmlDeviceGetJpgUtilization),
                said(jpeg, truth.jpeg_utilization)
            );
            assert_eq!(
                ask(load::nvmlDeviceGetOfaUtilization),
                said(ofa, truth.ofa_utilization)
            );
            let is_video = profile == "l40s-4";
            assert_eq!(
                (truth.jpeg_utilization > 10, truth.ofa_utilization > 2),
                (is_video, is_video)
            );
        });
    }
}

/// Waits for an event on the first GPU: its XID, and the instances it names.
fn next_event(world: &Arc<World>) -> (u64, u32, u32) {
    const XID: u64 = 8;
    within(world, || {
        let mut set = gpu(0);
        assert_eq!(events::nvmlEventSetCreate(Out::from(&mut set)), 0);
        assert_eq!(events::nvmlDeviceRegisterEvents(gpu(0), XID, set), 0);
        let mut data = EventData {
            device: gpu(5),
            kind: 0,
            data: 0,
            gpu_instance: 0,
            compute_instance: 0,
        };
        assert_eq!(events::nvmlEventSetWait_v2(set, Out::from(&mut data), 30_000), 0);
        assert_eq!((data.device, data.kind), (gpu(0), XID));
        assert_eq!(events::nvmlEventSetFree(set), 0);
        (data.data, data.gpu_instance, data.compute_instance)
    })
}

#[test]
fn an_event_names_the_instances_that_its_fault_names() {
    let xid = Fault::everywhere().xid(13).per_second(50);
    let world = node("h100-mig", &[xid.clone().instances(5, 0)]);
    assert_eq!(next_event(&world), (13, 5, 0));
    assert_eq!(next_event(&node("h100-mig", &[xid])), (13, u32::MAX, u32::MAX));
    let half = "[[fault]]\nxid = 13\ngpu_instance = 5";
    assert!(crate::faults::parse(half).is_ok());
    assert!(crate::faults::parse("[[fault]]\ngpu_instance = 5\nlost = true").is_err());
}

#[test]
fn calls_on_instances_concern_their_gpu() {
    let world = node("h100-mig", &[Fault::everywhere().gpu(0).lost()]);
    within(&world, || {
        let instance = Handle::new(Target::GpuInstance(0, 1));
        assert_eq!(unsupported::nvmlGpuInstanceGetActiveVgpus(instance), 15);
        assert_eq!(unsupported::nvmlGpuInstanceGetActiveVgpus(gpu(0)), 2);
        assert_eq!(
            mig::nvmlGpuInstanceGetComputeInstanceById(instance, 0, Out::from(&mut gpu(0))),
            15
        );
    });
    let world = node("h100-mig", &[]);
    within(&world, || {
        assert_eq!(
            unsupported::nvmlGpuInstanceDestroy(Handle::new(Target::GpuInstance(0, 1))),
            3
        );
    });
}

impl Zeros for AddressingMode {
    fn zeros(version: u32) -> Self {
        Self { version, mode: 9 }
    }
}

#[test]
fn only_unified_memory_is_addressed_through_the_processors_tables() {
    for (profile, mode, node_code) in [("gb10", 2, 0), ("h100-sxm-8", 0, 3), ("rtx-4090", 0, 3)] {
        within(&node(profile, &[]), || {
            let mut place = blank::<AddressingMode>();
            assert_eq!(
                identity::nvmlDeviceGetAddressingMode(gpu(0), Tagged::from(&mut place)),
                0
            );
            assert_eq!(place.mode, mode, "{profile}");
            assert_eq!(
                identity::nvmlDeviceGetNumaNodeId(gpu(0), Out::from(&mut 0)),
                node_code
            );
        });
    }
}

#[test]
fn the_first_memory_call_counts_the_reserved_part_as_used() {
    let mut place = Memory {
        total: 0,
        free: 0,
        used: 0,
    };
    let world = node("h100-sxm-8", &[]);
    let truth = world.engine.truth(6, AGE).unwrap();
    within(&world, || {
        assert_eq!(memory::nvmlDeviceGetMemoryInfo(gpu(6), Out::from(&mut place)), 0)
    });
    assert_eq!((place.total, place.free), (truth.memory_total, truth.memory_free));
    assert_eq!(place.used, truth.memory_used + truth.memory_reserved);
    assert_eq!(place.used + place.free, place.total);
    within(&node("gb10", &[]), || {
        assert_eq!(memory::nvmlDeviceGetMemoryInfo(gpu(0), Out::from(&mut place)), 3);
    });
}

#[test]
fn calls_on_a_place_of_the_bus_concern_the_gpu_that_is_there() {
    let healthy = node("h100-sxm-8", &[]);
    let mut places = [0, 1].map(|_| PciInfo {
        bus_id_legacy: [0; 16],
        domain: 0,
        bus: 0,
        device: 0,
        pci_device_id: 0,
        pci_subsystem_id: 0,
        bus_id: [0; 32],
    });
    within(&healthy, || {
        for (index, place) in places.iter_mut().enumerate() {
            assert_eq!(pci::nvmlDeviceGetPciInfo_v3(gpu(index), Out::from(place)), 0);
        }
    });
    within(&node("h100-sxm-8", &[Fault::everywhere().gpu(1).lost()]), || {
        let codes = places
            .each_mut()
            .map(|place| lookup::nvmlDeviceQueryDrainState(InOut::from(place)));
        assert_eq!(codes, [3, 15]);
    });
}
