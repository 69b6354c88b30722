//! Who is on a GPU, read on the slow clock.
//!
//! 1. NVML's three lists are merged by pid (`list.rs`).
//! 2. The driver says what share of the GPU each used (`utilization.rs`).
//! 3. The list is bounded: the largest are described, the others summed (`keep.rs`).
//! 4. `/proc` says who those that are described are (`who.rs`).

mod cgroup;
mod keep;
mod list;
mod proc_text;
mod under_way;
mod users;
mod utilization;
mod who;

use std::{path::Path, time::Duration};

use gpulse_models::{CommandLines, ProcessList, ProcessTable, Reading};

use self::{keep::keep, utilization::Shares, who::Who};
pub(crate) use self::{list::patiently, under_way::UnderWay};
use crate::{groups::Gpu, port::CurrentCall};

/// The most processes of one GPU that can be described.
pub const MAX_PROCESSES: usize = keep::MAX_NAMED;

/// What is said of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessSettings {
    /// What of their command lines is shown.
    pub command_lines: CommandLines,
    /// How many of a GPU are described; the others are summed.
    pub max_processes: usize,
}

impl Default for ProcessSettings {
    /// No arguments, and 64 processes: more than GPUs are commonly shared by.
    fn default() -> Self {
        Self {
            command_lines: CommandLines::default(),
            max_processes: 64,
        }
    }
}

/// Reads who is on one GPU, and remembers who they are.
#[derive(Debug)]
pub(crate) struct Processes {
    most: usize,
    shares: Shares,
    who: Who,
    call: CurrentCall,
}

impl Processes {
    /// `commands` is shared by the readers that follow each other on the GPU.
    pub(crate) fn new(
        settings: ProcessSettings,
        interval: Duration,
        commands: UnderWay,
        call: CurrentCall,
    ) -> Self {
        let (proc, passwd) = (Path::new("/proc"), Path::new("/etc/passwd"));
        Self {
            most: settings.max_processes,
            shares: Shares::every(interval),
            who: Who::new(proc, passwd, settings.command_lines, commands),
            call,
        }
    }

    /// Reads who is on the GPU.
    pub(crate) fn read(&mut self, gpu: &mut Gpu<'_, '_>) -> ProcessTable {
        let list = self.list(gpu);
        ProcessTable { list }
    }

    fn list(&mut self, gpu: &mut Gpu<'_, '_>) -> Reading<ProcessList> {
        let (nvml, device) = (gpu.nvml, gpu.device);
        let mut listed = match list::processes(gpu.asker, nvml, device) {
            Reading::Value(listed) => listed,
            Reading::Unavailable(reason) => return Reading::Unavailable(reason),
        };
        let shares = self.shares.read(gpu.asker, device, gpu.now);
        for process in &mut listed {
            process.utilization = shares.as_ref().map(|shares| shares.get(&process.pid).copied());
        }
        let (mut processes, other) = keep(listed, self.most);
        let pids: Vec<_> = processes.iter().map(|process| process.pid).collect();
        for (process, identity) in processes.iter_mut().zip(self.who.are(&pids, &self.call)) {
            process.identity = identity;
        }
        Reading::Value(ProcessList { processes, other })
    }
}
