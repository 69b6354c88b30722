//! A known wave, asked for in each tier, against what the simulated GPU did.

use std::time::Duration;

use nvml_sim::{faults::Fault, testing::Simulator};
use serde_json::Value;

use crate::support::{Agent, AgentBuilder, eventually};

/// The wave: half of the time idle, half of the time busy.
const PERIOD: f64 = 8.0;
const LOW: f64 = 20.0;
const HIGH: f64 = 80.0;

#[track_caller]
fn square() -> Simulator {
    let work = format!(
        "gpu.work = \"waveform\"\ncount = 1\n\
         gpu.waveform = {{ shape = \"square\", frequency_hz = {}, low = {}, high = {} }}",
        1.0 / PERIOD,
        LOW / 100.0,
        HIGH / 100.0
    );
    let builder = Simulator::builder("h100-sxm-8").overrides(&work).unwrap();
    builder.start().unwrap()
}

/// One series of an answer.
fn series(agent: &Agent, query: &str) -> (Value, Vec<[Option<f64>; 3]>) {
    let body = agent.json(&format!("/api/v1/history?{query}"));
    let of = |name: &str| -> Vec<Option<f64>> {
        let values = body["series"][0][name].as_array().unwrap();
        values.iter().map(Value::as_f64).collect()
    };
    let (mean, min, max) = (of("mean"), of("min"), of("max"));
    let rows = mean.into_iter().zip(min).zip(max);
    let rows = rows.map(|((mean, min), max)| [mean, min, max]).collect();
    (body, rows)
}

/// How busy the GPU was at an age of the world.
fn truth(age: f64) -> f64 {
    if age.rem_euclid(PERIOD) < PERIOD / 2.0 {
        HIGH
    } else {
        LOW
    }
}

#[test]
fn a_known_wave_comes_back_from_each_tier() {
    let simulator = square();
    let agent = AgentBuilder::over(simulator.library_path()).start();
    agent.wait_until_ready();
    // Two whole slots of the second tier, and some seconds of the first.
    let query = "metric=load.gpu_percent&gpu=0&from=-60s&step=10s";
    let whole = |rows: &Vec<[Option<f64>; 3]>| rows.iter().filter(|row| row[0].is_some()).count() >= 2;
    eventually("slots of ten seconds", || series(&agent, query).1, whole);
    let (body, rows) = series(&agent, "metric=load.gpu_percent&gpu=0&from=-40s&step=1s");
    assert_eq!(
        (&body["step_seconds"], &body["tier_seconds"]),
        (&1.into(), &1.into())
    );
    let times: Vec<i64> = body["times"]
        .as_array()
        .unwrap()
        .iter()
        .map(|time| time.as_i64().unwrap())
        .collect();
    let mut compared = 0;
    for (time, [mean, min, max]) in times.iter().zip(&rows) {
        let (Some(mean), Some(min), Some(max)) = (mean, min, max) else {
            continue;
        };
        // The driver's own averaging period lies before the reading: the load is of up to 0.25 s ago.
        let age = simulator
            .age_at(Duration::from_secs(time.unsigned_abs()))
            .as_secs_f64();
        let possible: Vec<f64> = (-25..100)
            .map(|part| truth(age + f64::from(part) / 100.0))
            .collect();
        let (lowest, highest) = (
            possible.iter().copied().fold(f64::INFINITY, f64::min),
            possible.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        );
        assert!(
            *min >= lowest && *max <= highest && min <= mean && mean <= max,
            "{time}: {mean} {min} {max}"
        );
        if lowest == highest {
            assert_eq!((*mean, *min, *max), (lowest, lowest, highest), "{time}");
            compared += 1;
        }
    }
    assert!(compared >= 5, "{rows:?}");
    // Ten seconds are more than a period: lowest and highest are those of the wave, the mean is that of the seconds.
    let (body, coarse) = series(&agent, "metric=load.gpu_percent&gpu=0&from=-40s&step=10s");
    assert_eq!(body["tier_seconds"], 10);
    let mut compared = 0;
    for (time, row) in body["times"].as_array().unwrap().iter().zip(&coarse) {
        let begin = time.as_i64().unwrap();
        let seconds: Vec<_> = times
            .iter()
            .zip(&rows)
            .filter(|(time, _)| (begin..begin + 10).contains(*time))
            .collect();
        let means: Vec<f64> = seconds.iter().filter_map(|(_, row)| row[0]).collect();
        let (10, [Some(mean), Some(min), Some(max)]) = (means.len(), row) else {
            continue;
        };
        assert_eq!((*min, *max), (LOW, HIGH), "{begin}");
        let truth = means.iter().sum::<f64>() / 10.0;
        assert!((mean - truth).abs() < 1e-4, "{begin}: {mean} {truth}");
        compared += 1;
    }
    assert!(compared >= 1, "{coarse:?}");
}

#[test]
fn a_gpu_that_hangs_has_a_gap_and_no_old_numbers() {
    let simulator = square();
    let agent = AgentBuilder::over(simulator.library_path())
        .variable("GPULSE_SAMPLER__DEADLINE", "200ms")
        .start();
    agent.wait_until_ready();
    let query = "metric=power.draw_watts&gpu=0&from=-30s&step=1s";
    let is_read = |rows: &Vec<[Option<f64>; 3]>| rows.iter().filter(|row| row[0].is_some()).count() >= 2;
    eventually("some seconds", || series(&agent, query).1, is_read);
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetPowerUsage").hang()])
        .unwrap();
    let has_gap = |rows: &Vec<[Option<f64>; 3]>| {
        let last = rows.iter().rposition(|row| row[0].is_some());
        last.is_some_and(|last| rows.len() - last > 3)
    };
    eventually("a gap", || series(&agent, query).1, has_gap);
    simulator.clear_faults().unwrap();
    let goes_on = |rows: &Vec<[Option<f64>; 3]>| {
        let present: Vec<bool> = rows.iter().map(|row| row[0].is_some()).collect();
        present
            .iter()
            .skip_while(|is| !**is)
            .skip_while(|is| **is)
            .any(|is| *is)
    };
    eventually("it goes on", || series(&agent, query).1, goes_on);
}
