//! Who is on a GPU: as many as are wanted, as much of each as is permitted, and only while it lives.

use std::process::{Child, Command, Stdio};

use nvml_sim::faults::{Fault, Values};
use serde_json::{Value, json};

use super::{gpu, quick, steady, until};

/// A process of this host, with arguments. Ended when dropped.
struct Real(Child);

impl Real {
    fn start() -> Self {
        let mut command = Command::new("/bin/sleep");
        command
            .args(["3600", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.end();
    }
}

fn on_gpu(pids: &[u32]) -> Fault {
    Fault::everywhere().gpu(0).values(Values {
        pids: Some(pids.to_vec()),
        ..Values::default()
    })
}

fn of_pid(gpu: &Value, pid: u32) -> Value {
    let list = gpu["processes"]["processes"].as_array();
    let mut list = list.into_iter().flatten();
    list.find(|of| of["pid"] == pid).cloned().unwrap_or_default()
}

#[test]
fn a_process_is_known_while_it_lives() {
    let mut real = Real::start();
    let simulator = steady().faults(&[on_gpu(&[real.pid()])]).start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let pid = real.pid();
    let alive = of_pid(&gpu(&agent, 0), pid);
    assert_eq!(alive["identity"], "found", "{alive}");
    assert!(
        alive["started_at"].is_string() && alive["user_id"].is_number(),
        "{alive}"
    );
    assert!(
        alive["executable"]
            .as_str()
            .is_some_and(|path| path.starts_with('/')),
        "{alive}"
    );
    real.end();
    let dead = until(&agent, 0, "it is gone from the host", |gpu| {
        of_pid(gpu, pid)["identity"] == "not_here"
    });
    let dead = of_pid(&dead, pid);
    for key in ["started_at", "user", "user_id", "executable"] {
        assert!(dead[key].is_null(), "{key} of a dead process: {dead}");
    }
    assert!(
        dead["memory_used_bytes"].is_number(),
        "the driver still lists it: {dead}"
    );
    simulator.clear_faults().unwrap();
    let body = until(&agent, 0, "it is gone from the GPU", |gpu| {
        of_pid(gpu, pid).is_null()
    });
    assert_eq!(body["processes"]["count"], 1);
}

#[test]
fn command_lines_are_kept_as_far_as_permitted() {
    let real = Real::start();
    let pid = real.pid();
    let simulator = steady().faults(&[on_gpu(&[pid])]).start().unwrap();
    let full = json!(["/bin/sleep", "3600", "0"]);
    for (policy, command, reason) in [
        (None, json!(["/bin/sleep"]), Value::Null),
        (Some("full"), full, Value::Null),
        (Some("off"), Value::Null, json!("disabled")),
    ] {
        let mut builder = quick(&simulator);
        if let Some(policy) = policy {
            builder = builder.variable("GPULSE_SAMPLER__COMMAND_LINES", policy);
        }
        let agent = builder.start();
        agent.wait_until_ready();
        let body = gpu(&agent, 0);
        assert_eq!(of_pid(&body, pid)["command"], command, "{policy:?}");
        assert_eq!(
            body["unavailable"]
                .get("processes.processes.0.command")
                .cloned()
                .unwrap_or_default(),
            reason,
            "{policy:?}"
        );
        if policy != Some("full") {
            let text = body.to_string();
            assert!(!text.contains("\"3600\""), "{policy:?}: an argument is shown");
        }
    }
}

#[test]
fn those_beyond_the_number_wanted_are_summed() {
    let simulator = steady()
        .faults(&[on_gpu(&[4_000_001, 4_000_002, 4_000_003, 4_000_004])])
        .start()
        .unwrap();
    let all = quick(&simulator).start();
    all.wait_until_ready();
    let all = gpu(&all, 0)["processes"].clone();
    assert_eq!((&all["count"], &all["other"]["count"]), (&json!(4), &json!(0)));
    let mut held: Vec<_> = all["processes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["memory_used_bytes"].as_u64().unwrap())
        .collect();
    held.sort_unstable();
    let few = quick(&simulator)
        .variable("GPULSE_SAMPLER__MAX_PROCESSES", "2")
        .start();
    few.wait_until_ready();
    let few = gpu(&few, 0)["processes"].clone();
    assert_eq!((&few["count"], &few["other"]["count"]), (&json!(4), &json!(2)));
    assert_eq!(few["processes"].as_array().unwrap().len(), 2);
    assert_eq!(
        few["other"]["memory_used_bytes"],
        json!(held[0] + held[1]),
        "those with the least: {held:?}"
    );
    assert_eq!(few["other"]["without_memory"], 0);
}
