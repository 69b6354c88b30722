//! NVML's events in this project's words, and whom they are about.

use std::fmt::{self, Write};

use gpulse_models::EventKind;
use nvml_wrapper::{Device, bitmasks::event::EventTypes, enums::event::XidError};

/// What an event of these types means. One call reports one type; several at once would each count.
pub(super) fn kinds(types: EventTypes, data: Option<&XidError>) -> Vec<EventKind> {
    let known = [
        (EventTypes::CRITICAL_XID_ERROR, EventKind::Xid(code(data))),
        (EventTypes::DOUBLE_BIT_ECC_ERROR, EventKind::DoubleBitEcc),
        (EventTypes::SINGLE_BIT_ECC_ERROR, EventKind::SingleBitEcc),
        (EventTypes::PSTATE_CHANGE, EventKind::PerformanceState),
        (EventTypes::CLOCK_CHANGE, EventKind::Clock),
        (EventTypes::POWER_SOURCE_CHANGE, EventKind::PowerSource),
        (EventTypes::MIG_CONFIG_CHANGE, EventKind::MigConfig),
    ];
    let kinds: Vec<_> = known
        .into_iter()
        .filter_map(|(kind, means)| types.contains(kind).then_some(means))
        .collect();
    if kinds.is_empty() {
        vec![EventKind::Unknown]
    } else {
        kinds
    }
}

fn code(data: Option<&XidError>) -> Option<u64> {
    match data {
        Some(XidError::Value(code)) => Some(*code),
        Some(XidError::Unknown) | None => None,
    }
}

/// What tells a device from others without a call into the driver: two wrappers of one handle read the same.
///
/// An event names its GPU by a handle. Asking that GPU for its index would fail, or hang, for just those GPUs that
/// have something to report: one that fell off the bus answers nothing. The wrapper shows its handle in its debug
/// output and, safely, nowhere else.
pub(super) fn handle(device: &Device<'_>) -> String {
    /// Takes in the handle, which comes first, and none of the library's hundreds of symbols behind it.
    struct FirstField(String);

    impl Write for FirstField {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            match text.split_once(',') {
                None => {
                    self.0.push_str(text);
                    Ok(())
                }
                Some((rest, _)) => {
                    self.0.push_str(rest);
                    Err(fmt::Error)
                }
            }
        }
    }

    let mut field = FirstField(String::new());
    // Ends with an error at the first comma, which is what is wanted.
    let _ = write!(field, "{device:?}");
    field.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_kind_and_an_unknown_one_is_not_lost() {
        for (types, name) in [
            (EventTypes::CRITICAL_XID_ERROR, "xid"),
            (EventTypes::DOUBLE_BIT_ECC_ERROR, "double_bit_ecc"),
            (EventTypes::SINGLE_BIT_ECC_ERROR, "single_bit_ecc"),
            (EventTypes::PSTATE_CHANGE, "performance_state"),
            (EventTypes::CLOCK_CHANGE, "clock"),
            (EventTypes::POWER_SOURCE_CHANGE, "power_source"),
            (EventTypes::MIG_CONFIG_CHANGE, "mig_config"),
            (EventTypes::empty(), "unknown"),
        ] {
            let kinds = kinds(types, None);
            assert_eq!((kinds.len(), kinds[0].as_str()), (1, name));
        }
        let both = EventTypes::CRITICAL_XID_ERROR | EventTypes::DOUBLE_BIT_ECC_ERROR;
        assert_eq!(kinds(both, None).len(), 2);
    }

    #[test]
    fn an_xid_has_its_code_and_an_unknown_one_none() {
        let xid = |data| kinds(EventTypes::CRITICAL_XID_ERROR, Some(&data)).remove(0);
        assert_eq!(xid(XidError::Value(79)), EventKind::Xid(Some(79)));
        assert_eq!(xid(XidError::Unknown), EventKind::Xid(None));
    }
}
