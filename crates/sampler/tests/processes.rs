//! Who is on a simulated GPU: this very process among others, held to what `/proc` says of it.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

mod support;

use std::{env, fs, os::unix::fs::MetadataExt, process, time::Duration};

use gpulse_models::{
    CommandLine, CommandLines, GpuProcess, Identity, Percent, ProcessList, Reading, Reason, Timestamp,
};
use gpulse_sampler::ProcessSettings;
use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};

/// No Linux gives a process such a number: the limit is 2²².
const NOBODY: u32 = (1 << 22) + 1;

/// A world with processes that stands still, in which `values` are reported on its first GPU.
fn world(profile: &str, values: Option<Values>) -> Simulator {
    let faults: Vec<_> = values
        .into_iter()
        .flat_map(|values| {
            [
                "nvmlDeviceGetComputeRunningProcesses_v3",
                "nvmlDeviceGetProcessUtilization",
            ]
            .map(|call| Fault::on(call).gpu(0).values(values.clone()))
        })
        .collect();
    let world = Simulator::builder(profile).frozen_at(Duration::from_secs(100));
    world.faults(&faults).start().unwrap()
}

fn pids(pids: &[u32]) -> Option<Values> {
    Some(Values {
        pids: Some(pids.to_vec()),
        ..Values::default()
    })
}

/// The processes of the first GPU.
fn list(simulator: &Simulator, settings: ProcessSettings) -> ProcessList {
    let host = support::first_snapshot(Some(simulator.library_path().to_owned()), settings);
    let sample = host.gpus[0].sample.as_ref().unwrap();
    sample.processes.list.value().unwrap().clone()
}

fn of(list: &ProcessList, pid: u32) -> &GpuProcess {
    let found = list.processes.iter().find(|process| process.pid == pid);
    found.unwrap_or_else(|| panic!("{pid} is not in {list:?}"))
}

/// A number behind `name` in a file of lines.
fn number(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn this_process_is_who_proc_says_it_is() {
    let simulator = world("a100-pcie-4", pids(&[process::id()]));
    let list = list(&simulator, ProcessSettings::default());
    let process = of(&list, process::id());
    let identity = process.identity.found().unwrap_or_else(|| panic!("{process:?}"));

    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: u64 = stat
        .rsplit(") ")
        .next()
        .and_then(|fields| fields.split(' ').nth(19))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(identity.start_ticks, ticks);
    let milliseconds = number("/proc/stat", "btime ") * 1_000 + ticks * 10;
    let started_at = Timestamp::from_millisecond(i64::try_from(milliseconds).unwrap()).unwrap();
    assert_eq!(identity.started_at, Reading::Value(started_at));

    let uid = fs::metadata("/proc/self").unwrap().uid();
    let user = identity.user.value().unwrap();
    assert_eq!(user.uid, uid);
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let name = lines
        .filter(|fields| fields.get(2) == Some(&uid.to_string().as_str()))
        .map(|fields| fields[0].to_owned())
        .next();
    assert_eq!(user.name, name);

    let executable = env::current_exe().unwrap().display().to_string();
    assert_eq!(identity.executable, Reading::Value(executable));
    assert_eq!(
        identity.command,
        CommandLine::Executable(env::args().next().unwrap())
    );
}

#[test]
fn a_pid_of_another_namespace_is_shown_as_such() {
    let simulator = world("a100-pcie-4", pids(&[process::id(), NOBODY]));
    let list = list(&simulator, ProcessSettings::default());
    let stranger = of(&list, NOBODY);
    assert_eq!(stranger.identity, Identity::NotHere);
    assert!(
        stranger.used_memory.value().is_some(),
        "NVML's account of it stays"
    );
    assert!(of(&list, process::id()).identity.found().is_some());
}

#[test]
fn arguments_come_only_when_they_are_asked_for() {
    let command = |command_lines| {
        let settings = ProcessSettings {
            command_lines,
            ..ProcessSettings::default()
        };
        let simulator = world("a100-pcie-4", pids(&[process::id()]));
        let list = list(&simulator, settings);
        of(&list, process::id()).identity.found().unwrap().command.clone()
    };
    assert_eq!(command(CommandLines::Off), CommandLine::Withheld);
    let words = env::args().collect();
    assert_eq!(
        command(CommandLines::Full),
        CommandLine::Full {
            words,
            truncated: false
        }
    );
}

#[test]
fn beyond_the_bound_there_is_a_sum() {
    let simulator = world("a100-pcie-4", pids(&[NOBODY, NOBODY + 1, NOBODY + 2]));
    let all = list(&simulator, ProcessSettings::default());
    assert_eq!((all.processes.len(), &all.other), (3, &None));
    let settings = ProcessSettings {
        max_processes: 1,
        ..ProcessSettings::default()
    };
    let bounded = list(&simulator, settings);
    let memory = |list: &[GpuProcess]| -> Vec<u64> {
        list.iter()
            .map(|process| process.used_memory.value().unwrap().0)
            .collect()
    };
    let (kept, other) = (memory(&bounded.processes), bounded.other.as_ref().unwrap());
    assert_eq!(kept, [*memory(&all.processes).iter().max().unwrap()]);
    assert_eq!((other.count, other.count_without_memory), (2, 0));
    let sum: u64 = memory(&all.processes).iter().sum();
    assert_eq!(other.used_memory.value().unwrap().0, sum - kept[0]);
    let named = |list: &ProcessList| list.brief().iter().map(|(pid, ..)| *pid).collect::<Vec<_>>();
    assert_eq!(named(&bounded), named(&all));
}

#[test]
fn shares_are_those_of_the_world() {
    let simulator = world("a100-pcie-4", None);
    let list = list(&simulator, ProcessSettings::default());
    let mut busy = 0;
    for truth in simulator.processes(0) {
        let shares = of(&list, truth.pid).utilization.value().unwrap();
        if truth.sm_utilization + truth.encoder_utilization == 0 {
            assert_eq!(*shares, None, "{truth:?}");
            continue;
        }
        busy += 1;
        let percent = |raw: u32| Reading::Value(Percent(f64::from(raw)));
        let shares = shares.unwrap();
        assert_eq!(shares.sm, percent(truth.sm_utilization));
        assert_eq!(shares.memory, percent(truth.memory_utilization));
        assert_eq!(shares.encoder, percent(truth.encoder_utilization));
        assert_eq!(shares.decoder, percent(truth.decoder_utilization));
    }
    assert!(busy > 0, "nobody is busy");
}

#[test]
fn a_share_that_cannot_be_is_no_number() {
    let values = Values {
        process_utilization: Some(130),
        ..Values::default()
    };
    let simulator = world("a100-pcie-4", Some(values));
    let list = list(&simulator, ProcessSettings::default());
    let shares = list
        .processes
        .iter()
        .filter_map(|process| *process.utilization.value()?);
    let sm: Vec<_> = shares.map(|shares| shares.sm).collect();
    assert!(!sm.is_empty(), "nobody is busy");
    assert!(
        sm.iter().all(|sm| *sm == Reading::Unavailable(Reason::Error)),
        "{sm:?}"
    );
}

#[test]
fn a_partitioned_gpu_names_the_instance_and_has_no_shares() {
    let simulator = world("a100-mig", None);
    let list = list(&simulator, ProcessSettings::default());
    assert!(
        list.processes.iter().any(|process| process.mig.is_some()),
        "nobody is on an instance"
    );
    let instances = &simulator.profile().gpus[0].mig;
    for truth in simulator.processes(0) {
        let process = of(&list, truth.pid);
        let instance = truth.mig.map(|place| &instances[place]);
        assert_eq!(
            process.mig.map(|mig| (mig.gpu_instance, mig.compute_instance)),
            instance.map(|instance| (instance.gpu_instance, Some(instance.compute_instance)))
        );
        assert_eq!(process.utilization, Reading::Unavailable(Reason::NotSupported));
    }
}

#[test]
fn shares_survive_a_race_and_say_what_else_went_wrong() {
    const CALL: &str = "nvmlDeviceGetProcessUtilization";
    const NOT_FOUND: u32 = 6;
    const NO_PERMISSION: u32 = 4;
    let race = Values {
        count_race: true,
        ..Values::default()
    };
    let shares = |fault: Fault| {
        let world = Simulator::builder("a100-pcie-4").frozen_at(Duration::from_secs(100));
        let simulator = world.faults(&[fault.gpu(0)]).start().unwrap();
        let busy = simulator
            .processes(0)
            .into_iter()
            .find(|truth| truth.sm_utilization > 0);
        let list = list(&simulator, ProcessSettings::default());
        of(&list, busy.unwrap().pid).utilization
    };
    let raced = shares(Fault::on(CALL).times(2).values(race));
    assert!(matches!(raced, Reading::Value(Some(_))), "{raced:?}");
    // The driver's word for "no fresh sample".
    assert_eq!(shares(Fault::on(CALL).returns(NOT_FOUND)), Reading::Value(None));
    assert_eq!(
        shares(Fault::on(CALL).returns(NO_PERMISSION)),
        Reading::Unavailable(Reason::NoPermission)
    );
}
