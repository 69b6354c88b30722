//! The kubelet, asked over a real socket: answers, failures, a new start, and an end.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod fake;

use std::{
    fs,
    ops::ControlFlow,
    os::unix::net::UnixListener,
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Duration,
};

use fake::{Answer, FakeKubelet, claimant, field, holder};
use gpulse_exporters::{PodSettings, PodWatch, watch_pods};
use gpulse_models::{PodAssignments, PodContainer, Reason, example};
use tempfile::TempDir;
use tonic::Status;

/// What has not come by then will not: a bound for a machine under load, not an expectation.
const PATIENCE: Duration = Duration::from_secs(60);

const GPU: &str = "GPU-00000000-0000-0000-0000-000000000000";

struct Bench {
    directory: TempDir,
    told: mpsc::Receiver<Arc<PodAssignments>>,
    watch: Option<PodWatch>,
}

impl Bench {
    /// Somebody who asks a kubelet that is not there yet.
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let (tell, told) = mpsc::channel();
        let settings = PodSettings {
            socket: directory.path().join("kubelet.sock"),
            interval: Duration::from_millis(20),
            resource_names: vec!["example.com/gpu".to_owned()],
        };
        let tell = move |pods| match tell.send(pods) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let watch = watch_pods(settings, tell).unwrap();
        Self {
            directory,
            told,
            watch: Some(watch),
        }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("kubelet.sock")
    }

    fn kubelet(&self, answer: Answer) -> FakeKubelet {
        FakeKubelet::at(&self.socket(), answer)
    }

    /// The first that is told of which this holds.
    #[track_caller]
    fn until(&self, holds: impl Fn(&PodAssignments) -> bool) -> Arc<PodAssignments> {
        let mut last = None;
        loop {
            match self.told.recv_timeout(PATIENCE) {
                Ok(pods) if holds(&pods) => return pods,
                Ok(pods) => last = Some(pods),
                Err(error) => panic!("never told: {error}; told last: {last:#?}"),
            }
        }
    }

    /// Nothing is known, for this reason.
    #[track_caller]
    fn absent(&self, reason: Reason) -> String {
        let pods = self.until(|pods| {
            pods.holders
                .as_ref()
                .is_err_and(|absence| absence.reason == reason)
        });
        pods.holders.as_ref().unwrap_err().message.clone()
    }
}

fn names(holders: &[PodContainer]) -> Vec<String> {
    let name = |holder: &PodContainer| format!("{}/{}/{}", holder.namespace, holder.pod, holder.container);
    holders.iter().map(name).collect()
}

fn held_by(pod: &str) -> Answer {
    Answer::Bytes(holder(["default", pod, "main"], "nvidia.com/gpu", &[GPU]))
}

fn is_held_by(pod: &str) -> impl Fn(&PodAssignments) -> bool {
    let expected = vec![format!("default/{pod}/main")];
    move |pods| names(pods.of_gpu(&example::gpu(0))) == expected
}

#[test]
fn who_holds_what_is_read_from_a_kubelets_answer() {
    let bench = Bench::start();
    let answer = [
        holder(["a", "whole", "main"], "nvidia.com/gpu", &[GPU, "GPU-gone"]),
        holder(["b", "other", "main"], "cpu", &["0"]),
        holder(["c", "configured", "main"], "example.com/gpu", &["1"]),
        holder(["d", "instance", "main"], "nvidia.com/mig-1g.10gb", &["MIG-1"]),
        claimant(
            ["e", "claim", "main"],
            "gpu.nvidia.com",
            "gpu-2",
            "k8s.gpu.nvidia.com/claim=x",
        ),
        // An entry that later versions of the API may have.
        field(15, b"later"),
    ];
    let kubelet = bench.kubelet(Answer::Bytes(answer.concat()));
    let pods = bench.until(|pods| pods.holders.is_ok());
    assert!(pods.read_at.is_some() && pods.last_error.is_none());
    let of_gpu = |index| names(pods.of_gpu(&example::gpu(index)));
    assert_eq!(of_gpu(0), ["a/whole/main"]);
    assert_eq!(of_gpu(1), ["c/configured/main"]);
    assert_eq!(of_gpu(2), ["e/claim/main"]);
    assert_eq!(of_gpu(3), [""; 0]);
    assert_eq!(names(pods.of_mig("MIG-1")), ["d/instance/main"]);
    kubelet.say(Answer::Bytes(Vec::new()));
    bench.until(|pods| {
        pods.holders
            .as_ref()
            .is_ok_and(|holders| holders.devices().count() == 0)
    });
}

#[test]
fn a_kubelet_that_is_not_there_is_found_when_it_comes_and_when_it_comes_back() {
    let bench = Bench::start();
    let message = bench.absent(Reason::NotSupported);
    assert!(message.contains("kubelet.sock"), "{message}");
    let kubelet = bench.kubelet(held_by("first"));
    bench.until(is_held_by("first"));
    drop(kubelet);
    let pods = bench.until(|pods| pods.last_error.is_some());
    assert!(is_held_by("first")(&pods), "assignments outlive the kubelet");
    let _kubelet = bench.kubelet(held_by("second"));
    let pods = bench.until(is_held_by("second"));
    assert_eq!(pods.last_error, None);
}

#[test]
fn what_a_kubelet_said_is_not_believed_for_ever() {
    let bench = Bench::start();
    let kubelet = bench.kubelet(held_by("job"));
    bench.until(is_held_by("job"));
    drop(kubelet);
    bench.until(|pods| pods.last_error.is_some());
    bench.absent(Reason::NotSupported);
}

#[test]
fn a_kubelet_that_hangs_is_given_up_and_asked_again() {
    let bench = Bench::start();
    let kubelet = bench.kubelet(Answer::Silence);
    let message = bench.absent(Reason::Timeout);
    assert!(message.contains("did not answer"), "{message}");
    kubelet.say(held_by("job"));
    bench.until(is_held_by("job"));
}

#[test]
fn a_socket_at_which_nobody_answers_is_an_error() {
    let bench = Bench::start();
    // It listens, and never accepts.
    let listener = UnixListener::bind(bench.socket()).unwrap();
    bench.absent(Reason::Timeout);
    drop(listener);
    let message = bench.absent(Reason::Error);
    assert!(message.contains("nobody listens"), "{message}");
    fs::remove_file(bench.socket()).unwrap();
    let _kubelet = bench.kubelet(held_by("job"));
    bench.until(is_held_by("job"));
}

#[test]
fn errors_of_a_kubelet_have_their_reasons() {
    let bench = Bench::start();
    let long = "x".repeat(2_000);
    let kubelet = bench.kubelet(Answer::Error(Status::unimplemented("unknown service")));
    bench.absent(Reason::FunctionNotFound);
    kubelet.say(Answer::Error(Status::permission_denied("not you")));
    assert!(bench.absent(Reason::NoPermission).contains("not you"));
    kubelet.say(Answer::Error(Status::internal(&long)));
    let message = bench.absent(Reason::Error);
    assert!(message.contains("xxx") && message.len() < 500, "{message}");
}

#[test]
fn garbage_is_an_error_and_what_is_too_long_is_not_read() {
    let bench = Bench::start();
    let kubelet = bench.kubelet(Answer::Bytes(b"\xff\xff\xff garbage".to_vec()));
    bench.absent(Reason::Error);
    let not_utf8 = field(1, &field(1, b"\xff\xfe"));
    kubelet.say(Answer::Bytes(not_utf8));
    assert!(bench.absent(Reason::Error).contains("UTF-8"));
    let long = holder(
        ["default", &"x".repeat(5 << 20), "main"],
        "nvidia.com/gpu",
        &[GPU],
    );
    kubelet.say(Answer::Bytes(long));
    let message = bench.until(|pods| {
        pods.holders
            .as_ref()
            .is_err_and(|absence| absence.message.contains("too large"))
    });
    assert!(message.read_at.is_none());
    kubelet.say(held_by("job"));
    bench.until(is_held_by("job"));
}

#[test]
fn nobody_is_asked_once_nobody_is_interested() {
    let mut bench = Bench::start();
    let kubelet = bench.kubelet(held_by("job"));
    bench.until(is_held_by("job"));
    bench.watch.take();
    // The thread ends, and with it the one who tells.
    while bench.told.recv_timeout(PATIENCE).is_ok() {}
    assert_eq!(bench.told.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    let asked = kubelet.asked();
    assert!(asked > 0);
    let other = Bench::start();
    let other_kubelet = other.kubelet(held_by("job"));
    other.until(is_held_by("job"));
    drop(other.told);
    drop(other_kubelet);
    assert_eq!(kubelet.asked(), asked);
}
