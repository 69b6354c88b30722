//! One look at the GPUs: the request, and what of its answer a command goes on with.

use clap::Args;
use gpulse_models::{DriverReason, GpuSelector};
use serde::Deserialize as _;
use serde_json::Value;

use super::{cell::cell, text::csv, watch::complain};
use crate::{
    client::{Answer, Client},
    exit::{Exit, UsageError},
};

/// Where everything about all GPUs is.
const GPUS: &str = "/api/v1/gpus";

/// Where a GPU sits, for those that are named by that.
const BUS: &str = "identity.pci_bus_id";

/// Where somebody without GPUs goes on.
const DOCTOR: &str =
    "`gpulse doctor`, run on the agent's machine, says what is wrong and the command that mends it";

/// Which GPUs and what of them.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selection {
    /// Only these GPUs: index, UUID or PCI bus id; several separated by commas
    #[arg(
        long,
        value_name = "GPU",
        value_delimiter = ',',
        help_heading = "What is shown"
    )]
    pub(crate) gpu: Vec<String>,
    /// Only these readings, by their paths in docs/METRICS.md; a path stands for all below it
    #[arg(
        long,
        value_name = "PATH",
        value_delimiter = ',',
        help_heading = "What is shown"
    )]
    pub(crate) fields: Vec<String>,
}

/// What a look came to.
#[derive(Debug)]
pub(crate) enum Look {
    /// The GPUs.
    Gpus(Gpus),
    /// NVML cannot be used: the answer that says so.
    NoNvml(Answer),
}

/// GPUs as they were at one moment.
#[derive(Debug)]
pub(crate) struct Gpus {
    /// The answer: with all GPUs the very bytes of the agent, otherwise with the chosen ones.
    pub(crate) text: String,
    /// When the agent published it.
    pub(crate) published_at: String,
    /// Those that were chosen, in the order of NVML.
    pub(crate) gpus: Vec<Value>,
}

/// Looks at the GPUs once.
pub(crate) fn look(client: &Client, selection: &Selection) -> anyhow::Result<Look> {
    let selectors = selectors(&selection.gpu)?;
    let by_bus = selectors
        .iter()
        .any(|(_, selector)| matches!(selector, GpuSelector::PciBusId(_)));
    let mut fields = selection.fields.join(",");
    if by_bus && !fields.is_empty() {
        fields = format!("{fields},{BUS}");
    }
    let answer = match fields.is_empty() {
        true => client.get(GPUS)?,
        false => client.get(&format!("{GPUS}?fields={}", encoded(&fields)))?,
    };
    match answer.status {
        200 => {}
        503 => return Ok(Look::NoNvml(answer)),
        422 => return Err(UsageError(mistakes(&answer.json)).into()),
        status => anyhow::bail!(
            "{}{GPUS}: the agent answers with {status}: {}",
            client.place(),
            detail(&answer.json)
        ),
    }
    chosen(answer, &selectors).map(Look::Gpus)
}

impl Gpus {
    /// Says on standard error that there are none, where that is so: what is shown of none looks like an oversight.
    pub(crate) fn complain_of_none(&self) {
        if self.gpus.is_empty() {
            complain(&format!("the driver knows no GPU\n  {DOCTOR}"));
        }
    }

    /// What the states of the GPUs mean for the exit code.
    pub(crate) fn exit(&self) -> Exit {
        let all_ok = self.gpus.iter().all(|gpu| gpu["state"] == "ok");
        if all_ok { Exit::Ok } else { Exit::NotOk }
    }

    /// These columns as CSV by our own paths, whose names have the units; below a heading unless that was written before.
    pub(crate) fn csv(&self, columns: &[String], is_headed: bool) -> String {
        let mut text = String::new();
        if !is_headed {
            text += &csv(columns.iter().map(String::as_str));
        }
        for gpu in &self.gpus {
            let values: Vec<_> = columns.iter().map(|path| cell(gpu, path).plain()).collect();
            text += &csv(values.iter().map(String::as_str));
        }
        text
    }
}

/// Why NVML cannot be used and what to do, from an answer with the status 503.
pub(crate) fn why_no_nvml(answer: &Answer) -> String {
    let text = |key: &str| answer.json[key].as_str().filter(|text| !text.is_empty());
    let mut why = detail(&answer.json);
    for (key, before) in [("message", ": "), ("hint", "\n  ")] {
        if let Some(text) = text(key) {
            why += before;
            why += text;
        }
    }
    // A reason that is not known may be one.
    if DriverReason::deserialize(&answer.json["reason"]).map_or(true, DriverReason::is_for_doctor) {
        why += "\n  ";
        why += DOCTOR;
    }
    why
}

fn chosen(answer: Answer, selectors: &[(&String, GpuSelector)]) -> anyhow::Result<Gpus> {
    let Answer {
        mut json, mut text, ..
    } = answer;
    let mut gpus = match json["gpus"].take() {
        Value::Array(gpus) => gpus,
        _ => Vec::new(),
    };
    if !selectors.is_empty() {
        if let Some((name, _)) = selectors
            .iter()
            .find(|(_, selector)| !gpus.iter().any(|gpu| is(gpu, selector)))
        {
            let known: Vec<_> = gpus.iter().map(|gpu| gpu["index"].to_string()).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Err(UsageError(format!("there is no GPU {name}; there are: {known}")).into());
        }
        gpus.retain(|gpu| selectors.iter().any(|(_, selector)| is(gpu, selector)));
        json["gpus"] = Value::Array(gpus.clone());
        text = json.to_string();
    }
    let published_at = json["published_at"].as_str().unwrap_or_default().to_owned();
    Ok(Gpus {
        text,
        published_at,
        gpus,
    })
}

fn selectors(names: &[String]) -> anyhow::Result<Vec<(&String, GpuSelector)>> {
    let parsed = names.iter().map(|name| match name.trim().parse() {
        Ok(selector) => Ok((name, selector)),
        Err(error) => Err(UsageError(format!("`{name}`: {error}")).into()),
    });
    parsed.collect()
}

fn is(gpu: &Value, selector: &GpuSelector) -> bool {
    match selector {
        GpuSelector::Index(index) => gpu["index"] == *index,
        GpuSelector::ImpossibleIndex => false,
        GpuSelector::Uuid(uuid) => gpu["uuid"] == uuid.to_string(),
        GpuSelector::PciBusId(bus) => gpu["identity"]["pci_bus_id"] == bus.to_string(),
    }
}

/// What stands in a query as it is. All that paths consist of does.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._,-".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// What is wrong with a request, from an answer with the status 422.
fn mistakes(json: &Value) -> String {
    let messages = json["detail"].as_array().into_iter().flatten();
    let messages: Vec<_> = messages.filter_map(|mistake| mistake["msg"].as_str()).collect();
    if messages.is_empty() {
        detail(json)
    } else {
        messages.join("; ")
    }
}

fn detail(json: &Value) -> String {
    match &json["detail"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Answer {
        let gpu = |index: u32, state: &str| {
            json!({ "index": index, "uuid": format!("GPU-{index}"), "state": state,
                "identity": { "pci_bus_id": format!("00000000:0{index}:00.0") } })
        };
        let json = json!({ "generation": 7, "published_at": "now", "gpus": [gpu(0, "ok"), gpu(1, "lost")] });
        Answer {
            status: 200,
            text: json.to_string(),
            json,
        }
    }

    fn indices(names: &[&str]) -> Result<Vec<u64>, String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let chosen = selectors(&names).and_then(|selectors| chosen(answer(), &selectors));
        let chosen = chosen.map_err(|error| error.to_string())?;
        Ok(chosen
            .gpus
            .iter()
            .filter_map(|gpu| gpu["index"].as_u64())
            .collect())
    }

    #[test]
    fn gpus_are_chosen_by_index_uuid_or_place() {
        assert_eq!(indices(&[]), Ok(vec![0, 1]));
        assert_eq!(indices(&["1"]), Ok(vec![1]));
        assert_eq!(indices(&["1", "GPU-0"]), Ok(vec![0, 1]));
        assert_eq!(indices(&["0000:01:00.0"]), Ok(vec![1]));
        assert!(indices(&["2"]).unwrap_err().contains("no GPU 2; there are: 0, 1"));
        assert!(indices(&["first"]).unwrap_err().contains("`first`"));
    }

    #[test]
    fn the_states_decide_the_exit_code() {
        let names = ["0".to_owned()];
        let exit = |selectors: &[_]| chosen(answer(), selectors).map(|gpus| gpus.exit()).unwrap();
        assert_eq!(exit(&selectors(&names).unwrap()), Exit::Ok);
        assert_eq!(exit(&[]), Exit::NotOk);
    }

    #[test]
    fn the_doctor_is_named_where_something_is_to_be_looked_for() {
        let why = |reason: &str| {
            why_no_nvml(&Answer {
                status: 503,
                text: String::new(),
                json: json!({ "detail": "no GPUs", "reason": reason, "message": "it fails", "hint": "try this" }),
            })
        };
        assert!(why("driver_not_loaded").starts_with("no GPUs: it fails\n  try this\n  `gpulse doctor`"));
        assert!(!why("parked").contains("doctor"));
    }

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(encoded("a.b_c,d"), "a.b_c,d");
        assert_eq!(encoded("a&b c"), "a%26b%20c");
    }

    #[test]
    fn lines_of_csv_are_headed_once() {
        let gpus = Gpus {
            text: String::new(),
            published_at: String::new(),
            gpus: vec![json!({ "index": 0, "identity": { "name": "A, B" }, "power": null,
                "unavailable": { "power": "gpu_lost" } })],
        };
        let columns = ["index", "identity.name", "power.draw_watts"].map(str::to_owned);
        assert_eq!(
            gpus.csv(&columns, false),
            "index,identity.name,power.draw_watts\n0,\"A, B\",\n"
        );
        assert_eq!(gpus.csv(&columns, true), "0,\"A, B\",\n");
    }
}
