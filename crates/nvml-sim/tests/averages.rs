//! What the driver averages, over loads that are known exactly.

use std::time::Duration;

use nvml_sim::testing::Simulator;
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::Sampling;
use nvml_wrapper::enums::device::SampleValue;
use nvml_wrapper::struct_wrappers::device::Sample;

fn wave(shape: &str, frequency_hz: f64, more: &str) -> Simulator {
    let keys = format!(
        "gpu.work = \"waveform\"\n\
         gpu.waveform = {{ shape = \"{shape}\", frequency_hz = {frequency_hz}, low = 0.1, high = 0.9, encoder = 0.8, \
         decoder = 0.5 }}\n{more}"
    );
    Simulator::builder("l40s-4")
        .overrides(&keys)
        .expect("the keys are TOML")
        .frozen_at(Duration::from_millis(100_037))
        .start()
        .expect("the simulator starts")
}

fn open(simulator: &Simulator) -> Nvml {
    Nvml::builder()
        .lib_path(simulator.library_path().as_os_str())
        .init()
        .expect("the library initialises")
}

fn value(sample: &Sample) -> f64 {
    match sample.value {
        SampleValue::U32(value) => f64::from(value),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn every_sample_is_the_mean_of_the_period_that_ends_with_it() {
    for (shape, frequency_hz) in [("square", 0.5), ("sine", 2.0), ("burst", 10.0)] {
        let simulator = wave(shape, frequency_hz, "");
        let nvml = open(&simulator);
        let device = nvml.device_by_index(1).unwrap();
        for (kind, period_ms, unit) in [
            (Sampling::Power, 20, 1e3),
            (Sampling::GpuUtilization, 167, 100.0),
            (Sampling::MemoryUtilization, 167, 100.0),
            (Sampling::EncoderUtilization, 167, 100.0),
            (Sampling::DecoderUtilization, 167, 100.0),
        ] {
            let samples = device.samples(kind, None).unwrap();
            assert_eq!(samples.len(), 120);
            let mut sum = 0.0;
            for sample in &samples {
                let end = Duration::from_micros(sample.timestamp)
                    .checked_sub(simulator.epoch())
                    .unwrap();
                let mean = simulator
                    .mean(1, end - Duration::from_millis(period_ms), end)
                    .unwrap();
                let mean = unit
                    * match kind {
                        Sampling::Power => mean.power_w,
                        Sampling::GpuUtilization => mean.gpu,
                        Sampling::MemoryUtilization => mean.memory,
                        Sampling::EncoderUtilization => mean.encoder,
                        _ => mean.decoder,
                    };
                assert!(
                    (value(sample) - mean).abs() <= 0.501,
                    "{shape} {kind:?}: {sample:?}, {mean}"
                );
                sum += value(sample);
            }
            // The ring has no gaps: all of it is the mean of its time.
            let end = Duration::from_micros(samples[119].timestamp)
                .checked_sub(simulator.epoch())
                .unwrap();
            let whole = simulator
                .mean(1, end - 120 * Duration::from_millis(period_ms), end)
                .unwrap();
            if matches!(kind, Sampling::Power) {
                assert!((sum / 120.0 / 1e3 - whole.power_w).abs() < 0.001);
            }
        }
    }
}

#[test]
fn calls_for_the_same_thing_agree_with_each_other_and_with_the_truth() {
    for more in [
        "",
        "gpu.sampling_period_ms = 500",
        "gpu.sampling_period_ms = 1000",
    ] {
        let simulator = wave("square", 1.3, more);
        let (first, second) = (open(&simulator), open(&simulator));
        let truth = simulator.truth(2).unwrap();
        for nvml in [first, second] {
            let device = nvml.device_by_index(2).unwrap();
            let latest = |kind| value(device.samples(kind, None).unwrap().last().unwrap()) as u32;
            let rates = device.utilization_rates().unwrap();
            assert_eq!(
                (rates.gpu, rates.memory),
                (truth.gpu_utilization, truth.memory_utilization)
            );
            assert_eq!(latest(Sampling::GpuUtilization), rates.gpu);
            assert_eq!(latest(Sampling::MemoryUtilization), rates.memory);
            let encoder = device.encoder_utilization().unwrap();
            assert_eq!(encoder.utilization, truth.encoder_utilization);
            assert_eq!(latest(Sampling::EncoderUtilization), encoder.utilization);
            let period_us = 1_000 * simulator.profile().gpus[2].sampling_period_ms;
            assert_eq!(encoder.sampling_period, period_us);
            let decoder = device.decoder_utilization().unwrap();
            assert_eq!(decoder.utilization, truth.decoder_utilization);
            let processes = device.process_utilization_stats(None).unwrap();
            assert_eq!(processes.len(), 1);
            assert_eq!(processes[0].sm_util, rates.gpu);
            assert_eq!(processes[0].enc_util, encoder.utilization);
            let sampled = simulator.epoch() + Duration::from_millis(truth.sampled_ms);
            assert_eq!(u128::from(processes[0].timestamp), sampled.as_micros());
        }
    }
}

#[test]
fn energy_and_the_power_ring_tell_the_same_story() {
    let simulator = wave("burst", 4.0, "");
    let nvml = open(&simulator);
    let device = nvml.device_by_index(0).unwrap();
    let samples = device.samples(Sampling::Power, None).unwrap();
    let ring_j: f64 = samples.iter().map(|sample| value(sample) / 1e3 * 0.02).sum();
    let end = Duration::from_millis(simulator.truth(0).unwrap().at_ms);
    let energy = |at| simulator.truth_at(0, at).unwrap().energy_mj as f64 / 1e3;
    let counted_j = energy(end) - energy(end - Duration::from_millis(2_400));
    assert_eq!(
        device.total_energy_consumption().unwrap() as f64 / 1e3,
        energy(end)
    );
    assert!((ring_j - counted_j).abs() < 0.01, "{ring_j} J, {counted_j} J");
}
