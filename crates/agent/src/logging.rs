//! Sends log lines to standard error: human-readable on a terminal, JSON otherwise or on request.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, LogLevel};

/// What is logged at the configured level; libraries are heard from `warn` on, unless more than `info` is asked for.
const OURS: [&str; 4] = ["gpulse", "gpulse_aggregator", "gpulse_api", "gpulse_sampler"];

/// Starts logging for the whole process.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
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
    let json = match format {
        LogFormat::Auto => !io::stderr().is_terminal(),
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let lines = fmt::layer().with_writer(io::stderr);
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
}
