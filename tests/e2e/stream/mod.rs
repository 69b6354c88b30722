//! `/api/v1/stream` and long polls: the real agent, over real sockets.

mod away;
mod client;
mod live;
mod long_poll;
mod slow;

use client::{Frame, Stream};
