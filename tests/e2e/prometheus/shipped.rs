//! What lies in `deploy`, and the expressions in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A file or folder of `deploy`.
pub(super) fn shipped(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("deploy").join(path)
}

/// The files of a folder of `deploy` that end in `ending`.
#[track_caller]
pub(super) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(shipped(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|file| file.display().to_string().ends_with(ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has no *{ending}");
    files
}

/// The dashboards, by name of the file.
pub(super) fn dashboards() -> BTreeMap<String, Value> {
    let named = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (
            name,
            serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap(),
        )
    };
    files("grafana/dashboards", ".json")
        .into_iter()
        .map(named)
        .collect()
}

/// All values of `key` at any depth.
pub(super) fn all_of(value: &Value, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text) if name == key => found.push(text.clone()),
                    value => found.extend(all_of(value, key)),
                }
            }
        }
        Value::Array(list) => found.extend(list.iter().flat_map(|value| all_of(value, key))),
        _ => {}
    }
    found
}

/// An expression with Grafana's variables replaced, as it sends it when everything is chosen: of jobs those that it offered.
#[track_caller]
pub(super) fn settled(expression: &str) -> String {
    let replaced = [
        ("$__rate_interval", "1m"),
        ("$__range", "1m"),
        ("$job", "gpulse"),
        ("$instance", ".+"),
        ("$gpu", ".+"),
    ];
    let text = replaced
        .iter()
        .fold(expression.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
    assert!(
        !text.contains('$'),
        "a variable that the test does not know: {text}"
    );
    text
}
