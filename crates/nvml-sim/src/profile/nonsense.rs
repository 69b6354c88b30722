//! Whatever a profile's file says: the node can be simulated, or the file is refused with the profile's name.

use std::time::Duration;

use proptest::{prelude::*, sample::Index};
use toml::{Table, Value};

use super::{Profile, builtin, file};
use crate::engine::Engine;

/// Values of every kind, at the ends of what each may be.
fn strange() -> impl Strategy<Value = Value> {
    let edges = [
        0,
        1,
        -1,
        100,
        101,
        i64::from(u32::MAX),
        i64::from(u32::MAX) + 1,
        i64::MAX,
        i64::MIN,
    ];
    let edges = edges.map(Value::Integer);
    let floats = [
        0.0,
        -0.0,
        -1.0,
        1e-300,
        1e-9,
        0.5,
        1e9,
        1e300,
        f64::NAN,
        f64::INFINITY,
    ]
    .map(Value::Float);
    let others = [
        Value::String(String::new()),
        Value::String("x".repeat(1_000)),
        Value::String("0ns".into()),
        Value::String("1000000years".into()),
        Value::Boolean(true),
        Value::Array(Vec::new()),
        Value::Table(Table::new()),
    ];
    prop::sample::select([&edges[..], &floats[..], &others[..]].concat())
}

/// How many values there are in and below `value`.
fn count(value: &Value) -> usize {
    let below = match value {
        Value::Table(table) => table.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    };
    1 + below
}

/// Replaces the value number `place`, counted as [`count`] does.
fn replace(value: &mut Value, place: &mut usize, by: &Value) {
    if *place == 0 {
        *value = by.clone();
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| replace(value, place, by)),
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, place, by)),
        _ => {}
    }
}

/// Asks the simulated node for everything, early and late.
fn simulate(profile: &Profile) {
    let engine = Engine::new(profile, 1);
    for gpu in 0..profile.gpus.len().min(2) {
        for at in [
            Duration::ZERO,
            Duration::from_millis(1_500),
            Duration::from_secs(900),
        ] {
            assert!(engine.truth(gpu, at).is_some());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_profile_or_a_clear_error(text in r#"(count|driver|gpu|extends|\[|\]|=|"|\.|[0-9]|\n| |\PC){0,40}"#) {
        if let Err(error) = Profile::parse("mine.toml", &text) {
            prop_assert!(error.to_string().starts_with("profile `mine.toml`: "), "{}", error);
        }
    }

    #[test]
    fn one_strange_value_is_played_or_refused(
        name in prop::sample::select(builtin::names().collect::<Vec<_>>()), place: Index, by in strange(),
    ) {
        let mut table = Value::Table(file::read(name, 8).unwrap());
        let mut place = place.index(count(&table));
        replace(&mut table, &mut place, &by);
        let text = toml::to_string(&table).unwrap_or_default();
        match Profile::parse("mine.toml", &text) {
            Ok(profile) => simulate(&profile),
            Err(error) => prop_assert!(error.to_string().starts_with("profile `mine.toml`: "), "{}", error),
        }
    }
}
