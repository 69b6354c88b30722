//! One step of a GPU's physics: load becomes clocks and power, power becomes heat, heat turns the fans.

use super::load::Load;
use crate::profile::GpuSpec;

/// Length of one step of the timeline, seconds.
pub(super) const STEP_S: f64 = 0.25;

/// How fast power follows the load, seconds: voltage regulators and the sensor's own filter.
const POWER_TAU_S: f64 = 0.35;

/// How fast the die and the memory follow the power, seconds: the heat sink's mass.
const GPU_TAU_S: f64 = 14.0;
const MEMORY_TAU_S: f64 = 22.0;

/// How fast fans follow the temperature, seconds.
const FAN_TAU_S: f64 = 4.0;

/// Power above idle grows with about this power of the clock, voltage rising with it.
pub(super) const CLOCK_EXPONENT: f64 = 2.2;

/// A load below this counts as none.
pub(super) const BUSY: f64 = 0.005;

/// The physical state of one GPU at the end of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    pub(super) power_w: f64,
    pub(super) temperature_c: f64,
    pub(super) memory_temperature_c: f64,
    pub(super) fan: f64,
    /// Graphics clock as a share of the highest; 0 while idle.
    pub(super) clock: f64,
    pub(super) power_capped: bool,
    pub(super) thermally_capped: bool,
}

impl Body {
    /// A GPU that has been idle for long.
    pub(super) fn cold(spec: &GpuSpec) -> Self {
        Self {
            power_w: spec.power.idle_w,
            temperature_c: spec.thermal.idle_c,
            memory_temperature_c: spec.thermal.idle_c + 3.0,
            fan: 0.0,
            clock: 0.0,
            power_capped: false,
            thermally_capped: false,
        }
    }

    /// The state one step later, under a load; `noise` is in −1 to 1.
    pub(super) fn step(&self, spec: &GpuSpec, load: Load, noise: f64) -> Self {
        let power = &spec.power;
        let limit = power.enforced_w();
        let busy = load.gpu > BUSY;

        let active = if busy { 0.1 + 0.9 * load.gpu } else { 0.0 };
        let wanted = power.idle_w + (power.demand_w - power.idle_w) * active;
        let power_capped = wanted > limit;
        let mut clock = if busy { 1.0 } else { 0.0 };
        if power_capped {
            clock = ((limit - power.idle_w) / (wanted - power.idle_w)).powf(1.0 / CLOCK_EXPONENT);
        }
        let thermally_capped = self.temperature_c >= f64::from(spec.thermal.gpu_max_c);
        if thermally_capped {
            clock *= 0.8;
        }
        let drawn = power.idle_w + (wanted - power.idle_w) * clock.powf(CLOCK_EXPONENT);
        let target = drawn * (1.0 + 0.006 * noise);
        let power_w = follow(self.power_w, target, POWER_TAU_S).min(limit);

        let rise = (spec.thermal.full_load_c - spec.thermal.idle_c) / (power.default_limit_w - power.idle_w);
        let settled = spec.thermal.idle_c + rise * (power_w - power.idle_w);
        let memory_settled = settled + 4.0 + 9.0 * load.memory;

        Self {
            power_w,
            temperature_c: follow(self.temperature_c, settled, GPU_TAU_S),
            memory_temperature_c: follow(self.memory_temperature_c, memory_settled, MEMORY_TAU_S),
            fan: self.next_fan(spec),
            clock,
            power_capped,
            thermally_capped,
        }
    }

    fn next_fan(&self, spec: &GpuSpec) -> f64 {
        let Some(fans) = &spec.fans else {
            return 0.0;
        };
        if self.temperature_c < f64::from(fans.stop_below_c) {
            return follow(self.fan, 0.0, FAN_TAU_S);
        }
        let span = f64::from(spec.thermal.gpu_max_c) - spec.thermal.idle_c;
        let heat = ((self.temperature_c - spec.thermal.idle_c) / span).clamp(0.0, 1.0);
        let low = f64::from(fans.min_percent);
        follow(self.fan, low + (100.0 - low) * heat * heat, FAN_TAU_S)
    }
}

/// Moves towards a target as a first-order lag does in one step.
fn follow(from: f64, to: f64, tau_s: f64) -> f64 {
    to + (from - to) * (-STEP_S / tau_s).exp()
}
