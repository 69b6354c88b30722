//! What happens to the hardware reaches a client as counters and as events.

use std::thread;
use std::time::Duration;

use nvml_sim::faults::{Fault, Incident, Values};
use nvml_sim::testing::Simulator;
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enum_wrappers::device::{EccCounter, MemoryError, MemoryLocation, RetirementCause};
use nvml_wrapper::enum_wrappers::nv_link::ErrorCounter;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::{Device, Nvml};

/// Long enough for a process to notice a new list of faults.
const NOTICED: Duration = Duration::from_millis(50);

fn start(profile: &str) -> (Simulator, Nvml) {
    let simulator = Simulator::start(profile).expect("the simulator starts");
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .expect("the library initialises");
    (simulator, nvml)
}

fn set(simulator: &Simulator, faults: &[Fault]) {
    simulator.set_faults(faults).expect("the faults make sense");
    thread::sleep(NOTICED);
}

fn happens(incident: Incident) -> Fault {
    Fault::everywhere().gpu(0).incident(incident)
}

fn field(device: &Device, id: u32) -> i64 {
    use nvml_wrapper::enums::device::SampleValue;
    let mut answers = device
        .field_values_for(&[FieldId(id)])
        .expect("fields are answered");
    let answer = answers.remove(0).and_then(|answer| answer.value);
    match answer.expect("the field has a value") {
        SampleValue::U32(value) => i64::from(value),
        SampleValue::U64(value) => i64::try_from(value).expect("counters are small"),
        other => panic!("field {id}: {other:?}"),
    }
}

#[test]
fn memory_errors_are_counted_and_reported() {
    let (simulator, nvml) = start("h100-sxm-8");
    let device = nvml.device_by_index(0).unwrap();
    let wanted = EventTypes::SINGLE_BIT_ECC_ERROR | EventTypes::DOUBLE_BIT_ECC_ERROR;
    let events = device
        .register_events(wanted, nvml.create_event_set().unwrap())
        .unwrap();
    let count = |kind, counter| device.total_ecc_errors(kind, counter).unwrap();
    let before = count(MemoryError::Corrected, EccCounter::Aggregate);
    assert_eq!(count(MemoryError::Corrected, EccCounter::Volatile), 0);
    assert!(matches!(events.wait(20), Err(NvmlError::Timeout)));

    set(&simulator, &[happens(Incident::EccSingleBit)]);
    let event = events.wait(1_000).unwrap();
    assert_eq!(event.event_type, EventTypes::SINGLE_BIT_ECC_ERROR);
    assert!(matches!(events.wait(20), Err(NvmlError::Timeout)), "once is once");
    assert_eq!(count(MemoryError::Corrected, EccCounter::Volatile), 1);
    assert_eq!(count(MemoryError::Corrected, EccCounter::Aggregate), before + 1);
    assert_eq!(count(MemoryError::Uncorrected, EccCounter::Volatile), 0);

    let broken = happens(Incident::EccDoubleBit).xid(48);
    set(&simulator, &[happens(Incident::EccSingleBit), broken]);
    let event = events.wait(1_000).unwrap();
    assert_eq!(
        event.event_type,
        EventTypes::DOUBLE_BIT_ECC_ERROR,
        "XIDs are not registered for"
    );
    assert_eq!(count(MemoryError::Uncorrected, EccCounter::Aggregate), 1);
    assert_eq!(
        count(MemoryError::Corrected, EccCounter::Volatile),
        1,
        "the first fault is not new"
    );
    let of_memory = device.memory_error_counter(
        MemoryError::Uncorrected,
        EccCounter::Volatile,
        MemoryLocation::Device,
    );
    assert_eq!(of_memory.unwrap(), 1);
    assert_eq!([143, 144, 145, 230].map(|id| field(&device, id)), [1, 1, 0, 4]);
    assert!(device.retired_pages(RetirementCause::DoubleBitEccError).is_err());
    let healthy = nvml.device_by_index(1).unwrap();
    assert_eq!(
        healthy
            .total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile)
            .unwrap(),
        0
    );
    assert_eq!([143, 144, 230].map(|id| field(&healthy, id)), [0, 0, 0]);
}

#[test]
fn one_fault_can_be_two_events() {
    let (simulator, nvml) = start("t4");
    let device = nvml.device_by_index(0).unwrap();
    let all = EventTypes::DOUBLE_BIT_ECC_ERROR | EventTypes::CRITICAL_XID_ERROR;
    let events = device
        .register_events(all, nvml.create_event_set().unwrap())
        .unwrap();
    set(&simulator, &[happens(Incident::EccDoubleBit).xid(48)]);
    let kinds = [events.wait(1_000), events.wait(1_000)].map(|event| event.unwrap().event_type);
    assert!(kinds.contains(&EventTypes::DOUBLE_BIT_ECC_ERROR));
    assert!(kinds.contains(&EventTypes::CRITICAL_XID_ERROR));
    assert!(matches!(events.wait(20), Err(NvmlError::Timeout)));
}

#[test]
fn an_older_chip_retires_pages() {
    let (simulator, nvml) = start("t4");
    let device = nvml.device_by_index(0).unwrap();
    assert!(
        device
            .retired_pages(RetirementCause::DoubleBitEccError)
            .unwrap()
            .is_empty()
    );
    assert!(!device.are_pages_pending_retired().unwrap());
    set(&simulator, &[happens(Incident::EccDoubleBit)]);
    let pages = device.retired_pages(RetirementCause::DoubleBitEccError).unwrap();
    assert_eq!(pages.len(), 1);
    assert!(pages[0].address < device.memory_info().unwrap().total);
    assert!(device.are_pages_pending_retired().unwrap());
    assert_eq!([29, 30, 31].map(|id| field(&device, id)), [0, 1, 1]);

    let values = Values {
        retired_single_bit: Some(2),
        retired_double_bit: Some(7),
        retirement_pending: Some(false),
        ..Values::default()
    };
    set(&simulator, &[Fault::everywhere().values(values)]);
    let retired = |cause| device.retired_pages(cause).unwrap();
    assert_eq!(retired(RetirementCause::MultipleSingleBitEccErrors).len(), 2);
    let mut addresses: Vec<_> = retired(RetirementCause::DoubleBitEccError)
        .iter()
        .map(|p| p.address)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 7, "no page is retired twice");
    assert!(!device.are_pages_pending_retired().unwrap());
}

#[test]
fn changes_of_clocks_and_states_are_events() {
    let (simulator, nvml) = start("h100-sxm-8");
    let device = nvml.device_by_index(0).unwrap();
    let all = EventTypes::CLOCK_CHANGE | EventTypes::PSTATE_CHANGE;
    let events = device
        .register_events(all, nvml.create_event_set().unwrap())
        .unwrap();
    let often = happens(Incident::Clock).per_second(100);
    set(&simulator, &[often, happens(Incident::PerformanceState)]);
    let kinds: Vec<_> = (0..20).map(|_| events.wait(1_000).unwrap().event_type).collect();
    let states = kinds
        .iter()
        .filter(|kind| **kind == EventTypes::PSTATE_CHANGE)
        .count();
    assert_eq!(states, 1, "{kinds:?}");
    assert!(kinds.iter().all(|kind| all.contains(*kind)));
}

#[test]
fn memory_without_ecc_has_no_errors_to_report() {
    let (simulator, nvml) = start("rtx-4090");
    let device = nvml.device_by_index(0).unwrap();
    let events = nvml.create_event_set().unwrap();
    let events = device
        .register_events(EventTypes::SINGLE_BIT_ECC_ERROR, events)
        .unwrap();
    set(&simulator, &[happens(Incident::EccSingleBit)]);
    assert!(matches!(events.wait(100), Err(NvmlError::Timeout)));
    assert!(
        device
            .total_ecc_errors(MemoryError::Corrected, EccCounter::Volatile)
            .is_err()
    );
}

#[test]
fn links_count_their_errors_and_go_down() {
    let (simulator, nvml) = start("b200-8");
    let device = nvml.device_by_index(0).unwrap();
    let errors = |link, counter| device.link_wrapper_for(link).error_counter(counter).unwrap();
    set(
        &simulator,
        &[
            happens(Incident::NvlinkCrc).link(3),
            happens(Incident::NvlinkReplay).per_second(1_000).link(4),
            happens(Incident::NvlinkRecovery),
        ],
    );
    assert_eq!(errors(3, ErrorCounter::DlCrcFlit), 1);
    assert_eq!(errors(2, ErrorCounter::DlCrcFlit), 0);
    let first = errors(4, ErrorCounter::DlReplay);
    thread::sleep(Duration::from_millis(20));
    let second = errors(4, ErrorCounter::DlReplay);
    assert!(first >= 1 && second >= first + 20, "{first}, {second}");
    assert!((0..18).all(|link| errors(link, ErrorCounter::DlRecovery) == 1));

    let down = Values {
        nvlink_down: Some(vec![11]),
        ..Values::default()
    };
    set(
        &simulator,
        &[Fault::on("nvmlDeviceGetNvLink*").gpu(0).values(down)],
    );
    let up = |device: &Device, link| device.link_wrapper_for(link).is_active().unwrap();
    assert!(!up(&device, 11) && up(&device, 10));
    assert!(device.link_wrapper_for(11).remote_pci_info().is_err());
    assert!(up(&nvml.device_by_index(1).unwrap(), 11));
}

#[test]
fn pcie_replays_grow_and_byte_counters_wrap() {
    let simulator = Simulator::builder("t4")
        .overrides("gpu.pcie.counter_bits = 32")
        .unwrap()
        .start()
        .unwrap();
    let nvml = Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .unwrap();
    let device = nvml.device_by_index(0).unwrap();
    assert_eq!(device.pcie_replay_counter().unwrap(), 0);
    let truth = simulator.truth(0).unwrap();
    assert!(truth.pcie_tx_bytes > u64::from(u32::MAX));
    assert!(field(&device, 197) <= i64::from(u32::MAX) && field(&device, 198) <= i64::from(u32::MAX));
    set(&simulator, &[happens(Incident::PcieReplay).per_second(500)]);
    let first = device.pcie_replay_counter().unwrap();
    thread::sleep(Duration::from_millis(50));
    let second = device.pcie_replay_counter().unwrap();
    assert!(first >= 1 && second >= first + 20, "{first}, {second}");
}
