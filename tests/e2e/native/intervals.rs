//! What lies between two ticks: put together again, it is what the GPU did.

use std::time::Duration;

use jiff::Timestamp;
use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use super::{gpu, look::at, number, until};
use crate::support::{Agent, AgentBuilder, eventually};

/// How often the simulated driver samples: utilisations, and power.
const LOAD_PERIOD: Duration = Duration::from_millis(167);
const POWER_PERIOD: Duration = Duration::from_millis(20);

/// Intervals that are put together.
const INTERVALS: usize = 14;

/// One H100 under a load that no tick is in step with.
#[track_caller]
fn wave() -> Simulator {
    let work = "gpu.work = \"waveform\"\ncount = 1\n\
                gpu.waveform = { shape = \"square\", frequency_hz = 1.37, low = 0.1, high = 0.9 }";
    let builder = Simulator::builder("h100-sxm-8").overrides(work).unwrap();
    builder.start().unwrap()
}

/// An interval, and the ages of the world between which it was asked for.
struct Interval {
    after: Duration,
    before: Duration,
    covered: f64,
    mean: f64,
}

/// The age of the world at a time that the agent told.
fn age(simulator: &Simulator, gpu: &Value, key: &str) -> Duration {
    let time: Timestamp = gpu[key].as_str().unwrap().parse().unwrap();
    simulator.age_at(Duration::from_micros(
        u64::try_from(time.as_microsecond()).unwrap(),
    ))
}

/// Sees consecutive samples; begins anew where one was missed.
fn consecutive(agent: &Agent) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    eventually(
        "consecutive samples",
        || {
            let now = gpu(agent, 0);
            let sequence = |gpu: &Value| gpu["sequence"].as_u64().unwrap();
            match seen.last().map(sequence) {
                Some(last) if sequence(&now) == last => {}
                Some(last) if sequence(&now) == last + 1 => seen.push(now),
                _ => seen = vec![now],
            }
            seen.len()
        },
        |count| *count > INTERVALS,
    );
    seen
}

fn intervals(simulator: &Simulator, seen: &[Value], part: &str, mean: &str) -> Vec<Interval> {
    let of = |gpu: &Value| Interval {
        after: age(simulator, gpu, "sampled_at"),
        before: age(simulator, gpu, "published_at"),
        // An interval that no sample ended in covers nothing.
        covered: at(gpu, &format!("{part}.covered_seconds"))
            .as_f64()
            .unwrap_or(0.0),
        mean: at(gpu, &format!("{part}.{mean}")).as_f64().unwrap_or(0.0),
    };
    seen.iter().map(of).collect()
}

/// The simulator's clock and the agent's may differ by so much: what is rounded to milliseconds, and a clock that is being set.
const CLOCKS: Duration = Duration::from_millis(3);

/// How long a sample may be on its way into the ring: the simulated driver moves in steps.
const STEP: Duration = Duration::from_millis(20);

/// The times at which the driver may have taken the last sample that an answer had.
fn ends(interval: &Interval, period: Duration) -> impl Iterator<Item = Duration> {
    let number = |age: Duration| u32::try_from(age.as_micros() / period.as_micros()).unwrap();
    let (from, to) = (
        interval.after.saturating_sub(STEP + CLOCKS),
        interval.before + CLOCKS,
    );
    (number(from)..=number(to)).map(move |number| period * number)
}

/// Puts intervals together, and compares them with what happened between the end of the first and that of the last. Where these
/// are told by no more than when the driver was asked, one of the possible ones has to fit.
#[track_caller]
fn compare(
    intervals: &[Interval],
    period: Duration,
    tolerance: f64,
    truth: impl Fn(Duration, Duration) -> f64,
) {
    let (first, rest) = intervals.split_first().unwrap();
    let covered: f64 = rest.iter().map(|of| of.covered).sum();
    let mean = rest.iter().map(|of| of.covered * of.mean).sum::<f64>() / covered;
    let last = rest.last().unwrap();
    let fits = |from: Duration| {
        let to = from + Duration::from_secs_f64(covered);
        // Consecutive intervals join without gap and without overlap.
        let joins = ends(last, period).any(|end| end.abs_diff(to) < Duration::from_millis(1));
        joins && (truth(from, to) - mean).abs() <= tolerance
    };
    let told: Vec<_> = ends(first, period)
        .map(|from| (from, truth(from, from + Duration::from_secs_f64(covered))))
        .collect();
    assert!(
        ends(first, period).any(fits),
        "{mean} over {covered} s; since these times it was {told:?}, and the last was asked for between {:?} and {:?}",
        last.after,
        last.before
    );
}

#[test]
fn put_together_they_are_what_the_gpu_did() {
    let simulator = wave();
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("400ms")
        .start();
    agent.wait_until_ready();
    until(&agent, 0, "an interval", |gpu| {
        at(gpu, "load.interval.gpu.mean_percent").is_number()
            && at(gpu, "power.interval.mean_watts").is_number()
    });
    let seen = consecutive(&agent);
    // Whatever keeps ticks and readers waiting: what is read at every tick is read anew in every sample.
    for (gpu, part) in seen.iter().flat_map(|gpu| [(gpu, "load"), (gpu, "power")]) {
        assert_eq!(at(gpu, &format!("{part}.read_at")), &gpu["sampled_at"], "{part}");
    }
    let mean = |from, to| simulator.mean(0, from, to).unwrap();
    let load = intervals(&simulator, &seen, "load.interval.gpu", "mean_percent");
    // The driver rounds each sample to a whole percent.
    compare(&load, LOAD_PERIOD, 1.0, |from, to| 100.0 * mean(from, to).gpu);
    let memory = intervals(&simulator, &seen, "load.interval.memory", "mean_percent");
    compare(&memory, LOAD_PERIOD, 1.0, |from, to| {
        100.0 * mean(from, to).memory
    });
    let power = intervals(&simulator, &seen, "power.interval", "mean_watts");
    compare(&power, POWER_PERIOD, 2.0, |from, to| mean(from, to).power_w);
    for gpu in &seen {
        for (part, unit) in [("load.interval.gpu", "percent"), ("power.interval", "watts")] {
            let Some(mean) = at(gpu, &format!("{part}.mean_{unit}")).as_f64() else {
                continue;
            };
            let of = |what: &str| number(gpu, &format!("{part}.{what}_{unit}"));
            assert!(
                of("min") <= mean && mean <= of("max"),
                "{part}: {}",
                at(gpu, part)
            );
            assert!(
                of("min") <= of("p95") && of("p95") <= of("max"),
                "{part}: {}",
                at(gpu, part)
            );
        }
    }
}

/// Lets the GPU hang for four seconds: what is seen before, and right after; nothing where that was missed.
fn hang(simulator: &Simulator, agent: &Agent) -> Option<(Value, Value)> {
    simulator
        .set_faults(&[Fault::everywhere().gpu(0).hang()])
        .unwrap();
    let before = until(agent, 0, "it hangs", |gpu| gpu["state"] == "hung");
    let began = simulator.age();
    eventually(
        "four seconds pass in the world",
        || simulator.age(),
        |now| *now >= began + Duration::from_secs(4),
    );
    simulator.clear_faults().unwrap();
    let sequence = |gpu: &Value| gpu["sequence"].as_u64().unwrap();
    let after = until(agent, 0, "it is read again", |gpu| {
        gpu["state"] == "ok" && sequence(gpu) > sequence(&before)
    });
    (sequence(&after) == sequence(&before) + 1).then_some((before, after))
}

#[test]
fn the_interval_after_a_hang_covers_what_the_driver_kept() {
    let simulator = wave();
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("500ms")
        .variable("GPULSE_SAMPLER__DEADLINE", "300ms")
        .start();
    agent.wait_until_ready();
    until(&agent, 0, "an interval", |gpu| {
        at(gpu, "power.interval.mean_watts").is_number()
            && at(gpu, "load.interval.gpu.mean_percent").is_number()
    });
    let (before, after) = (0..3).find_map(|_| hang(&simulator, &agent)).unwrap();
    // The ring of utilisations reaches back 20 s: they cover all that passed, give or take a sample at each end.
    let passed = age(&simulator, &after, "sampled_at") - age(&simulator, &before, "sampled_at");
    let load = number(&after, "load.interval.gpu.covered_seconds");
    assert!(load >= 3.8, "{load} s in {passed:?}");
    // That of power reaches back 120 samples of 20 ms.
    let power = number(&after, "power.interval.covered_seconds");
    assert!((2.3..=2.5).contains(&power), "{power} s");
    assert_eq!(number(&after, "power.interval.samples"), 120.0);
    assert!(passed.as_secs_f64() > power + 1.0, "{power} s in {passed:?}");
}
