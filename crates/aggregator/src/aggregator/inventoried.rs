//! What GPUs the machine should have: kept across rosters, since it comes from elsewhere than the driver.

use std::sync::Arc;

use actix::{Handler, Message};
use gpulse_models::{Inventory, Timestamp, microseconds};

use super::Aggregator;

/// What GPUs the machine should have.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Inventoried(pub Arc<Inventory>);

impl Handler<Inventoried> for Aggregator {
    type Result = ();

    fn handle(&mut self, Inventoried(inventory): Inventoried, _: &mut Self::Context) {
        if inventory != self.inventory {
            self.inventory = inventory;
            self.publish(microseconds(Timestamp::now()));
        }
    }
}
