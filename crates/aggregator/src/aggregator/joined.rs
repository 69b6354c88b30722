//! How the GPUs of the roster are joined.

use std::sync::Arc;

use actix::{Handler, Message};
use gpulse_models::{Reading, Timestamp, Topology, microseconds};

use super::Aggregator;

/// How the GPUs of the roster are joined.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Joined {
    /// The initialisation in which it was read.
    pub epoch: u64,
    /// What was read, or why nothing was.
    pub topology: Reading<Arc<Topology>>,
}

impl Handler<Joined> for Aggregator {
    type Result = ();

    fn handle(&mut self, joined: Joined, _: &mut Self::Context) {
        if joined.epoch == self.epoch {
            self.topology = joined.topology;
            self.publish(microseconds(Timestamp::now()));
        }
    }
}
