//! Which pods hold which GPUs, with a kubelet that comes, goes, hangs and talks nonsense: the pods are told where they can
//! be, and the GPUs are read as ever.

use std::path::PathBuf;

use nvml_sim::testing::Simulator;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Agent, AgentBuilder, eventually,
    kubelet::{Answer, FakeKubelet, holder},
    simulator,
};

/// A node: GPUs, an agent, and a place for a kubelet.
struct Node {
    simulator: Simulator,
    directory: TempDir,
    agent: Agent,
}

impl Node {
    fn start(profile: &str, interval: &str) -> Self {
        let simulator = simulator(profile);
        let directory = TempDir::new().unwrap();
        let socket = directory.path().join("kubelet.sock");
        let agent = AgentBuilder::over(simulator.library_path())
            .argument("--log-level")
            .argument("info")
            .variable(
                "GPULSE_KUBERNETES__POD_RESOURCES_SOCKET",
                &socket.display().to_string(),
            )
            .variable("GPULSE_KUBERNETES__INTERVAL", interval)
            .variable("GPULSE_KUBERNETES__RESOURCE_NAMES", "[\"example.com/gpu-*\"]")
            .start();
        agent.wait_until_ready();
        Self {
            simulator,
            directory,
            agent,
        }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("kubelet.sock")
    }

    fn kubelet(&self, answer: Answer) -> FakeKubelet {
        FakeKubelet::at(&self.socket(), answer)
    }

    /// The UUID of each GPU.
    fn uuids(&self) -> Vec<String> {
        let body = self.agent.json("/api/v1/gpus?fields=uuid");
        let gpus = body["gpus"].as_array().unwrap().iter();
        gpus.map(|gpu| gpu["uuid"].as_str().unwrap().to_owned()).collect()
    }

    /// Names of the pods of each GPU; null where they are not known.
    fn pods(&self) -> Value {
        let body = self.agent.json("/api/v1/gpus");
        let of = |gpu: &Value| match gpu["pods"].as_array() {
            None => Value::Null,
            Some(pods) => pods.iter().map(|holder| holder["pod"].clone()).collect(),
        };
        body["gpus"].as_array().unwrap().iter().map(of).collect()
    }

    #[track_caller]
    fn wait_for_pods(&self, expected: &Value) {
        eventually("the pods are told", || self.pods(), |pods| pods == expected);
    }

    /// What is said of Kubernetes in `/api/v1/host`, once it has this reason.
    #[track_caller]
    fn wait_for_reason(&self, reason: &Value) -> Value {
        eventually(
            "the reason is told",
            || self.agent.json("/api/v1/host")["kubernetes"].clone(),
            |kubernetes| kubernetes["reason"] == *reason,
        )
    }

    /// Good samples of the first GPU so far.
    fn samples(&self) -> u64 {
        self.agent.json("/api/v1/gpus/0")["sequence"].as_u64().unwrap()
    }

    /// Log lines about the kubelet.
    fn lines(&self) -> Vec<String> {
        let log = self.agent.log();
        log.into_iter().filter(|line| line.contains("kubelet")).collect()
    }
}

fn holds(pod: &str, uuid: &str) -> Answer {
    Answer::Bytes(holder(["default", pod, "main"], "nvidia.com/gpu", &[uuid]))
}

#[test]
fn pods_are_told_with_their_gpus_and_survive_a_kubelet_that_is_started_anew() {
    let node = Node::start("a100-pcie-4", "100ms");
    let uuids = node.uuids();
    assert_eq!(uuids.len(), 4);
    node.wait_for_reason(&json!("not_supported"));
    node.wait_for_pods(&json!([null, null, null, null]));
    assert_eq!(
        node.agent.json("/api/v1/gpus/0")["unavailable"]["pods"],
        "not_supported"
    );
    let answer = [
        holder(
            ["ml", "train-0", "main"],
            "nvidia.com/gpu",
            &[&uuids[0], &uuids[1]],
        ),
        holder(
            ["ml", "notebook-a", "jupyter"],
            "nvidia.com/gpu.shared",
            &[&format!("{}::0", uuids[2])],
        ),
        holder(
            ["ml", "notebook-b", "jupyter"],
            "example.com/gpu-small",
            &[&format!("{}::1", uuids[2])],
        ),
        holder(["ml", "other", "main"], "example.com/fpga", &[&uuids[3]]),
    ];
    let kubelet = node.kubelet(Answer::Bytes(answer.concat()));
    let expected = json!([["train-0"], ["train-0"], ["notebook-a", "notebook-b"], []]);
    node.wait_for_pods(&expected);
    assert_eq!(
        node.agent.json("/api/v1/gpus/1?fields=pods")["pods"],
        json!([{"namespace": "ml", "pod": "train-0", "container": "main", "mig_uuid": null}])
    );
    let kubernetes = node.wait_for_reason(&Value::Null);
    assert_eq!(
        (&kubernetes["held_devices"], &kubernetes["message"]),
        (&json!(3), &Value::Null)
    );
    drop(kubelet);
    node.wait_for_reason(&json!("not_supported"));
    let _kubelet = node.kubelet(holds("train-1", &uuids[3]));
    node.wait_for_pods(&json!([[], [], [], ["train-1"]]));
    node.wait_for_reason(&Value::Null);
}

#[test]
fn instances_have_their_pods() {
    let node = Node::start("a100-mig", "100ms");
    let body = eventually(
        "instances are read",
        || node.agent.json("/api/v1/gpus/0?fields=mig.instances.uuid"),
        |body| {
            let instances = body["mig"]["instances"].as_array();
            instances.is_some_and(|instances| instances.len() > 1)
        },
    );
    let uuid = body["mig"]["instances"][1]["uuid"].as_str().unwrap();
    let answer = holder(["ml", "small", "main"], "nvidia.com/mig-1g.5gb", &[uuid]);
    let _kubelet = node.kubelet(Answer::Bytes(answer));
    eventually(
        "the pod is told",
        || node.agent.json("/api/v1/gpus/0?fields=pods")["pods"].clone(),
        |pods| *pods == json!([{"namespace": "ml", "pod": "small", "container": "main", "mig_uuid": uuid}]),
    );
}

#[test]
fn a_kubelet_that_hangs_or_talks_nonsense_is_only_its_own_trouble() {
    let node = Node::start("t4", "100ms");
    let uuid = node.uuids().remove(0);
    let kubelet = node.kubelet(Answer::Silence);
    let asked = kubelet.asked();
    eventually("it is asked", || kubelet.asked(), |now| *now > asked);
    // While the question is open.
    let before = node.samples();
    eventually("the GPU is read on", || node.samples(), |now| *now >= before + 3);
    node.wait_for_reason(&json!("timeout"));
    kubelet.say(Answer::Bytes(b"\xff\xff\xff".to_vec()));
    let kubernetes = node.wait_for_reason(&json!("error"));
    assert_eq!(kubernetes["held_devices"], Value::Null);
    for path in ["/health/ready", "/gpu/metrics", "/api/v1/gpus", "/api/v1/host"] {
        assert_eq!(node.agent.get(path).status, 200, "{path}");
    }
    assert_eq!(node.agent.json("/health/")["status"], "healthy");
    kubelet.say(holds("job", &uuid));
    node.wait_for_pods(&json!([["job"]]));
    // A line for each change of the story: hung, nonsense, well.
    assert_eq!(node.lines().len(), 3, "{:#?}", node.lines());
    kubelet.say(Answer::Silence);
    node.wait_for_reason(&json!("timeout"));
    let ended = node.agent.end(rustix::process::Signal::TERM);
    assert!(ended.status.success(), "{:#?}", ended.log);
}

#[test]
fn without_kubernetes_nothing_is_said_of_it() {
    let node = Node::start("t4", "100ms");
    node.wait_for_reason(&json!("not_supported"));
    let before = node.samples();
    eventually("time passes", || node.samples(), |now| *now >= before + 10);
    assert_eq!(node.lines(), [""; 0]);
    let agent = Agent::ready(node.simulator.library_path());
    let kubernetes = agent.json("/api/v1/host")["kubernetes"].clone();
    assert_eq!(
        kubernetes["reason"], "disabled",
        "the tests' agents ask nobody else's kubelet"
    );
}
