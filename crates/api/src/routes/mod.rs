//! The handlers, by the first part of their path.

pub(crate) mod dashboard;
pub(crate) mod docs;
pub(crate) mod gpu;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod newer;
pub(crate) mod root;
pub(crate) mod v1;
