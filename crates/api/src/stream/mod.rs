//! Streams of snapshots and events (`/api/v1/stream`).
//!
//! A stream is a body that is asked for its next piece whenever the connection has room. It then looks at the snapshot of
//! that moment: what was published while the connection had no room was never queued, and is skipped.
//!
//! Reading order: `wish` is what a client asks for; `subscription` is one stream; `pace` says when its next snapshot is
//! due, and `replay` what it missed while it was away; `feed` holds what all streams of one kind are sent, encoded once;
//! `hub` wakes the streams of a worker, for which the aggregator wakes one task.

mod feed;
mod hub;
mod pace;
mod replay;
mod subscription;
mod wish;

pub(crate) use feed::Feeds;
pub(crate) use hub::Hub;
pub(crate) use subscription::{Subscription, content_type};
pub(crate) use wish::{LAST_EVENT_ID, Wish};
