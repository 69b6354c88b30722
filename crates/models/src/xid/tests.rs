//! The catalogue is in order, says something of each code, and the right thing of the well-known ones.

use super::{Xid, XidAction as Action, XidSeverity as Severity};

#[test]
fn codes_are_sorted_and_unique_and_found() {
    let codes: Vec<_> = Xid::all().map(|xid| xid.code).collect();
    assert!(codes.is_sorted_by(|earlier, later| earlier < later), "{codes:?}");
    for xid in Xid::all() {
        assert_eq!(Xid::documented(xid.code), Some(xid));
    }
}

#[test]
fn every_code_that_nvidia_lists_is_there() {
    let missing: Vec<_> = (1..=172)
        .filter(|code| Xid::documented(*code).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_code_has_a_name_and_a_sentence() {
    for xid in Xid::all() {
        assert!(!xid.name.trim().is_empty(), "{}", xid.code);
        assert!(
            xid.meaning.ends_with('.') && xid.meaning.len() > 20,
            "{}: {}",
            xid.code,
            xid.meaning
        );
    }
}

#[test]
fn what_needs_a_reset_is_not_called_harmless() {
    for xid in Xid::all() {
        let grave = matches!(
            xid.action,
            Action::ResetGpu | Action::RebootNode | Action::DrainAndDiagnose
        );
        assert!(!grave || xid.severity >= Severity::Warning, "{}", xid.code);
        let idle = matches!(xid.action, Action::None);
        assert!(!idle || xid.severity <= Severity::Warning, "{}", xid.code);
    }
}

#[test]
fn the_well_known_codes_say_what_nvidia_says() {
    for (code, severity, action) in [
        (13, Severity::Warning, Action::RestartApplication),
        (31, Severity::Warning, Action::RestartApplication),
        (43, Severity::Warning, Action::None),
        (45, Severity::Info, Action::FollowOtherErrors),
        (48, Severity::Critical, Action::ResetGpu),
        (61, Severity::Warning, Action::ContactVendor),
        (62, Severity::Critical, Action::ResetGpu),
        (63, Severity::Info, Action::None),
        (64, Severity::Critical, Action::ResetGpu),
        (74, Severity::Critical, Action::ResetGpu),
        (79, Severity::Fatal, Action::RebootNode),
        (92, Severity::Warning, Action::None),
        (94, Severity::Warning, Action::RestartApplication),
        (95, Severity::Critical, Action::ResetGpu),
        (119, Severity::Critical, Action::ResetGpu),
        (120, Severity::Critical, Action::ResetGpu),
        (140, Severity::Critical, Action::ResetGpu),
    ] {
        let xid = Xid::of(code);
        assert_eq!((xid.severity, xid.action), (severity, action), "{code}");
    }
}

#[test]
fn what_is_not_documented_is_said_to_be() {
    for code in [0, 173, 999, u64::MAX] {
        assert_eq!(Xid::documented(code), None);
        let xid = Xid::of(code);
        assert_eq!((xid.code, xid.name), (code, "Not documented"));
    }
}

#[test]
fn words_are_named_the_same_in_json_and_in_text() {
    for xid in Xid::all() {
        assert_eq!(serde_json::to_value(xid.severity).unwrap(), xid.severity.as_str());
        assert_eq!(serde_json::to_value(xid.cause).unwrap(), xid.cause.as_str());
        assert_eq!(serde_json::to_value(xid.action).unwrap(), xid.action.as_str());
    }
}
