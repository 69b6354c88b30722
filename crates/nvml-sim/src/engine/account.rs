//! What a driver that keeps accounts knows of the processes on a GPU, of those that have ended, too.

use std::time::Duration;

use super::job::Job;
use super::jobs::Jobs;
use super::load::Load;
use super::timeline::CYCLE_S;

/// How many processes a driver keeps accounts of, the oldest of which it forgets first.
pub(crate) const BUFFER: usize = 4_000;

/// A run of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) pid: u32,
    /// Seconds since the world began; negative for what was there before.
    pub(crate) start_s: f64,
    /// The same, for one that has ended.
    pub(crate) end_s: Option<f64>,
    job: usize,
}

/// What a process has done in its life so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Account {
    pub(crate) run: Run,
    /// Seconds of its life so far.
    pub(crate) seconds: f64,
    /// Mean load of the GPU and of its memory interface by the process, 0 to 1.
    pub(crate) gpu: f64,
    pub(crate) memory: f64,
    /// The most bytes of memory it has held.
    pub(crate) most_memory: u64,
}

impl Jobs {
    /// The runs that a full buffer has room for, oldest first.
    pub(super) fn runs(&self, at: Duration) -> Vec<Run> {
        let (now_s, (_, latest)) = (at.as_secs_f64(), self.place(at));
        let cycles = (BUFFER / self.jobs.len().max(1)) as u64 + 1;
        let mut runs = Vec::new();
        for cycle in latest.saturating_sub(cycles)..=latest {
            for (job, of) in self.jobs.iter().enumerate() {
                let age = |place_s: f64| cycle as f64 * CYCLE_S + place_s - self.offset_s;
                let (start_s, end_s) = (age(of.start_s), age(of.end_s));
                let known = start_s <= now_s && end_s > 0.0;
                if of.permanent || !known {
                    continue;
                }
                runs.push(Run {
                    pid: self.pid_in(job, cycle),
                    start_s,
                    end_s: Some(end_s).filter(|end_s| *end_s <= now_s),
                    job,
                });
            }
        }
        let permanent = self.jobs.iter().enumerate().filter(|(_, of)| of.permanent);
        let permanent = permanent.map(|(job, _)| Run {
            pid: self.pid_in(job, 0),
            start_s: -self.offset_s,
            end_s: None,
            job,
        });
        // A permanent process is the oldest one, and in use: it is not forgotten.
        let mut all: Vec<Run> = permanent.collect();
        let room = BUFFER - all.len();
        all.extend_from_slice(&runs[runs.len().saturating_sub(room)..]);
        all
    }

    /// The account of a run.
    pub(super) fn account(&self, run: Run, at: Duration, wave: Option<Load>) -> Account {
        let of = &self.jobs[run.job];
        let seconds = run.end_s.unwrap_or(at.as_secs_f64()) - run.start_s;
        let load = wave
            .unwrap_or_else(|| self.mean_since_its_start(of, seconds))
            .of_share(of.share);
        Account {
            run,
            seconds,
            gpu: load.gpu,
            memory: load.memory,
            most_memory: of.most_memory(seconds),
        }
    }

    fn mean_since_its_start(&self, of: &Job, seconds: f64) -> Load {
        if seconds <= 0.0 {
            return of.load(of.start_s, self.noise);
        }
        let cycles = (seconds / CYCLE_S).floor();
        let rest_s = seconds - cycles * CYCLE_S;
        let mean = |from_s: f64, to_s: f64| {
            of.mean(from_s, to_s, self.noise)
                .map(|part| part * (to_s - from_s))
        };
        let whole = if cycles > 0.0 {
            mean(0.0, CYCLE_S)
        } else {
            Load::default()
        };
        let rest = if rest_s > 0.0 {
            mean(of.start_s, of.start_s + rest_s)
        } else {
            Load::default()
        };
        whole.with(rest, |whole, rest| (whole * cycles + rest) / seconds)
    }
}
