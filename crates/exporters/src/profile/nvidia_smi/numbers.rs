//! What is no number as the readings have it, as the number that nvidia_gpu_exporter makes of it.

use std::str::FromStr;

use gpulse_models::{Label, Reading};

use super::{super::dcgm, table::RATIO};
use crate::seen::Seen;

/// `nvmlComputeMode_t`
const COMPUTE_MODES: [&str; 4] = ["default", "exclusive_thread", "prohibited", "exclusive_process"];

/// `nvmlGpuFabricState_t`
const FABRIC_STATES: [&str; 4] = ["not_supported", "not_started", "in_progress", "completed"];

/// `nvmlDeviceGpuRecoveryAction_t`
const RECOVERY_ACTIONS: [&str; 8] = [
    "none",
    "gpu_reset",
    "node_reboot",
    "drain_p2p",
    "drain_and_reset",
    "recover_imex_domain",
    "bus_reset",
    "system_reboot",
];

pub(super) fn index(seen: &Seen<'_>) -> Option<f64> {
    Some(f64::from(seen.gpu.index))
}

pub(super) fn fan(seen: &Seen<'_>) -> Option<f64> {
    dcgm::fan(seen).map(|percent| RATIO.apply(percent))
}

pub(super) fn reasons(seen: &Seen<'_>) -> Option<f64> {
    let reasons = seen.sample()?.clocks.event_reasons.value()?;
    Some(reasons.0 as f64)
}

/// Whether the reason with NVML's bit `BIT` holds.
pub(super) fn reason<const BIT: u32>(seen: &Seen<'_>) -> Option<f64> {
    let reasons = seen.sample()?.clocks.event_reasons.value()?;
    Some(f64::from(u8::from(reasons.0 >> BIT & 1 == 1)))
}

pub(super) fn compute_mode(seen: &Seen<'_>) -> Option<f64> {
    number_of(&COMPUTE_MODES, &seen.sample()?.modes.compute_mode)
}

pub(super) fn fabric_state(seen: &Seen<'_>) -> Option<f64> {
    number_of(&FABRIC_STATES, &seen.sample()?.reliability.fabric.state)
}

pub(super) fn recovery_action(seen: &Seen<'_>) -> Option<f64> {
    number_of(&RECOVERY_ACTIONS, &seen.sample()?.reliability.recovery_action)
}

pub(super) fn compute_capability(seen: &Seen<'_>) -> Option<f64> {
    let facts = seen.gpu.facts.as_ref()?;
    facts.identity.compute_capability.value()?.parse().ok()
}

/// Nothing where some processes are summed up, whose kinds are not known.
pub(super) fn compute_apps(seen: &Seen<'_>) -> Option<f64> {
    let list = seen.sample()?.processes.list.value()?;
    if list.other.is_some() {
        return None;
    }
    let computing = list.processes.iter().filter(|process| process.kinds.compute);
    Some(computing.count() as f64)
}

/// The place of a word among `words`. A word that is not there is that of a number without a word, which stands at its end.
fn number_of(words: &[&str], label: &Reading<Label>) -> Option<f64> {
    let word = label.value()?.as_str();
    let place = words.iter().position(|known| *known == word);
    let number = || {
        word.strip_prefix("unknown_")
            .and_then(|number| u32::from_str(number).ok())
    };
    place
        .map(|place| place as f64)
        .or_else(|| number().map(f64::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_its_number_and_a_number_without_a_word_stays_one() {
        let number = |word: &'static str| number_of(&COMPUTE_MODES, &Reading::Value(word.into()));
        assert_eq!(number("default"), Some(0.0));
        assert_eq!(number("exclusive_process"), Some(3.0));
        assert_eq!(number("unknown_9"), Some(9.0));
        assert_eq!(number("sideways"), None);
    }
}
