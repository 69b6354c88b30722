//! One cycle of one GPU, computed once in fixed steps; any moment is then looked up between two of them.

use super::jobs::Jobs;
use super::load::Load;
use super::noise::Noise;
use super::physics::{Body, STEP_S};
use crate::profile::GpuSpec;

/// How long a cycle is, seconds. Long enough for several jobs, short enough to compute in well under a
/// millisecond.
pub(super) const CYCLE_S: f64 = 480.0;

/// Rows of a cycle.
pub(super) const ROWS: usize = (CYCLE_S / STEP_S) as usize;

/// One cycle of a GPU.
#[derive(Debug)]
pub(super) struct Timeline {
    /// `ROWS` rows and the end of the cycle, whose state is that of its beginning.
    rows: Vec<Row>,
}

/// The state at one moment, and what has been accumulated since the cycle began.
#[derive(Debug, Clone, Copy)]
struct Row {
    power_w: f32,
    temperature_c: f32,
    memory_temperature_c: f32,
    fan: f32,
    clock: f32,
    load: [f32; 6],
    power_capped: bool,
    thermally_capped: bool,
    total: Totals,
}

/// What only grows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) energy_j: f64,
    /// Seconds of full load.
    pub(super) load_s: Load,
    pub(super) power_capped_s: f64,
    pub(super) thermally_capped_s: f64,
}

/// The state at any moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) power_w: f64,
    pub(super) temperature_c: f64,
    pub(super) memory_temperature_c: f64,
    pub(super) fan: f64,
    pub(super) clock: f64,
    pub(super) load: Load,
    pub(super) power_capped: bool,
    pub(super) thermally_capped: bool,
    pub(super) total: Totals,
}

impl Timeline {
    /// Runs the physics over two cycles, the first one only to warm up, and keeps the second.
    pub(super) fn compute(spec: &GpuSpec, jobs: &Jobs, noise: Noise) -> Self {
        let jitter = noise.fork(3);
        let loads: Vec<Load> = (0..ROWS).map(|row| jobs.load(row as f64 * STEP_S)).collect();
        let noises: Vec<f64> = (0..ROWS as u64)
            .map(|row| jitter.between(row, -1.0, 1.0))
            .collect();
        let mut body = Body::cold(spec);
        for (load, noise) in loads.iter().zip(&noises) {
            body = body.step(spec, *load, *noise);
        }
        let mut rows = Vec::with_capacity(ROWS + 1);
        for (load, noise) in loads.iter().zip(&noises) {
            body = body.step(spec, *load, *noise);
            rows.push(Row::new(body, *load));
        }
        rows.push(rows[0]);
        accumulate(&mut rows);
        Self { rows }
    }

    /// What has been accumulated up to a place in a cycle, since the beginning of cycle 0.
    pub(super) fn totals(&self, place_s: f64, cycle: u64) -> Totals {
        let (a, b, part) = self.around(place_s);
        Totals::between(a, b, part).plus(&self.rows[ROWS].total, cycle as f64)
    }

    /// The rows before and after a place, and which part of the way it is.
    fn around(&self, place_s: f64) -> (&Row, &Row, f64) {
        let position = place_s / STEP_S;
        let row = (position as usize).min(ROWS - 1);
        let part = (position - row as f64).clamp(0.0, 1.0);
        (&self.rows[row], &self.rows[row + 1], part)
    }

    /// The state at a place in a cycle; totals count from the beginning of cycle 0.
    pub(super) fn at(&self, place_s: f64, cycle: u64) -> Moment {
        let (a, b, part) = self.around(place_s);
        let blend = |a: f32, b: f32| f64::from(a) + (f64::from(b) - f64::from(a)) * part;
        Moment {
            power_w: blend(a.power_w, b.power_w),
            temperature_c: blend(a.temperature_c, b.temperature_c),
            memory_temperature_c: blend(a.memory_temperature_c, b.memory_temperature_c),
            fan: blend(a.fan, b.fan),
            // Clocks jump, they do not glide.
            clock: f64::from(a.clock),
            load: a.load_towards(b, part),
            power_capped: a.power_capped,
            thermally_capped: a.thermally_capped,
            total: Totals::between(a, b, part).plus(&self.rows[ROWS].total, cycle as f64),
        }
    }
}

impl Row {
    fn new(body: Body, load: Load) -> Self {
        Self {
            power_w: body.power_w as f32,
            temperature_c: body.temperature_c as f32,
            memory_temperature_c: body.memory_temperature_c as f32,
            fan: body.fan as f32,
            clock: body.clock as f32,
            load: load.to_array(),
            power_capped: body.power_capped,
            thermally_capped: body.thermally_capped,
            total: Totals::default(),
        }
    }

    /// The load a part of the way to another row.
    fn load_towards(&self, other: &Self, part: f64) -> Load {
        let (a, b) = (Load::from_array(self.load), Load::from_array(other.load));
        a.with(b, |a, b| a + (b - a) * part)
    }
}

impl Totals {
    /// The totals a part of the way from one row to the next. Between rows, values are straight lines, so
    /// that these are their exact integrals.
    fn between(a: &Row, b: &Row, part: f64) -> Self {
        let seconds = part * STEP_S;
        let area = |a: f32, b: f32| (f64::from(a) + (f64::from(b) - f64::from(a)) * part / 2.0) * seconds;
        Self {
            energy_j: a.total.energy_j + area(a.power_w, b.power_w),
            load_s: (a.total.load_s).plus(a.load_towards(b, part / 2.0).map(|load| load * seconds)),
            power_capped_s: a.total.power_capped_s + if a.power_capped { seconds } else { 0.0 },
            thermally_capped_s: a.total.thermally_capped_s + if a.thermally_capped { seconds } else { 0.0 },
        }
    }

    fn plus(self, other: &Self, times: f64) -> Self {
        Self {
            energy_j: self.energy_j + other.energy_j * times,
            load_s: self.load_s.with(other.load_s, |own, other| own + other * times),
            power_capped_s: self.power_capped_s + other.power_capped_s * times,
            thermally_capped_s: self.thermally_capped_s + other.thermally_capped_s * times,
        }
    }
}

fn accumulate(rows: &mut [Row]) {
    rows[0].total = Totals::default();
    for row in 1..rows.len() {
        let (a, b) = (rows[row - 1], rows[row]);
        rows[row].total = Totals::between(&a, &b, 1.0);
    }
}
