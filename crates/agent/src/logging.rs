//! Sends log lines to standard error: human-readable on a terminal, JSON otherwise or on request.
//!
//! A thread of its own writes them. Standard error may be a pipe that nobody drains: then lines are lost and counted,
//! and neither a GPU nor a request nor the end of the process waits for a reader.

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, LogLevel};

/// What is logged at the configured level; libraries are heard from `warn` on, unless more than `info` is asked for.
const OURS: [&str; 5] = [
    "gpulse",
    "gpulse_aggregator",
    "gpulse_api",
    "gpulse_exporters",
    "gpulse_sampler",
];

/// Lines that may wait to be written: a burst of a node's worth of GPUs. Beyond that the reader stands still.
const WAITING_LINES: usize = 1_024;

/// Keeps the log alive. Dropping it writes what still waits, for about a second at most.
#[must_use]
pub(crate) struct Log {
    _writer: WorkerGuard,
    lost: ErrorCounter,
}

impl Log {
    /// Lines that nobody took so far.
    pub(crate) fn lost(&self) -> usize {
        self.lost.dropped_lines()
    }
}

/// Starts logging for the whole process.
pub(crate) fn start(level: LogLevel, format: LogFormat) -> Log {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let others = if level > LevelFilter::INFO {
        level
    } else {
        level.min(LevelFilter::WARN)
    };
    let filter = Targets::new()
        .with_default(others)
        .with_targets(OURS.map(|target| (target, level)));
    // Each malformed request is an error to it, which anybody may send at any rate.
    let filter = if level > LevelFilter::INFO {
        filter
    } else {
        filter.with_target("actix_http", LevelFilter::OFF)
    };
    let json = match format {
        LogFormat::Auto => !io::stderr().is_terminal(),
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(io::stderr());
    let log = Log {
        lost: writer.error_counter(),
        _writer: guard,
    };
    let lines = fmt::layer().with_writer(writer);
    let lines = if json {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed()
    } else {
        lines
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .boxed()
    };
    // A second start in one process keeps the first.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
    log
}
