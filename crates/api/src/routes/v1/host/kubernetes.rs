//! `kubernetes` of `/api/v1/host`: whether it is known which pods hold which GPUs.

use gpulse_models::{HostSnapshot, Reason, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether it is known which pods hold which GPUs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostKubernetes {
    /// When the kubelet last said which pods hold which GPUs; null if what it said is no longer believed, or if it never did.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// Why it said nothing when it was asked last; null if it did. `not_supported`: there is no kubelet, or its socket is
    /// not mounted.
    reason: Option<Reason>,
    /// The same for a person.
    message: Option<String>,
    /// GPUs and instances that are held; null if that is not known.
    #[schema(minimum = 0)]
    held_devices: Option<usize>,
    /// Holders that are not shown, because there are too many or their names are none; null if that is not known.
    #[schema(minimum = 0)]
    omitted: Option<u64>,
}

impl HostKubernetes {
    pub(super) fn of(host: &HostSnapshot) -> Self {
        let pods = &*host.pods;
        let holders = pods.holders.as_ref();
        let absence = holders.err().or(pods.last_error.as_ref());
        Self {
            read_at: pods.read_at,
            reason: absence.map(|absence| absence.reason),
            message: absence.map(|absence| absence.message.clone()),
            held_devices: holders.ok().map(|holders| holders.devices().count()),
            omitted: holders.ok().map(|holders| holders.omitted()),
        }
    }

    /// What is absent, and why.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (&'static str, Reason)> {
        let reason = self.reason.filter(|_| self.held_devices.is_none());
        let keys = ["read_at", "held_devices", "omitted"].into_iter();
        keys.filter_map(move |key| reason.map(|reason| (key, reason)))
    }
}
