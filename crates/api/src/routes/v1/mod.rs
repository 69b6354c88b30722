//! `/api/v1/…`: what the agent knows beyond the routes that old clients read.

pub(crate) mod events;
