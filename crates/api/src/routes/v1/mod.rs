//! `/api/v1/…`: all that the agent knows, in its own shape.
//!
//! Reading order: `gpus` has the handlers of the GPUs, `gpu` writes one; `walk` writes readings of any kind, and names in
//! `unavailable` what is absent; `selection` is what `?fields=` asks for, in the words of `vocabulary`;
//! `answers` says for the OpenAPI document what they may answer beside 200.

pub(crate) mod admin;
mod answers;
pub(crate) mod events;
pub(crate) mod gpu;
pub(crate) mod gpus;
pub(crate) mod history;
pub(crate) mod host;
pub(crate) mod nearest;
mod pods;
pub(crate) mod processes;
pub(crate) mod query;
pub(crate) mod selection;
pub(crate) mod stream;
pub(crate) mod targets;
pub(crate) mod topology;
pub(crate) mod vocabulary;
mod walk;
