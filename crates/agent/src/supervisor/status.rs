//! The line that `systemctl status` shows.

use std::fmt::Write;

use gpulse_models::{DriverStatus, GpuState, HostSnapshot};

use super::feeder::{Feeder, Pulse};

/// In the order in which they are worth to be read.
const STATES: [GpuState; 5] = [
    GpuState::Ok,
    GpuState::Stale,
    GpuState::Hung,
    GpuState::Lost,
    GpuState::Unavailable,
];

pub(super) fn status(host: &HostSnapshot, feeder: &Feeder) -> String {
    let mut text = match &host.driver {
        DriverStatus::Starting => "NVML is being initialised".to_owned(),
        DriverStatus::Unavailable(fault) => format!("no GPUs: {}", fault.reason.as_str()),
        DriverStatus::Ready(_) if host.gpus.is_empty() => "no GPUs".to_owned(),
        DriverStatus::Ready(_) => counts(host),
    };
    if let (DriverStatus::Ready(_), Ok(expected)) = (&host.driver, host.expected_gpus())
        && expected.missing_count > 0
    {
        // Writing to a text cannot fail.
        let _ = write!(text, "; {} missing", expected.missing_count);
    }
    match feeder.pulse() {
        Pulse::Moving => {}
        Pulse::Still => text.push_str("; the aggregator stands still"),
        Pulse::Restarting => text.push_str("; nothing of NVML returns: to be started anew"),
        Pulse::Hopeless => {
            text.push_str("; nothing of NVML returns, and only a reset or a reboot would help");
        }
    }
    text
}

fn counts(host: &HostSnapshot) -> String {
    let count = |state| host.gpus.iter().filter(|gpu| gpu.health.state == state).count();
    let by_state: Vec<_> = STATES
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {}", state.as_str()))
        .collect();
    let gpus = host.gpus.len();
    let noun = if gpus == 1 { "GPU" } else { "GPUs" };
    format!("{gpus} {noun}: {}", by_state.join(", "))
}
