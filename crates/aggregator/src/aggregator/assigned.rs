//! Which containers hold which GPUs: kept across rosters, since it comes from elsewhere than the driver.

use std::sync::Arc;

use actix::{Handler, Message};
use gpulse_models::{PodAssignments, Timestamp, microseconds};

use super::Aggregator;

/// Which containers hold which GPUs.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Assigned(pub Arc<PodAssignments>);

impl Handler<Assigned> for Aggregator {
    type Result = ();

    /// That the kubelet said the same again is worth no generation: it is told with the next one.
    fn handle(&mut self, Assigned(pods): Assigned, _: &mut Self::Context) {
        let is_news = !pods.agrees_with(&self.pods);
        self.pods = pods;
        if is_news {
            self.publish(microseconds(Timestamp::now()));
        }
    }
}
