//! What is said of a GPU in words: its state and why, what it lacks and why, and why its clocks are low.

use crate::{
    app::State,
    body::{self, Gpu},
    text,
};

/// Its state, for how long, and what went wrong.
pub(super) fn trouble(state: &State, gpu: &Gpu) -> Option<String> {
    if gpu.is_ok() {
        return None;
    }
    let mut said = gpu.state.clone();
    let published_at = state.frame.as_ref().and_then(|frame| frame.gpus.published_at);
    if let (Some(since), Some(now)) = (gpu.state_since, published_at) {
        let seconds = text::seconds_between(since, now).max(0.0) + state.silence().as_secs_f64();
        said = format!("{said} for {}", text::span(seconds));
    }
    if let Some(error) = &gpu.last_error {
        let message = error.message.as_deref().or(error.reason.as_deref());
        let message = message.unwrap_or_default();
        // Some messages name the call themselves.
        let call = error.call.as_deref().filter(|call| !message.contains(call));
        let call = call.map(|call| format!("{call}: ")).unwrap_or_default();
        said = format!("{said}: {call}{message}");
    }
    Some(said)
}

/// How old what is shown of it is, where that is worth a word.
pub(super) fn age(state: &State, gpu: &Gpu) -> Option<String> {
    let age = state.age(gpu)?;
    let slow = state.interval.as_secs_f64().max(1.0) * 3.0;
    (!gpu.is_ok() || age > slow).then(|| format!("data {} old", text::span(age)))
}

/// The value of a reading, or that there is none and why.
pub(super) fn value<T>(gpu: &Gpu, path: &str, value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    match (value, gpu.reason(path)) {
        (Some(value), _) => show(value),
        (None, Some(reason)) => format!("{} ({})", text::NOTHING, body::words(reason)),
        (None, None) => text::NOTHING.to_owned(),
    }
}

/// Why the clocks are lower than they could be, in short words; empty where they are not or where nobody knows.
pub(super) fn lowered_by(gpu: &Gpu) -> Vec<(String, bool)> {
    let reasons = gpu.clocks.event_reasons.iter().flatten();
    let short = |reason: &String| match reason.as_str() {
        "gpu_idle" => ("idle".to_owned(), false),
        "applications_clocks_setting" => ("app clocks".to_owned(), false),
        "sw_power_cap" => ("power cap".to_owned(), true),
        "hw_slowdown" => ("HW slowdown".to_owned(), true),
        "sync_boost" => ("sync boost".to_owned(), false),
        "sw_thermal_slowdown" => ("SW thermal".to_owned(), true),
        "hw_thermal_slowdown" => ("HW thermal".to_owned(), true),
        "hw_power_brake_slowdown" => ("power brake".to_owned(), true),
        "display_clock_setting" => ("display clocks".to_owned(), false),
        other => (body::words(other), true),
    };
    reasons.map(short).collect()
}

/// `40.0GiB/80.0GiB`, or what of it is known.
pub(super) fn memory(gpu: &Gpu) -> String {
    let shown = |bytes: Option<u64>| text::or_nothing(super::number(bytes), text::bytes);
    match (gpu.memory.used_bytes, gpu.memory.total_bytes) {
        (None, None) => text::NOTHING.to_owned(),
        (used, total) => {
            let (used, total) = (shown(used), shown(total));
            // The same unit need not be said twice.
            let (number, unit) = used.split_at(used.trim_end_matches(char::is_alphabetic).len());
            if total.ends_with(unit) && !unit.is_empty() && used != text::NOTHING {
                format!("{number}/{total}")
            } else {
                format!("{used}/{total}")
            }
        }
    }
}

/// `350/700W`, or what of it is known.
pub(super) fn power(gpu: &Gpu) -> String {
    match (gpu.power.draw_watts, gpu.power.enforced_limit_watts) {
        (Some(draw), Some(limit)) => format!("{draw:.0}/{}", text::watts(limit)),
        (Some(draw), None) => text::watts(draw),
        (None, _) => text::NOTHING.to_owned(),
    }
}

/// The temperature from which on clocks are lowered, where the GPU says one.
pub(super) fn hottest(gpu: &Gpu) -> f64 {
    let limits = &gpu.limits;
    let said = limits
        .slowdown_celsius
        .or(limits.gpu_max_celsius)
        .or(limits.shutdown_celsius);
    said.filter(|celsius| *celsius > 0.0).unwrap_or(100.0)
}
