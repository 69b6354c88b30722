//! What the kernel says of the agent's process.
//!
//! Only files are read that the kernel answers without a lock that a thread stuck inside the driver may hold.

use std::{fs, io, path::Path, sync::OnceLock};

use gpulse_models::{Bytes, ProcessStats, Reading, Reason, Seconds, Timestamp};

/// The process that reads this.
const SELF: &str = "/proc/self";

/// The kernel's unit of time in these files (`USER_HZ`), a second's part. It is 100 wherever NVIDIA's driver runs, and cannot
/// be asked for without libc.
const TICKS_PER_SECOND: u64 = 100;

const KIBIBYTE: u64 = 1_024;

/// When the process was started: asked for once, since `/proc/stat` is long on large machines.
#[derive(Debug, Default)]
pub(super) struct Origin(OnceLock<Reading<Timestamp>>);

/// What the process is like now.
pub(super) fn read(origin: &Origin) -> ProcessStats {
    let directory = Path::new(SELF);
    let status = text(&directory.join("status"));
    let stat = text(&directory.join("stat"));
    let limits = text(&directory.join("limits"));
    let of_status = |key| {
        status
            .as_deref()
            .map_err(|reason| *reason)
            .and_then(|text| number(text, key))
    };
    let times = stat.as_deref().map_err(|reason| *reason).and_then(times);
    ProcessStats {
        resident_memory: of_status("VmRSS:").map(kibibytes).into(),
        virtual_memory: of_status("VmSize:").map(kibibytes).into(),
        cpu: times.map(|times| seconds(times.spent)).into(),
        open_fds: open_files(&directory.join("fd")).into(),
        max_fds: limits.and_then(|text| most_files(&text)).into(),
        threads: of_status("Threads:").into(),
        started_at: *origin
            .0
            .get_or_init(|| times.and_then(|times| started_at(times.begun)).into()),
    }
}

/// Ticks of a process, by `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    /// Of processors, for itself and in the kernel.
    spent: u64,
    /// From boot to its start.
    begun: u64,
}

/// The second field is the name in parentheses, which may hold any character; behind it begins field 3.
fn times(stat: &str) -> Result<Times, Reason> {
    let (_, behind) = stat.rsplit_once(')').ok_or(Reason::Error)?;
    let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
    let field = |number: usize| -> Result<u64, Reason> {
        let text = fields.get(number - 3).ok_or(Reason::Error)?;
        text.parse().map_err(|_| Reason::Error)
    };
    Ok(Times {
        spent: field(14)?.saturating_add(field(15)?),
        begun: field(22)?,
    })
}

fn started_at(ticks: u64) -> Result<Timestamp, Reason> {
    let stat = text(Path::new("/proc/stat"))?;
    let boot = i64::try_from(number(&stat, "btime ")?).map_err(|_| Reason::Error)?;
    let milliseconds = i64::try_from(ticks * 1_000 / TICKS_PER_SECOND).map_err(|_| Reason::Error)?;
    let since_1970 = boot.saturating_mul(1_000).saturating_add(milliseconds);
    Timestamp::from_millisecond(since_1970).map_err(|_| Reason::Error)
}

/// The number behind a key at the beginning of a line.
fn number(text: &str, key: &str) -> Result<u64, Reason> {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let word = line.and_then(|line| line.split_ascii_whitespace().next());
    word.and_then(|word| word.parse().ok()).ok_or(Reason::Error)
}

/// The soft limit of open files, in `/proc/PID/limits`.
fn most_files(limits: &str) -> Result<u64, Reason> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_ascii_whitespace().next()) {
        Some("unlimited") => Err(Reason::NotSupported),
        Some(number) => number.parse().map_err(|_| Reason::Error),
        None => Err(Reason::Error),
    }
}

/// Kernels from 6.2 on give their number as the size of the directory; others have to be asked for each.
fn open_files(directory: &Path) -> Result<u64, Reason> {
    let size = fs::metadata(directory).map_err(|error| reason(&error))?.len();
    if size > 0 {
        return Ok(size);
    }
    let entries = fs::read_dir(directory).map_err(|error| reason(&error))?;
    // One of them is the directory itself.
    Ok((entries.count() as u64).saturating_sub(1))
}

fn kibibytes(number: u64) -> Bytes {
    Bytes(number.saturating_mul(KIBIBYTE))
}

fn seconds(ticks: u64) -> Seconds {
    Seconds(ticks as f64 / TICKS_PER_SECOND as f64)
}

fn text(file: &Path) -> Result<String, Reason> {
    fs::read_to_string(file).map_err(|error| reason(&error))
}

fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::NotFound => Reason::NotSupported,
        io::ErrorKind::PermissionDenied => Reason::NoPermission,
        _ => Reason::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_behind_whatever_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 900 0 0 0 250 150 0 0 20 0 9 0 4242 1000 200 18446744073709551615";
        let expected = Times {
            spent: 400,
            begun: 4_242,
        };
        assert_eq!(times(stat), Ok(expected));
        assert_eq!(seconds(expected.spent), Seconds(4.0));
        for nonsense in [
            "",
            "7 (a",
            "7 (a) S 1 2",
            "7 (a) S 1 7 7 0 -1 4 9 0 0 0 x 150 0 0 20 0 9 0 4242",
        ] {
            assert_eq!(times(nonsense), Err(Reason::Error), "{nonsense}");
        }
    }

    #[test]
    fn limits_and_keys_are_found() {
        let limits =
            "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024   524288   files\n";
        assert_eq!(most_files(limits), Ok(1_024));
        assert_eq!(
            most_files("Max open files            unlimited   unlimited   files"),
            Err(Reason::NotSupported)
        );
        assert_eq!(most_files("Max processes 5 5"), Err(Reason::Error));
        assert_eq!(
            number("Name:\tVmRSS: 3\nVmRSS:\t  4096 kB\n", "VmRSS:"),
            Ok(4_096)
        );
        assert_eq!(number("Name:\tx\n", "VmRSS:"), Err(Reason::Error));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_described_by_all_of_it() {
        let origin = Origin::default();
        let before = read(&origin);
        let files: Vec<_> = (0..50)
            .map(|_| fs::File::open("/proc/self/stat").unwrap())
            .collect();
        let now = read(&origin);
        let value = |reading: Reading<u64>| reading.into_result().unwrap();
        // Other tests of this process open and close some as well.
        assert!(value(now.open_fds) + 20 > value(before.open_fds) + files.len() as u64);
        assert!(value(now.open_fds) <= value(now.max_fds));
        assert!(value(now.threads) >= 1);
        let (resident, all) = (
            now.resident_memory.value().unwrap(),
            now.virtual_memory.value().unwrap(),
        );
        assert!(
            *resident >= Bytes(KIBIBYTE) && resident < all,
            "{resident:?} of {all:?}"
        );
        assert!(now.cpu.value() >= before.cpu.value());
        let started = *now.started_at.value().unwrap();
        assert_eq!(before.started_at, now.started_at);
        let age = Timestamp::now().as_second() - started.as_second();
        // The time of boot is known to a second.
        assert!((-2..86_400).contains(&age), "started {age} s ago");
    }

    #[test]
    fn what_is_not_there_has_its_reason() {
        assert_eq!(text(Path::new("/nowhere/stat")), Err(Reason::NotSupported));
        assert_eq!(open_files(Path::new("/nowhere/fd")), Err(Reason::NotSupported));
    }
}
