//! What the names of a process's control groups tell: text in, structure out.
//!
//! A line of `/proc/PID/cgroup` is `hierarchy:controllers:path`. Version 2 has one, version 1 one per hierarchy,
//! and not all of them need to lead to the container. Runtimes nest: the innermost container is the one meant.

use gpulse_models::{Container, ContainerRuntime, SlurmJob};

/// Digits of the id that every runtime here gives a container.
const ID_DIGITS: usize = 64;

/// Groups of systemd's that hold services and other groups, but are no container.
const NO_CONTAINER: [&str; 5] = [".slice", ".service", ".mount", ".socket", ".swap"];

/// What the control groups of a process tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) container: Option<Container>,
    pub(super) pod_uid: Option<String>,
    pub(super) slurm_job: Option<SlurmJob>,
}

/// Reads `/proc/PID/cgroup`. Of several lines the one that goes through the most containers counts.
pub(super) fn parse(text: &str) -> Membership {
    let mut membership = Membership::default();
    let (mut containers_deep, mut pods_deep) = (0, 0);
    for path in text.lines().filter_map(|line| line.splitn(3, ':').nth(2)) {
        // The kernel's mark on a group that was removed around a process that has ended.
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        let names: Vec<_> = path.split('/').flat_map(|name| name.split(':')).collect();
        let containers: Vec<_> = (0..names.len())
            .filter_map(|place| container(&names, place))
            .collect();
        if containers.len() > containers_deep {
            containers_deep = containers.len();
            membership.container = containers.into_iter().next_back();
        }
        let pods: Vec<_> = names.iter().filter_map(|name| pod_uid(name)).collect();
        if pods.len() > pods_deep {
            pods_deep = pods.len();
            membership.pod_uid = pods.into_iter().next_back();
        }
        let job = slurm_job(&names);
        let more_is_known = |known: &SlurmJob| known.step.is_none() && job.is_some();
        if membership.slurm_job.as_ref().is_none_or(more_is_known) {
            membership.slurm_job = job;
        }
    }
    membership
}

/// The container that the name at `place` stands for: `ID` or `RUNTIME-ID`, with `.scope` behind it or not.
fn container(names: &[&str], place: usize) -> Option<Container> {
    let name = names[place];
    if NO_CONTAINER.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let above = place.checked_sub(1).map_or("", |above| names[above]);
    let (runtime, id) = match name.rsplit_once('-') {
        Some((prefix, _)) if prefix.ends_with("conmon") => return None,
        Some((prefix, id)) => (runtime(prefix), id),
        // `docker/ID` of the cgroupfs driver, or `cri-containerd:ID`.
        None => (runtime(above), name),
    };
    is_hex(id, ID_DIGITS).then(|| Container {
        id: id.to_owned(),
        runtime,
    })
}

fn runtime(name: &str) -> Option<ContainerRuntime> {
    match name {
        "docker" => Some(ContainerRuntime::Docker),
        "cri-containerd" | "nerdctl" => Some(ContainerRuntime::Containerd),
        "crio" => Some(ContainerRuntime::CriO),
        "libpod" | "libpod_parent" => Some(ContainerRuntime::Podman),
        _ => None,
    }
}

/// `pod<uid>`, or `…-pod<uid>.slice` with underscores, because systemd gives dashes a meaning.
fn pod_uid(name: &str) -> Option<String> {
    let name = name.strip_suffix(".slice").unwrap_or(name);
    let uid = match name.rsplit_once("-pod") {
        Some((_, uid)) => uid,
        None => name.strip_prefix("pod")?,
    };
    let uid = uid.replace('_', "-");
    // A pod from a file on the node is known by a hash.
    (is_uuid(&uid) || is_hex(&uid, 32)).then_some(uid)
}

/// `job_42/step_0` below a group of Slurm's.
fn slurm_job(names: &[&str]) -> Option<SlurmJob> {
    let slurms =
        |name: &&str| *name == "slurm" || name.starts_with("slurm_") || name.ends_with("slurmstepd.scope");
    let below = names.iter().skip_while(|name| !slurms(name));
    let mut below = below.skip_while(|name| !name.starts_with("job_"));
    let id = below.next()?.strip_prefix("job_")?.parse().ok()?;
    let step = below.next().and_then(|name| name.strip_prefix("step_"));
    Some(SlurmJob {
        id,
        step: step.map(ToOwned::to_owned),
    })
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let mut parts = text.split('-');
    [8, 4, 4, 4, 12]
        .into_iter()
        .all(|digits| parts.next().is_some_and(|part| is_hex(part, digits)))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContainerRuntime::{Containerd, CriO, Docker, Podman};
    use proptest::prelude::*;

    /// The container meant in every file of the test data; `b2…` is one around it.
    fn inner() -> String {
        "a1".repeat(32)
    }

    const POD: &str = "3f1c5a52-0d4e-4b6f-9a77-1c2d3e4f5a6b";

    fn recorded(name: &str) -> Membership {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/cgroup");
        let file = std::path::Path::new(directory).join(name);
        parse(&std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    }

    fn expect(name: &str, runtime: Option<ContainerRuntime>, pod: Option<&str>) {
        let expected = Membership {
            container: Some(Container { id: inner(), runtime }),
            pod_uid: pod.map(ToOwned::to_owned),
            slurm_job: None,
        };
        assert_eq!(recorded(name), expected, "{name}");
    }

    #[test]
    fn containers_of_docker_and_podman() {
        expect("docker-cgroupfs-v1", Some(Docker), None);
        expect("docker-systemd-v2", Some(Docker), None);
        expect("nerdctl-systemd-v2", Some(Containerd), None);
        expect("podman-root-v2", Some(Podman), None);
        expect("podman-rootless-v2", Some(Podman), None);
        expect("podman-pod-v2", Some(Podman), None);
        expect("podman-cgroupfs-pod-v1", Some(Podman), None);
    }

    #[test]
    fn containers_of_kubernetes_with_their_pod() {
        expect("containerd-kubernetes-systemd-v2", Some(Containerd), Some(POD));
        expect("containerd-kubernetes-colons", Some(Containerd), Some(POD));
        expect("crio-guaranteed-systemd-v2", Some(CriO), Some(POD));
        expect("from-within-a-cgroup-namespace", Some(Containerd), Some(POD));
        // Here the path does not tell which runtime it is.
        expect("containerd-kubernetes-cgroupfs-v1", None, Some(POD));
        expect(
            "kubernetes-static-pod",
            None,
            Some("0123456789abcdef0123456789abcdef"),
        );
    }

    #[test]
    fn the_innermost_container_counts() {
        expect("kind", Some(Containerd), Some(POD));
        expect("docker-in-docker-v1", Some(Docker), None);
        expect("docker-in-docker-mixed", Some(Docker), None);
    }

    #[test]
    fn jobs_of_slurm() {
        for (name, step) in [
            ("slurm-v1", "0"),
            ("slurm-v2", "batch"),
            ("slurm-multiple-daemons-v2", "0"),
        ] {
            let job = SlurmJob {
                id: 42,
                step: Some(step.to_owned()),
            };
            assert_eq!(
                recorded(name),
                Membership {
                    slurm_job: Some(job),
                    ..Membership::default()
                },
                "{name}"
            );
        }
    }

    #[test]
    fn a_line_that_knows_the_step_counts_more() {
        let text = "2:cpuset:/slurm/uid_1/job_9\n1:memory:/slurm/uid_1/job_9/step_3\n";
        assert_eq!(parse(text).slurm_job.unwrap().step.as_deref(), Some("3"));
    }

    #[test]
    fn a_group_that_was_removed_still_tells() {
        let text = format!("0::/system.slice/docker-{}.scope (deleted)\n", inner());
        assert_eq!(parse(&text).container.unwrap().id, inner());
    }

    #[test]
    fn what_is_no_container_is_none() {
        for name in ["login-session", "systemd-service", "crio-monitor"] {
            assert_eq!(recorded(name), Membership::default(), "{name}");
        }
        let nobody = [
            "0::/job_7",
            "0::/podcast",
            "0::/pod-1234",
            "0::/docker/abc",
            "",
            "0::",
        ];
        for text in nobody {
            assert_eq!(parse(text), Membership::default(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", line in "[0-9:/a-f_.]{0,80}(pod|-pod|job_|step_|\\.scope|\\.slice|slurm/)*.{0,8}") {
            parse(&text);
            parse(&line);
        }

        #[test]
        fn a_container_is_found_below_anything(above in "(/[a-z]{1,8}){0,4}", id in "[0-9a-f]{64}", lines in 0usize..5) {
            let text = format!("{}0::{above}/docker-{id}.scope\n", "3:cpu:/\n".repeat(lines));
            prop_assert_eq!(parse(&text).container, Some(Container { id, runtime: Some(Docker) }));
        }

        #[test]
        fn both_spellings_of_a_pod_are_the_same(uid in "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
            let plain = parse(&format!("0::/kubepods/pod{uid}"));
            let slice = parse(&format!("0::/kubepods.slice/kubepods-pod{}.slice", uid.replace('-', "_")));
            prop_assert_eq!(&plain, &slice);
            prop_assert_eq!(plain.pod_uid, Some(uid));
        }
    }
}
