//! NVML's events in this project's words.

use gpulse_models::EventKind;

/// `nvmlEventTypeXidCriticalError`
const XID: u64 = 0x8;

/// The other types that nvml.h names.
const NAMED: [(u64, EventKind); 13] = [
    (0x1, EventKind::SingleBitEcc),
    (0x2, EventKind::DoubleBitEcc),
    (0x4, EventKind::PerformanceState),
    (0x10, EventKind::Clock),
    (0x80, EventKind::PowerSource),
    (0x100, EventKind::MigConfig),
    (0x200, EventKind::SingleBitEccStorm),
    (0x400, EventKind::PageRetirement),
    (0x800, EventKind::PageRetirementFailure),
    (0x1000, EventKind::Poison),
    (0x2000, EventKind::FatalPoison),
    (0x4000, EventKind::GpuUnavailable),
    (0x8000, EventKind::RecoveryAction),
];

/// What an event of these types means. One call reports one type; several at once would each count.
pub(super) fn kinds(types: u64, data: u64) -> Vec<EventKind> {
    // An XID without a number is one that the driver does not know itself.
    let xid = (types & XID != 0).then(|| EventKind::Xid(Some(data).filter(|code| *code != 0)));
    let named = NAMED
        .iter()
        .filter(|(bit, _)| types & bit != 0)
        .map(|(_, kind)| kind.clone());
    let kinds: Vec<_> = xid.into_iter().chain(named).collect();
    if kinds.is_empty() {
        vec![EventKind::Unknown]
    } else {
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_kind_and_an_unknown_one_is_not_lost() {
        for (types, name) in [
            (0x8, "xid"),
            (0x2, "double_bit_ecc"),
            (0x100, "mig_config"),
            (0x400, "page_retirement"),
            (0, "unknown"),
            (1 << 40, "unknown"),
        ] {
            let kinds = kinds(types, 0);
            assert_eq!((kinds.len(), kinds[0].as_str()), (1, name));
        }
        assert_eq!(kinds(0x8 | 0x2, 79).len(), 2);
    }

    #[test]
    fn an_xid_has_its_code_and_an_unknown_one_none() {
        assert_eq!(kinds(XID, 79), [EventKind::Xid(Some(79))]);
        assert_eq!(kinds(XID, 0), [EventKind::Xid(None)]);
    }
}
