//! Writes readings as JSON straight from where they are kept: a value, or null with its reason in `unavailable`.

use std::fmt::Write as _;

use gpulse_models::{
    Reading, Reason,
    catalogue::{Below, Readings, Shown},
};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq as _},
};

use super::selection::Selection;

/// Readings as an object, as far as they are selected.
pub(crate) struct Walk<'a> {
    pub(crate) readings: &'a dyn Readings,
    pub(crate) selection: &'a Selection,
}

impl Serialize for Walk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(&mut map, self.readings, self.selection)?;
        map.end()
    }
}

/// Adds the entry of each selected key of `readings` to `map`.
pub(crate) fn entries<M: SerializeMap>(
    map: &mut M,
    readings: &dyn Readings,
    selection: &Selection,
) -> Result<(), M::Error> {
    let mut outcome = Ok(());
    readings.see(&mut |metric, reading| {
        if let (Ok(()), Some(below)) = (&outcome, selection.below(metric.key)) {
            outcome = map.serialize_entry(metric.key, &Value { reading, below });
        }
    });
    outcome
}

/// A value, or null.
struct Value<'a> {
    reading: Reading<Shown<'a>>,
    below: &'a Selection,
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Reading::Value(shown) = &self.reading else {
            return serializer.serialize_none();
        };
        match shown {
            Shown::Nothing => serializer.serialize_none(),
            Shown::Float(number) if !number.is_finite() => serializer.serialize_none(),
            Shown::Float(number) => serializer.serialize_f64(*number),
            Shown::Integer(number) => integer(*number, serializer),
            Shown::Flag(flag) => serializer.serialize_bool(*flag),
            Shown::Text(text) => serializer.serialize_str(text),
            Shown::Time(time) => serializer.collect_str(time),
            Shown::Texts(texts) => serializer.collect_seq(texts),
            Shown::Integers(numbers) => serializer.collect_seq(numbers),
            Shown::Part(part) => self.part(part).serialize(serializer),
            Shown::Parts(parts) => {
                let mut list = serializer.serialize_seq(Some(parts.len()))?;
                for part in parts {
                    list.serialize_element(&self.part(part))?;
                }
                list.end()
            }
        }
    }
}

impl<'a> Value<'a> {
    fn part(&'a self, part: &'a Below<'a>) -> Walk<'a> {
        Walk {
            readings: &**part,
            selection: self.below,
        }
    }
}

/// Narrower than `i128` where it fits, which it does for all that there is: writers of JSON know 64 bits best.
fn integer<S: Serializer>(number: i128, serializer: S) -> Result<S::Ok, S::Error> {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(number), _) => serializer.serialize_u64(number),
        (_, Ok(number)) => serializer.serialize_i64(number),
        _ => serializer.serialize_i128(number),
    }
}

/// `unavailable`: the path of each selected value that is absent, and why. Filled by the closure.
pub(crate) struct Unavailable<F>(pub(crate) F);

impl<F: Fn(&mut Gaps<'_>)> Serialize for Unavailable<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut outcome = Ok(());
        let mut tell = |path: &str, reason: Reason| {
            if outcome.is_ok() {
                outcome = map.serialize_entry(path, reason.as_str());
            }
        };
        (self.0)(&mut Gaps {
            path: String::new(),
            tell: &mut tell,
        });
        outcome?;
        map.end()
    }
}

/// Finds what is absent, path by path.
pub(crate) struct Gaps<'t> {
    path: String,
    tell: &'t mut dyn FnMut(&str, Reason),
}

impl Gaps<'_> {
    /// What is at `key` is absent.
    pub(crate) fn absent(&mut self, key: &str, reason: Reason) {
        self.at(&key, |gaps| gaps.tell(reason));
    }

    /// Names `key` itself where all below it is absent for one reason, or else each value that is.
    pub(crate) fn part(&mut self, key: &str, readings: &dyn Readings, selection: &Selection) {
        self.at(&key, |gaps| gaps.whole(readings, selection));
    }

    /// Names what is absent below the path.
    pub(crate) fn below(&mut self, readings: &dyn Readings, selection: &Selection) {
        readings.see(&mut |metric, reading| {
            let Some(below) = selection.below(metric.key) else {
                return;
            };
            self.at(&metric.key, |gaps| match &reading {
                Reading::Unavailable(reason) => gaps.tell(*reason),
                Reading::Value(Shown::Part(part)) => gaps.whole(&**part, below),
                Reading::Value(Shown::Parts(parts)) => {
                    for (position, part) in parts.iter().enumerate() {
                        gaps.at(&position, |gaps| gaps.whole(&**part, below));
                    }
                }
                // JSON has no such number, so that it is sent as null.
                Reading::Value(Shown::Float(number)) if !number.is_finite() => gaps.tell(Reason::Error),
                Reading::Value(_) => {}
            });
        });
    }

    fn whole(&mut self, readings: &dyn Readings, selection: &Selection) {
        match readings.absence() {
            Some(reason) => self.tell(reason),
            None => self.below(readings, selection),
        }
    }

    fn tell(&mut self, reason: Reason) {
        (self.tell)(&self.path, reason);
    }

    fn at(&mut self, step: &dyn std::fmt::Display, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        let dot = if length == 0 { "" } else { "." };
        // Writing to a string does not fail.
        let _ = write!(self.path, "{dot}{step}");
        look(self);
        self.path.truncate(length);
    }
}
