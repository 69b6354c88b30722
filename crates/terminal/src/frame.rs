//! What the fetcher hands over: one look at the agent.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use crate::body::{Event, Gpus, History, Host, Processes};

/// Everything that the screens show, of about the same moment.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The agent and its driver.
    pub(crate) host: Host,
    /// The GPUs; none while the driver cannot be used.
    pub(crate) gpus: Gpus,
    /// Who is on them.
    pub(crate) processes: Processes,
    /// What happened, the oldest first.
    pub(crate) events: Arc<Vec<Event>>,
    /// Who started whom, where the processes are those of this host.
    pub(crate) parents: Parents,
    /// When it came.
    pub(crate) received: Instant,
}

/// The parent of a process and its own name, by pid.
pub(crate) type Parents = BTreeMap<u32, Parent>;

/// Who started a process, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) pid: u32,
    pub(crate) name: String,
}

/// What the fetcher has to say.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// A look that succeeded, and the agent's history with the first of them.
    Seen(Box<Frame>, Option<History>),
    /// One that failed: why, and when the next one is.
    Failed { why: String, retry_at: Instant },
}
