//! The configuration: defaults < file < environment < flags.
//!
//! [`schema`] holds the keys and their checks, [`layers`] puts the layers together, [`keys`] describes each key
//! for the reference and for error messages, [`show`] prints what came out.

mod addresses;
mod dashboard;
mod duration;
mod error;
mod groups;
mod history;
mod history_keys;
mod keys;
mod kubernetes;
mod layers;
mod metrics;
mod metrics_keys;
mod opentelemetry;
mod pairs;
mod push;
mod push_keys;
mod schema;
mod security;
mod security_keys;
mod show;
mod system;
mod target;

pub(crate) use addresses::is_exposed;
pub(crate) use error::ConfigError;
pub(crate) use keys::reference;
pub(crate) use layers::load;
pub(crate) use schema::{Config, LogFormat, LogLevel};
pub(crate) use system::{OnTotalHang, Watchdog};

/// A configuration that was checked, and where its values came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) layers: figment::Figment,
}
