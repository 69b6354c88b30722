//! What is read once per initialisation: with its reasons as well, and asked for again where they may pass.

use nvml_sim::{faults::Fault, testing::Simulator};

use super::{absences, gpu, look::at, quick, steady, until};

/// A call of the probe, and what comes from it.
const CALLS: [(&str, &str); 12] = [
    ("nvmlDeviceGetName", "identity.name"),
    ("nvmlDeviceGetBrand", "identity.brand"),
    ("nvmlDeviceGetArchitecture", "identity.architecture"),
    ("nvmlDeviceGetSerial", "identity.serial"),
    ("nvmlDeviceGetVbiosVersion", "identity.vbios_version"),
    ("nvmlDeviceGetPciInfo_v3", "identity.pci_bus_id"),
    ("nvmlDeviceGetModuleId", "identity.module_id"),
    ("nvmlDeviceGetMinorNumber", "identity.minor_number"),
    ("nvmlDeviceGetTemperatureThreshold", "limits.shutdown_celsius"),
    (
        "nvmlDeviceGetPowerManagementLimitConstraints",
        "limits.power_max_watts",
    ),
    ("nvmlDeviceGetMaxClockInfo", "limits.sm_max_mhz"),
    ("nvmlDeviceGetMaxPcieLinkWidth", "limits.pcie_width_max"),
];

fn each_fact_has_its_reason(fail: impl Fn(Fault) -> Fault, reason: &str, passes: bool) {
    let faults: Vec<_> = CALLS
        .iter()
        .map(|(call, _)| fail(Fault::on(*call).gpu(1)))
        .collect();
    let simulator = steady().faults(&faults).start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let (sick, well) = (gpu(&agent, 1), gpu(&agent, 0));
    for (call, path) in CALLS {
        assert_eq!(absences(&sick)[path], reason, "{call}");
        assert!(at(&sick, path).is_null(), "{call}");
        assert!(!absences(&well).contains_key(path), "{call}: the other GPU");
    }
    assert_eq!(sick["state"], "ok");
    assert!(sick["identity"]["cores"].is_number(), "{}", sick["unavailable"]);
    simulator.clear_faults().unwrap();
    if passes {
        until(&agent, 1, "what passed is asked for again", |gpu| {
            CALLS.iter().all(|(_, path)| !at(gpu, path).is_null())
        });
    } else {
        let asked = || simulator.calls("nvmlDeviceGetName", Some(1));
        let before = (asked(), simulator.calls("nvmlDeviceGetComputeMode", Some(1)));
        until(&agent, 1, "the slow clock beats on", |_| {
            simulator.calls("nvmlDeviceGetComputeMode", Some(1)) >= before.1 + 3
        });
        assert_eq!(asked(), before.0, "what lasts is asked for once");
    }
}

#[test]
fn a_reason_that_lasts() {
    each_fact_has_its_reason(|fault| fault.returns(3), "not_supported", false);
    each_fact_has_its_reason(Fault::missing_symbol, "function_not_found", false);
}

#[test]
fn a_reason_that_may_pass() {
    for (code, reason) in [
        (4, "no_permission"),
        (10, "timeout"),
        (27, "not_ready"),
        (999, "error"),
    ] {
        each_fact_has_its_reason(|fault| fault.returns(code), reason, true);
    }
}

#[test]
fn what_was_known_stays_known_while_the_rest_is_asked_for_again() {
    let refused = Fault::on("nvmlDeviceGetSerial").gpu(1).returns(4);
    let simulator = steady().faults(std::slice::from_ref(&refused)).start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let known = gpu(&agent, 1);
    assert_eq!(known["unavailable"]["identity.serial"], "no_permission");
    let asked = |simulator: &Simulator| simulator.calls("nvmlDeviceGetName", Some(1));
    let failing = CALLS.map(|(call, _)| Fault::on(call).gpu(1).returns(999));
    let faults: Vec<_> = std::iter::once(refused).chain(failing).collect();
    simulator.set_faults(&faults).unwrap();
    let before = asked(&simulator);
    let later = until(&agent, 1, "it is asked for again, in vain", |_| {
        asked(&simulator) >= before + 5
    });
    for (call, path) in CALLS.iter().filter(|(call, _)| *call != "nvmlDeviceGetSerial") {
        assert_eq!(at(&later, path), at(&known, path), "{call}");
        assert!(!at(&later, path).is_null(), "{call}");
    }
    assert_eq!(later["unavailable"]["identity.serial"], "no_permission");
    simulator.clear_faults().unwrap();
    until(&agent, 1, "the rest is there", |gpu| {
        !gpu["identity"]["serial"].is_null()
    });
}
