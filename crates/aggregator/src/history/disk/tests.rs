//! The file: what is written comes back, what is not sound is moved aside, what is refused is tried again.

use std::{fs, path::Path, time::Duration};

use gpulse_models::{GpuId, Timestamp};

use super::{DiskSettings, FILE};
use crate::history::{
    History, HistorySettings, MetricId, Query, Tier, block::Point, metrics::KEPT, tests::gpu,
};

const TIERS: [Tier; 2] = [
    Tier {
        step: 1,
        keep: 86_400,
    },
    Tier {
        step: 60,
        keep: 10 * 86_400,
    },
];

/// Longer than any test takes: what is written is written at the end.
const SELDOM: Duration = Duration::from_secs(3_600);

/// As long as it takes.
const GRACE: Duration = Duration::from_secs(60);

fn start(directory: &Path, flush_interval: Duration, max_bytes: u64) -> History {
    let disk = DiskSettings {
        directory: directory.to_owned(),
        flush_interval,
        max_bytes,
    };
    History::start(HistorySettings {
        tiers: TIERS.to_vec(),
        max_bytes: 1 << 30,
        disk: Some(disk),
    })
    .unwrap()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed() < GRACE, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The number that a metric has in a second.
fn value(metric: usize, second: i64) -> f64 {
    (second % 1_000 * 7 + metric as i64) as f64
}

fn fill(history: &History, gpu: &GpuId, from: i64, to: i64) {
    for second in from..to {
        let points: Vec<_> = (0..KEPT.count())
            .map(|metric| Point::of(value(metric, second)))
            .collect();
        history.store.write().unwrap().add(gpu, second, &points);
    }
}

fn ask(history: &History, gpu: &GpuId, from: i64, to: i64, step: i64) -> Vec<Option<f64>> {
    let query = Query {
        gpus: vec![gpu.clone()],
        metrics: vec![MetricId(3)],
        from,
        to,
        step,
    };
    history.query(&query).unwrap().series.remove(0).max
}

/// The beginning of a minute some minutes ago.
fn a_while_ago(minutes: i64) -> i64 {
    Timestamp::now().as_second().div_euclid(60) * 60 - minutes * 60
}

fn loaded(history: &History) -> bool {
    !history.gpus().is_empty()
}

#[test]
fn what_was_kept_is_there_after_a_restart_in_every_tier() {
    let directory = tempfile::tempdir().unwrap();
    let from = a_while_ago(20);
    // It ends in the midst of a minute, which the next process goes on with.
    let (middle, to) = (from + 610, from + 780);
    let history = start(directory.path(), SELDOM, 1 << 30);
    fill(&history, &gpu(1), from, middle);
    history.stop(GRACE);
    let history = start(directory.path(), SELDOM, 1 << 30);
    eventually("the history is loaded", || loaded(&history));
    fill(&history, &gpu(1), middle, to);
    history.stop(GRACE);
    let history = start(directory.path(), SELDOM, 1 << 30);
    eventually("the history is loaded", || loaded(&history));
    let seconds: Vec<_> = (from..to).map(|second| Some(value(3, second))).collect();
    assert_eq!(ask(&history, &gpu(1), from, to, 1), seconds);
    history.tick(to + 120);
    let highest = |minute: i64| {
        (minute..minute + 60)
            .map(|second| value(3, second))
            .reduce(f64::max)
    };
    let minutes: Vec<_> = (from..to).step_by(60).map(highest).collect();
    assert_eq!(ask(&history, &gpu(1), from, to, 60), minutes);
}

#[test]
fn a_file_that_is_not_sound_is_moved_aside_and_begun_anew() {
    let written = tempfile::tempdir().unwrap();
    let from = a_while_ago(30);
    let history = start(written.path(), SELDOM, 1 << 30);
    fill(&history, &gpu(1), from, from + 900);
    history.stop(GRACE);
    drop(history);
    let path = written.path().join(FILE);
    let mut sound = Vec::new();
    eventually("the file is let go", || {
        sound = fs::read(&path).unwrap();
        redb::Database::open(&path).is_ok()
    });
    let mut spoiled: Vec<Vec<u8>> = vec![b"rubbish".repeat(1_000), vec![0; 8_192]];
    for part in [1, 2, 3, 7] {
        spoiled.push(sound[..sound.len() * part / 8].to_vec());
        let mut flipped = sound.clone();
        let place = sound.len() * part / 8;
        for byte in &mut flipped[place..place + 512] {
            *byte = !*byte;
        }
        spoiled.push(flipped);
    }
    for bytes in spoiled {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), bytes).unwrap();
        let history = start(directory.path(), SELDOM, 1 << 30);
        let aside = || {
            let names = fs::read_dir(directory.path()).unwrap().flatten();
            names
                .filter(|entry| entry.file_name().to_string_lossy().contains("corrupt"))
                .count()
        };
        // A change in a part that nothing lies in harms nothing.
        eventually("it is loaded or moved aside", || loaded(&history) || aside() == 1);
        if loaded(&history) {
            let seconds: Vec<_> = (from..from + 900).map(|second| Some(value(3, second))).collect();
            assert_eq!(ask(&history, &gpu(1), from, from + 900, 1), seconds);
        }
        fill(&history, &gpu(2), from, from + 60);
        history.stop(GRACE);
        assert_eq!(history.disk_failures(), 0);
        drop(history);
        let again = start(directory.path(), SELDOM, 1 << 30);
        eventually("the new one is loaded", || {
            again.gpus().iter().any(|known| known.id == gpu(2))
        });
        assert_eq!(ask(&again, &gpu(2), from, from + 1, 1), [Some(value(3, from))]);
    }
}

#[test]
fn of_files_that_are_not_sound_the_latest_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in [
        "history.redb.corrupt-1",
        "history.redb.corrupt-2",
        "history.redb.copy",
        FILE,
    ] {
        fs::write(path(name), b"rubbish").unwrap();
    }
    let history = start(directory.path(), SELDOM, 1 << 30);
    let names = || -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    eventually("it is begun anew", || names().len() == 3 && names()[0] == FILE);
    let [_, copy, aside] = names().try_into().unwrap();
    assert_eq!(copy, "history.redb.copy");
    assert_eq!(fs::read(path(&aside)).unwrap(), b"rubbish");
    history.stop(GRACE);
    assert_eq!(history.disk_failures(), 0);
}

#[test]
fn a_file_that_another_agent_has_leaves_memory_alone_and_is_taken_once_it_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let from = a_while_ago(10);
    let first = start(directory.path(), Duration::ZERO, 1 << 30);
    fill(&first, &gpu(1), from, from + 60);
    eventually("it is there", || directory.path().join(FILE).exists());
    let second = start(directory.path(), Duration::ZERO, 1 << 30);
    eventually("the second is refused", || second.disk_failures() > 0);
    fill(&second, &gpu(2), from, from + 60);
    assert_eq!(ask(&second, &gpu(2), from, from + 1, 1), [Some(value(3, from))]);
    first.stop(GRACE);
    drop(first);
    eventually("the second has what the first kept", || second.gpus().len() == 2);
    assert_eq!(ask(&second, &gpu(1), from, from + 1, 1), [Some(value(3, from))]);
    second.stop(GRACE);
    drop(second);
    let third = start(directory.path(), SELDOM, 1 << 30);
    eventually("both are kept", || third.gpus().len() == 2);
}

#[test]
fn a_place_that_cannot_be_written_leaves_memory_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "not a directory").unwrap();
    let history = start(&file, Duration::ZERO, 1 << 30);
    eventually("it is refused", || history.disk_failures() > 0);
    let from = a_while_ago(10);
    fill(&history, &gpu(1), from, from + 60);
    assert_eq!(ask(&history, &gpu(1), from, from + 1, 1), [Some(value(3, from))]);
}

#[test]
fn the_file_stays_within_its_bound() {
    let directory = tempfile::tempdir().unwrap();
    let most = 2 << 20;
    let from = a_while_ago(23 * 60);
    for round in 0..4 {
        let history = start(directory.path(), SELDOM, most);
        if round > 0 {
            eventually("it is loaded", || loaded(&history));
        }
        // Numbers that cannot be packed.
        let mut random = fastrand_like(round);
        for second in from + round * 3_000..from + (round + 1) * 3_000 {
            let points: Vec<_> = (0..KEPT.count()).map(|_| Point::of(random())).collect();
            history.store.write().unwrap().add(&gpu(0), second, &points);
        }
        history.stop(GRACE);
        drop(history);
        let length = fs::metadata(directory.path().join(FILE)).unwrap().len();
        assert!(length <= most, "{length} bytes");
    }
    let history = start(directory.path(), SELDOM, most);
    eventually("it is loaded", || loaded(&history));
    // The newest is there.
    let last = from + 4 * 3_000 - 1;
    assert!(ask(&history, &gpu(0), last, last + 1, 1)[0].is_some());
}

fn fastrand_like(seed: i64) -> impl FnMut() -> f64 {
    let mut state = seed.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as f64
    }
}
