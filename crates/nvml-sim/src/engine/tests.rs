//! The engine is deterministic and physically plausible.

use std::time::Duration;

use super::*;
use crate::profile;

fn engine(profile: &str, seed: u64) -> Engine {
    Engine::new(&Profile::load(profile).unwrap(), seed)
}

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

#[test]
fn the_same_seed_and_time_give_the_same_values_in_any_order() {
    let (a, b) = (engine("h100-sxm-8", 7), engine("h100-sxm-8", 7));
    let late = a.truth(3, seconds(900.0));
    assert_eq!(a.truth(3, seconds(1.0)), b.truth(3, seconds(1.0)));
    assert_eq!(late, b.truth(3, seconds(900.0)));
    assert_ne!(late, engine("h100-sxm-8", 8).truth(3, seconds(900.0)));
    assert_ne!(a.truth(0, seconds(5.0)), a.truth(1, seconds(5.0)));
}

#[test]
fn energy_is_the_integral_of_power() {
    for profile in ["h100-sxm-8", "a100-pcie-4", "rtx-4090", "t4"] {
        let engine = engine(profile, 1);
        // Across the end of a cycle.
        let (start, end, step) = (400.0, 560.0, 0.02);
        let energy = |s| engine.truth(0, seconds(s)).unwrap().energy_mj as f64 / 1e3;
        let steps = ((end - start) / step) as u64;
        let power = |n: u64| {
            engine
                .truth(0, seconds(start + n as f64 * step))
                .unwrap()
                .power_instant_mw
        };
        let integral: f64 = (0..steps).map(|n| f64::from(power(n)) / 1e3 * step).sum();
        let counted = energy(end) - energy(start);
        assert!(
            (integral - counted).abs() < 0.003 * counted,
            "{profile}: {integral} J, counter {counted} J"
        );
    }
}

#[test]
fn readings_stay_within_what_the_hardware_allows() {
    for name in profile::names() {
        let engine = engine(name, 3);
        for gpu in 0..engine.len() {
            let spec = engine.spec(gpu).unwrap().clone();
            for second in (0..1000).step_by(7) {
                let at = seconds(f64::from(second) + 0.4);
                let t = engine.truth(gpu, at).unwrap();
                assert!(t.power_usage_mw <= t.power_limit_mw, "{name}: {t:?}");
                assert!(
                    f64::from(t.power_instant_mw) >= spec.power.idle_w * 0.98e3,
                    "{name}: {t:?}"
                );
                assert_eq!(t.memory_total, t.memory_used + t.memory_free + t.memory_reserved);
                assert!(
                    t.temperature < spec.thermal.slowdown_c && t.temperature >= 20,
                    "{name}: {t:?}"
                );
                assert!(t.graphics_mhz <= spec.clocks.graphics_max);
                assert!(t.fan_percent.is_none_or(|fan| fan <= 100));
                let held: u64 = engine.processes(gpu, at).iter().map(|p| p.memory).sum();
                assert!(
                    held <= t.memory_used,
                    "{name}: processes hold {held}, used {}",
                    t.memory_used
                );
            }
        }
    }
}

#[test]
fn counters_never_go_back() {
    let engine = engine("h100-sxm-8", 5);
    let mut last = engine.truth(2, Duration::ZERO).unwrap();
    for n in 1..5_000 {
        let now = engine.truth(2, Duration::from_millis(n * 200)).unwrap();
        assert!(now.energy_mj >= last.energy_mj && now.pcie_rx_bytes >= last.pcie_rx_bytes);
        assert!(now.power_violation_ns >= last.power_violation_ns);
        last = now;
    }
}

#[test]
fn a_busy_gpu_is_hot_fast_and_power_capped_and_an_idle_one_is_not() {
    let engine = engine("h100-sxm-8", 1);
    let all: Vec<_> = (0..960)
        .map(|s| engine.truth(0, seconds(f64::from(s))).unwrap())
        .collect();
    let busy: Vec<_> = all.iter().filter(|t| t.gpu_utilization >= 95).collect();
    let idle: Vec<_> = all.iter().filter(|t| t.gpu_utilization == 0).collect();
    assert!(!busy.is_empty() && !idle.is_empty());
    let mean = |set: &[&Truth], f: fn(&Truth) -> u32| {
        set.iter().map(|t| f64::from(f(t))).sum::<f64>() / set.len() as f64
    };
    assert!(mean(&busy, |t| t.power_usage_mw) > 3.0 * mean(&idle, |t| t.power_usage_mw));
    assert!(mean(&busy, |t| t.temperature) > mean(&idle, |t| t.temperature) + 5.0);
    assert!(
        busy.iter().any(|t| t.event_reasons & 0x4 != 0),
        "never power-capped"
    );
    assert!(idle.iter().all(|t| t.event_reasons & 0x1 != 0));
}

#[test]
fn processes_come_and_go_with_new_ids() {
    let engine = engine("h100-sxm-8", 1);
    let pids_at = |s: f64| {
        engine
            .processes(0, seconds(s))
            .iter()
            .map(|p| p.pid)
            .collect::<Vec<_>>()
    };
    let mut seen: Vec<u32> = (0..480).flat_map(|s| pids_at(f64::from(s))).collect();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() >= 3, "{seen:?}");
    assert!((0..480).any(|s| pids_at(f64::from(s)).is_empty()));
}

#[test]
fn any_moment_is_as_cheap_as_any_other() {
    let engine = engine("h100-16", 1);
    let started = std::time::Instant::now();
    for gpu in 0..engine.len() {
        // A hundred years later.
        engine.truth(gpu, Duration::from_secs(3_000_000_000)).unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}
