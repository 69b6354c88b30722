//! Compares what the agent serves with what NVML answered, path by path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::exceptions::{EXCEPTIONS, Instead, exception};

/// Numbers that were divided on both sides agree to this share of themselves.
const PRECISION: f64 = 1e-9;

/// What came of comparing.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What was wrong, one line each.
    pub(super) mistakes: Vec<String>,
    /// How many values were the same on both sides.
    pub(super) values: usize,
    /// The reasons for which values were absent on both sides.
    pub(super) reasons: BTreeSet<&'static str>,
    /// The exceptions that were needed, by their place in the table.
    pub(super) exceptions: BTreeSet<usize>,
    /// Lists, without positions, with the most items that were seen in one.
    pub(super) lists: BTreeMap<String, usize>,
}

/// A part of a body of the agent's: what it is called in messages, its content, and how its paths begin in `unavailable`.
pub(super) struct Served<'a> {
    pub(super) what: String,
    pub(super) body: &'a Value,
    /// Keys that are the body's own, and no readings.
    pub(super) own: &'static [&'static str],
}

impl Outcome {
    /// Compares one body with the answers, both ways: each answer is served, and each value that is served was compared, or is
    /// an exception.
    pub(super) fn compare(&mut self, served: &Served<'_>, answers: &Map<String, Value>) {
        for (path, answer) in answers {
            if let Err(mistake) = self.answer(served.body, path, answer) {
                self.mistakes.push(format!("{}: {path}: {mistake}", served.what));
            }
        }
        for path in leaves(served.body, served.own) {
            if answers.contains_key(&path) {
                continue;
            }
            match exception(&path) {
                Some(place) if EXCEPTIONS[place].1 == Instead::Anything => {
                    self.exceptions.insert(place);
                }
                _ => self.mistakes.push(format!(
                    "{}: {path} is served, and is neither in tests/python/catalogue.py nor in exceptions.rs",
                    served.what
                )),
            }
        }
    }

    fn answer(&mut self, body: &Value, path: &str, answer: &Value) -> Result<(), String> {
        let ours = at(body, path).ok_or_else(|| format!("NVML says {answer}, and nothing is served"))?;
        let reason = reason(body, path);
        let (kind, read) = answer
            .as_object()
            .and_then(|answer| answer.iter().next())
            .unwrap();
        let shown = || format!("NVML says {kind} {read}, and {ours} is served, unavailable: {reason:?}");
        let holds = match kind.as_str() {
            "value" => {
                self.values += 1;
                reason.is_none() && same(read, ours)
            }
            "error" => {
                let expected = reason_of(read.as_u64().unwrap());
                self.reasons.insert(expected);
                ours.is_null() && reason == Some(expected)
            }
            "items" => {
                let length = ours.as_array().map_or(0, Vec::len);
                let most = self.lists.entry(general(path)).or_default();
                *most = length.max(*most);
                ours.is_array() && reason.is_none() && read.as_u64() == Some(length as u64)
            }
            "counted" | "sampled" => {
                let place =
                    exception(path).ok_or_else(|| format!("{}, and that is no exception", shown()))?;
                self.exceptions.insert(place);
                let is_absent = ours.is_null() && reason == Some("not_ready");
                match EXCEPTIONS[place].1 {
                    Instead::NotReady => is_absent,
                    Instead::Still => is_absent || (ours.as_f64() == Some(0.0) && reason.is_none()),
                    Instead::Anything => true,
                }
            }
            _ => false,
        };
        if holds { Ok(()) } else { Err(shown()) }
    }
}

/// NVML's codes in the agent's words.
pub(super) fn reason_of(code: u64) -> &'static str {
    match code {
        3 => "not_supported",
        4 => "no_permission",
        // The call is not there, or not in this form.
        13 | 25 => "function_not_found",
        15 => "gpu_lost",
        10 => "timeout",
        27 => "not_ready",
        _ => "error",
    }
}

/// Why the value at `path` is absent, said of it or of all that it is a part of.
fn reason<'a>(body: &'a Value, path: &str) -> Option<&'a str> {
    let ends = path.match_indices('.').map(|(end, _)| end);
    let mut above = ends.chain([path.len()]).map(|end| &path[..end]);
    above.find_map(|path| body["unavailable"].get(path)?.as_str())
}

fn same(read: &Value, ours: &Value) -> bool {
    match (read.as_f64(), ours.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= PRECISION * a.abs().max(1.0),
        _ => read == ours,
    }
}

fn at<'a>(body: &'a Value, path: &str) -> Option<&'a Value> {
    body.pointer(&format!("/{}", path.replace('.', "/")))
}

/// A path without positions.
fn general(path: &str) -> String {
    let parts = path.split('.').map(|part| match part.parse::<usize>() {
        Ok(_) => "*",
        Err(_) => part,
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The path of every value of a body: of all that is neither an object nor a list of objects, but for empty lists.
fn leaves(body: &Value, own: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in body.as_object().unwrap() {
        if !own.contains(&key.as_str()) {
            below(key.clone(), value, &mut found);
        }
    }
    found
}

fn below(path: String, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(keys) => {
            for (key, value) in keys {
                below(format!("{path}.{key}"), value, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (position, item) in items.iter().enumerate() {
                below(format!("{path}.{position}"), item, found);
            }
        }
        _ => found.push(path),
    }
}
