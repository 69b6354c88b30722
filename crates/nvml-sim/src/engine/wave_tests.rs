//! Waveforms: what is said about any span of time is what adding up many moments comes to.

use std::time::Duration;

use super::*;

const SHAPES: [&str; 3] = ["square", "sine", "burst"];

/// An H100, whose demand is above its limit, under a waveform.
fn engine(shape: &str, frequency_hz: f64, more: &str) -> Engine {
    let text = format!(
        "extends = \"h100-sxm-8\"\ncount = 2\n[gpu]\nwork = \"waveform\"\n[gpu.waveform]\nshape = \"{shape}\"\n\
         frequency_hz = {frequency_hz}\nlow = 0.1\nhigh = 1.0\n{more}"
    );
    Engine::new(&Profile::parse("own", &text).unwrap(), 5)
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn close(a: f64, b: f64, by: f64, what: &str) {
    assert!((a - b).abs() <= by, "{what}: {a} and {b}");
}

/// Adds up means of spans so short that the load hardly changes in one.
fn added_up(engine: &Engine, from: f64, to: f64, what: impl Fn(&Mean) -> f64) -> f64 {
    const PARTS: u32 = 20_000;
    let step = (to - from) / f64::from(PARTS);
    let means = (0..PARTS).map(|n| {
        let start = from + f64::from(n) * step;
        engine.mean(0, at(start), at(start + step)).unwrap()
    });
    means.map(|mean| what(&mean)).sum::<f64>() / f64::from(PARTS)
}

#[test]
fn the_mean_of_whole_periods_is_what_the_profile_says() {
    for frequency in [0.5, 1.0, 3.0, 10.0] {
        for (shape, more, mean) in [
            ("square", "duty = 0.3", 0.1 + 0.9 * 0.3),
            ("square", "", 0.55),
            ("burst", "", 0.19),
            ("sine", "", 0.55),
        ] {
            let engine = engine(shape, frequency, more);
            let (from, to) = (at(60.0), at(60.0 + 12.0 / frequency));
            let found = engine.mean(0, from, to).unwrap();
            close(found.gpu, mean, 1e-6, shape);
            close(found.memory, mean / 2.0, 1e-6, shape);
            let (a, b) = (engine.truth(0, from).unwrap(), engine.truth(0, at(62.0)).unwrap());
            let seconds = (b.at_ms - a.at_ms) as f64 / 1e3;
            let found = engine.mean(0, from, at(62.0)).unwrap();
            close(
                (b.load_seconds - a.load_seconds) / seconds,
                found.gpu,
                1e-6,
                "load seconds",
            );
            let energy = (b.energy_mj - a.energy_mj) as f64 / 1e3;
            close(energy, found.energy_j, 0.002, "energy");
        }
    }
}

#[test]
fn every_span_is_the_sum_of_its_parts_and_every_part_follows_the_load() {
    for shape in SHAPES {
        let engine = engine(shape, 3.0, "phase = 0.2\nencoder = 0.5\ndecoder = 3.0");
        let (from, to) = (61.03, 62.41);
        let whole = engine.mean(0, at(from), at(to)).unwrap();
        close(
            whole.gpu,
            added_up(&engine, from, to, |mean| mean.gpu),
            1e-4,
            shape,
        );
        close(whole.encoder, whole.gpu / 2.0, 1e-9, shape);
        // What is capped, the decoders and the power, is capped at every moment.
        let decoder = added_up(&engine, from, to, |mean| (mean.gpu * 3.0).min(1.0));
        close(whole.decoder, decoder, 1e-3, shape);
        let power = added_up(&engine, from, to, |mean| (70.0 + 665.0 * mean.gpu).min(700.0));
        close(whole.power_w, power, 0.5, shape);
        assert!(whole.power_w < 70.0 + 665.0 * whole.gpu, "{shape}: never capped");
    }
}

#[test]
fn readings_of_a_moment_are_on_the_curve() {
    for shape in SHAPES {
        let engine = engine(shape, 0.5, "");
        let mut violations = 0;
        for n in 0..200 {
            let at = Duration::from_millis(60_000 + 20 * n);
            let truth = engine.truth(0, at).unwrap();
            let around = engine.mean(0, at, at + Duration::from_micros(1)).unwrap();
            close(
                f64::from(truth.power_instant_mw),
                around.power_w * 1e3,
                5.0,
                shape,
            );
            let capped = truth.event_reasons & 0x4 != 0;
            assert_eq!(capped, around.power_w > 699.99, "{shape}: {truth:?}");
            assert_eq!(capped, truth.graphics_mhz < 1980, "{shape}: {truth:?}");
            violations += u64::from(capped) * 20_000_000;
        }
        let time = |ms| {
            engine
                .truth(0, Duration::from_millis(ms))
                .unwrap()
                .power_violation_ns
        };
        let counted = time(64_000) - time(60_000);
        assert!(
            counted > 0 && counted.abs_diff(violations) < 100_000_000,
            "{shape}: {counted}, {violations}"
        );
    }
}

#[test]
fn bursts_are_in_another_place_each_time_and_the_same_in_every_process() {
    let (a, b) = (engine("burst", 1.0, ""), engine("burst", 1.0, ""));
    let place = |engine: &Engine, period: u32| {
        let part = |n| {
            let start = f64::from(period) + f64::from(n) / 50.0;
            engine.mean(0, at(start), at(start + 0.02)).unwrap().gpu
        };
        (0..50).find(|n| part(*n) > 0.2).unwrap()
    };
    let places: Vec<i32> = (0..20).map(|period| place(&a, period)).collect();
    assert_eq!(
        places,
        (0..20).map(|period| place(&b, period)).collect::<Vec<_>>()
    );
    assert!(places.iter().any(|place| *place != places[0]));
}

#[test]
fn utilisations_are_means_over_the_last_complete_period() {
    for text in [
        "extends = \"h100-sxm-8\"",
        "extends = \"l40s-4\"\n[gpu]\nsampling_period_ms = 1000",
        "extends = \"l40s-4\"\n[gpu]\nwork = \"waveform\"\n\
         waveform = { shape = \"square\", frequency_hz = 2.5, low = 0.0, high = 0.9, encoder = 0.5, jpeg = 0.4 }",
    ] {
        let profile = Profile::parse("own", text).unwrap();
        let (engine, period) = (Engine::new(&profile, 1), profile.gpus[0].sampling_period_ms);
        let period = Duration::from_millis(period.into());
        for n in 0..300 {
            let truth = engine.truth(1, Duration::from_millis(60_000 + 130 * n)).unwrap();
            let end = Duration::from_millis(truth.sampled_ms);
            assert!(truth.at_ms - truth.sampled_ms < period.as_millis() as u64);
            let mean = engine.mean(1, end - period, end).unwrap();
            let said = [
                truth.gpu_utilization,
                truth.memory_utilization,
                truth.encoder_utilization,
                truth.decoder_utilization,
                truth.jpeg_utilization,
                truth.ofa_utilization,
            ];
            let means = [
                mean.gpu,
                mean.memory,
                mean.encoder,
                mean.decoder,
                mean.jpeg,
                mean.ofa,
            ];
            assert_eq!(said, means.map(percent), "{text}");
            let processes = engine.processes(1, Duration::from_millis(truth.at_ms));
            let busy: u32 = processes.iter().map(|process| process.sm_utilization).sum();
            let joined = processes.len() as u32;
            assert!(
                busy <= truth.gpu_utilization + joined || busy > 100,
                "{text}: {busy} % by process, {truth:?}"
            );
        }
    }
}

#[test]
fn the_mean_of_other_work_is_exact_too() {
    for profile in ["h100-sxm-8", "l40s-4", "h100-mig", "rtx-4090"] {
        let engine = Engine::new(&Profile::load(profile).unwrap(), 2);
        let (from, to) = (470.0, 500.0);
        let whole = engine.mean(0, at(from), at(to)).unwrap();
        close(
            whole.gpu,
            added_up(&engine, from, to, |mean| mean.gpu),
            1e-6,
            profile,
        );
        close(
            whole.decoder,
            added_up(&engine, from, to, |mean| mean.decoder),
            1e-6,
            profile,
        );
        let power = added_up(&engine, from, to, |mean| mean.power_w);
        close(whole.power_w, power, 1e-3, profile);
        assert_eq!(whole.energy_j, whole.power_w * whole.seconds);
        assert!(engine.mean(0, at(to), at(to)).is_none());
    }
}

#[test]
fn instances_add_up_to_their_gpu() {
    let wave = "extends = \"h100-mig\"\n[gpu]\nwork = \"waveform\"\n\
                waveform = { shape = \"square\", frequency_hz = 3.0, low = 0.1, high = 0.9 }";
    let profiles = [
        Profile::parse("own", wave).unwrap(),
        Profile::load("h100-mig").unwrap(),
    ];
    for profile in profiles {
        let engine = Engine::new(&profile, 4);
        // Within a row, across the end of a cycle, and over several cycles.
        for (from, to) in [(60.0, 60.1), (455.0, 490.3), (100.0, 1_700.0)] {
            let whole = engine.mean(0, at(from), at(to)).unwrap();
            let instances = profile.gpus[0].mig.iter().enumerate();
            let (mut gpu, mut memory) = (0.0, 0.0);
            for (position, instance) in instances {
                let mean = engine.instance_mean(0, position, at(from), at(to)).unwrap();
                gpu += mean.0 * instance.share();
                memory += mean.1 * instance.share();
            }
            // An instance that is asked for more than it has is capped on its own.
            assert!(
                gpu <= whole.gpu + 1e-6 && gpu > whole.gpu - 0.02,
                "{gpu}, {whole:?}"
            );
            assert!(
                memory <= whole.memory + 1e-6 && memory > whole.memory - 0.02,
                "{memory}, {whole:?}"
            );
        }
    }
}
