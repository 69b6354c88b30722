//! A call that succeeds, and the same call with one thing wrong: the code names what that is.

use std::collections::BTreeSet;

use super::super::code::Code;
use super::super::events::nvmlEventSetCreate;
use super::super::ffi::Out;
use super::super::gpm::{nvmlGpmSampleAlloc, nvmlGpmSampleGet};
use super::super::handle::{Handle, Target};
use super::super::raw_tests::within;
use super::attempt::{Choice, Outcome, TAGS, call, is_known};
use super::entry::{Entry, Param};
use super::{WORLDS, entries};

/// More than any list or text has.
const AMPLE: u32 = 256;

/// What does not fit comes next time, instead of not at all.
const CUT: [&str; 2] = ["nvmlDeviceGetSamples", "nvmlSystemGetProcessName"];

/// Each of these ends what it is about.
const ENDS: [&str; 3] = ["nvmlEventSetFree", "nvmlGpmSampleFree", "nvmlShutdown"];

/// Functions of the exported ones that succeed on some node, at least: fewer, and this test looks at too little.
const ANSWERED: usize = 190;

/// Good calls as far as they are found, each on a node of its own.
fn for_each_good_call(mut check: impl FnMut(&Entry, &[Choice])) -> BTreeSet<&'static str> {
    let entries = entries();
    let mut answered = BTreeSet::new();
    for world in WORLDS.iter() {
        within(world, || {
            let handles = handles();
            for entry in &entries {
                if entry.kind == "initialising" || ENDS.contains(&entry.name) {
                    continue;
                }
                if let Some(choices) = good(entry, &handles) {
                    check(entry, &choices);
                    answered.insert(entry.name);
                }
            }
        });
    }
    answered
}

/// One handle of each kind that the node has.
fn handles() -> Vec<Handle> {
    let mut set = Handle::of_number(0);
    assert_eq!(nvmlEventSetCreate(Out::from(&mut set)), 0);
    let mut sample = Handle::of_number(0);
    assert_eq!(nvmlGpmSampleAlloc(Out::from(&mut sample)), 0);
    // Where GPUs can be sampled, the sample holds something.
    let _ = nvmlGpmSampleGet(Handle::new(Target::Gpu(0)), sample);
    let targets = [
        Target::Gpu(0),
        Target::MigDevice(0, 0),
        Target::GpuInstance(0, 0),
        Target::ComputeInstance(0, 0),
    ];
    targets
        .map(Handle::new)
        .into_iter()
        .chain([set, sample])
        .collect()
}

/// What `entry` answers to, if it does at all.
fn good(entry: &Entry, handles: &[Handle]) -> Option<Vec<Choice>> {
    let has = |wanted| entry.params.contains(&wanted);
    let tags = if has(Param::Tagged) { &TAGS[..] } else { &TAGS[..1] };
    let seconds = if entry
        .params
        .iter()
        .filter(|param| **param == Param::Handle)
        .count()
        > 1
    {
        handles
    } else {
        &handles[..1]
    };
    let numbers = [0, 1, 2, 8, 0xC1D0_0000, 1151];
    let texts: [&[u8]; 2] = [b"", b"0:1B:00.0"];
    for first in handles {
        for second in seconds {
            for (tag, number) in tags.iter().flat_map(|tag| numbers.map(|number| (*tag, number))) {
                for text in texts {
                    let choice = Choice {
                        number,
                        tag,
                        text: text.to_vec(),
                        ..Choice::default()
                    };
                    let mut choices = vec![choice; entry.params.len()];
                    for (place, choice) in choices.iter_mut().enumerate() {
                        choice.handle = if place == 0 { *first } else { *second };
                    }
                    if call(entry, &choices, AMPLE).code == 0 {
                        return Some(choices);
                    }
                    if !has(Param::Text) {
                        break;
                    }
                }
            }
        }
    }
    None
}

/// The same call with another choice at one place.
fn with(entry: &Entry, choices: &[Choice], place: usize, change: impl FnOnce(&mut Choice)) -> Outcome {
    let mut choices = choices.to_vec();
    change(&mut choices[place]);
    call(entry, &choices, AMPLE)
}

#[test]
fn null_a_bad_handle_and_an_unknown_version_are_named() {
    let answered = for_each_good_call(|entry, choices| {
        for (place, param) in entry.params.iter().enumerate() {
            let name = entry.name;
            match param {
                Param::Number | Param::Signed | Param::Long => {}
                Param::Handle => {
                    for number in [0, 1, usize::MAX, Handle::new(Target::Gpu(999)).number()] {
                        let bad = |choice: &mut Choice| choice.handle = Handle::of_number(number);
                        let code = with(entry, choices, place, bad).code;
                        assert_eq!(code, Code::INVALID_ARGUMENT.0, "{name}, handle {number:#x}");
                    }
                }
                // Some take it for a question about the length, and what is empty needs no place.
                Param::List(_) => {
                    let code = with(entry, choices, place, |choice| choice.null = true).code;
                    assert!([0, 2].contains(&code), "{name}, no list: {code}");
                }
                _ => {
                    let code = with(entry, choices, place, |choice| choice.null = true).code;
                    assert_eq!(
                        code,
                        Code::INVALID_ARGUMENT.0,
                        "{name}, NULL for parameter {place}"
                    );
                }
            }
            if *param == Param::Tagged {
                let right = choices[place].tag;
                for tag in [0, right + 1, right ^ 1 << 24, right | 0xFF << 24, u32::MAX] {
                    if is_known(tag) {
                        continue;
                    }
                    let outcome = with(entry, choices, place, |choice| choice.tag = tag);
                    assert_eq!(outcome.code, Code::VERSION_MISMATCH.0, "{name}, version {tag:#x}");
                }
            }
        }
    });
    assert!(
        answered.len() >= ANSWERED,
        "{} functions: {answered:?}",
        answered.len()
    );
}

#[test]
fn a_list_goes_where_it_fits_and_says_its_length_where_it_does_not() {
    let mut lists = BTreeSet::new();
    for_each_good_call(|entry, choices| {
        let (Some(count), Some(list)) = (
            entry.params.iter().position(|param| *param == Param::InOut(4)),
            entry
                .params
                .iter()
                .position(|param| matches!(param, Param::List(_))),
        ) else {
            return;
        };
        let said = |outcome: &Outcome| outcome.places[count].as_ref().map(|count| count.number());
        let all = said(&call(entry, choices, AMPLE)).expect("a length");
        if all == 0 {
            return;
        }
        assert!(all <= AMPLE, "{}", entry.name);
        lists.insert(entry.name);
        for room in 0..all + 2 {
            let outcome = call(entry, choices, room);
            let fits = room >= all;
            if CUT.contains(&entry.name) {
                let given = room.min(all);
                check_cut(entry, list, given, &outcome);
                assert!(room == 0 || said(&outcome) == Some(given), "{}", entry.name);
                continue;
            }
            let code = if fits { 0 } else { Code::INSUFFICIENT_SIZE.0 };
            assert_eq!(
                (outcome.code, said(&outcome)),
                (code, Some(all)),
                "{}, room {room}",
                entry.name
            );
            let place = outcome.places[list].as_ref().expect("a list");
            assert!(
                place.is_kept() && (fits || place.is_as_before(0)),
                "{}",
                entry.name
            );
        }
    });
    assert!(lists.len() >= 15, "{lists:?}");
}

/// A list that is given in parts: as much as there is room for, and no room at all makes no sense.
fn check_cut(entry: &Entry, list: usize, given: u32, outcome: &Outcome) {
    let code = if given == 0 { Code::INVALID_ARGUMENT.0 } else { 0 };
    assert_eq!(outcome.code, code, "{}, {given} items", entry.name);
    let Param::List(bytes) = entry.params[list] else {
        return;
    };
    let place = outcome.places[list].as_ref().expect("a list");
    assert!(
        place.is_kept() && place.is_as_before(bytes * given as usize),
        "{}",
        entry.name
    );
}

#[test]
fn a_list_that_a_structure_points_to_does_so_as_well() {
    let mut lists = BTreeSet::new();
    for_each_good_call(|entry, choices| {
        let whole = call(entry, choices, AMPLE);
        let Some(list) = &whole.inner else { return };
        let all = list.content().chunks(list.content().len() / AMPLE as usize);
        let all = all.take_while(|item| item.iter().any(|byte| *byte != 0)).count() as u32;
        if all == 0 {
            return;
        }
        lists.insert(entry.name);
        for room in 0..=all {
            let outcome = call(entry, choices, room);
            let list = outcome.inner.as_ref().expect("a list");
            let fits = room == all;
            let code = if fits { 0 } else { Code::INSUFFICIENT_SIZE.0 };
            assert_eq!(outcome.code, code, "{}, room {room}", entry.name);
            assert!(
                list.is_kept() && (fits || list.is_as_before(0)),
                "{}, room {room}",
                entry.name
            );
        }
    });
    assert_eq!(lists.len(), 2, "{lists:?}");
}

#[test]
fn a_text_goes_where_it_fits_with_its_end() {
    let mut texts = BTreeSet::new();
    for_each_good_call(|entry, choices| {
        let Some(text) = entry.params.iter().position(|param| *param == Param::Characters) else {
            return;
        };
        if entry.room_of(text).is_none() || CUT.contains(&entry.name) {
            return;
        }
        texts.insert(entry.name);
        let whole = call(entry, choices, AMPLE);
        let place = whole.places[text].as_ref().expect("a text");
        let length = place
            .content()
            .iter()
            .position(|byte| *byte == 0)
            .expect("an end") as u32;
        let fits = call(entry, choices, length + 1);
        assert_eq!(fits.code, 0, "{}", entry.name);
        assert!(
            fits.places.iter().flatten().all(super::place::Place::is_kept),
            "{}",
            entry.name
        );
        for room in 0..=length {
            let outcome = call(entry, choices, room);
            let place = outcome.places[text].as_ref().expect("a text");
            assert_eq!(
                outcome.code,
                Code::INSUFFICIENT_SIZE.0,
                "{}, room {room}",
                entry.name
            );
            assert!(
                place.is_kept() && place.is_as_before(0),
                "{}, room {room}",
                entry.name
            );
        }
    });
    assert!(texts.len() >= 10, "{texts:?}");
}
