//! The native routes while the driver misbehaves: each reading is a value or its reason, and costs no other.

mod cadences;
mod counters;
mod events;
mod identity;
mod intervals;
mod licences;
mod links;
mod look;
mod lost;
mod memory;
mod mig;
mod numbers;
mod old_drivers;
mod processes;
mod reasons;
mod topology;
mod watch;
mod world;

use look::{absences, gpu, number, until};
use world::{GROUPS, quick, steady};
