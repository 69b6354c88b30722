//! Recordings: what the samplers report, in a file, and back from it in place of samplers.
//!
//! A recording is a file of zstd frames, each of some seconds, that hold lines of JSON. The first line is a [`Head`], each other one an
//! [`Entry`]: what was reported, and when. So an incident of one machine can be looked at on another, with all that
//! the agent serves.

mod entry;
mod player;
mod tap;
mod writer;

use gpulse_models::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use player::{Playing, Settings as ReplaySettings, play};
pub(crate) use tap::Tap;
pub(crate) use writer::Writer;

use entry::{Entry, What};

/// What the first line says of the file.
const FORMAT: &str = "gpulse recording";

/// The version of the format. A file with another one is refused.
const VERSION: u32 = 1;

/// The first line of a recording.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// Always [`FORMAT`].
    format: String,
    /// Always [`VERSION`].
    version: u32,
    /// The agent that recorded it.
    agent_version: String,
    /// When it began.
    started_at: Timestamp,
}

#[cfg(test)]
mod tests;
