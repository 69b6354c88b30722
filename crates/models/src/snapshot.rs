//! Published state: a GPU's last sample beside its health, and all GPUs at one generation.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    DriverStatus, Failure, GpuFacts, GpuId, GpuState, Inventory, PciBusId, PodAssignments, Reading, Reason,
    Sample, Topology, Totals,
};

/// One GPU as published. Never changes afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuSnapshot {
    /// Identity, or the placeholder until the GPU has said it.
    pub id: GpuId,
    /// NVML's index at the last initialisation.
    pub index: u32,
    /// Static facts, once read.
    pub facts: Option<Arc<GpuFacts>>,
    /// The last good sample.
    pub sample: Option<Arc<Sample>>,
    /// How the GPU is doing.
    pub health: Health,
    /// Host generation in which this snapshot was published.
    pub generation: u64,
}

/// How a GPU is doing, kept apart from its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// The state.
    pub state: GpuState,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// Good samples since the agent started.
    pub sequence: u64,
    /// Failed ticks since the last good sample.
    pub failures: u64,
    /// Ticks that found the reader still busy.
    pub overruns: u64,
    /// Records that the aggregator's mailbox refused.
    pub dropped: u64,
    /// The last failure; kept until a good sample comes.
    pub last_error: Option<Failure>,
}

impl GpuSnapshot {
    /// The snapshot of a GPU that has not been heard of.
    pub fn pending(index: u32, generation: u64, at: Timestamp) -> Self {
        Self {
            id: GpuId::unidentified(index),
            index,
            facts: None,
            sample: None,
            health: Health {
                state: GpuState::Unavailable,
                since: at,
                sequence: 0,
                failures: 0,
                overruns: 0,
                dropped: 0,
                last_error: None,
            },
            generation,
        }
    }

    /// The sample that readers may be shown: the last one, unless the GPU is lost, gives no data, or never said
    /// who it is.
    pub fn served_sample(&self) -> Option<&Sample> {
        self.facts.as_ref()?;
        match self.health.state {
            GpuState::Ok | GpuState::Stale | GpuState::Hung => self.sample.as_deref(),
            GpuState::Lost | GpuState::Unavailable => None,
        }
    }

    /// The sample of a GPU that is read at its pace.
    ///
    /// # Errors
    ///
    /// With the reason why there is none.
    pub fn fresh_sample(&self) -> Result<&Sample, Reason> {
        match self.health.state {
            GpuState::Ok => self.served_sample().ok_or_else(|| self.absence()),
            GpuState::Lost => Err(Reason::GpuLost),
            GpuState::Hung => Err(Reason::Timeout),
            GpuState::Stale | GpuState::Unavailable => Err(self.absence()),
        }
    }

    /// Why there is no sample to show.
    pub fn absence(&self) -> Reason {
        self.health
            .last_error
            .as_ref()
            .map_or(Reason::NotReady, |failure| failure.reason)
    }

    /// The same for a person.
    pub fn absence_message(&self) -> &str {
        self.health
            .last_error
            .as_ref()
            .map_or("not read yet", |failure| &failure.message)
    }

    /// The UUID, once the GPU has said it.
    pub fn uuid(&self) -> Option<&GpuId> {
        self.facts.as_ref().map(|facts| &facts.id)
    }

    /// Where the GPU sits, once it has said it.
    pub fn pci_bus_id(&self) -> Option<PciBusId> {
        self.facts.as_ref()?.identity.pci_bus_id.value().copied()
    }

    /// Whether anything, good or bad, was heard of this GPU.
    pub fn was_heard_of(&self) -> bool {
        self.health.sequence > 0 || self.health.failures > 0
    }
}

/// All GPUs of the host at one generation. Never changes after it is published.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSnapshot {
    /// Number of this snapshot; never goes back while the process lives.
    pub generation: u64,
    /// When it was published.
    pub published_at: Timestamp,
    /// Whether NVML can be used.
    pub driver: DriverStatus,
    /// The roster, by index.
    pub gpus: Vec<Arc<GpuSnapshot>>,
    /// Sums and averages over the GPUs that have a sample to show.
    pub totals: Totals,
    /// How the GPUs are joined.
    pub topology: Reading<Arc<Topology>>,
    /// What GPUs the machine should have.
    pub inventory: Arc<Inventory>,
    /// Which containers hold which GPUs, as Kubernetes assigned them.
    pub pods: Arc<PodAssignments>,
}

impl HostSnapshot {
    /// What is known before anything was heard.
    pub fn starting(at: Timestamp) -> Self {
        Self {
            generation: 0,
            published_at: at,
            driver: DriverStatus::Starting,
            gpus: Vec::new(),
            totals: Totals::default(),
            topology: Reading::Unavailable(Reason::NotReady),
            inventory: Arc::new(Inventory::unread()),
            pods: Arc::new(PodAssignments::unread()),
        }
    }

    /// The GPU with this index.
    pub fn gpu_at(&self, index: u32) -> Option<&Arc<GpuSnapshot>> {
        self.gpus.iter().find(|gpu| gpu.index == index)
    }

    /// Whether there is an answer to give: every GPU of the roster was heard of, or NVML is known to be absent.
    pub fn is_ready(&self) -> bool {
        match self.driver {
            DriverStatus::Starting => false,
            DriverStatus::Unavailable(_) => true,
            DriverStatus::Ready(_) => self.gpus.iter().all(|gpu| gpu.was_heard_of()),
        }
    }
}
