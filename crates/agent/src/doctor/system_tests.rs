//! Systems that are made up, each with one thing wrong.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::doctor::{check::Status, host::User};

fn machine(files: &[(&str, &str)], variables: &[(&str, &str)]) -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let host = Host {
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        user: User {
            id: 1000,
            groups: vec![1000],
        },
        ..Host::here(Some(root.path()))
    };
    for (path, text) in files {
        let path = host.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    (root, host)
}

#[track_caller]
fn assert_says(check: &Check, status: Status, word: &str) {
    let text = format!("{:?} {:?} {:?}", check.found, check.why, check.fix);
    assert!(check.status == status && text.contains(word), "{check:#?}");
}

#[test]
fn a_container_has_to_be_given_gpus_and_the_capability_utility() {
    let (down, up) = (json!({ "available": false }), json!({ "available": true }));
    let docker = ("/.dockerenv", "");
    let said = |variables: &[(&str, &str)], info| container(&machine(&[docker], variables).1, Ok(info));
    assert_says(
        &container(&machine(&[], &[]).1, Ok(&down)),
        Status::Ok,
        "machine itself",
    );
    assert_says(&said(&[], &up), Status::Ok, "NVML works");
    assert_says(&said(&[], &down), Status::Fail, "--gpus all");
    assert_says(
        &said(&[("NVIDIA_VISIBLE_DEVICES", "void")], &down),
        Status::Fail,
        "given no GPU",
    );
    let all = ("NVIDIA_VISIBLE_DEVICES", "all");
    let compute = ("NVIDIA_DRIVER_CAPABILITIES", "compute,video");
    assert_says(&said(&[all, compute], &down), Status::Fail, "utility");
    assert_says(
        &said(&[all, ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility")], &down),
        Status::Warn,
        "nvidia-ctk",
    );
    let pod = machine(&[], &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]).1;
    assert_says(
        &container(&pod, Ok(&down)),
        Status::Fail,
        "KUBERNETES_SERVICE_HOST",
    );
}

#[test]
fn cgroups_of_both_versions_are_known() {
    let own = ("/proc/self/cgroup", "0::/\n");
    let said = |files: &[(&str, &str)]| cgroups(&machine(files, &[]).1);
    assert_says(
        &said(&[own, ("/sys/fs/cgroup/cgroup.controllers", "cpu")]),
        Status::Ok,
        "v2",
    );
    assert_says(
        &said(&[own, ("/sys/fs/cgroup/devices/tasks", "")]),
        Status::Ok,
        "v1",
    );
    assert_says(
        &said(&[("/sys/fs/cgroup/devices/tasks", "")]),
        Status::Warn,
        "/proc/self/cgroup",
    );
    assert_says(&said(&[own]), Status::Warn, "cgroup2");
}

#[test]
fn processes_may_be_hidden_by_proc_or_by_a_container() {
    let mounts = |options: &str| format!("proc /proc proc rw,nosuid{options} 0 0\n");
    let said = |options: &str, id: u32, docker: bool, namespace: &str| {
        let mounts = mounts(options);
        let mut files = vec![("/proc/mounts", mounts.as_str()), ("/proc/self/ns/x", "")];
        files.extend(docker.then_some(("/.dockerenv", "")));
        let (root, mut host) = machine(&files, &[]);
        symlink(namespace, root.path().join("proc/self/ns/pid")).unwrap();
        host.user.id = id;
        processes(&host)
    };
    let first = "pid:[4026531836]";
    assert_says(&said("", 1000, false, first), Status::Ok, "can be seen");
    assert_says(&said(",hidepid=0", 1000, false, first), Status::Ok, "can be seen");
    assert_says(
        &said(",hidepid=invisible", 1000, false, first),
        Status::Warn,
        "hidepid=invisible",
    );
    assert_says(
        &said(",hidepid=2,gid=99", 1000, false, first),
        Status::Warn,
        "usermod -aG 99",
    );
    assert_says(
        &said(",hidepid=2,gid=1000", 1000, false, first),
        Status::Ok,
        "can be seen",
    );
    assert_says(&said(",hidepid=2", 0, false, first), Status::Ok, "can be seen");
    assert_says(
        &said("", 1000, true, "pid:[4026532000]"),
        Status::Warn,
        "--pid=host",
    );
    assert_says(&processes(&machine(&[], &[]).1), Status::Skipped, "ns/pid");
}

#[test]
fn a_clock_is_set_and_synchronised() {
    let now = UNIX_EPOCH + Duration::from_secs(WRITTEN + 1);
    let (_root, host) = machine(&[], &[]);
    assert_says(&clock(&host, UNIX_EPOCH, Ok(true)), Status::Fail, "before 2026");
    assert_says(&clock(&host, now, Ok(true)), Status::Ok, "synchronised");
    assert_says(&clock(&host, now, Ok(false)), Status::Warn, "set-ntp");
    assert_says(
        &clock(&host, now, Err("nobody".to_owned())),
        Status::Skipped,
        "nobody",
    );
    let (_root, host) = machine(&[(SYNCHRONISED, "")], &[]);
    assert_says(&clock(&host, now, Ok(false)), Status::Ok, "synchronised");
    assert_eq!(
        is_synchronised(&host),
        Err("nothing on this machine says whether its clock is synchronised".to_owned())
    );
}
