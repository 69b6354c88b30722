//! The rules of the REST contract, each on one body.

use std::sync::Arc;

use super::{GpuMetricsCollection, MissingGpu, SingleGpuMetrics};
use crate::{
    BriefProcess, Bytes, Failure, GpuFacts, GpuSnapshot, GpuState, OtherProcesses, Percent, PerformanceState,
    Reading, Reason, Sample, Timed, Watts, example,
};

fn body(gpu: &GpuSnapshot) -> SingleGpuMetrics {
    SingleGpuMetrics::of(gpu, "580.95.05").unwrap()
}

fn with_sample(change: impl FnOnce(&mut Sample)) -> GpuSnapshot {
    let mut sample = example::sample();
    change(&mut sample);
    GpuSnapshot {
        sample: Some(Arc::new(sample)),
        ..example::gpu(0)
    }
}

fn edit<T: Clone>(part: &mut Arc<Timed<T>>) -> &mut T {
    &mut Arc::make_mut(part).readings
}

fn memory(sample: &mut Sample, total: Bytes, used: Bytes, free: Bytes) {
    let memory = edit(&mut sample.memory);
    memory.total_bytes = Reading::Value(total);
    memory.used_bytes = Reading::Value(used);
    memory.free_bytes = Reading::Value(free);
}

fn with_facts(change: impl FnOnce(&mut GpuFacts)) -> GpuSnapshot {
    let mut facts = example::facts(0);
    change(&mut facts);
    GpuSnapshot {
        facts: Some(Arc::new(facts)),
        ..example::gpu(0)
    }
}

#[test]
fn a_complete_sample_leaves_no_gap() {
    let body = body(&example::gpu(0));
    assert!(body.unavailable.is_empty(), "{:?}", body.unavailable);
    assert_eq!(body.memory.utilization_percent, 50.0);
    assert_eq!(body.power.power_usage_percent, 50.0);
    assert_eq!(body.performance_state, "P0");
}

#[test]
fn a_required_number_that_is_absent_is_zero_and_named() {
    let body = body(&with_sample(|sample| {
        edit(&mut sample.power).draw_watts = Reading::Unavailable(Reason::NotSupported)
    }));
    assert_eq!(body.power.power_draw_watts, 0.0);
    assert_eq!(body.unavailable["power.power_draw_watts"], Reason::NotSupported);
    assert_eq!(
        body.unavailable["power.power_usage_percent"],
        Reason::NotSupported
    );
    assert_eq!(body.power.power_limit_watts, 700.0);
}

#[test]
fn a_true_zero_is_not_named() {
    let body = body(&with_sample(|sample| {
        edit(&mut sample.load).gpu_percent = Reading::Value(Percent(0.0))
    }));
    assert_eq!(body.utilization.gpu_percent, 0.0);
    assert!(!body.unavailable.contains_key("utilization.gpu_percent"));
}

#[test]
fn percents_are_limited_and_raw_numbers_stay_raw() {
    let body = body(&with_sample(|sample| {
        edit(&mut sample.power).draw_watts = Reading::Value(Watts(705.0));
        if let Reading::Value(fans) = &mut edit(&mut sample.thermal).fans {
            fans[0].speed_percent = Reading::Value(Percent(130.0));
        }
        memory(sample, Bytes(1 << 20), Bytes(2 << 20), Bytes(0));
    }));
    assert_eq!(
        (body.power.power_usage_percent, body.power.power_draw_watts),
        (100.0, 705.0)
    );
    assert_eq!(body.fan_speed_percent, Some(100.0));
    assert_eq!(
        (body.memory.utilization_percent, body.memory.used_mb),
        (100.0, 2.0)
    );
}

#[test]
fn nothing_is_divided_by_zero() {
    let body = body(&with_sample(|sample| {
        edit(&mut sample.power).management_limit_watts = Reading::Value(Watts(0.0));
        memory(sample, Bytes(0), Bytes(0), Bytes(0));
    }));
    assert_eq!(
        (body.power.power_usage_percent, body.memory.utilization_percent),
        (0.0, 0.0)
    );
}

#[test]
fn encoder_and_decoder_fail_apart_and_so_do_the_thresholds() {
    let no_encoder = body(&with_sample(|sample| {
        edit(&mut sample.load).encoder_percent = Reading::Unavailable(Reason::Error)
    }));
    assert_eq!(
        (
            no_encoder.utilization.encoder_percent,
            no_encoder.utilization.decoder_percent
        ),
        (None, Some(7.0))
    );
    let no_slowdown = body(&with_facts(|facts| {
        facts.limits.slowdown_celsius = Reading::Unavailable(Reason::NotSupported)
    }));
    assert_eq!(no_slowdown.temperature.slowdown_threshold_celsius, None);
    assert_eq!(no_slowdown.temperature.shutdown_threshold_celsius, Some(92.0));
}

#[test]
fn every_process_is_listed_with_what_nvml_says_and_no_more() {
    let gpu = with_sample(|sample| {
        if let Reading::Value(list) = &mut edit(&mut sample.processes).list {
            list.other = Some(OtherProcesses {
                count: 1,
                used_memory: Reading::Value(Bytes(1 << 20)),
                count_without_memory: 0,
                brief: vec![BriefProcess {
                    pid: 7,
                    name: Reading::Value("small".to_owned()),
                    used_memory: Reading::Value(Bytes(1 << 20)),
                }],
            });
        }
    });
    let processes = serde_json::to_value(body(&gpu).processes).unwrap();
    let expected = serde_json::json!([
        {"pid": 7, "process_name": "small", "used_memory_mb": 1.0},
        {"pid": 4242, "process_name": "python3", "used_memory_mb": 38_912.0},
    ]);
    assert_eq!(processes, expected);
}

#[test]
fn a_process_without_name_or_memory_stays() {
    let gpu = with_sample(|sample| {
        if let Reading::Value(list) = &mut edit(&mut sample.processes).list {
            list.processes[0].name = Reading::Unavailable(Reason::NoPermission);
            list.processes[0].used_memory = Reading::Unavailable(Reason::Error);
        }
    });
    let body = body(&gpu);
    assert_eq!(
        (
            body.processes[0].process_name.as_str(),
            body.processes[0].used_memory_mb
        ),
        ("unknown", 0.0)
    );
    assert_eq!(body.unavailable["processes.4242.used_memory_mb"], Reason::Error);
}

#[test]
fn an_unknown_performance_state_says_so() {
    let unknown = body(&with_sample(|s| {
        edit(&mut s.clocks).performance_state = Reading::Value(PerformanceState::Unknown)
    }));
    assert_eq!(unknown.performance_state, "Unknown");
    assert!(unknown.unavailable.is_empty());
    let failed = body(&with_sample(|s| {
        edit(&mut s.clocks).performance_state = Reading::Unavailable(Reason::Error)
    }));
    assert_eq!(failed.performance_state, "Unknown");
    assert_eq!(failed.unavailable["performance_state"], Reason::Error);
}

#[test]
fn a_lost_gpu_is_missing_and_the_count_agrees() {
    let mut lost = example::gpu(1);
    lost.health.state = GpuState::Lost;
    lost.health.last_error = Some(Failure {
        reason: Reason::GpuLost,
        call: "nvmlDeviceGetUUID".into(),
        message: "the GPU fell off the bus".to_owned(),
        at: example::at(),
    });
    let body = GpuMetricsCollection::of(&example::host([example::gpu(0), lost]), "agent");
    assert_eq!((body.gpu_count, body.gpus.len()), (1, 1));
    assert_eq!(body.total_power_draw_watts, 350.0);
    let [
        MissingGpu {
            gpu_id: 1,
            gpu_uuid: Some(_),
            reason: Reason::GpuLost,
            ..
        },
    ] = &body.missing_gpus[..]
    else {
        panic!("{:?}", body.missing_gpus);
    };
}

#[test]
fn a_gpu_that_was_never_read_is_missing_without_uuid() {
    let pending = GpuSnapshot::pending(3, 0, example::at());
    let missing = MissingGpu::of(&pending).unwrap();
    assert_eq!(
        (missing.gpu_id, missing.gpu_uuid, missing.reason),
        (3, None, Reason::NotReady)
    );
}

#[test]
fn a_hung_gpu_keeps_its_last_sample_and_says_so() {
    let mut hung = example::gpu(0);
    hung.health.state = GpuState::Hung;
    assert_eq!(body(&hung).state, GpuState::Hung);
}

#[test]
fn sums_and_means_are_those_of_what_is_sent() {
    let mut quiet =
        with_sample(|sample| edit(&mut sample.load).gpu_percent = Reading::Unavailable(Reason::NotSupported));
    quiet.index = 1;
    let body = GpuMetricsCollection::of(&example::host([example::gpu(0), quiet]), "agent");
    assert_eq!(body.average_gpu_utilization, 37.5);
    assert_eq!(body.unavailable["average_gpu_utilization"], Reason::NotSupported);
    assert_eq!(body.total_memory_used_mb, 2.0 * 40_960.0);
    assert_eq!(body.average_temperature, 65.0);
}

#[test]
fn no_gpus_are_empty_sums_and_not_nan() {
    let body = GpuMetricsCollection::of(&example::host([]), "agent");
    assert_eq!(
        (
            body.gpu_count,
            body.average_temperature,
            body.average_gpu_utilization
        ),
        (0, 0.0, 0.0)
    );
}

#[test]
fn bodies_survive_json() {
    let sent = GpuMetricsCollection::of(&example::host([example::gpu(0)]), "agent");
    let json = serde_json::to_string(&sent).unwrap();
    assert!(json.contains(r#""timestamp":"2027-01-15T08:00:00Z""#), "{json}");
    assert_eq!(serde_json::from_str::<GpuMetricsCollection>(&json).unwrap(), sent);
}
