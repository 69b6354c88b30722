//! One name of nvidia-smi: the reading behind it, and how that program writes its value.

use gpulse_models::ThrottleReasons;
use serde_json::Value;

use crate::shown::{Cell, cell, text::visible};

/// A name with its other names, its unit in the heading and what is behind it.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) unit: &'static str,
    pub(super) from: From,
}

/// What is behind a name, by path, and how it is written.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// As it is.
    Text(&'static str),
    /// A word of ours, as words of theirs: `exclusive_process` is `Exclusive_Process`.
    Words(&'static str),
    /// A whole number.
    Whole(&'static str),
    /// With two digits after the point.
    Hundredths(&'static str),
    /// Seconds as whole microseconds.
    Microseconds(&'static str),
    /// Bytes as whole MiB.
    Mebibytes(&'static str),
    /// `Enabled` or `Disabled`.
    Switch(&'static str),
    /// `Yes` or `No`.
    YesNo(&'static str),
    /// Whether the reason of this name is among those why clocks are lowered: `Active` or `Not Active`.
    Reason(&'static str),
    /// Nothing: there is no such reading.
    Unread(),
    /// Made of these paths.
    Made(&'static [&'static str], fn(&About<'_>) -> Result<String, String>),
}

/// What values may be made of.
pub(super) struct About<'a> {
    /// The GPU, or the process.
    pub(super) of: &'a Value,
    /// When the agent published what it knows of the GPUs.
    pub(super) published_at: &'a str,
    /// `/api/v1/host`: driver and number of GPUs.
    pub(super) host: &'a Value,
}

/// Declares a table: a name, its other names, its unit and what is behind it.
macro_rules! fields {
    ($($name:literal [$($alias:literal),*] $unit:literal $from:ident($($what:expr),*);)*) => {
        &[$(Field { name: $name, aliases: &[$($alias),*], unit: $unit, from: From::$from($($what),*) },)*]
    };
}
pub(super) use fields;

/// Where the reasons are why clocks are lowered.
const REASONS: &str = "clocks.event_reasons";

const MEBIBYTE: u64 = 1 << 20;

/// Of a second.
const MICROSECONDS: f64 = 1e6;

impl Field {
    /// The paths that have to be asked for.
    pub(super) fn paths(&self) -> &[&'static str] {
        match &self.from {
            From::Text(path)
            | From::Words(path)
            | From::Whole(path)
            | From::Hundredths(path)
            | From::Microseconds(path)
            | From::Mebibytes(path)
            | From::Switch(path)
            | From::YesNo(path) => std::slice::from_ref(path),
            From::Reason(_) => &[REASONS],
            From::Unread() => &[],
            From::Made(paths, _) => paths,
        }
    }

    /// Whether there is a reading behind it.
    pub(super) fn is_read(&self) -> bool {
        !matches!(self.from, From::Unread())
    }

    /// Whether it goes by this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// The name above its column.
    pub(super) fn heading(&self) -> String {
        match self.unit {
            "" => self.name.to_owned(),
            unit => format!("{} [{unit}]", self.name),
        }
    }

    /// Its value, with its unit if so wanted.
    pub(super) fn value(&self, about: &About<'_>, units: bool) -> String {
        match self.bare(about) {
            Err(reason) => in_brackets(&reason).to_owned(),
            Ok(value) if units && !self.unit.is_empty() => format!("{} {}", visible(&value), self.unit),
            Ok(value) => visible(&value).into_owned(),
        }
    }

    fn bare(&self, about: &About<'_>) -> Result<String, String> {
        let switch = |path, yes: &str, no: &str| match present(about.of, path)? {
            Cell::One(Value::Bool(is)) => Ok(if is { yes } else { no }.to_owned()),
            other => Ok(other.plain()),
        };
        let number = |path: &str, digits: usize, times: f64| {
            let cell = present(about.of, path)?;
            let number = cell.number().map(|number| format!("{:.digits$}", number * times));
            Ok(number.unwrap_or_else(|| cell.plain()))
        };
        match self.from {
            From::Text(path) => Ok(present(about.of, path)?.plain()),
            From::Words(path) => Ok(words(&present(about.of, path)?.plain())),
            From::Whole(path) => number(path, 0, 1.0),
            From::Hundredths(path) => number(path, 2, 1.0),
            From::Microseconds(path) => number(path, 0, MICROSECONDS),
            From::Unread() => Err(String::new()),
            From::Mebibytes(path) => match present(about.of, path)? {
                Cell::One(value) => Ok(value
                    .as_u64()
                    .map_or_else(|| value.to_string(), |bytes| (bytes / MEBIBYTE).to_string())),
                other => Ok(other.plain()),
            },
            From::Switch(path) => switch(path, "Enabled", "Disabled"),
            From::YesNo(path) => switch(path, "Yes", "No"),
            From::Reason(name) => {
                let is_active = reasons(about.of)?.iter().any(|reason| reason == name);
                Ok(if is_active { "Active" } else { "Not Active" }.to_owned())
            }
            From::Made(_, make) => make(about),
        }
    }
}

/// What is at `path`, or why it is absent. What has no value and no reason is absent here as well.
pub(super) fn present(of: &Value, path: &str) -> Result<Cell, String> {
    match cell(of, path) {
        Cell::Absent(reason) => Err(reason),
        Cell::Nothing => Err(String::new()),
        present => Ok(present),
    }
}

/// The names of the reasons why clocks are lowered.
pub(super) fn reasons(gpu: &Value) -> Result<Vec<String>, String> {
    match cell(gpu, REASONS) {
        Cell::One(Value::Array(names)) => Ok(names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()),
        Cell::Absent(reason) => Err(reason),
        _ => Err(String::new()),
    }
}

/// NVML's bits of these names.
pub(super) fn bits(names: &[String]) -> u64 {
    let known: Vec<_> = ThrottleReasons(0).named().map(|(name, _)| name).collect();
    let bit = |name: &String| {
        let place = known.iter().position(|known| known == name);
        let unknown = || name.strip_prefix("unknown_bit_").and_then(|bit| bit.parse().ok());
        place.or_else(unknown).filter(|bit| *bit < 64)
    };
    names.iter().filter_map(bit).fold(0, |bits, bit| bits | 1 << bit)
}

/// What nvidia-smi writes where there is no value, for a reason of ours.
fn in_brackets(reason: &str) -> &'static str {
    match reason {
        "no_permission" => "[Insufficient Permissions]",
        "gpu_lost" => "[GPU is lost]",
        "timeout" | "error" => "[Unknown Error]",
        _ => "[N/A]",
    }
}

/// Words of ours as nvidia-smi writes them.
fn words(text: &str) -> String {
    match text {
        "hmm" | "ats" => text.to_uppercase(),
        "exclusive_process" => "Exclusive_Process".to_owned(),
        other => {
            let word = |word: &str| {
                let mut letters = word.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                first.into_iter().chain(letters).collect::<String>()
            };
            other.split('_').map(word).collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(from: From, unit: &'static str, of: &Value) -> String {
        let field = Field {
            name: "x",
            aliases: &[],
            unit,
            from,
        };
        field.value(
            &About {
                of,
                published_at: "",
                host: &Value::Null,
            },
            true,
        )
    }

    #[test]
    fn values_are_written_as_nvidia_smi_does() {
        let gpu = json!({
            "load": { "gpu_percent": 12.0 }, "power": { "draw_watts": 27.3 }, "memory": { "used_bytes": 3_145_727 },
            "modes": { "persistence": true, "display_active": false, "compute_mode": "exclusive_process" },
            "identity": { "addressing_mode": "hmm", "name": "NVIDIA\nT4" }, "reliability": { "fabric": { "state": "in_progress" } },
            "clocks": { "event_reasons": ["sw_power_cap", "unknown_bit_40"], "lowered": { "power_seconds_total": 1.25 } }, "index": 0,
        });
        for (from, unit, expected) in [
            (From::Whole("load.gpu_percent"), "%", "12 %"),
            (From::Hundredths("power.draw_watts"), "W", "27.30 W"),
            (From::Mebibytes("memory.used_bytes"), "MiB", "2 MiB"),
            (
                From::Microseconds("clocks.lowered.power_seconds_total"),
                "us",
                "1250000 us",
            ),
            (From::Unread(), "W", "[N/A]"),
            (From::Switch("modes.persistence"), "", "Enabled"),
            (From::YesNo("modes.display_active"), "", "No"),
            (From::Words("modes.compute_mode"), "", "Exclusive_Process"),
            (From::Words("identity.addressing_mode"), "", "HMM"),
            (From::Words("reliability.fabric.state"), "", "In Progress"),
            (From::Text("identity.name"), "", "NVIDIA\u{fffd}T4"),
            (From::Reason("sw_power_cap"), "", "Active"),
            (From::Reason("gpu_idle"), "", "Not Active"),
            (From::Whole("index"), "", "0"),
        ] {
            assert_eq!(said(from, unit, &gpu), expected);
        }
        assert_eq!(bits(&reasons(&gpu).unwrap()), 0x100_0000_0004);
    }

    #[test]
    fn what_is_absent_stands_in_brackets_and_is_never_zero() {
        for (reason, expected) in [
            ("not_supported", "[N/A]"),
            ("not_ready", "[N/A]"),
            ("disabled", "[N/A]"),
            ("no_permission", "[Insufficient Permissions]"),
            ("gpu_lost", "[GPU is lost]"),
            ("error", "[Unknown Error]"),
        ] {
            let gpu =
                json!({ "load": null, "clocks": null, "unavailable": { "load": reason, "clocks": reason } });
            assert_eq!(said(From::Whole("load.gpu_percent"), "%", &gpu), expected);
            assert_eq!(said(From::Reason("gpu_idle"), "", &gpu), expected);
        }
        assert_eq!(said(From::Text("uuid"), "", &json!({ "uuid": null })), "[N/A]");
    }
}
