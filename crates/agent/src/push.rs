//! Pushing: starts the exporters that are configured, and ends them with the rest.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use gpulse_aggregator::SnapshotCache;
use gpulse_exporters::{Access, Endpoint, Pusher, Subject, otlp, remote_write};
use gpulse_models::{Timestamp, microseconds};

use crate::config::Config;

/// The exporters that push.
#[derive(Debug)]
pub(crate) struct Pushing {
    otlp: Option<Pusher>,
    remote_write: Option<Pusher>,
}

impl Pushing {
    /// Starts to push what is in `cache`, to the receivers that the configuration names.
    pub(crate) fn start(config: &Config, cache: &Arc<SnapshotCache>) -> anyhow::Result<Self> {
        let subject = Subject {
            cache: Arc::clone(cache),
            instance: config.instance(),
            node: config.metrics.node(),
            version: env!("CARGO_PKG_VERSION"),
            started_at: microseconds(Timestamp::now()),
            per_process: config.metrics.per_process,
        };
        let otlp = config.otlp.settings().map(|settings| {
            announce("otlp", &settings.endpoint, &settings.access);
            otlp::start(subject.clone(), settings).context("`otlp`: nothing can be pushed")
        });
        let remote_write = config.remote_write.settings().map(|settings| {
            announce("remote_write", &settings.endpoint, &settings.access);
            remote_write::start(subject, settings).context("`remote_write`: nothing can be pushed")
        });
        Ok(Self {
            otlp: otlp.transpose()?,
            remote_write: remote_write.transpose()?,
        })
    }

    /// Lets them send what waits, for at most `grace`.
    pub(crate) async fn stop(self, grace: Duration) {
        let stop = async |pusher: Option<Pusher>| {
            if let Some(pusher) = pusher {
                pusher.stop(grace).await;
            }
        };
        tokio::join!(stop(self.otlp), stop(self.remote_write));
    }
}

fn announce(section: &str, endpoint: &Endpoint, access: &Access) {
    tracing::info!("pushing to {endpoint}, as {section} says");
    for file in access.secret_files() {
        gpulse_api::warn_if_open(file);
    }
    if access.has_credentials() && !endpoint.is_encrypted() && !endpoint.is_local() {
        tracing::warn!("credentials cross the network in the clear: let {section}.endpoint be https");
    }
}
