//! Field values with a scope, which few clients can ask for, against the engine's truth.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::call::{Call, Device};
use super::code::Code;
use super::field::{Value, read};
use super::handle::{Handle, Target};
use crate::engine::Truth;
use crate::faults::{Fault, Incident, Values};
use crate::profile::Profile;
use crate::world::World;

pub(super) const AGE: Duration = Duration::from_secs(100);
const ALL: u32 = u32::MAX;

pub(super) fn node(profile: &str, faults: &[Fault]) -> Arc<World> {
    World::of(Profile::load(profile).unwrap(), AGE, faults)
}

pub(super) fn gpu(world: &Arc<World>, index: usize) -> Device {
    let call = Call::of(Arc::clone(world), "nvmlDeviceGetFieldValues");
    call.device(Handle::new(Target::Gpu(index))).unwrap()
}

fn long(gpu: &Device, field: u32, scope: u32) -> u64 {
    match read(gpu, field, scope) {
        Ok(Value::Long(value)) => value,
        other => panic!("field {field}, scope {scope}: {other:?}"),
    }
}

fn truth(world: &World, index: usize) -> Truth {
    world.engine.truth(index, AGE).unwrap()
}

#[test]
fn the_links_carry_equal_shares_of_the_total() {
    for (profile, links) in [("h100-sxm-8", 18), ("b200-8", 18), ("a100-nvlink-2", 12)] {
        let world = node(profile, &[]);
        let (device, truth) = (gpu(&world, 1), truth(&world, 1));
        for (field, per_link) in [
            (138, truth.nvlink_tx_bytes),
            (140, truth.nvlink_tx_bytes),
            (139, truth.nvlink_rx_bytes),
            (141, truth.nvlink_rx_bytes),
        ] {
            for link in 0..links {
                assert_eq!(
                    long(&device, field, link),
                    per_link >> 10,
                    "{profile}, link {link}"
                );
            }
            assert_eq!(long(&device, field, ALL), (per_link * u64::from(links)) >> 10);
            assert_eq!(read(&device, field, links), Err(Code::INVALID_ARGUMENT));
        }
    }
}

#[test]
fn the_fifth_generation_counts_bytes_and_packets_per_link() {
    let world = node(
        "b200-8",
        &[Fault::everywhere().incident(Incident::NvlinkCrc).link(17)],
    );
    let (device, truth) = (gpu(&world, 0), truth(&world, 0));
    assert_eq!(long(&device, 202, 4), truth.nvlink_tx_bytes);
    assert_eq!(long(&device, 204, 17), truth.nvlink_rx_bytes);
    assert_eq!(long(&device, 202, ALL), 18 * truth.nvlink_tx_bytes);
    assert!(long(&device, 201, 0) > 0 && long(&device, 201, 0) < truth.nvlink_tx_bytes);
    assert_eq!((long(&device, 208, 16), long(&device, 208, 17)), (0, 1));
    assert_eq!(long(&device, 206, 17), 0);
    let older = node("h100-sxm-8", &[]);
    assert_eq!(read(&gpu(&older, 0), 202, 0), Err(Code::NOT_SUPPORTED));
    assert_eq!(
        read(&gpu(&node("l40s-4", &[]), 0), 138, 0),
        Err(Code::NOT_SUPPORTED)
    );
}

#[test]
fn every_number_of_an_error_counter_leads_to_its_link() {
    let world = node(
        "h100-sxm-8",
        &[
            Fault::everywhere().gpu(0).incident(Incident::NvlinkCrc).link(3),
            Fault::everywhere()
                .gpu(0)
                .incident(Incident::NvlinkReplay)
                .link(9),
            Fault::everywhere().gpu(0).incident(Incident::NvlinkRecovery),
        ],
    );
    let device = gpu(&world, 0);
    let counted = |fields: &[u32]| {
        fields
            .iter()
            .map(|field| long(&device, *field, 0))
            .collect::<Vec<_>>()
    };
    assert_eq!(counted(&[34, 35, 36, 38, 99]), [0, 1, 0, 1, 0]);
    assert_eq!(counted(&[39, 45, 160]), [0, 0, 0]);
    assert_eq!(counted(&[49, 52, 110, 111, 112]), [0, 1, 0, 1, 0]);
    assert_eq!(counted(&[53, 58, 59, 114, 119]), [1, 1, 18, 1, 1]);
    assert_eq!(
        (
            long(&device, 163, 3),
            long(&device, 163, 4),
            long(&device, 163, ALL)
        ),
        (1, 0, 1)
    );
    assert_eq!(
        (
            long(&device, 161, 9),
            long(&device, 162, 17),
            long(&device, 162, ALL)
        ),
        (1, 1, 18)
    );
    let other = gpu(&world, 1);
    assert_eq!((long(&other, 38, 0), long(&other, 59, 0)), (0, 0));
}

#[test]
fn a_link_that_is_down_carries_nothing() {
    let down = Values {
        nvlink_down: Some(vec![2, 5]),
        ..Values::default()
    };
    let world = node("h100-sxm-8", &[Fault::everywhere().gpu(0).values(down)]);
    let (device, truth) = (gpu(&world, 0), truth(&world, 0));
    assert_eq!(read(&device, 165, 2), Ok(Value::Int(0)));
    assert_eq!(read(&device, 165, 3), Ok(Value::Int(1)));
    assert_eq!(
        (long(&device, 138, 5), long(&device, 138, 6)),
        (0, truth.nvlink_tx_bytes >> 10)
    );
    assert_eq!(long(&device, 138, ALL), (16 * truth.nvlink_tx_bytes) >> 10);
}

#[test]
fn pcie_byte_counters_wrap_where_the_profile_says_so() {
    let text = "extends = \"t4\"\n[gpu]\npcie.counter_bits = 32";
    let world = World::of(Profile::parse("own", text).unwrap(), AGE, &[]);
    let (device, truth) = (gpu(&world, 0), truth(&world, 0));
    assert!(
        truth.pcie_tx_bytes > u64::from(u32::MAX),
        "the counter has wrapped before"
    );
    assert_eq!(long(&device, 197, 0), truth.pcie_tx_bytes % (1 << 32));
    assert_eq!(long(&device, 198, 0), truth.pcie_rx_bytes % (1 << 32));
    let whole = node("t4", &[]);
    assert_eq!(long(&gpu(&whole, 0), 197, 0), truth.pcie_tx_bytes);
}

#[test]
fn incidents_grow_at_their_rate_and_leave_their_mark() {
    let replays = Fault::everywhere().incident(Incident::PcieReplay);
    let world = node("t4", &[replays.clone().per_second(1_000), replays.start(AGE)]);
    let replays = || match read(&gpu(&world, 0), 94, 0) {
        Ok(Value::Int(replays)) => replays,
        other => panic!("{other:?}"),
    };
    let first = replays();
    sleep(Duration::from_millis(50));
    let second = replays();
    assert!(first >= 1 && second >= first + 50, "{first}, {second}");

    let limit = Duration::from_millis(10);
    let over = Fault::everywhere()
        .incident(Incident::EccDoubleBit)
        .per_second(1_000)
        .stop(limit);
    let world = node("t4", &[over]);
    sleep(3 * limit);
    assert_eq!(long(&gpu(&world, 0), 4, 0), 11, "what is over stays counted");
    assert_eq!(long(&gpu(&world, 0), 30, 0), 11);
    assert_eq!(read(&gpu(&world, 0), 31, 0), Ok(Value::Int(1)));
    assert_eq!(
        read(&gpu(&world, 0), 230, 0),
        Ok(Value::Int(4)),
        "drain and reset"
    );
}

#[test]
fn broken_memory_has_its_rows_remapped_once_the_gpu_is_reset() {
    let broken = Fault::everywhere().gpu(1).incident(Incident::EccDoubleBit);
    let world = node("h100-sxm-8", &[broken]);
    let read_all = |gpu: &Device| [143, 144, 145, 230].map(|field| read(gpu, field, 0).unwrap());
    assert_eq!(read_all(&gpu(&world, 1)), [1, 1, 0, 4].map(Value::Int));
    assert_eq!(read_all(&gpu(&world, 0)), [0, 0, 0, 0].map(Value::Int));
    assert_eq!(read(&gpu(&world, 1), 30, 0), Err(Code::NOT_SUPPORTED));

    let said = Values {
        remapped_corrected: Some(3),
        remapping_pending: Some(false),
        remapping_failed: Some(true),
        recovery_action: Some(1),
        ..Values::default()
    };
    let world = node("h100-sxm-8", &[Fault::everywhere().values(said)]);
    let device = gpu(&world, 0);
    let said = [142, 143, 144, 145, 230].map(|field| read(&device, field, 0).unwrap());
    assert_eq!(said, [3, 0, 0, 1, 1].map(Value::Int));
}

#[test]
fn older_numbers_of_a_reading_say_what_the_newer_ones_say() {
    let world = node("h100-sxm-8", &[]);
    let (device, truth) = (gpu(&world, 0), truth(&world, 0));
    let ints = |fields: &[u32]| {
        let values = fields.iter().map(|field| read(&device, *field, 0));
        values.collect::<Result<Vec<_>, _>>()
    };
    let speed = Value::Int(world.profile.gpus[0].nvlink.as_ref().unwrap().speed_mbps);
    assert_eq!(ints(&[84, 89, 132, 137, 164]), Ok(vec![speed; 5]));
    assert_eq!(ints(&[147]), Ok(vec![Value::Int(18)]));
    assert_eq!(ints(&[301, 302]), Ok(vec![Value::Int(0); 2]));
    assert_eq!(long(&device, 74, 0), truth.power_violation_ns);
    assert_eq!(
        long(&device, 80, 0),
        truth.power_violation_ns + truth.thermal_violation_ns
    );
    assert!(truth.power_violation_ns > 0);
    assert!(read(&device, 193, 0).is_ok());
    let older = node("a100-pcie-4", &[]);
    let older = gpu(&older, 0);
    assert_eq!(
        read(&older, 193, 0),
        Err(Code::NOT_SUPPORTED),
        "margins came with Ada"
    );
    let without = node("l40s-4", &[]);
    assert_eq!(read(&gpu(&without, 0), 84, 0), Err(Code::NOT_SUPPORTED));
    let broken = node("t4", &[Fault::everywhere().incident(Incident::EccDoubleBit)]);
    let broken = gpu(&broken, 0);
    assert_eq!(
        (read(&broken, 92, 0), read(&broken, 93, 0)),
        (Ok(Value::Int(0)), Ok(Value::Int(1)))
    );
}
