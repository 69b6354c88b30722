//! What tests show: the very examples that the API's document has, and hosts made of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    action::Action,
    app::{State, update},
    body::{self, Events},
    frame::{Delivery, Frame},
    look::{Colors, Look},
};

/// The examples, as the API's document has them.
pub(crate) const ONE_GPU: &str = include_str!("../../api/src/openapi/examples/one_gpu.json");
pub(crate) const PROCESSES: &str = include_str!("../../api/src/openapi/examples/processes.json");
pub(crate) const EVENTS: &str = include_str!("../../api/src/openapi/examples/events.json");
pub(crate) const HOST: &str = include_str!("../../api/src/openapi/examples/host.json");

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// `/api/v1/gpus` of a host with so many GPUs: the second one hangs and the third one is lost.
pub(crate) fn gpus(count: usize) -> Value {
    let gpu = |index: usize| {
        let mut gpu = json(ONE_GPU);
        gpu["index"] = json!(index);
        gpu["uuid"] = json!(format!("GPU-{index:08}-0000-0000-0000-000000000000"));
        gpu["load"]["gpu_percent"] = json!(index * 37 % 101);
        gpu["memory"]["used_bytes"] = json!((index as u64 * 11 % 81) << 30);
        let error = |call: &str, message: &str| json!({"reason": "timeout", "call": call, "message": message, "at": "2027-01-15T07:59:30Z"});
        if index == 1 {
            gpu["state"] = json!("hung");
            gpu["state_since"] = json!("2027-01-15T07:59:30Z");
            gpu["sampled_at"] = json!("2027-01-15T07:59:28Z");
            gpu["last_error"] = error("nvmlDeviceGetPowerUsage", "no answer within 2 s");
        }
        if index == 2 {
            let last_error = error("nvmlDeviceGetPowerUsage", "the GPU fell off the bus");
            let reasons: Vec<_> = ["load", "memory", "power", "thermal", "clocks", "pcie", "nvlink"]
                .map(|group| (group, "gpu_lost"))
                .into();
            let reasons: serde_json::Map<String, Value> = reasons
                .into_iter()
                .map(|(group, reason)| (group.to_owned(), json!(reason)))
                .collect();
            gpu = json!({
                "index": index, "uuid": gpu["uuid"], "state": "lost", "state_since": "2027-01-15T07:00:00Z",
                "sampled_at": null, "last_error": last_error, "identity": gpu["identity"], "load": {"gpu_percent": null},
                "unavailable": reasons,
            });
        }
        gpu
    };
    let gpus: Vec<Value> = (0..count).map(gpu).collect();
    json!({"generation": 1, "published_at": "2027-01-15T08:00:00Z", "gpus": gpus})
}

/// `/api/v1/processes` with some more of them.
pub(crate) fn processes() -> Value {
    let mut body = json(PROCESSES);
    let mut more = body["processes"][0].clone();
    more["pid"] = json!(77);
    more["command"] = json!(["/usr/bin/ffmpeg", "-i", "in.mp4"]);
    more["kinds"] = json!(["graphics", "compute"]);
    more["user"] = json!("grace");
    more["container_id"] = json!(null);
    more["memory_used_bytes"] = json!(1_u64 << 30);
    more["sm_percent"] = json!(null);
    more["started_at"] = json!("2027-01-15T07:00:00Z");
    let mut job = more.clone();
    job["pid"] = json!(1300);
    job["slurm_job_id"] = json!(123);
    job["command"] = json!([]);
    job["name"] = json!("lmp");
    job["user"] = json!("ada");
    job["memory_used_bytes"] = json!(null);
    let list = body["processes"].as_array_mut().unwrap();
    list.extend([more, job]);
    body
}

/// A look at such a host.
pub(crate) fn frame(count: usize) -> Frame {
    let events: Events = body::read("events", json(EVENTS)).unwrap();
    Frame {
        host: body::read("host", json(HOST)).unwrap(),
        gpus: body::read("gpus", gpus(count)).unwrap(),
        processes: body::read("processes", processes()).unwrap(),
        events: Arc::new(events.events),
        parents: Default::default(),
        received: Instant::now(),
    }
}

/// What nobody may do in most tests.
pub(crate) fn no_kill() -> Result<(), String> {
    Err("ending processes is off".to_owned())
}

/// Screens over nothing yet.
pub(crate) fn empty(colors: Colors, ascii: bool) -> State {
    let look = Look { colors, ascii };
    State::new(look, "this host".to_owned(), Duration::from_secs(1), no_kill())
}

/// Screens over such a host, a moment after it was seen.
pub(crate) fn state(count: usize) -> State {
    let mut state = empty(Colors::None, false);
    show(&mut state, frame(count));
    state
}

/// Shows a frame. No time passes.
pub(crate) fn show(state: &mut State, frame: Frame) {
    state.now = frame.received;
    update(state, Action::Deliver(Delivery::Seen(Box::new(frame), None)));
}
