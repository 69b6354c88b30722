//! How the GPUs are joined: read once per initialisation by a thread of its own, which nobody waits for.
//!
//! A question here concerns two GPUs at once. Were a sampler to ask it, the one that hangs would hold up the other.

use std::{
    io,
    sync::{
        Arc, Weak,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use actix::{Recipient, prelude::SendError};
use gpulse_aggregator::{Calls, Counters, Joined};
use gpulse_models::{Label, Reading, Reason, Timestamp, Topology, TopologyGpu, TopologyPair, microseconds};
use nvml_wrapper::{Device, Nvml, error::NvmlError};

use crate::{convert, counted::counted, label, library::Library, raw};

/// Pause before what is missing is asked for again; it doubles from there.
const RETRY_FIRST: Duration = Duration::from_secs(5);

/// How often that is done: a GPU that is well again by then has been in trouble for an hour.
const RETRIES: u32 = 10;

/// Starts the thread. It ends once the other end of `session` is dropped, and holds the library only while it asks: what is let
/// go must not wait for a question that comes later.
pub(crate) fn spawn(
    nvml: Weak<Library>,
    epoch: u64,
    gpus: u32,
    aggregator: Recipient<Joined>,
    counters: Arc<Counters>,
    session: Receiver<()>,
) -> io::Result<()> {
    thread::Builder::new()
        .name("nvml-topology".to_owned())
        .spawn(move || run(&nvml, epoch, gpus, &aggregator, counters.calls(), &session))
        .map(drop)
}

fn run(
    nvml: &Weak<Library>,
    epoch: u64,
    gpus: u32,
    aggregator: &Recipient<Joined>,
    calls: &Calls,
    session: &Receiver<()>,
) {
    let mut pause = RETRY_FIRST;
    for _ in 0..=RETRIES {
        let Some(topology) = nvml.upgrade().map(|nvml| read(&nvml, gpus, calls)) else {
            return;
        };
        let provisional = topology.is_provisional();
        let joined = Joined {
            epoch,
            topology: Reading::Value(Arc::new(topology)),
        };
        let told = match aggregator.try_send(joined) {
            Ok(()) => true,
            // It is told what it missed the next time.
            Err(SendError::Full(_)) => false,
            Err(SendError::Closed(_)) => return,
        };
        if told && !provisional {
            return;
        }
        // Nothing is ever sent.
        if !matches!(session.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
            return;
        }
        pause *= 2;
    }
}

type Handle<'n> = Result<Device<'n>, Reason>;

fn read(nvml: &Nvml, gpus: u32, calls: &Calls) -> Topology {
    let read_at = microseconds(Timestamp::now());
    let handles: Vec<(u32, Handle<'_>)> = (0..gpus)
        .map(|index| {
            (
                index,
                counted(calls, "nvmlDeviceGetHandleByIndex_v2", || {
                    nvml.device_by_index(index)
                })
                .map_err(|error| convert::reason(&error)),
            )
        })
        .collect();
    let alone = handles.iter().map(|(index, handle)| place(*index, handle, calls));
    let pairs = handles.iter().enumerate().flat_map(|(position, (first, one))| {
        let later = &handles[position + 1..];
        later
            .iter()
            .map(move |(second, other)| pair((*first, one), (*second, other), calls))
    });
    Topology {
        read_at,
        gpus: alone.collect(),
        pairs: pairs.collect(),
    }
}

fn place(index: u32, handle: &Handle<'_>, calls: &Calls) -> TopologyGpu {
    let list = |call, ask: fn(&Device<'_>) -> Result<Vec<u32>, NvmlError>| match handle {
        Ok(device) => counted(calls, call, || ask(device))
            .map_err(|error| convert::reason(&error))
            .map(|numbers| list_of(&numbers))
            .into(),
        Err(reason) => Reading::Unavailable(*reason),
    };
    TopologyGpu {
        index: Reading::Value(index),
        cpu_affinity: list("nvmlDeviceGetCpuAffinity", raw::cpu_affinity),
        memory_affinity: list("nvmlDeviceGetMemoryAffinity", raw::memory_affinity),
    }
}

fn pair(
    (first, one): (u32, &Handle<'_>),
    (second, other): (u32, &Handle<'_>),
    calls: &Calls,
) -> TopologyPair {
    let ask = |call, ask: &dyn Fn(&Device<'_>, &Device<'_>) -> Result<Label, NvmlError>| match (one, other) {
        (Ok(one), Ok(other)) => counted(calls, call, || ask(one, other))
            .map_err(|error| convert::reason(&error))
            .into(),
        (Err(reason), _) | (_, Err(reason)) => Reading::Unavailable(*reason),
    };
    let peer = |index: u32| {
        ask("nvmlDeviceGetP2PStatus", &move |one, other| {
            raw::p2p_status(one, other, index).map(label::p2p_status)
        })
    };
    TopologyPair {
        first: Reading::Value(first),
        second: Reading::Value(second),
        common_ancestor: ask("nvmlDeviceGetTopologyCommonAncestor", &|one, other| {
            raw::common_ancestor(one, other).map(label::topology_level)
        }),
        p2p_read: peer(raw::P2P_READ),
        p2p_write: peer(raw::P2P_WRITE),
        p2p_nvlink: peer(raw::P2P_NVLINK),
    }
}

/// Numbers as the kernel writes lists of processors: `0-3,8`.
fn list_of(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == *number => *end = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let texts = ranges.iter().map(|(start, end)| {
        if start == end {
            start.to_string()
        } else {
            format!("{start}-{end}")
        }
    });
    texts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::list_of;

    #[test]
    fn lists_are_written_as_the_kernel_does() {
        assert_eq!(list_of(&[0, 1, 2, 3, 8, 10, 11]), "0-3,8,10-11");
        assert_eq!(list_of(&[]), "");
    }
}
