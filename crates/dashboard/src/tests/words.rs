//! The dashboard knows every word that an answer may have: its tables have the words of the models, neither fewer nor others.

use std::collections::BTreeSet;

use gpulse_models::{DriverReason, EventKind, GpuState, Reason, ThrottleReasons, XidAction, XidSeverity};
use serde::de::DeserializeOwned;

use super::{asset, quoted, text};

/// Where most of the tables are.
const WORDS: &str = "core/words.js";

/// All names of an enum on the wire. Serde tells them to whoever gives it another one: unlike a list of ours, that cannot be
/// forgotten when a variant is added.
fn words_of<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_str::<T>("\"?\"").err().unwrap().to_string();
    let (_, expected) = error.split_once("expected one of ").unwrap();
    let words = expected.split('`').skip(1).step_by(2);
    words.map(ToOwned::to_owned).collect()
}

/// What such a name stands for.
fn of_word<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(name.into()).unwrap()
}

/// The source of the object that a module gives this name to, without its outer braces.
fn object(path: &str, name: &str) -> String {
    let script = text(asset(path).unwrap());
    let (_, rest) = script.split_once(&format!("const {name} = {{")).unwrap();
    let mut depth = 1_u32;
    let body = rest.chars().take_while(|character| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth > 0
    });
    body.collect()
}

/// The keys of that object, not those of objects within it.
fn keys(path: &str, name: &str) -> BTreeSet<String> {
    let (mut depth, mut in_text, mut word) = (0_u32, false, String::new());
    let mut keys = BTreeSet::new();
    for character in object(path, name).chars() {
        match character {
            '"' => in_text = !in_text,
            _ if in_text => {}
            '{' => depth += 1,
            '}' => depth -= 1,
            ':' if depth == 0 => drop(keys.insert(std::mem::take(&mut word))),
            '_' | 'a'..='z' if depth == 0 => word.push(character),
            _ => word.clear(),
        }
    }
    keys
}

#[test]
fn the_tables_have_the_words_of_the_models() {
    let throttles = ThrottleReasons::default().named();
    for (path, table, words) in [
        (WORDS, "REASONS", words_of::<Reason>()),
        (WORDS, "STATES", words_of::<GpuState>()),
        (WORDS, "EVENTS", words_of::<EventKind>()),
        (WORDS, "ACTIONS", words_of::<XidAction>()),
        (
            WORDS,
            "THROTTLES",
            throttles.map(|(name, _)| name.to_owned()).collect(),
        ),
        ("parts/badge.js", "SEVERITIES", words_of::<XidSeverity>()),
    ] {
        assert_eq!(keys(path, table), words, "{table} of {path}");
    }
}

/// What the entry of that object says of its severity.
fn severity_in<'a>(object: &'a str, name: &str) -> &'a str {
    let (_, rest) = object.split_once(&format!("\n  {name}: {{")).unwrap();
    let (entry, _) = rest.split_once('}').unwrap();
    quoted(entry, "severity: \"")[0]
}

#[test]
fn events_are_as_bad_as_the_models_say() {
    let events = object(WORDS, "EVENTS");
    for kind in EventKind::ALL {
        let name = kind.as_str();
        assert_eq!(severity_in(&events, name), kind.severity().as_str(), "{name}");
    }
    let down = EventKind::Driver(Some(DriverReason::Error)).severity().as_str();
    let up = EventKind::Driver(None).severity().as_str();
    let script = text(asset("views/events.js").unwrap());
    assert!(script.contains(&format!("entry.driver_reason ? \"{down}\" : \"{up}\"")));
}

#[test]
fn a_state_is_as_bad_as_the_models_say() {
    let states = object(WORDS, "STATES");
    for name in words_of::<GpuState>() {
        let state: GpuState = of_word(&name);
        assert_eq!(severity_in(&states, &name), state.severity().as_str(), "{name}");
    }
}

#[test]
fn the_doctor_is_kept_from_the_reasons_that_are_none_for_it() {
    let script = text(asset("parts/problem.js").unwrap());
    let (_, rest) = script.split_once("NOT_FOR_THE_DOCTOR = [").unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    let said: BTreeSet<String> = list
        .split('"')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect();
    let mut reasons = words_of::<DriverReason>();
    reasons.retain(|reason| !of_word::<DriverReason>(reason).is_for_doctor());
    assert_eq!(said, reasons);
}

#[test]
fn keys_are_those_of_the_object_itself() {
    let found = keys(WORDS, "ANCESTORS");
    let expected = ["internal", "single", "multiple", "host_bridge", "node", "system"];
    assert_eq!(found, expected.map(ToOwned::to_owned).into());
}
