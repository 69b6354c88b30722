//! Reading a profile: from a name or a path, with inheritance and overrides, into one [`GpuSpec`] per GPU.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::{Driver, GpuSpec, builtin, check};

/// How deep profiles may extend one another; built-in ones need one step, more than a few is a cycle.
const MAX_EXTENDS: usize = 8;

/// The most GPUs of one node: the handle format has room for 4,096, no real node comes near.
const MAX_GPUS: usize = 128;

/// A simulated node: its driver and its GPUs.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The name or path it was loaded by.
    pub name: String,
    /// One line saying what it is.
    pub description: String,
    /// The driver.
    pub driver: Driver,
    /// The GPUs, in index order.
    pub gpus: Vec<GpuSpec>,
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("profile `{profile}`: {problem}")]
pub struct ProfileError {
    profile: String,
    problem: String,
}

impl Profile {
    /// Loads a built-in profile by name, or a file by path (anything with a `/` or ending in `.toml`).
    pub fn load(name: &str) -> Result<Self, ProfileError> {
        Self::load_with(name, &Table::new())
    }

    /// Like [`Profile::load`], with `overrides` laid over the profile's keys.
    pub fn load_with(name: &str, overrides: &Table) -> Result<Self, ProfileError> {
        let mut table = read(name, MAX_EXTENDS)?;
        merge(&mut table, overrides);
        build(name, table)
    }

    /// Builds a profile from the text of a profile file.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        build(name, parse(name, text, MAX_EXTENDS)?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    description: String,
    driver: Driver,
    count: usize,
    gpu: Option<Table>,
    #[serde(default)]
    gpus: Vec<Table>,
}

/// The table of a profile, with what it extends.
pub(super) fn read(name: &str, depth: usize) -> Result<Table, ProfileError> {
    if let Some(text) = builtin::text(name) {
        return parse(name, text, depth);
    }
    if !name.contains('/') && !name.ends_with(".toml") {
        let known: Vec<_> = builtin::names().collect();
        let problem = format!(
            "no such profile; built in are {}, or give the path of a .toml file",
            known.join(", ")
        );
        return Err(error(name, problem));
    }
    let text = std::fs::read_to_string(Path::new(name)).map_err(|e| error(name, e.to_string()))?;
    parse(name, &text, depth)
}

fn parse(name: &str, text: &str, depth: usize) -> Result<Table, ProfileError> {
    let mut table: Table = text
        .parse()
        .map_err(|e: toml::de::Error| error(name, e.to_string()))?;
    let Some(base) = table.remove("extends") else {
        return Ok(table);
    };
    let base = base
        .as_str()
        .ok_or_else(|| error(name, "`extends` must be a profile's name or path".into()))?;
    if depth == 0 {
        return Err(error(name, format!("extends `{base}`, and so on without end")));
    }
    let mut merged = read(base, depth - 1)?;
    merge(&mut merged, &table);
    Ok(merged)
}

fn build(name: &str, table: Table) -> Result<Profile, ProfileError> {
    let file: File = Value::Table(table)
        .try_into()
        .map_err(|e: toml::de::Error| error(name, e.to_string()))?;
    if file.count > MAX_GPUS {
        return Err(error(
            name,
            format!("`count` is {}, at most {MAX_GPUS} GPUs are possible", file.count),
        ));
    }
    check::driver(&file.driver).map_err(|problem| error(name, problem))?;
    let mut gpus = Vec::with_capacity(file.count);
    for index in 0..file.count {
        let mut gpu = file
            .gpu
            .clone()
            .ok_or_else(|| error(name, "`gpu` is missing though `count` > 0".into()))?;
        for special in special_for(name, &file.gpus, index)? {
            merge(&mut gpu, &special);
        }
        let spec: GpuSpec = Value::Table(gpu)
            .try_into()
            .map_err(|e: toml::de::Error| error(name, format!("gpu {index}: {e}")))?;
        check::gpu(&spec).map_err(|problem| error(name, format!("gpu {index}: {problem}")))?;
        gpus.push(spec);
    }
    if file.driver.confidential_compute && !gpus.iter().all(GpuSpec::can_be_confidential) {
        return Err(error(
            name,
            "driver: confidential computing needs GPUs that are capable of it".into(),
        ));
    }
    Ok(Profile {
        name: name.into(),
        description: file.description,
        driver: file.driver,
        gpus,
    })
}

/// The `[[gpus]]` entries for one index, without their `index` key.
fn special_for(name: &str, entries: &[Table], index: usize) -> Result<Vec<Table>, ProfileError> {
    let mut found = Vec::new();
    for entry in entries {
        let wanted = entry.get("index").and_then(Value::as_integer);
        let wanted =
            wanted.ok_or_else(|| error(name, "every `[[gpus]]` entry needs an integer `index`".into()))?;
        if usize::try_from(wanted) == Ok(index) {
            let mut special = entry.clone();
            special.remove("index");
            found.push(special);
        }
    }
    Ok(found)
}

/// Lays `over` over `base`: tables are merged, anything else is replaced.
fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn error(profile: &str, problem: String) -> ProfileError {
    ProfileError {
        profile: profile.into(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_loads() {
        for name in builtin::names() {
            let profile = Profile::load(name).unwrap();
            assert!(!profile.description.is_empty(), "{name} has no description");
        }
    }

    #[test]
    fn the_profiles_have_the_gpus_they_promise() {
        let count = |name| Profile::load(name).unwrap().gpus.len();
        assert_eq!(count("h100-sxm-8"), 8);
        assert_eq!(count("h100-16"), 16);
        assert_eq!(count("a100-pcie-4"), 4);
        assert_eq!(count("no-gpu"), 0);
        assert_eq!(Profile::load("no-driver").unwrap().driver.init_error, Some(9));
        assert_eq!(Profile::load("a100-mig").unwrap().gpus[0].mig.len(), 3);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let text = "extends = \"t4\"\n[gpu]\nnames = \"x\"";
        let problem = Profile::parse("own", text).unwrap_err().to_string();
        assert!(problem.contains("names") && problem.contains("own"), "{problem}");
    }

    #[test]
    fn an_unknown_profile_lists_the_known_ones() {
        let problem = Profile::load("h300").unwrap_err().to_string();
        assert!(problem.contains("h100-sxm-8"), "{problem}");
    }

    #[test]
    fn one_gpu_can_differ() {
        let text = "extends = \"t4\"\ncount = 2\n[[gpus]]\nindex = 1\nname = \"Other\"\npower.limit_w = 65.0";
        let profile = Profile::parse("own", text).unwrap();
        assert_eq!(profile.gpus[0].name, "Tesla T4");
        assert_eq!(profile.gpus[1].name, "Other");
        assert_eq!(profile.gpus[1].power.enforced_w(), 65.0);
    }

    #[test]
    fn a_gpu_that_cannot_exist_is_refused() {
        for key in [
            "power.limit_w = 1.0",
            "power.default_limit_w = 2.0",
            "memory.reserved_mib = 99999",
            "clocks.graphics_idle = 9999",
            "thermal.idle_c = 99.0",
            "pcie.counter_bits = 0",
            "sampling_period_ms = 0",
            "work = \"waveform\"",
            "waveform = { shape = \"sine\", frequency_hz = 1.0, low = 0.9, high = 0.1 }",
            "virtualization = \"vgpu\"\nvgpu = { name = \"Q\", type_id = 1, memory_mib = 1, most = 1, active = 1 }",
            "licensable = [{ code = \"vgpu\", product = \"P\", expires = \"2030-01-31\" }]",
            "licensable = [{ code = \"vgpu\", product = \"P\", expires = \"2030-01-31T00:00:00+01:00\" }]",
            "licensable = [{ code = \"vgpu\", product = \"\\u0000\" }]",
            "waveform = { shape = \"burst\", frequency_hz = 0.0, low = 0.1, high = 0.9 }",
        ] {
            let text = format!("extends = \"t4\"\n[gpu]\n{key}");
            assert!(Profile::parse("own", &text).is_err(), "{key}");
        }
    }

    #[test]
    fn a_profile_that_extends_itself_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("loop.toml");
        std::fs::write(&path, format!("extends = \"{}\"", path.display())).unwrap();
        assert!(Profile::load(path.to_str().unwrap()).is_err());
    }
}
