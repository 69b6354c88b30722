//! Prometheus remote write: what a scrape shows, in order, whatever the receiver does meanwhile.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use nvml_sim::faults::Fault;
use rustix::process::Signal;

use super::{
    batches, counted, generation,
    messages::WriteRequest,
    receiver::{Answer, Receiver},
};
use crate::support::{AgentBuilder, eventually, simulator};

/// The NaN that ends a series.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// An agent that writes to `address` every second.
fn writing(library: &Path, address: SocketAddr) -> AgentBuilder {
    AgentBuilder::over(library)
        .variable(
            "GPULSE_REMOTE_WRITE__ENDPOINT",
            &format!("http://{address}/api/v1/write"),
        )
        .variable("GPULSE_REMOTE_WRITE__INTERVAL", "1s")
        .variable("GPULSE_REMOTE_WRITE__TIMEOUT", "1s")
        .argument("--agent-id")
        .argument("agent-7")
}

fn requests(receiver: &Receiver) -> Vec<WriteRequest> {
    let taken = receiver.taken();
    taken
        .iter()
        .map(|taken| WriteRequest::read(&taken.body))
        .collect()
}

#[track_caller]
fn assert_in_order(requests: &[WriteRequest]) {
    let times: Vec<_> = requests.iter().map(WriteRequest::time).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn what_a_scrape_shows_is_written() {
    let simulator = simulator("a100-pcie-4");
    let receiver = Receiver::start([]);
    let directory = tempfile::tempdir().unwrap();
    let headers = directory.path().join("headers");
    std::fs::write(&headers, "X-Scope-OrgID: gpus\n").unwrap();
    let agent = writing(simulator.library_path(), receiver.address())
        .variable("GPULSE_REMOTE_WRITE__PROFILES", "native,dcgm")
        .variable("GPULSE_METRICS__PROFILES", "native,dcgm")
        .variable("GPULSE_REMOTE_WRITE__LABELS", "cluster=c1")
        .variable(
            "GPULSE_REMOTE_WRITE__HEADERS_FILE",
            &headers.display().to_string(),
        )
        .start();
    agent.wait_until_ready();
    let names = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.split(['{', ' ']).next().unwrap_or_default().to_owned())
            .collect()
    };
    // Routes, calls of the driver and rates appear one by one: they are written once they are shown.
    let written = eventually(
        "all that is shown is written",
        || {
            let shown = names(&String::from_utf8(agent.get("/metrics").body).unwrap());
            let request = requests(&receiver).pop();
            let written: BTreeSet<_> = request
                .iter()
                .flat_map(|request| &request.timeseries)
                .map(|series| series.label("__name__").to_owned())
                .collect();
            (request, shown.difference(&written).cloned().collect::<Vec<_>>())
        },
        |(request, lost)| request.is_some() && lost.is_empty(),
    );
    let request = written.0.unwrap();
    for series in &request.timeseries {
        assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "{series:?}");
        assert!(series.labels.iter().all(|label| !label.value.is_empty()));
        for (name, value) in [("job", "gpulse"), ("instance", "agent-7"), ("cluster", "c1")] {
            assert_eq!(series.label(name), value, "{series:?}");
        }
    }
    for gpu in ["0", "1", "2", "3"] {
        assert!(
            request
                .value("gpulse_power_draw_watts", &[("gpu", gpu)])
                .is_some()
        );
        assert!(
            request
                .value("DCGM_FI_DEV_POWER_USAGE", &[("gpu", gpu)])
                .is_some()
        );
    }
    let sent = &receiver.taken()[0];
    assert_eq!(sent.path, "/api/v1/write");
    assert_eq!(sent.header("content-encoding"), "snappy");
    assert_eq!(sent.header("content-type"), "application/x-protobuf");
    assert_eq!(sent.header("x-prometheus-remote-write-version"), "0.1.0");
    assert_eq!(sent.header("x-scope-orgid"), "gpus");
    assert!(sent.header("user-agent").starts_with("gpulse/"));
}

#[test]
fn whatever_a_receiver_answers_the_order_is_kept_and_gpus_are_read() {
    let simulator = simulator("t4");
    let receiver = Receiver::start([
        Answer::Status(429, Some(("retry-after", "1"))),
        Answer::Status(503, None),
        Answer::Silence,
        Answer::Status(500, None),
        Answer::Status(200, None),
        Answer::Status(400, None),
        Answer::Status(401, None),
    ]);
    let agent = writing(simulator.library_path(), receiver.address()).start();
    agent.wait_until_ready();
    let before = generation(&agent);
    eventually(
        "the first batches are refused",
        || batches(&agent, "remote_write", "retried"),
        |retried| *retried >= 2.0,
    );
    let meanwhile = generation(&agent);
    assert!(meanwhile > before, "{before} {meanwhile}");
    let taken = eventually("batches arrive", || requests(&receiver), |taken| taken.len() >= 5);
    assert_in_order(&taken);
    // The first batch was sent until it was taken, and what it held is what was made first.
    let sent = receiver.received();
    assert!(sent[..5].iter().all(|received| received.body == sent[0].body));
    assert!(sent[5].body != sent[4].body && sent[6].body != sent[5].body);
    assert_eq!(batches(&agent, "remote_write", "retried"), 4.0);
    assert_eq!(batches(&agent, "remote_write", "dropped"), 2.0);
    for reason in ["rejected", "unauthorized"] {
        let dropped = ["gpulse_push_dropped_samples_total", "remote_write", reason];
        assert!(counted(&agent, &dropped) > 0.0, "{reason}");
    }
    eventually(
        "nothing waits",
        || counted(&agent, &["gpulse_push_buffered_bytes", "remote_write"]),
        |waiting| *waiting == 0.0,
    );
}

#[test]
fn what_a_receiver_missed_while_it_was_down_arrives_when_it_is_there() {
    let simulator = simulator("t4");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let agent = writing(simulator.library_path(), address).start();
    agent.wait_until_ready();
    let before = generation(&agent);
    let waiting = eventually(
        "batches wait",
        || counted(&agent, &["gpulse_push_buffered_bytes", "remote_write"]),
        |waiting| *waiting > 0.0,
    );
    eventually(
        "more and more of them",
        || counted(&agent, &["gpulse_push_buffered_bytes", "remote_write"]),
        |more| *more > waiting,
    );
    assert!(generation(&agent) > before);
    assert_eq!(batches(&agent, "remote_write", "sent"), 0.0);
    let back = jiff::Timestamp::now().as_millisecond();
    let receiver = Receiver::at(address, [], None);
    let taken = eventually(
        "they arrive, and new ones",
        || requests(&receiver),
        |taken| taken.last().is_some_and(|last| last.time() > back),
    );
    assert_in_order(&taken);
    let missed = taken.iter().filter(|request| request.time() < back).count();
    assert!(missed >= 2, "{missed}");
    assert_eq!(batches(&agent, "remote_write", "dropped"), 0.0);
}

#[test]
fn the_series_of_a_lost_gpu_end_at_once_and_those_of_others_go_on() {
    let simulator = simulator("a100-pcie-4");
    let receiver = Receiver::start([]);
    let agent = writing(simulator.library_path(), receiver.address()).start();
    agent.wait_until_ready();
    let draw = |request: &WriteRequest, gpu| request.value("gpulse_power_draw_watts", &[("gpu", gpu)]);
    let all = |request: &WriteRequest| {
        ["0", "1", "2", "3"]
            .iter()
            .all(|gpu| draw(request, gpu).is_some())
    };
    eventually(
        "all GPUs are written",
        || requests(&receiver).pop(),
        |request| request.as_ref().is_some_and(all),
    );
    simulator
        .set_faults(&[Fault::everywhere().gpu(1).lost()])
        .unwrap();
    let ended = |request: &WriteRequest| draw(request, "1").is_some_and(|value| value.to_bits() == STALE);
    let written = eventually(
        "the series of GPU 1 is ended",
        || requests(&receiver),
        |written| written.iter().any(ended),
    );
    let end = written.iter().find(|request| ended(request)).unwrap();
    assert!(draw(end, "0").is_some_and(f64::is_finite));
    let lost = [("gpu", "1"), ("state", "lost")];
    assert_eq!(end.value("gpulse_gpu_state", &lost), Some(1.0));
    let count = written.len();
    let later = eventually(
        "more is written",
        || requests(&receiver),
        |more| more.len() > count + 1,
    );
    assert_eq!(later.iter().filter(|request| ended(request)).count(), 1, "once");
}

#[test]
fn the_end_of_the_agent_writes_what_waits_and_waits_for_nobody() {
    let simulator = simulator("t4");
    let receiver = Receiver::start([]);
    let start = |address| {
        let agent = writing(simulator.library_path(), address)
            .variable("GPULSE_REMOTE_WRITE__INTERVAL", "1h")
            .variable("GPULSE_SHUTDOWN_GRACE", "2s")
            .start();
        agent.wait_until_ready();
        agent
    };
    let ended = start(receiver.address()).end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    // Nothing was due before: it is the last batch.
    assert!(!receiver.taken().is_empty());
    let silent = Receiver::start([Answer::Silence; 100]);
    let ended = start(silent.address()).end(Signal::TERM);
    assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.log);
    // The grace time, and what a machine under load may add to it.
    assert!(ended.took < Duration::from_secs(2 + 10), "{:?}", ended.took);
}
