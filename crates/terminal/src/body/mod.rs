//! What is shown of the bodies of the agent's routes. Whatever is missing or null is `None`, never zero.

mod events;
mod gpu;
mod history;
mod host;
mod processes;

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer as _,
        value::{self, StrDeserializer},
    },
};
use serde_json::Value;

pub(crate) use events::{Event, Events, words};
pub(crate) use gpu::{FIELDS, Gpu, Gpus, MigInstance};
pub(crate) use history::History;
#[cfg(test)]
pub(crate) use history::Series;
pub(crate) use host::{Driver, Host};
pub(crate) use processes::{Process, Processes};

/// Reads a body.
///
/// # Errors
///
/// If it is not what this version knows, with what is wrong about it.
pub(crate) fn read<T: DeserializeOwned>(path: &str, body: Value) -> Result<T, String> {
    serde_json::from_value(body)
        .map_err(|error| format!("the answer to {path} is not understood ({error}): is that a gpulse agent?"))
}

/// What a name on the wire stands for; nothing if this version does not know it.
pub(crate) fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    let name: StrDeserializer<'_, value::Error> = name.into_deserializer();
    T::deserialize(name).ok()
}

/// Null is the same as an absent key.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}
