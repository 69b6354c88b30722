//! NVLinks that go down and come up, and calls about them that fail.

use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};

use super::{gpu, look::at, quick, steady, until, watch::Watch};
use crate::support::eventually;

#[test]
fn a_link_goes_down_comes_up_and_counts_on() {
    let down = |links: &[u32]| {
        Fault::everywhere().gpu(0).values(Values {
            nvlink_down: Some(links.to_vec()),
            ..Values::default()
        })
    };
    // Link 3 is down from the start, which must not keep it from being read later.
    let simulator = steady().faults(&[down(&[3])]).start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let first = gpu(&agent, 0);
    assert_eq!(first["nvlink"]["active_links"], 17);
    let link = &first["nvlink"]["links"][3];
    assert_eq!(link["state"], "down");
    for key in ["sent_bytes_total", "speed_mbps", "version", "remote_pci_bus_id"] {
        assert_eq!(first["unavailable"][format!("nvlink.links.3.{key}")], "not_ready");
    }
    simulator.clear_faults().unwrap();
    let mut watch = Watch::default();
    let up = watch.until(&agent, "all of it is up and read", |gpu| {
        let link = &gpu["nvlink"]["links"][3];
        gpu["nvlink"]["active_links"] == 18 && link["sent_bytes_per_second"].is_number()
    });
    let link = &up["nvlink"]["links"][3];
    for key in [
        "speed_mbps",
        "sent_bytes_total",
        "received_bytes_total",
        "crc_errors_total",
        "replay_errors_total",
        "recovery_errors_total",
    ] {
        assert!(link[key].is_number(), "{key}: {link}");
    }
    assert_eq!(link["remote_type"], "switch");
    simulator.set_faults(&[down(&[0, 5])]).unwrap();
    let less = watch.until(&agent, "two are down", |gpu| gpu["nvlink"]["active_links"] == 16);
    assert!(
        less["nvlink"]["sent_bytes_per_second"].is_number(),
        "the others carry on: {}",
        less["unavailable"]
    );
    simulator.clear_faults().unwrap();
    watch.until(&agent, "they are up again", |gpu| {
        gpu["nvlink"]["active_links"] == 18 && at(gpu, "nvlink.links.0.sent_bytes_total").is_number()
    });
    watch.samples(&agent, 3);
}

#[test]
fn what_a_link_is_is_asked_for_again_where_the_call_failed() {
    let simulator = steady()
        .faults(&[Fault::on("nvmlDeviceGetNvLinkVersion").gpu(0).returns(999)])
        .start()
        .unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let first = gpu(&agent, 0);
    assert_eq!(first["unavailable"]["nvlink.links.0.version"], "error");
    simulator.clear_faults().unwrap();
    until(&agent, 0, "the version is there", |gpu| {
        at(gpu, "nvlink.links.0.version") == "4.0"
    });
    let asked = simulator.calls("nvmlDeviceGetNvLinkVersion", Some(0));
    let ticks = simulator.calls("nvmlDeviceGetPowerUsage", Some(0));
    eventually(
        "ten ticks",
        || simulator.calls("nvmlDeviceGetPowerUsage", Some(0)),
        |now| *now >= ticks + 10,
    );
    let more = simulator.calls("nvmlDeviceGetNvLinkVersion", Some(0)) - asked;
    assert!(more <= 18, "{more} calls for what is known");
}

#[test]
fn a_switch_that_is_no_pci_device_has_no_address_and_is_asked_for_it_once() {
    let simulator = Simulator::start("b200-8").unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let watched = |call: &str| simulator.calls(call, Some(0));
    let ticks = watched("nvmlDeviceGetPowerUsage");
    eventually(
        "ten ticks",
        || watched("nvmlDeviceGetPowerUsage"),
        |now| *now >= ticks + 10,
    );
    let gpu = gpu(&agent, 0);
    for link in 0..18 {
        let path = format!("nvlink.links.{link}");
        assert_eq!(at(&gpu, &format!("{path}.remote_type")), "switch");
        assert_eq!(
            gpu["unavailable"][format!("{path}.remote_pci_bus_id")],
            "not_supported"
        );
    }
    assert_eq!(watched("nvmlDeviceGetNvLinkRemotePciInfo_v2"), 18);
    let body = eventually(
        "the topology is read",
        || agent.json("/api/v1/topology"),
        |body| {
            body["pairs"]
                .as_array()
                .is_some_and(|pairs| !pairs.is_empty() && pairs.iter().all(|pair| !pair["nvlinks"].is_null()))
        },
    );
    assert_eq!(body["pairs"][0]["nvlinks"], 18, "they join GPUs all the same");
}

#[test]
fn one_link_that_does_not_say_its_state_makes_no_sum_of_the_rest() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    // The first link answers, some of the others do not: the number of links that are up is not known.
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetNvLinkState")
            .gpu(0)
            .probability(0.2)
            .returns(999)])
        .unwrap();
    let torn = until(&agent, 0, "a link fails and the first does not", |gpu| {
        gpu["nvlink"]["links"]
            .as_array()
            .is_some_and(|links| links.iter().any(|link| link["state"].is_null()))
    });
    for path in ["nvlink.active_links", "nvlink.sent_bytes_per_second"] {
        assert_eq!(torn["unavailable"][path], "error", "{path}: {}", at(&torn, path));
    }
    simulator.clear_faults().unwrap();
    until(&agent, 0, "all answer", |gpu| gpu["nvlink"]["active_links"] == 18);
}
