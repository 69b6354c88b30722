//! Whatever the agent says, however small or large the terminal is, and whatever keys are pressed: nothing panics.

use std::{sync::Arc, time::Instant};

use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Map, Value, json};

use super::drawn;
use crate::{
    action::{Action, Screen},
    app::update,
    body::{self, Events, Gpus, History, Host, Processes},
    fixture,
    frame::{Delivery, Frame, Parent},
    keys,
    look::{Colors, Look},
};

/// A value that no agent would send, or nothing.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,40}|[\\x00-\\x1f\\u{80}-\\u{9f}字👍]{1,9}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// Times that are far from everything.
const FAR: [&str; 2] = ["-000001-01-01T00:00:00Z", "9999-12-30T22:00:00Z"];

/// Puts odd values at some places of a body. Unless it is `harsh`, the body stays one that is understood.
fn spoil(body: &mut Value, odd: &mut impl Iterator<Item = (u8, Value)>, harsh: bool) {
    let Some((dice, value)) = odd.next() else { return };
    match body {
        Value::Array(list) => {
            list.truncate(if dice < 16 { usize::from(dice) } else { list.len() });
            list.iter_mut().for_each(|entry| spoil(entry, odd, harsh));
        }
        Value::Object(map) => map.iter_mut().for_each(|(key, entry)| match odd.next() {
            Some((0..16, value)) if harsh => *entry = value,
            // These are there even where nothing is known.
            Some((16..40, _))
                if !["index", "pid", "sequence"].contains(&key.as_str()) && !entry.is_number() =>
            {
                *entry = Value::Null;
            }
            // A reason is never null.
            _ if key == "unavailable" && !harsh => {}
            _ => spoil(entry, odd, harsh),
        }),
        Value::Number(number) if dice < 100 => match value {
            Value::Number(other) if number.is_f64() && other.is_f64() => *number = other,
            Value::Number(other)
                if number.is_u64() && other.as_u64().is_some_and(|other| other <= u32::MAX.into()) =>
            {
                *number = other;
            }
            _ => {}
        },
        Value::String(text) if text.ends_with('Z') && text.contains('T') => {
            if let Some(far) = FAR.get(usize::from(dice / 16)) {
                *text = (*far).to_owned();
            }
        }
        Value::String(text) => {
            if let (0..100, Value::String(other)) = (dice, value) {
                *text = other;
            }
        }
        _ => {}
    }
}

fn key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        prop::sample::select("q?12345/tskjhlIRPMTNUGgyKn +-r".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        (0..=12_u8).prop_map(KeyCode::F),
        prop::sample::select(vec![
            KeyCode::Esc,
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Backspace,
        ]),
    ];
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::SHIFT,
    ]);
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

/// A harsh body that is not understood is an empty one here: that it is refused is tested elsewhere.
fn read<T: serde::de::DeserializeOwned + Default>(body: Value, harsh: bool) -> T {
    match body::read("/", body) {
        Ok(read) => read,
        Err(_) if harsh => T::default(),
        Err(refused) => panic!("{refused}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics(
        count in prop_oneof![0..5_usize, 60..70_usize],
        odds in prop::collection::vec((any::<u8>(), odd()), 40..400),
        sizes in prop::collection::vec((0..240_u16, 0..70_u16), 1..4),
        pressed in prop::collection::vec(key(), 0..40),
        parents in prop::collection::btree_map(prop::sample::select(vec![2_u32, 3, 77, 1300, 4242]), 0..5000_u32, 0..5),
        ascii: bool,
        harsh: bool,
    ) {
        let mut odds = odds.into_iter().cycle();
        let mut spoiled = |mut body: Value| {
            spoil(&mut body, &mut odds, harsh);
            body
        };
        let mut state = fixture::empty(Colors::True, ascii);
        state.look = Look { colors: Colors::True, ascii };
        state.may_kill = Ok(());
        for generation in 0..2 {
            let mut gpus = spoiled(fixture::gpus(count));
            if let Some(map) = gpus.as_object_mut() {
                map.insert("generation".to_owned(), json!(generation));
            }
            let events: Events = read(spoiled(fixture::json(fixture::EVENTS)), harsh);
            let frame = Frame {
                host: read::<Host>(spoiled(fixture::json(fixture::HOST)), harsh),
                gpus: read::<Gpus>(gpus, harsh),
                processes: read::<Processes>(spoiled(fixture::processes()), harsh),
                events: Arc::new(events.events),
                parents: parents.iter().map(|(pid, parent)| {
                    (*pid, Parent { pid: *parent, name: "p\u{1b}".to_owned() })
                }).collect(),
                received: Instant::now(),
            };
            let history = read::<History>(spoiled(json!({
                "times": [1.0, 2.0], "series": [{"gpu": {"uuid": "x"}, "metric": "load.gpu_percent", "mean": [1.0, null]}]
            })), harsh);
            update(&mut state, Action::Deliver(Delivery::Seen(Box::new(frame), Some(history))));
            for key in &pressed {
                if let Some(action) = keys::action(&state, *key) {
                    update(&mut state, action);
                }
            }
            for one in Screen::ALL {
                state.screen = one;
                for (width, height) in &sizes {
                    let (buffer, spots) = drawn(&state, *width, *height);
                    // Whatever is shown, it does not command the terminal.
                    prop_assert!(buffer.content.iter().all(|cell| !cell.symbol().contains(char::is_control)));
                    for spot in spots {
                        let action = spot.action;
                        update(&mut state, action);
                        state.screen = one;
                    }
                }
            }
        }
    }

    #[test]
    fn a_body_of_any_shape_is_read_or_refused(value in odd(), key in "gpus|processes|events|series|agent|[a-z_]{1,9}") {
        let body = Value::Object(Map::from_iter([(key, value)]));
        for refused in [
            body::read::<Gpus>("/", body.clone()).err(),
            body::read::<Processes>("/", body.clone()).err(),
            body::read::<Events>("/", body.clone()).err(),
            body::read::<Host>("/", body.clone()).err(),
            body::read::<History>("/", body.clone()).err(),
        ].into_iter().flatten() {
            prop_assert!(refused.contains("is that a gpulse agent?"));
        }
    }
}
