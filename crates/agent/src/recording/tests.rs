//! A recording comes back as it was, with its times moved; where it was cut off it ends.

use std::{fs, path::Path, sync::Arc};

use gpulse_aggregator::{DriverDown, EventBatch, GpuEvent, Joined, Roster, Watch};
use gpulse_models::{DriverStatus, EventKind, Failure, Reading, Reason, Timestamp, example};

use super::{
    What, Writer,
    entry::Report,
    player::{PlayError, Recording, Times},
};

/// Times that stay as they are.
fn unmoved() -> Times {
    Times {
        recorded: example::at(),
        played: example::at(),
        speed: 1.0,
    }
}

fn good() -> What {
    What::Record {
        epoch: 1,
        index: 0,
        facts: Some(Arc::new(example::facts(0))),
        outcome: Ok(Arc::new(example::sample())),
        overruns: 2,
        dropped: 3,
    }
}

fn failure() -> Failure {
    Failure {
        reason: Reason::Timeout,
        call: "nvmlDeviceGetPowerUsage".into(),
        message: "no answer within 2 s".to_owned(),
        at: example::at(),
    }
}

/// Writes a recording with one of each.
fn write(path: &Path) {
    let writer = Writer::create(path).unwrap();
    let lines = writer.lines();
    lines.write(
        Roster {
            epoch: 1,
            driver: example::driver(),
            gpus: 1,
        }
        .into(),
    );
    lines.write(good());
    lines.write(What::Record {
        epoch: 1,
        index: 0,
        facts: None,
        outcome: Err(failure()),
        overruns: 2,
        dropped: 3,
    });
    let event = GpuEvent {
        index: 0,
        at: example::at(),
        kind: EventKind::Xid(Some(79)),
        instance: None,
    };
    let watch = Watch {
        index: 0,
        unwatched: Some(Reason::NotSupported),
    };
    lines.write(
        EventBatch {
            epoch: 1,
            events: vec![event],
            watches: vec![watch],
            dropped: 4,
        }
        .into(),
    );
    let topology = example::host([example::gpu(0)]).topology;
    lines.write(Joined { epoch: 1, topology }.into());
    drop(lines);
    assert_eq!(writer.finish().unwrap(), (5, 0));
}

fn reports(path: &Path, times: &Times) -> Vec<Report> {
    let mut recording = Recording::open(path).unwrap();
    let mut known = Vec::new();
    let mut reports = Vec::new();
    while let Some(entry) = recording.next(times) {
        reports.push(entry.what.report(10, &mut known));
    }
    reports
}

#[test]
fn what_was_reported_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    write(&path);
    let reports = reports(&path, &unmoved());
    let [
        Report::Roster(roster),
        Report::Record(first),
        Report::Record(second),
        Report::Events(batch),
        Report::Joined(joined),
    ] = reports.as_slice()
    else {
        panic!("{reports:#?}");
    };
    assert_eq!(
        (roster.epoch, &roster.driver, roster.gpus),
        (11, &example::driver(), 1)
    );
    assert_eq!(first.outcome.as_deref().unwrap(), &example::sample());
    assert_eq!(first.facts.as_deref(), Some(&example::facts(0)));
    assert_eq!((first.overruns, first.dropped), (2, 3));
    // Facts are written once, and known from then on.
    assert_eq!(second.facts.as_deref(), Some(&example::facts(0)));
    assert_eq!(second.outcome.as_ref().unwrap_err(), &failure());
    assert_eq!(
        (batch.events[0].kind.clone(), batch.dropped),
        (EventKind::Xid(Some(79)), 4)
    );
    assert_eq!(batch.watches[0].unwatched, Some(Reason::NotSupported));
    let Reading::Value(topology) = &joined.topology else {
        panic!("{joined:?}");
    };
    assert_eq!(Some(topology), example::host([example::gpu(0)]).topology.value());
}

#[test]
fn an_absent_driver_comes_back_with_its_reason() {
    let host = example::host([]);
    let DriverStatus::Ready(_) = host.driver else {
        panic!("an example that is well")
    };
    let fault = gpulse_models::DriverFault {
        reason: gpulse_models::DriverReason::NoGpus,
        message: "none".to_owned(),
        hint: "a hint",
        library_loaded: true,
        attempts: 7,
        since: example::at(),
    };
    let text = serde_json::to_string(&What::from(DriverDown(fault.clone()))).unwrap();
    let what: What = serde_json::from_str(&text).unwrap();
    let Report::Down(DriverDown(found)) = what.report(0, &mut Vec::new()) else {
        panic!("{text}");
    };
    assert_eq!(
        (found.reason, found.attempts, found.since),
        (fault.reason, 7, fault.since)
    );
}

#[test]
fn times_are_moved_to_now_and_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    write(&path);
    let later = Timestamp::from_second(example::at().as_second() + 1_000).unwrap();
    let times = Times {
        played: later,
        ..unmoved()
    };
    let reports = reports(&path, &times);
    let Report::Record(record) = &reports[1] else {
        panic!("{:?}", reports[1]);
    };
    let sample = record.outcome.as_deref().unwrap();
    assert_eq!(sample.taken_at, later);
    assert_eq!(sample.power.readings, example::sample().power.readings);
    assert_eq!(record.facts.as_deref(), Some(&example::facts(0)));
}

#[test]
fn a_recording_that_was_cut_off_is_played_up_to_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("recording");
    write(&path);
    let bytes = fs::read(&path).unwrap();
    let whole = reports(&path, &unmoved()).len();
    let cut = directory.path().join("cut");
    for length in 0..bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        match Recording::open(&cut) {
            Ok(mut recording) => {
                let times = unmoved();
                let found = std::iter::from_fn(|| recording.next(&times)).count();
                assert!(found <= whole, "{length}");
            }
            // Not even its head is whole.
            Err(error) => assert!(length < 400, "{length}: {error}"),
        }
    }
}

#[test]
fn what_is_no_recording_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let head = |text: &str| zstd::bulk::compress(text.as_bytes(), 1).unwrap();
    for bytes in [
        b"text".to_vec(),
        head("text\n"),
        head(
            "{\"format\":\"gpulse recording\",\"version\":2,\"agent_version\":\"9\",\"started_at\":\"2027-01-15T08:00:00Z\"}\n",
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(Recording::open(&path), Err(PlayError::NoRecording(..))));
    }
    assert!(Writer::create(&path).is_err(), "a file is not written over");
}
