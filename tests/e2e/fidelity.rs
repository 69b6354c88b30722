//! What is reported of the time between ticks is what happened in it.

use std::time::{Duration, SystemTime};

use nvml_sim::testing::Simulator;

use crate::support::{AgentBuilder, Record, Tick, eventually, sim_step, spans};

/// In step with neither the ticks nor the driver's samples, and much faster than the ticks.
const WAVE: &str = r#"
    count = 1
    gpu.work = "waveform"
    gpu.waveform = { shape = "square", frequency_hz = 1.37, low = 0.1, high = 0.9 }
"#;

/// Enough ticks of a second to have some seconds of load, and for one vote of many on where they begin.
const TICKS: usize = 6;

/// The driver samples utilisation in whole percent: each sample, and so each mean, is off by this much at most.
const ROUNDING_POINTS: f64 = 0.5;

const GOAL_PERCENT: f64 = 1.0;

/// A tick, and when the client had it.
struct Seen {
    tick: Tick,
    by: Duration,
}

#[test]
fn the_means_and_the_energy_of_ticks_are_those_of_the_load_that_was_played() {
    let simulator = Simulator::builder("l40s-4")
        .overrides(WAVE)
        .unwrap()
        .start()
        .unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1s")
        .start();
    let mut record = Record::default();
    let mut seen = Vec::new();
    let look = || {
        let tick = Tick::of(&agent.json("/api/v1/gpus")["gpus"][0]);
        if let Some(tick) = tick {
            record.push(tick.clone());
            seen.push(Seen { tick, by: now() });
        }
        record.runs().find(|run| run.len() == TICKS).map(<[_]>::to_vec)
    };
    let run = eventually("enough ticks were seen in a row", look, Option::is_some).unwrap();
    check_means(&simulator, &run);
    for seen in &seen {
        check_energy(&simulator, seen);
    }
}

fn check_means(simulator: &Simulator, run: &[Tick]) {
    let period = Duration::from_millis(simulator.profile().gpus[0].sampling_period_ms.into());
    let spans = spans(run, simulator.epoch(), period);
    let (mut said, mut covered) = (0.0, Duration::ZERO);
    for (tick, span) in run.iter().zip(&spans) {
        let truth = 100.0 * simulator.mean(0, span.from, span.to).unwrap().gpu;
        let off = (tick.mean_percent - truth).abs();
        assert!(
            off <= ROUNDING_POINTS + 1e-6,
            "{truth} % over {span:?}, and not as in {tick:?}"
        );
        said += tick.mean_percent * tick.covered.as_secs_f64();
        covered += tick.covered;
    }
    let (first, last) = (spans.first().unwrap(), spans.last().unwrap());
    assert_eq!(last.to - first.from, covered, "no time is left out: {spans:?}");
    let said = said / covered.as_secs_f64();
    let truth = 100.0 * simulator.mean(0, first.from, last.to).unwrap().gpu;
    let off = 100.0 * (said / truth - 1.0).abs();
    assert!(off <= GOAL_PERCENT, "{truth} %, and not {said} %: {run:#?}");
}

/// The counter is that of some moment between the note of the time and the answer, give or take the driver's steps.
fn check_energy(simulator: &Simulator, seen: &Seen) {
    let millijoules = |since_1970| {
        let age = sim_step(simulator.age_at(since_1970));
        simulator.truth_at(0, age).unwrap().energy_mj as f64
    };
    let step = nvml_sim::engine::STEP;
    let bounds = millijoules(seen.tick.power_read - step)..=millijoules(seen.by + step);
    let said = seen.tick.energy_joules * 1e3;
    assert!(
        bounds.contains(&said),
        "{said} mJ is not within {bounds:?}: {:?}",
        seen.tick
    );
}

fn now() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap()
}
