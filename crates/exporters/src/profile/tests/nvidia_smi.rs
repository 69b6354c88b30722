//! The profile of nvidia_gpu_exporter: what is not one reading of a GPU.

use gpulse_models::{Bytes, MigDevice, catalogue::Catalogued};

use super::*;

#[test]
fn nvidia_smi_has_states_as_numbers_and_what_a_gpu_instance_has_once() {
    let mut gpu = example::gpu(0);
    let mut sample = example::sample();
    let instances = [0, 1].map(|compute| MigDevice {
        uuid: Reading::Value(format!("MIG-{compute}")),
        gpu_instance_id: Reading::Value(1),
        compute_instance_id: Reading::Value(compute),
        memory_used_bytes: Reading::Value(Bytes(7)),
        ..MigDevice::absent(Reason::NotSupported)
    });
    Arc::make_mut(&mut sample.mig).readings.instances = Reading::Value(instances.to_vec());
    let reliability = &mut Arc::make_mut(&mut sample.reliability).readings;
    reliability.recovery_action = Reading::Value("drain_and_reset".into());
    let modes = &mut Arc::make_mut(&mut sample.modes).readings;
    modes.compute_mode = Reading::Value("exclusive_process".into());
    gpu.sample = Some(sample.into());
    let kept = of_one(gpu, Profile::NvidiaSmi);
    assert_eq!(kept.one("nvidia_smi_gpu_recovery_action"), 4.0);
    assert_eq!(kept.one("nvidia_smi_compute_mode"), 3.0);
    assert_eq!(kept.one("nvidia_smi_compute_cap"), 9.0);
    assert_eq!(kept.of("nvidia_smi_mig_info").len(), 2);
    let memory = kept.of("nvidia_smi_mig_memory_used_bytes");
    assert_eq!(memory.values().collect::<Vec<_>>(), [&7.0], "{memory:?}");
    assert!(memory.keys().all(|labels| labels.ends_with("gpu_instance_id=1")));
    assert!(!kept.has("nvidia_smi_mig_sm_activity_ratio"));
}

#[test]
fn nvidia_smi_collects_well_while_all_gpus_are_read() {
    let gpus = || (0..2).map(example::gpu).collect::<Vec<_>>();
    let of = |gpus: Vec<GpuSnapshot>| {
        let host = example::host(gpus);
        shown(&host, &quiet(), Profiles::from_iter([Profile::NvidiaSmi]))
    };
    let well = of(gpus());
    assert_eq!(well.one("nvidia_smi_last_collect_success"), 1.0);
    let at = well.one("nvidia_smi_last_collect_success_timestamp_seconds");
    let mut hung = gpus();
    hung[1].health.state = GpuState::Hung;
    let mut sample = example::sample();
    sample.taken_at -= jiff::SignedDuration::from_secs(60);
    hung[1].sample = Some(sample.into());
    let hung = of(hung);
    assert_eq!(hung.one("nvidia_smi_last_collect_success"), 0.0);
    assert_eq!(
        hung.one("nvidia_smi_last_collect_success_timestamp_seconds"),
        at - 60.0
    );
}
