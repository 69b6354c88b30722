//! One GPU: its work, its state at any moment, and what it did between two.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::account::{Account, Run};
use super::jobs::{Jobs, Process};
use super::latest::Latest;
use super::load::Load;
use super::mean::{Mean, mean_load};
use super::noise::Noise;
use super::timeline::{Moment, Timeline, Totals};
use super::truth::{self, Truth};
use super::wave::Wave;
use crate::profile::GpuSpec;

#[derive(Debug)]
pub(super) struct Gpu {
    spec: GpuSpec,
    noise: Noise,
    jobs: Jobs,
    /// The load, where it is known exactly; the timeline then says how hot it makes the GPU in the long run.
    wave: Option<Wave>,
    /// Filled on the first reading, so that a world of which only one GPU is read computes one timeline.
    timeline: OnceLock<Timeline>,
    latest: Latest<Truth>,
    latest_processes: Latest<Vec<Process>>,
}

impl Gpu {
    pub(super) fn new(spec: &GpuSpec, noise: Noise) -> Self {
        Self {
            spec: spec.clone(),
            noise,
            jobs: Jobs::plan(spec, noise),
            wave: Wave::of(spec, noise),
            timeline: OnceLock::new(),
            latest: Latest::default(),
            latest_processes: Latest::default(),
        }
    }

    pub(super) fn spec(&self) -> &GpuSpec {
        &self.spec
    }

    pub(super) fn noise(&self) -> Noise {
        self.noise
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The readings at the start of a step.
    pub(super) fn truth(&self, at: Duration) -> Arc<Truth> {
        self.latest.at(at, || truth::read(self, at))
    }

    /// The state at a time; totals count from some time before the world began.
    pub(super) fn moment(&self, at: Duration) -> Moment {
        let (place_s, cycle) = self.jobs.place(at);
        let usual = self.timeline().at(place_s, cycle);
        let Some(wave) = &self.wave else {
            return usual;
        };
        let crest = wave.at(at.as_secs_f64());
        Moment {
            power_w: crest.power_w,
            clock: crest.clock,
            load: crest.load,
            power_capped: crest.power_capped,
            thermally_capped: false,
            total: wave.totals(at.as_secs_f64()),
            ..usual
        }
    }

    /// What it did between two times, of which the second is the later one.
    pub(super) fn mean(&self, from: Duration, to: Duration) -> Mean {
        let seconds = (to - from).as_secs_f64();
        Mean::between(&self.totals(from), &self.totals(to), seconds)
    }

    /// The end of the last complete sampling period, and the mean load over it.
    pub(super) fn sample(&self, at: Duration) -> (Duration, Load) {
        let period = self.sampling_period();
        let end = period * u32::try_from(at.as_nanos() / period.as_nanos()).unwrap_or(u32::MAX);
        if end.is_zero() {
            return (end, self.moment(at).load);
        }
        let (from, to) = (self.totals(end - period), self.totals(end));
        (end, mean_load(from.load_s, to.load_s, period.as_secs_f64()))
    }

    /// The processes at the start of a step.
    pub(super) fn processes(&self, at: Duration) -> Arc<Vec<Process>> {
        self.latest_processes.at(at, || self.find_processes(at))
    }

    fn find_processes(&self, at: Duration) -> Vec<Process> {
        let period = self.sampling_period();
        let (end, _) = self.sample(at);
        // Before the first period is over, the load of its beginning stands for it.
        let end = end.max(period);
        let wave = self.wave.as_ref().map(|wave| {
            let (from, to) = ((end - period).as_secs_f64(), end.as_secs_f64());
            mean_load(wave.load_s(from), wave.load_s(to), to - from)
        });
        self.jobs.running(at, wave, end, period)
    }

    /// The runs of processes that the driver remembers.
    pub(super) fn runs(&self, at: Duration) -> Vec<Run> {
        self.jobs.runs(at)
    }

    /// What a process has done.
    pub(super) fn account(&self, run: Run, at: Duration) -> Account {
        let seconds = at.as_secs_f64();
        let whole = |wave: &Wave| mean_load(Load::default(), wave.load_s(seconds), seconds);
        let wave = self.wave.as_ref().filter(|_| seconds > 0.0).map(whole);
        self.jobs.account(run, at, wave)
    }

    pub(super) fn process_name(&self, pid: u32, at: Duration) -> Option<&'static str> {
        self.jobs.name(pid, at)
    }

    /// The mean load of a MIG instance between two times, and that of its memory interface.
    pub(super) fn instance_mean(&self, mig: usize, from: Duration, to: Duration) -> (f64, f64) {
        let load = match &self.wave {
            Some(wave) => {
                let seconds = |at: Duration| at.as_secs_f64();
                let (start, end) = (wave.load_s(seconds(from)), wave.load_s(seconds(to)));
                mean_load(start, end, seconds(to - from))
            }
            None => self.jobs.instance_mean(mig, from, to),
        };
        (load.gpu, load.memory)
    }

    fn totals(&self, at: Duration) -> Totals {
        if let Some(wave) = &self.wave {
            return wave.totals(at.as_secs_f64());
        }
        let (place_s, cycle) = self.jobs.place(at);
        self.timeline().totals(place_s, cycle)
    }

    fn sampling_period(&self) -> Duration {
        Duration::from_millis(self.spec.sampling_period_ms.into())
    }

    fn timeline(&self) -> &Timeline {
        self.timeline
            .get_or_init(|| Timeline::compute(&self.spec, &self.jobs, self.noise))
    }
}
