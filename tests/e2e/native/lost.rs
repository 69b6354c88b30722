//! A GPU that is lost: whichever call says so, nothing of it is shown, and nothing of the others is missing.

use nvml_sim::faults::Fault;
use serde_json::Value;

use super::{GROUPS, absences, gpu, quick, steady, until};

#[test]
fn one_call_that_says_so_is_enough_whichever_it_is() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    for (group, call) in GROUPS {
        simulator
            .set_faults(&[Fault::on(call).gpu(1).returns(15)])
            .unwrap();
        let lost = until(&agent, 1, call, |gpu| gpu["state"] == "lost");
        for (other, _) in GROUPS {
            assert_eq!(lost["unavailable"][other], "gpu_lost", "{group}: {other}");
        }
        let told = lost["last_error"]["call"].as_str().unwrap();
        assert!(told.starts_with(call), "{group}: {told} is not {call}");
        assert_eq!(lost["identity"]["name"], "NVIDIA H100 80GB HBM3", "{group}");
        let well = gpu(&agent, 0);
        assert_eq!(well["state"], "ok", "{group}");
        assert!(
            !absences(&well).values().any(|reason| reason == "gpu_lost"),
            "{group}: {}",
            well["unavailable"]
        );
        simulator.clear_faults().unwrap();
        until(&agent, 1, "it is back", |gpu| {
            gpu["state"] == "ok" && gpu["last_error"] == Value::Null
        });
    }
}
