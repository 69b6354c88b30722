//! What a process takes.

use std::{fmt, fs, io};

/// What a process takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) resident_kib: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
}

impl Usage {
    /// An error if it has ended.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("process {pid} has ended")))
        };
        Ok(Self {
            resident_kib: number("VmRSS:")?,
            threads: number("Threads:")?,
            files: fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64,
        })
    }

    /// The least of both, of each thing.
    pub(crate) fn least(self, other: Self) -> Self {
        Self {
            resident_kib: self.resident_kib.min(other.resident_kib),
            threads: self.threads.min(other.threads),
            files: self.files.min(other.files),
        }
    }
}

/// The cells of a row of a table.
impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} | {} | {}", self.resident_kib, self.threads, self.files)
    }
}
