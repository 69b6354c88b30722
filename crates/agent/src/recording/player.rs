//! Plays a recording: a thread that reports to the aggregator what samplers once did, with the times moved to now.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use actix::prelude::SendError;
use gpulse_models::Timestamp;
use gpulse_sampler::Reports;
use serde_json::Value;

use super::{Entry, FORMAT, Head, VERSION, entry::Report};

/// Epochs between two rounds of a recording: more than it has initialisations of the driver.
const EPOCHS_OF_A_ROUND: u64 = 1 << 32;

/// Bytes of a line: many times what a sample with a thousand processes takes.
const LONGEST_LINE: u64 = 64 << 20;

/// Pause before a full mailbox is tried again.
const MAILBOX_PAUSE: Duration = Duration::from_millis(1);

/// Pause between two rounds, so that an empty recording does not spin.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// How a recording is played.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) file: PathBuf,
    /// How many seconds of it are played in a second.
    pub(crate) speed: f64,
    /// Whether it begins anew at its end.
    pub(crate) repeat: bool,
}

/// A recording that is played as long as this is kept.
#[derive(Debug)]
pub(crate) struct Playing(#[expect(dead_code, reason = "its end is the message")] SyncSender<()>);

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlayError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is no recording, or of another version.
    #[error("{0} is no recording of this version of gpulse: {1}")]
    NoRecording(PathBuf, String),
}

/// Starts to play, once the file was seen to be a recording.
///
/// # Errors
///
/// If the file cannot be read, or is no recording.
pub(crate) fn play(settings: Settings, reports: Reports) -> Result<Playing, PlayError> {
    // A mistake shows at once, not in the log of a thread.
    Recording::open(&settings.file)?;
    let file = settings.file.clone();
    let (playing, stopped) = sync_channel(1);
    thread::Builder::new()
        .name("replay".to_owned())
        .spawn(move || run(&settings, &reports, &stopped))
        .map_err(|error| PlayError::Io(file, error))?;
    Ok(Playing(playing))
}

fn run(settings: &Settings, reports: &Reports, stopped: &Receiver<()>) {
    for round in 0.. {
        match play_once(settings, reports, stopped, round * EPOCHS_OF_A_ROUND) {
            Ok(true) => return,
            Ok(false) => tracing::info!(file = %settings.file.display(), "the recording is at its end"),
            Err(error) => tracing::warn!(%error, "the recording cannot be played any further"),
        }
        if !settings.repeat || waited(stopped, BETWEEN_ROUNDS) {
            return;
        }
    }
}

/// Plays it to its end. Whether nobody wants to see more.
fn play_once(
    settings: &Settings,
    reports: &Reports,
    stopped: &Receiver<()>,
    epoch: u64,
) -> Result<bool, PlayError> {
    let mut recording = Recording::open(&settings.file)?;
    let times = Times {
        recorded: recording.head.started_at,
        played: Timestamp::now(),
        speed: settings.speed,
    };
    let (began, mut known) = (Instant::now(), Vec::new());
    while let Some(entry) = recording.next(&times) {
        let due = Duration::from_micros(entry.after).div_f64(settings.speed);
        if waited(stopped, due.saturating_sub(began.elapsed())) {
            return Ok(true);
        }
        if !told(reports, entry.what.report(epoch, &mut known), stopped) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Waits. Whether it is over.
fn waited(stopped: &Receiver<()>, time: Duration) -> bool {
    matches!(stopped.recv_timeout(time), Err(RecvTimeoutError::Disconnected))
}

/// Tells the aggregator, also if that takes a while. Whether it listens.
fn told(reports: &Reports, report: Report, stopped: &Receiver<()>) -> bool {
    match report {
        Report::Roster(message) => sent(&reports.roster, message, stopped),
        Report::Down(message) => sent(&reports.down, message, stopped),
        Report::Record(message) => sent(&reports.records, message, stopped),
        Report::Events(message) => sent(&reports.events, message, stopped),
        Report::Joined(message) => sent(&reports.joined, message, stopped),
    }
}

fn sent<M>(to: &actix::Recipient<M>, message: M, stopped: &Receiver<()>) -> bool
where
    M: actix::Message + Send + 'static,
    M::Result: Send,
{
    let mut message = message;
    loop {
        match to.try_send(message) {
            Ok(()) => return true,
            Err(SendError::Closed(_)) => return false,
            Err(SendError::Full(refused)) => message = refused,
        }
        if waited(stopped, MAILBOX_PAUSE) {
            return false;
        }
    }
}

/// How times of a recording become times of now.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) recorded: Timestamp,
    pub(super) played: Timestamp,
    pub(super) speed: f64,
}

impl Times {
    fn moved(&self, at: Timestamp) -> Timestamp {
        let since = at.as_microsecond() - self.recorded.as_microsecond();
        let since = (since as f64 / self.speed) as i64;
        let moved = self.played.as_microsecond().saturating_add(since);
        Timestamp::from_microsecond(moved).unwrap_or(at)
    }

    /// Moves every text that is a time.
    pub(super) fn moved_all(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let is_time = text.ends_with('Z') && text.contains('T');
                if let Some(at) = is_time.then(|| text.parse().ok()).flatten() {
                    *text = self.moved(at).to_string();
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.moved_all(value)),
            Value::Object(values) => values.values_mut().for_each(|value| self.moved_all(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// An open recording.
pub(super) struct Recording {
    head: Head,
    lines: BufReader<zstd::stream::read::Decoder<'static, BufReader<File>>>,
}

impl Recording {
    pub(super) fn open(path: &Path) -> Result<Self, PlayError> {
        let io = |error| PlayError::Io(path.to_owned(), error);
        let file = File::open(path).map_err(io)?;
        let mut lines = BufReader::new(zstd::stream::read::Decoder::new(file).map_err(io)?);
        let no_recording = |why: String| PlayError::NoRecording(path.to_owned(), why);
        let head =
            line(&mut lines).ok_or_else(|| no_recording("its first line cannot be read".to_owned()))?;
        let head: Head = serde_json::from_str(&head).map_err(|error| no_recording(error.to_string()))?;
        if head.format != FORMAT || head.version != VERSION {
            let why = format!(
                "it is a {} of version {}, not {VERSION}",
                head.format, head.version
            );
            return Err(no_recording(why));
        }
        Ok(Self { head, lines })
    }

    /// The next entry. What cannot be read, as where the recording was cut off, is its end.
    pub(super) fn next(&mut self, times: &Times) -> Option<Entry> {
        let mut value: Value = serde_json::from_str(&line(&mut self.lines)?).ok()?;
        times.moved_all(&mut value);
        serde_json::from_value(value)
            .inspect_err(|error| tracing::warn!(%error, "the recording has a line that is not understood"))
            .ok()
    }
}

/// The next whole line.
fn line(lines: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    io::Read::take(&mut *lines, LONGEST_LINE)
        .read_line(&mut line)
        .ok()?;
    line.ends_with('\n').then_some(line)
}
