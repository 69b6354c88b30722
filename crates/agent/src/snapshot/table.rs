//! The table for people: a line for each GPU, and below it why something is not there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::shown::{
    Cell, Gpus, cell,
    text::{Side, table, visible},
    trouble::trouble,
};

/// What the table is made of.
pub(super) const FIELDS: [&str; 13] = [
    "index",
    "state",
    "state_since",
    "last_error",
    "identity.name",
    "load.gpu_percent",
    "memory.used_bytes",
    "memory.total_bytes",
    "thermal.gpu_celsius",
    "power.draw_watts",
    "power.enforced_limit_watts",
    "clocks.sm_mhz",
    "processes.count",
];

/// What stands for a value that is absent.
const ABSENT: &str = "-";

/// States whose GPUs have nothing to show, for the reason that stands below the table.
const NOT_SHOWN: [&str; 2] = ["lost", "unavailable"];

const GIBIBYTE: f64 = (1_u64 << 30) as f64;

/// The table: `columns` of paths, or those that people look at first. `host` is what is known of the driver.
pub(super) fn of(gpus: &Gpus, columns: Option<&[String]>, host: &Value) -> String {
    let mut text = heading(gpus, host);
    if gpus.gpus.is_empty() {
        return text + "There is no GPU.\n";
    }
    let mut notes = Notes::default();
    text += &match columns {
        None => usual(gpus, &mut notes),
        Some(columns) => named(gpus, columns, &mut notes),
    };
    text + &notes.text(gpus)
}

fn heading(gpus: &Gpus, host: &Value) -> String {
    let driver = &host["driver"];
    let word = |value: &Value| visible(value.as_str().unwrap_or("unknown")).into_owned();
    let simulated = if driver["simulated"] == true {
        " · SIMULATED"
    } else {
        ""
    };
    format!(
        "{} · driver {} · CUDA {} · {}{simulated}\n\n",
        word(&host["agent"]["id"]),
        word(&driver["driver_version"]),
        word(&driver["cuda_driver_version"]),
        visible(&gpus.published_at),
    )
}

fn usual(gpus: &Gpus, notes: &mut Notes) -> String {
    let heading = [
        ("GPU", Side::Right),
        ("Name", Side::Left),
        ("State", Side::Left),
        ("Busy", Side::Right),
        ("Memory", Side::Right),
        ("Temp", Side::Right),
        ("Power", Side::Right),
        ("SM clock", Side::Right),
        ("Processes", Side::Right),
    ];
    let rows: Vec<Vec<String>> = gpus
        .gpus
        .iter()
        .map(|gpu| {
            let mut at = |path: &str| notes.cell(gpu, path);
            let number = |cell: &Cell, over: f64, digits: usize| match cell.number() {
                Some(number) => format!("{:.digits$}", number / over),
                None => ABSENT.to_owned(),
            };
            let of_two = |left: String, right: String, unit: &str| match (left.as_str(), right.as_str()) {
                (ABSENT, ABSENT) => ABSENT.to_owned(),
                _ => format!("{left} / {right} {unit}"),
            };
            let with = |number: String, unit: &str| match number.as_str() {
                ABSENT => number,
                _ => format!("{number} {unit}"),
            };
            vec![
                at("index").plain(),
                or_absent(&at("identity.name")),
                at("state").plain(),
                with(number(&at("load.gpu_percent"), 1.0, 0), "%"),
                of_two(
                    number(&at("memory.used_bytes"), GIBIBYTE, 1),
                    number(&at("memory.total_bytes"), GIBIBYTE, 1),
                    "GiB",
                ),
                with(number(&at("thermal.gpu_celsius"), 1.0, 0), "°C"),
                of_two(
                    number(&at("power.draw_watts"), 1.0, 0),
                    number(&at("power.enforced_limit_watts"), 1.0, 0),
                    "W",
                ),
                with(number(&at("clocks.sm_mhz"), 1.0, 0), "MHz"),
                number(&at("processes.count"), 1.0, 0),
            ]
        })
        .collect();
    table(&heading, &rows)
}

fn named(gpus: &Gpus, columns: &[String], notes: &mut Notes) -> String {
    let all: Vec<&str> = ["index", "state"]
        .into_iter()
        .chain(
            columns
                .iter()
                .map(String::as_str)
                .filter(|path| !["index", "state"].contains(path)),
        )
        .collect();
    let mut sides = vec![Side::Right; all.len()];
    let mut rows = Vec::new();
    for gpu in &gpus.gpus {
        let mut row = Vec::new();
        for (path, side) in all.iter().zip(&mut sides) {
            let cell = notes.cell(gpu, path);
            if matches!(&cell, Cell::One(Value::String(_)) | Cell::Several(_)) {
                *side = Side::Left;
            }
            row.push(or_absent(&cell));
        }
        rows.push(row);
    }
    let heading: Vec<_> = all.into_iter().zip(sides).collect();
    table(&heading, &rows)
}

fn or_absent(cell: &Cell) -> String {
    match cell {
        Cell::Absent(_) => ABSENT.to_owned(),
        Cell::Nothing => "none".to_owned(),
        present => present.plain(),
    }
}

/// Why what is absent is.
#[derive(Default)]
struct Notes {
    /// Which GPUs lack what, for which reason.
    absent: BTreeMap<(String, String), Vec<String>>,
}

impl Notes {
    /// What is at `path` of `gpu`; noted if it is absent.
    fn cell(&mut self, gpu: &Value, path: &str) -> Cell {
        let cell = cell(gpu, path);
        let is_shown = !NOT_SHOWN.iter().any(|state| gpu["state"] == *state);
        if let Cell::Absent(reason) = &cell
            && is_shown
        {
            let gpus = self.absent.entry((path.to_owned(), reason.clone())).or_default();
            gpus.push(gpu["index"].to_string());
        }
        cell
    }

    fn text(&self, gpus: &Gpus) -> String {
        let mut lines: Vec<_> = gpus.gpus.iter().filter_map(trouble).collect();
        for ((path, reason), of) in &self.absent {
            let all = if of.len() == gpus.gpus.len() {
                "all GPUs".to_owned()
            } else {
                format!("GPU {}", of.join(", "))
            };
            lines.push(format!("{ABSENT} {path}: {reason} ({all})"));
        }
        if lines.is_empty() {
            return String::new();
        }
        format!("\n{}\n", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gpus() -> Gpus {
        let gpus = vec![
            json!({
                "index": 0, "state": "ok", "identity": { "name": "NVIDIA T4" }, "load": { "gpu_percent": 12.4 },
                "memory": { "used_bytes": 1_u64 << 30, "total_bytes": 16_u64 << 30 }, "thermal": { "gpu_celsius": 45.0 },
                "power": { "draw_watts": 27.3, "enforced_limit_watts": null }, "clocks": { "sm_mhz": 1590.0 },
                "processes": { "count": 0 }, "unavailable": { "power.enforced_limit_watts": "not_supported" },
            }),
            json!({
                "index": 1, "state": "lost", "state_since": "noon", "identity": { "name": null }, "load": { "gpu_percent": null },
                "last_error": { "call": "nvmlDeviceGetName", "message": "the GPU is lost" },
                "unavailable": { "identity": "gpu_lost", "load": "gpu_lost" },
            }),
        ];
        Gpus {
            text: String::new(),
            published_at: "now".to_owned(),
            gpus,
        }
    }

    #[test]
    fn a_line_for_each_gpu_and_why_something_is_not_there() {
        let host = json!({ "agent": { "id": "node-7" },
            "driver": { "driver_version": "580", "cuda_driver_version": "13.0", "simulated": true } });
        assert_eq!(
            of(&gpus(), None, &host),
            "node-7 · driver 580 · CUDA 13.0 · now · SIMULATED\n\n\
             GPU  Name       State  Busy          Memory   Temp     Power  SM clock  Processes\n  \
               0  NVIDIA T4  ok     12 %  1.0 / 16.0 GiB  45 °C  27 / - W  1590 MHz          0\n  \
               1  -          lost      -               -      -         -         -          -\n\n\
             ! GPU 1 is lost since noon: nvmlDeviceGetName: the GPU is lost\n\
             - power.enforced_limit_watts: not_supported (GPU 0)\n"
        );
    }

    #[test]
    fn named_readings_stand_beside_index_and_state() {
        let columns = ["thermal.gpu_celsius".to_owned(), "identity.name".to_owned()];
        let text = of(&gpus(), Some(&columns), &Value::Null);
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines[0], "index  state  thermal.gpu_celsius  identity.name");
        assert_eq!(lines[1], "    0  ok                    45.0  NVIDIA T4");
    }
}
