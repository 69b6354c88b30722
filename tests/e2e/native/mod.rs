//! The native routes while the driver misbehaves: each reading is a value or its reason, and costs no other.

mod cadences;
mod counters;
mod identity;
mod look;
mod lost;
mod reasons;
mod world;

use look::{absences, gpu, number, until};
use world::{GROUPS, quick, steady};
