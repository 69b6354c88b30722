//! Writes a recording: a thread of its own, with a frame every few seconds, so that whoever kills it loses little.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use gpulse_models::{Timestamp, microseconds};

use super::{Entry, FORMAT, Head, VERSION, What};

/// Lines that may wait for the disk: several ticks of 64 GPUs.
const WAITING_LINES: usize = 1_024;

/// How long lines are gathered to a frame.
const FRAME: Duration = Duration::from_secs(2);

/// Bytes of a frame, before they are packed.
const LARGEST_FRAME: usize = 8 << 20;

/// How hard zstd tries: beyond this it takes longer and gains little.
const EFFORT: i32 = 3;

/// Where lines are handed in.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    lines: SyncSender<String>,
    began: Instant,
    dropped: Arc<AtomicU64>,
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    lines: Lines,
    has_failed: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<u64>>,
}

impl Lines {
    /// Writes down what was reported now. Never waits: what the disk does not take is counted.
    pub(super) fn write(&self, what: What) {
        let after = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let line = serde_json::to_string(&Entry { after, what });
        let is_taken = line.is_ok_and(|line| self.lines.try_send(line).is_ok());
        if !is_taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writer {
    /// Begins a recording at `path`, which must not exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be made, or is there already.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create_new(path)?;
        let (lines, waiting) = sync_channel(WAITING_LINES);
        let head = Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: microseconds(Timestamp::now()),
        };
        let began = Instant::now();
        write_frame(&mut file, &format!("{}\n", serde_json::to_string(&head)?))?;
        let has_failed = Arc::new(AtomicBool::new(false));
        let failed = Arc::clone(&has_failed);
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || {
                write_all(file, &waiting).inspect_err(|_| failed.store(true, Ordering::Relaxed))
            })?;
        Ok(Self {
            lines: Lines {
                lines,
                began,
                dropped: Arc::default(),
            },
            has_failed,
            thread,
        })
    }

    /// Where lines are handed in.
    pub(crate) fn lines(&self) -> Lines {
        self.lines.clone()
    }

    /// Whether the disk refused.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Ends the recording once nobody hands in lines any more. How many were written, and how many dropped.
    ///
    /// # Errors
    ///
    /// If the file could not be written.
    pub(crate) fn finish(self) -> io::Result<(u64, u64)> {
        let dropped = self.lines.dropped.load(Ordering::Relaxed);
        drop(self.lines);
        let written = self.thread.join();
        let written = written.unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")));
        Ok((written?, dropped))
    }
}

fn write_all(mut file: File, waiting: &Receiver<String>) -> io::Result<u64> {
    let (mut frame, mut begun, mut written) = (String::new(), Instant::now(), 0);
    loop {
        let patience = FRAME.saturating_sub(begun.elapsed());
        let ended = match waiting.recv_timeout(patience) {
            Ok(line) => {
                frame += &line;
                frame.push('\n');
                written += 1;
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        if ended || frame.len() >= LARGEST_FRAME || begun.elapsed() >= FRAME {
            if !frame.is_empty() {
                write_frame(&mut file, &frame)?;
            }
            frame.clear();
            begun = Instant::now();
        }
        if ended {
            file.sync_all()?;
            return Ok(written);
        }
    }
}

fn write_frame(file: &mut File, lines: &str) -> io::Result<()> {
    file.write_all(&zstd::bulk::compress(lines.as_bytes(), EFFORT)?)
}
