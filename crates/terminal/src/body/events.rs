//! `/api/v1/events`.

use gpulse_models::{DriverReason, EventKind, GpuState, XidSeverity};
use jiff::Timestamp;
use serde::Deserialize;

use super::{named, or_default};

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Events {
    #[serde(deserialize_with = "or_default")]
    pub(crate) events: Vec<Event>,
    pub(crate) next: u64,
    /// Another one means that the agent was started anew, and numbers began anew.
    #[serde(deserialize_with = "or_default")]
    pub(crate) instance: String,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) sequence: u64,
    pub(crate) at: Option<Timestamp>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kind: String,
    pub(crate) gpu_id: Option<u32>,
    pub(crate) pci_bus_id: Option<String>,
    pub(crate) xid: Option<Xid>,
    pub(crate) state_before: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) driver_reason: Option<String>,
}

/// An error that the driver reported by its number.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Xid {
    pub(crate) code: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) meaning: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) severity: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) cause: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) action: String,
}

impl Event {
    /// What happened, in a few words.
    pub(crate) fn summary(&self) -> String {
        match (&self.xid, &self.state) {
            (Some(xid), _) => match xid.code {
                Some(code) => format!("XID {code}: {}", xid.name),
                None => format!("XID: {}", xid.name),
            },
            (None, Some(state)) => {
                format!("{} -> {state}", self.state_before.as_deref().unwrap_or("?"))
            }
            (None, None) => match (self.kind.as_str(), &self.driver_reason) {
                ("driver", Some(reason)) => format!("driver cannot be used: {}", words(reason)),
                ("driver", None) => "driver can be used".to_owned(),
                (kind, _) => words(kind),
            },
        }
    }

    /// What it means, for a person.
    pub(crate) fn meaning(&self) -> String {
        match (&self.xid, &self.state) {
            (Some(xid), _) => xid.meaning.clone(),
            (None, Some(state)) => change(self.state_before.as_deref(), state),
            (None, None) => self
                .known()
                .map_or_else(String::new, |kind| kind.description().to_owned()),
        }
    }

    /// What to do about it first; empty where there is nothing to do or to know.
    pub(crate) fn advice(&self) -> String {
        match (&self.xid, self.state.as_deref()) {
            (Some(xid), _) => advice(&xid.action),
            (None, Some("hung")) => {
                "A driver call does not return. If it stays so, move the work away and reset the GPU or reboot.".to_owned()
            }
            (None, Some("lost")) => "The GPU fell off the bus: reboot the node; check power and seating.".to_owned(),
            _ => String::new(),
        }
    }

    /// How bad it is, as the models have it; an XID says so itself. What this version has no word for is no reason for alarm.
    pub(crate) fn severity(&self) -> XidSeverity {
        let severity = match (&self.xid, &self.state) {
            (Some(xid), _) => named(&xid.severity),
            (None, Some(state)) => named(state).map(GpuState::severity),
            (None, None) if self.driver_reason.is_some() => {
                Some(EventKind::Driver(Some(DriverReason::Error)).severity())
            }
            (None, None) => self.known().map(|kind| kind.severity()),
        };
        severity.unwrap_or(XidSeverity::Info)
    }

    /// What kind it is, with nothing said beside it.
    fn known(&self) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind)
    }
}

/// What a change of state means.
fn change(before: Option<&str>, now: &str) -> String {
    let meaning = match now {
        "ok" => "it is read as it should be",
        "stale" => "reading it takes longer than it should, and its values are old ones",
        "hung" => "a call of the driver does not return, and its values are old ones",
        "lost" => "the driver does not reach it any more",
        "unavailable" => "it cannot be read",
        _ => "this version has no word for that",
    };
    match before {
        Some(before) => format!("The GPU was {before} and is {now}: {meaning}."),
        None => format!("The GPU is {now}: {meaning}."),
    }
}

/// The words of a name on the wire.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// What an action of the catalogue of XIDs asks for.
fn advice(action: &str) -> String {
    match action {
        "" | "none" => "Nothing has to be done.",
        "follow_other_errors" => "Look at the errors that came with it, and follow those.",
        "restart_application" => {
            "Start the application again; if it recurs, look for the fault in the application."
        }
        "reset_gpu" => "Move the work away and reset the GPU (nvidia-smi --gpu-reset).",
        "reboot_node" => "Restart the machine, not just the guest on it.",
        "restart_vm" => "Restart the virtual machine.",
        "drain_and_diagnose" => "Take the GPU out of service and run the vendor's field diagnostics.",
        "update_driver" => "Bring driver and firmware to versions that fit each other.",
        "check_power_and_cooling" => "Check power cables, power supply and cooling.",
        "check_configuration" => "Check how the feature concerned is configured.",
        "contact_vendor" => "Ask the vendor, with the output of nvidia-bug-report.sh.",
        other => return words(other),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use gpulse_models::Xid;

    use super::*;

    #[test]
    fn every_action_of_the_catalogue_has_a_sentence() {
        for xid in Xid::all() {
            let sentence = advice(xid.action.as_str());
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }

    #[test]
    fn an_event_is_as_bad_as_the_models_say() {
        let of = |kind: &EventKind| Event {
            kind: kind.as_str().to_owned(),
            ..Event::default()
        };
        for kind in EventKind::ALL {
            assert_eq!(of(&kind).severity(), kind.severity(), "{kind:?}");
        }
        let down = Event {
            driver_reason: Some("parked".to_owned()),
            ..of(&EventKind::Driver(None))
        };
        assert_eq!(down.severity(), XidSeverity::Critical);
        let unknown = Event {
            kind: "made_up".to_owned(),
            ..Event::default()
        };
        assert_eq!(unknown.severity(), XidSeverity::Info);
    }

    #[test]
    fn a_change_of_state_says_from_which_to_which() {
        for state in [
            GpuState::Ok,
            GpuState::Stale,
            GpuState::Hung,
            GpuState::Lost,
            GpuState::Unavailable,
        ] {
            let event = Event {
                kind: "gpu_state".to_owned(),
                state_before: Some("ok".to_owned()),
                state: Some(state.as_str().to_owned()),
                ..Event::default()
            };
            let meaning = event.meaning();
            let beginning = format!("The GPU was ok and is {}: ", state.as_str());
            assert!(
                meaning.starts_with(&beginning) && !meaning.contains("no word"),
                "{meaning}"
            );
        }
    }

    #[test]
    fn a_gpu_that_is_lost_is_as_bad_whatever_it_was_before() {
        for before in ["ok", "unavailable"] {
            let event = Event {
                kind: "gpu_state".to_owned(),
                state_before: Some(before.to_owned()),
                state: Some("lost".to_owned()),
                ..Event::default()
            };
            assert_eq!(event.severity(), XidSeverity::Fatal);
        }
    }
}
