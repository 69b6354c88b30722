//! A `/proc` of the test's own.

use std::{os::unix::fs::symlink, process::Command, thread};

use gpulse_models::{Container, ContainerRuntime, User};
use tempfile::TempDir;

use super::*;

const BOOT: i64 = 1_700_000_000;

/// A directory that looks like `/proc`, and a password file.
struct Fake {
    directory: TempDir,
}

impl Fake {
    fn new() -> Self {
        let fake = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fake.write("stat", &format!("cpu 1 2 3\nbtime {BOOT}\n"));
        fake.write("passwd", "root:x:0:0::/:\nada:x:1000:1000::/:\n");
        fs::create_dir_all(fake.path("self/ns")).unwrap();
        symlink(HOST_PID_NAMESPACE, fake.path("self/ns/pid")).unwrap();
        fake
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    /// A process that started so many ticks after boot.
    fn start(&self, pid: u32, ticks: u64, uid: u32) {
        let _ = fs::remove_dir_all(self.path(&pid.to_string()));
        fs::create_dir(self.path(&pid.to_string())).unwrap();
        self.set_stat(pid, "python3", ticks);
        self.write(&format!("{pid}/status"), &format!("Uid:\t{uid}\t0\t0\t0\n"));
        self.write(&format!("{pid}/cmdline"), "python3\0train.py\0--token=hunter2\0");
        self.write(&format!("{pid}/cgroup"), "0::/user.slice\n");
        symlink("/usr/bin/python3.12", self.path(&format!("{pid}/exe"))).unwrap();
    }

    fn set_stat(&self, pid: u32, comm: &str, ticks: u64) {
        let zeros = "0 ".repeat(18);
        self.write(
            &format!("{pid}/stat"),
            &format!("{pid} ({comm}) S {zeros}{ticks} 0\n"),
        );
    }

    fn who(&self, policy: CommandLines) -> Who {
        self.who_after(policy, UnderWay::default())
    }

    fn who_after(&self, policy: CommandLines, commands: UnderWay) -> Who {
        Who::new(self.directory.path(), &self.path("passwd"), policy, commands)
    }
}

fn are(who: &mut Who, pids: &[u32]) -> Vec<Identity> {
    who.are(pids, &CurrentCall::new(Arc::default()))
}

fn found(who: &mut Who, pid: u32) -> Arc<ProcessIdentity> {
    match are(who, &[pid]).remove(0) {
        Identity::Found(identity) => identity,
        other => panic!("{pid} is {other:?}"),
    }
}

#[test]
fn everything_is_read() {
    let fake = Fake::new();
    fake.start(42, 12_345, 1_000);
    let id = "a1".repeat(32);
    fake.write("42/cgroup", &format!("0::/system.slice/docker-{id}.scope\n"));
    let expected = ProcessIdentity {
        started_at: Reading::Value(Timestamp::from_millisecond(BOOT * 1_000 + 123_450).unwrap()),
        start_ticks: 12_345,
        user: Reading::Value(User {
            uid: 1_000,
            name: Some("ada".to_owned()),
        }),
        executable: Reading::Value("/usr/bin/python3.12".to_owned()),
        command: CommandLine::Executable("python3".to_owned()),
        container: Reading::Value(Some(Container {
            id,
            runtime: Some(ContainerRuntime::Docker),
        })),
        pod_uid: Reading::Value(None),
        slurm_job: Reading::Value(None),
        pid_namespace: PidNamespace::Host,
    };
    assert_eq!(*found(&mut fake.who(CommandLines::Executable), 42), expected);
}

#[test]
fn a_pid_that_is_not_here_stays_in_its_place() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    let answers = are(&mut fake.who(CommandLines::Full), &[41, 42, 43]);
    assert_eq!(
        (&answers[0], &answers[2]),
        (&Identity::NotHere, &Identity::NotHere)
    );
    assert!(answers[1].found().is_some());
}

#[test]
fn a_known_process_is_not_read_again() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    let mut who = fake.who(CommandLines::Executable);
    let first = found(&mut who, 42);
    for file in ["status", "cmdline", "cgroup", "exe"] {
        fs::remove_file(fake.path(&format!("42/{file}"))).unwrap();
    }
    assert!(Arc::ptr_eq(&first, &found(&mut who, 42)));
}

#[test]
fn a_reused_pid_is_a_new_process() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    let mut who = fake.who(CommandLines::Executable);
    assert_eq!(found(&mut who, 42).user.value().unwrap().label(), "root");
    fake.start(42, 2, 1_000);
    let second = found(&mut who, 42);
    assert_eq!((second.start_ticks, second.user.value().unwrap().uid), (2, 1_000));
}

#[test]
fn a_process_that_executes_another_program_is_read_again() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    let mut who = fake.who(CommandLines::Executable);
    found(&mut who, 42);
    fake.set_stat(42, "ollama", 1);
    fake.write("42/cmdline", "ollama\0serve\0");
    assert_eq!(
        found(&mut who, 42).command,
        CommandLine::Executable("ollama".to_owned())
    );
}

#[test]
fn who_is_gone_is_forgotten() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    fake.start(43, 1, 0);
    let mut who = fake.who(CommandLines::Executable);
    are(&mut who, &[42, 43]);
    fs::remove_dir_all(fake.path("42")).unwrap();
    assert_eq!(are(&mut who, &[42]), [Identity::NotHere]);
    assert!(who.known.is_empty(), "{:?}", who.known);
}

#[test]
fn a_user_who_gets_a_name_is_called_by_it() {
    let fake = Fake::new();
    fake.start(42, 1, 1_001);
    let mut who = fake.who(CommandLines::Executable);
    assert_eq!(found(&mut who, 42).user.value().unwrap().name, None);
    fake.write("passwd", "root:x:0:0::/:\ngrace:x:1001:1001::/:\nlonger:x:9:\n");
    assert_eq!(found(&mut who, 42).user.value().unwrap().label(), "grace");
}

#[test]
fn what_cannot_be_read_has_its_reason_and_costs_nothing_else() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    fs::remove_file(fake.path("42/exe")).unwrap();
    fake.write("42/status", "Name:\tpython3\n");
    fake.write("stat", "cpu 1 2 3\n");
    fs::remove_file(fake.path("42/cgroup")).unwrap();
    fs::create_dir(fake.path("42/cgroup")).unwrap();
    let identity = found(&mut fake.who(CommandLines::Off), 42);
    assert_eq!(identity.executable, Reading::Unavailable(Reason::NotSupported));
    assert_eq!(identity.user, Reading::Unavailable(Reason::Error));
    assert_eq!(identity.started_at, Reading::Unavailable(Reason::Error));
    assert_eq!(identity.container, Reading::Unavailable(Reason::Error));
    assert_eq!(
        (identity.start_ticks, &identity.command),
        (1, &CommandLine::Withheld)
    );
}

#[test]
fn a_stat_that_makes_no_sense_is_no_identity() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    fake.write("42/stat", "nonsense");
    let answers = are(&mut fake.who(CommandLines::Off), &[42]);
    assert_eq!(answers, [Identity::Unavailable(Reason::Error)]);
}

#[test]
fn a_refusal_is_a_refusal() {
    let refused: io::Error = io::ErrorKind::PermissionDenied.into();
    assert!(!is_gone(&refused));
    assert_eq!(reason(&refused), Reason::NoPermission);
    assert!(is_gone(&io::Error::from_raw_os_error(3)));
}

#[test]
fn the_agents_own_pid_namespace_is_told_apart() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    let link = fake.path("self/ns/pid");
    fs::remove_file(&link).unwrap();
    let namespace = |fake: &Fake| found(&mut fake.who(CommandLines::Off), 42).pid_namespace;
    assert_eq!(namespace(&fake), PidNamespace::Unknown);
    symlink("pid:[4026532198]", &link).unwrap();
    assert_eq!(namespace(&fake), PidNamespace::Own);
}

#[test]
fn from_within_a_container_no_container_is_not_known() {
    let fake = Fake::new();
    fake.start(42, 1, 0);
    fake.start(43, 1, 0);
    let id = "a1".repeat(32);
    fake.write("43/cgroup", &format!("0::/../docker-{id}.scope\n"));
    let link = fake.path("self/ns/cgroup");
    symlink(HOST_CGROUP_NAMESPACE, &link).unwrap();
    assert_eq!(
        found(&mut fake.who(CommandLines::Off), 42).container,
        Reading::Value(None)
    );
    fs::remove_file(&link).unwrap();
    symlink("cgroup:[4026532444]", &link).unwrap();
    let mut who = fake.who(CommandLines::Off);
    assert_eq!(
        found(&mut who, 42).container,
        Reading::Unavailable(Reason::NoPermission)
    );
    let sibling = found(&mut who, 43);
    assert_eq!(sibling.container.value().unwrap().as_ref().unwrap().id, id);
}

#[test]
fn a_command_line_that_hangs_is_waited_for_once() {
    let fake = Fake::new();
    fake.start(42, 1, 1_000);
    let cmdline = fake.path("42/cmdline");
    fs::remove_file(&cmdline).unwrap();
    // Who opens a pipe to read from it waits for somebody who writes.
    let made = Command::new("mkfifo").arg(&cmdline).status().unwrap();
    assert!(made.success());
    let commands = UnderWay::default();
    let mut first = fake.who_after(CommandLines::Executable, commands.clone());
    let mut second = fake.who_after(CommandLines::Executable, commands);
    let call = CurrentCall::new(Arc::default());
    let inside = call.clone();
    let hangs = thread::spawn(move || first.are(&[42], &inside));
    while call.get() != "/proc/PID/cmdline" {
        thread::yield_now();
    }
    while second.commands.is_idle() {
        thread::yield_now();
    }
    let identity = found(&mut second, 42);
    assert_eq!(identity.command, CommandLine::Unavailable(Reason::Timeout));
    assert_eq!(identity.user.value().unwrap().label(), "ada");

    fs::write(&cmdline, "python3\0").unwrap();
    let late = hangs.join().unwrap().remove(0);
    let expected = CommandLine::Executable("python3".to_owned());
    assert_eq!(late.found().unwrap().command, expected);
    fs::remove_file(&cmdline).unwrap();
    fake.write("42/cmdline", "python3\0");
    assert_eq!(found(&mut second, 42).command, expected);
}
