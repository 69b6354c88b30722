//! `gpulse record`: samples as `gpulse serve` does, and writes what is reported to a file instead of serving it.

use std::{path::Path, sync::Arc, time::Duration};

use actix::{Actor, Arbiter, System};
use anyhow::Context as _;
use gpulse_aggregator::SnapshotCache;
use gpulse_models::{Timestamp, microseconds};

use crate::{
    config::Config,
    logging,
    recording::{Tap, Writer},
    signals::Signals,
    simulator::Simulator,
    wiring::{reports_to, simulator, start_discovery},
};

/// How often it is looked whether the file can still be written.
const LOOK: Duration = Duration::from_secs(1);

/// Records to `file`, until a signal or for `duration`.
pub(crate) fn record(config: &Config, file: &Path, duration: Option<Duration>) -> anyhow::Result<()> {
    let _log = logging::start(config.log.level, config.log.format);
    let simulator = simulator(config)?;
    let library = simulator
        .as_ref()
        .map(Simulator::library)
        .or_else(|| config.nvml.library.clone());
    let cannot = || format!("{} cannot be written", file.display());
    let writer = Writer::create(file).with_context(cannot)?;
    let system = System::new();
    system.block_on(async {
        let mut signals = Signals::catch().context("signals cannot be caught")?;
        let samplers = Arbiter::new();
        let lines = writer.lines();
        let tap = Tap::start_in_arbiter(&samplers.handle(), move |_| Tap::new(lines));
        // Nobody reads it: samplers count in it, and would be parked by it.
        let cache = Arc::new(SnapshotCache::new(microseconds(Timestamp::now())));
        start_discovery(config, library, &cache, &samplers.handle(), reports_to(&tap));
        tracing::info!(file = %file.display(), "recording");
        let end = tokio::time::sleep(duration.unwrap_or(Duration::MAX));
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                signal = signals.end() => {
                    tracing::info!(signal, "ending");
                    break;
                }
                () = tokio::time::sleep(LOOK) => if writer.has_failed() { break },
            }
        }
        // Drops the tap, and with it the last who hands in lines.
        samplers.stop();
        // Fails only where the arbiter panicked: the file then ends there.
        let _ = samplers.join();
        anyhow::Ok(())
    })?;
    let (written, dropped) = writer.finish().with_context(cannot)?;
    tracing::info!(written, dropped, "recorded");
    Ok(())
}
