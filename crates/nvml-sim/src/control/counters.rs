//! Counts calls by function and GPU, in memory or in a file that other processes read while the count goes
//! on.
//!
//! The file is a header of eight little-endian 64-bit words (magic, number of functions, number of slots,
//! process id, epoch in ms since 1970, three spare ones) followed by one block per slot, each with one
//! word per function in the order of [`NAMES`]. Slot 0 is for calls that concern no GPU, slot n + 1 for GPU
//! n.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::CALLS_FILE;
use crate::abi::NAMES;
use crate::abi::sys;

/// Says that the file is one of ours, and its layout: "nvmlsim" and a version.
const MAGIC: u64 = 0x016D_6973_6C6D_766E;

/// One slot for calls without a GPU, and one for each possible GPU.
const SLOTS: usize = 129;

const HEADER: usize = 8;
const WORDS: usize = HEADER + SLOTS * NAMES.len();

const PID: usize = 3;
const EPOCH: usize = 4;

/// The counters of a process, or of several that share a directory.
#[derive(Debug)]
pub(crate) struct Counters {
    words: &'static [AtomicU64],
}

impl Counters {
    /// Counters in memory only.
    pub(crate) fn private() -> Self {
        let words: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Self {
            words: Vec::leak(words),
        }
    }

    /// Counters in the directory's file, which goes on counting if it is there already.
    pub(crate) fn shared(dir: &Path, epoch_unix_ms: u64) -> std::io::Result<Self> {
        let path = dir.join(CALLS_FILE);
        if !is_ours(&path) {
            // Built aside and renamed: nobody may map a file that is too short.
            let aside = dir.join(format!("{CALLS_FILE}.{}", std::process::id()));
            let mut header = vec![0_u8; HEADER * 8];
            for (place, word) in [MAGIC, NAMES.len() as u64, SLOTS as u64].into_iter().enumerate() {
                header[place * 8..][..8].copy_from_slice(&word.to_le_bytes());
            }
            std::fs::write(&aside, header)?;
            File::options()
                .write(true)
                .open(&aside)?
                .set_len((WORDS * 8) as u64)?;
            std::fs::rename(&aside, &path)?;
        }
        let file = File::options().read(true).write(true).open(&path)?;
        let words = sys::share(&file, WORDS)?;
        words[PID].store(u64::from(std::process::id()), Ordering::Relaxed);
        words[EPOCH].store(epoch_unix_ms, Ordering::Relaxed);
        Ok(Self { words })
    }

    /// Counts one call.
    pub(crate) fn count(&self, function: usize, gpu: Option<usize>) {
        let slot = gpu.map_or(0, |gpu| gpu + 1).min(SLOTS - 1);
        self.words[HEADER + slot * NAMES.len() + function].fetch_add(1, Ordering::Relaxed);
    }
}

/// What the counters of a directory say at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    words: Vec<u64>,
}

impl Tally {
    /// Reads the counters; before the library is first initialised, all are zero.
    pub(crate) fn read(dir: &Path) -> std::io::Result<Self> {
        let mut bytes = Vec::with_capacity(WORDS * 8);
        match File::open(dir.join(CALLS_FILE)) {
            Ok(mut file) => file.read_to_end(&mut bytes)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
            Err(e) => return Err(e),
        };
        let mut words: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
            .collect();
        words.resize(WORDS, 0);
        Ok(Self { words })
    }

    /// All calls.
    pub(crate) fn total(&self) -> u64 {
        // A word for it would be one that all threads of a client fight over.
        self.words[HEADER..].iter().sum()
    }

    /// The process that was initialised last.
    pub(crate) fn pid(&self) -> u64 {
        self.words[PID]
    }

    /// The calls of one function on one GPU, or of those that concern no GPU.
    pub(crate) fn calls(&self, function: &str, gpu: Option<usize>) -> u64 {
        let slot = gpu.map_or(0, |gpu| gpu + 1);
        let Ok(function) = NAMES.binary_search(&function) else {
            return 0;
        };
        if slot >= SLOTS {
            0
        } else {
            self.words[HEADER + slot * NAMES.len() + function]
        }
    }

    /// The calls of one function, whatever they concern.
    pub(crate) fn calls_anywhere(&self, function: &str) -> u64 {
        let gpus = (0..SLOTS - 1).map(|gpu| self.calls(function, Some(gpu)));
        self.calls(function, None) + gpus.sum::<u64>()
    }
}

fn is_ours(path: &Path) -> bool {
    let Ok(mut file) = File::open(path) else {
        return false;
    };
    let long_enough = file
        .metadata()
        .is_ok_and(|metadata| metadata.len() == (WORDS * 8) as u64);
    let mut header = [0; 24];
    let read = file.read_exact(&mut header).is_ok();
    let word = |n: usize| u64::from_le_bytes(header[n * 8..][..8].try_into().unwrap_or_default());
    long_enough && read && word(0) == MAGIC && word(1) == NAMES.len() as u64 && word(2) == SLOTS as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_can_be_read_elsewhere_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Tally::read(dir.path()).unwrap().total(), 0);
        let power = NAMES.binary_search(&"nvmlDeviceGetPowerUsage").unwrap();
        let a = Counters::shared(dir.path(), 7).unwrap();
        a.count(power, Some(3));
        let b = Counters::shared(dir.path(), 7).unwrap();
        b.count(power, Some(3));
        b.count(power, None);
        let tally = Tally::read(dir.path()).unwrap();
        assert_eq!(tally.total(), 3);
        assert_eq!(tally.calls("nvmlDeviceGetPowerUsage", Some(3)), 2);
        assert_eq!(tally.calls("nvmlDeviceGetPowerUsage", None), 1);
        assert_eq!(tally.calls_anywhere("nvmlDeviceGetPowerUsage"), 3);
        assert_eq!(tally.calls("nvmlDeviceGetName", Some(3)), 0);
    }
}
