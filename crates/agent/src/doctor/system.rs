//! What of the system around it the agent depends on: container, cgroups, other users' processes, the clock.

use std::{
    io::Read as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use super::{check::Check, host::Host};

/// 2026-01-01: no agent runs before it was written, and a clock that stands there was never set.
const WRITTEN: u64 = 1_767_225_600;

/// systemd-timesyncd makes this file once the clock is synchronised.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// How long `timedatectl` may take, which asks another process.
const PATIENCE: Duration = Duration::from_secs(3);

/// All of them.
pub(super) fn checks(host: &Host, info: Result<&Value, &str>) -> Vec<Check> {
    vec![
        container(host, info),
        cgroups(host),
        processes(host),
        clock(host, SystemTime::now(), is_synchronised(host)),
    ]
}

/// Whether a container was given the GPUs, and enough of the driver.
fn container(host: &Host, info: Result<&Value, &str>) -> Check {
    const NAME: &str = "container";
    let Some(sign) = host.container() else {
        return Check::ok(NAME, "none: this process runs on the machine itself");
    };
    if info.is_ok_and(|info| info["available"] == true) {
        return Check::ok(NAME, format!("one, as {sign} says, and NVML works in it"));
    }
    let run =
        "docker run --gpus all …; in Kubernetes runtimeClassName: nvidia and NVIDIA_VISIBLE_DEVICES=all";
    match host.variable("NVIDIA_VISIBLE_DEVICES") {
        None | Some("" | "void" | "none") => {
            let found = format!("one, as {sign} says, without NVIDIA_VISIBLE_DEVICES");
            Check::fail(NAME, found, "the container was given no GPU", run)
        }
        Some(devices) => match host.variable("NVIDIA_DRIVER_CAPABILITIES") {
            Some(given)
                if !given
                    .split(',')
                    .any(|given| ["utility", "all"].contains(&given.trim())) =>
            {
                Check::fail(
                    NAME,
                    format!("NVIDIA_DRIVER_CAPABILITIES={given}"),
                    "NVML is a part of the capability `utility`, which the container was not given",
                    "docker run -e NVIDIA_DRIVER_CAPABILITIES=utility …",
                )
            }
            _ => Check::warn(
                NAME,
                format!("NVIDIA_VISIBLE_DEVICES={devices}, and NVML does not work"),
                "the container asks for GPUs; what runs containers may not know how to give them",
                "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
            ),
        },
    }
}

/// Cgroups say which container or job a process belongs to.
fn cgroups(host: &Host) -> Check {
    const NAME: &str = "cgroups";
    let version = if host.exists("/sys/fs/cgroup/cgroup.controllers") {
        "v2"
    } else if host.exists("/sys/fs/cgroup/devices") || host.exists("/sys/fs/cgroup/memory") {
        "v1"
    } else {
        return Check::warn(
            NAME,
            "nothing in /sys/fs/cgroup",
            "containers and jobs are recognised by the cgroups of their processes",
            "mount it: sudo mount -t cgroup2 none /sys/fs/cgroup",
        );
    };
    match host.text("/proc/self/cgroup") {
        Ok(_) => Check::ok(NAME, version),
        Err(error) => Check::warn(
            NAME,
            format!("{version}; /proc/self/cgroup: {error}"),
            "containers and jobs are recognised by the cgroups of their processes",
            "let /proc be mounted without restrictions",
        ),
    }
}

/// Whether processes of others can be seen: who they are is read from `/proc`.
fn processes(host: &Host) -> Check {
    const NAME: &str = "processes";
    let why = "users, commands and containers of processes of others are read from /proc; without that there are pid and memory only";
    if let Some(hidden) = host.text("/proc/mounts").ok().as_deref().and_then(hidden)
        && host.user.id != 0
        && !hidden
            .group
            .is_some_and(|group| host.user.groups.contains(&group))
    {
        let fix = match hidden.group {
            Some(group) => format!("sudo usermod -aG {group} USER: the group of `gid=` may see them"),
            None => "sudo mount -o remount,hidepid=0 /proc, or run as root".to_owned(),
        };
        return Check::warn(NAME, format!("/proc is mounted with {}", hidden.option), why, fix);
    }
    match (host.container(), host.has_own_pids()) {
        (Some(_), Some(true)) => Check::warn(
            NAME,
            "the container has process ids of its own",
            why,
            "docker run --pid=host …; in Kubernetes hostPID: true",
        ),
        (_, None) => Check::skipped(NAME, "/proc/self/ns/pid cannot be read"),
        _ => Check::ok(NAME, "those of others can be seen"),
    }
}

struct Hidden {
    option: String,
    group: Option<u32>,
}

/// How `/proc` is mounted, if processes of others are hidden by that.
fn hidden(mounts: &str) -> Option<Hidden> {
    let line = mounts
        .lines()
        .find(|line| line.split(' ').nth(1) == Some("/proc"))?;
    let options = || {
        line.split(' ')
            .nth(3)
            .into_iter()
            .flat_map(|options| options.split(','))
    };
    let option = options().find(|option| option.starts_with("hidepid="))?;
    let group = options()
        .find_map(|option| option.strip_prefix("gid="))
        .and_then(|group| group.parse().ok());
    let is_open = ["hidepid=0", "hidepid=off"].contains(&option);
    (!is_open).then(|| Hidden {
        option: option.to_owned(),
        group,
    })
}

/// Times of samples are those of this clock.
fn clock(host: &Host, now: SystemTime, is_synchronised: Result<bool, String>) -> Check {
    const NAME: &str = "clock";
    let why = "samples and events carry the time of this clock: with a wrong one they stand in the wrong place of every database";
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map(|time| time.as_secs())
        .unwrap_or_default();
    let fix = "sudo timedatectl set-ntp true";
    if seconds < WRITTEN {
        return Check::fail(NAME, "it stands before 2026", why, fix);
    }
    if host.exists(SYNCHRONISED) {
        return Check::ok(NAME, "synchronised");
    }
    match is_synchronised {
        Ok(true) => Check::ok(NAME, "synchronised"),
        Ok(false) => Check::warn(NAME, "not synchronised", why, fix),
        Err(why) => Check::skipped(NAME, why),
    }
}

/// What systemd says of the clock, which asks the kernel; or why nobody can be asked.
fn is_synchronised(host: &Host) -> Result<bool, String> {
    let nobody = "nothing on this machine says whether its clock is synchronised".to_owned();
    if !host.is_real() || !host.exists("/run/systemd/system") {
        return Err(nobody);
    }
    let mut child = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|_| nobody.clone())?;
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if start.elapsed() > PATIENCE {
            // It is asked no more; that it may have ended by now is fine.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("timedatectl did not answer within {PATIENCE:?}"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let mut said = String::new();
    if let Some(mut out) = child.stdout.take() {
        // Without an answer it says nothing.
        let _ = out.read_to_string(&mut said);
    }
    match said.trim() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(nobody),
    }
}

#[cfg(test)]
#[path = "system_tests.rs"]
mod tests;
