//! `gpulse snapshot`: the GPUs as they are now, as a table, CSV or JSON; once, or again and again.

mod table;

use std::{cell::Cell as Once, time::Duration};

use clap::Args;
use serde_json::Value;

use crate::{
    client::{Client, Source},
    exit::Exit,
    shown::{
        Look, Selection, look,
        look::why_no_nvml,
        paths,
        watch::{complain, every, rewrite, watch, write},
    },
};

/// What is shown of each GPU in CSV unless fields are named.
const CSV_FIELDS: [&str; 16] = [
    "index",
    "uuid",
    "identity.name",
    "state",
    "load.gpu_percent",
    "load.memory_percent",
    "memory.used_bytes",
    "memory.total_bytes",
    "thermal.gpu_celsius",
    "power.draw_watts",
    "power.enforced_limit_watts",
    "clocks.sm_mhz",
    "clocks.memory_mhz",
    "clocks.performance_state",
    "processes.count",
    "sampled_at",
];

/// What is shown, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct SnapshotArguments {
    /// Print a table for people, which is what happens by default
    #[arg(long, group = "format", help_heading = "What is shown")]
    table: bool,
    /// Print the body of /api/v1/gpus; with --watch one on each line
    #[arg(long, group = "format", help_heading = "What is shown")]
    json: bool,
    /// Print comma-separated values, a line for each GPU, headed by their paths; an absent value is empty
    #[arg(long, group = "format", help_heading = "What is shown")]
    csv: bool,
    /// Show them again every so often, until a signal comes: seconds, or a duration such as 500ms
    #[arg(
        long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1",
        value_parser = every, help_heading = "What is shown"
    )]
    watch: Option<Duration>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    source: Source,
}

/// Shows the GPUs.
pub(crate) fn run(arguments: &SnapshotArguments) -> anyhow::Result<Exit> {
    let is_headed = Once::new(false);
    watch(&arguments.source, arguments.watch, |client| {
        show(arguments, client, &is_headed)
    })
}

fn show(arguments: &SnapshotArguments, client: &Client, is_headed: &Once<bool>) -> anyhow::Result<Exit> {
    let named = &arguments.selection.fields;
    let fields = match (arguments.json, named.is_empty()) {
        (true, _) | (_, false) => named.clone(),
        (false, true) if arguments.csv => CSV_FIELDS.map(str::to_owned).into(),
        (false, true) => table::FIELDS.map(str::to_owned).into(),
    };
    let selection = Selection {
        gpu: arguments.selection.gpu.clone(),
        fields: fields.clone(),
    };
    let gpus = match look(client, &selection)? {
        Look::Gpus(gpus) => gpus,
        Look::NoNvml(answer) => {
            if arguments.json {
                write(&format!("{}\n", answer.text.trim_end()))?;
            }
            complain(&why_no_nvml(&answer));
            return Ok(Exit::NoNvml);
        }
    };
    if arguments.json {
        write(&format!("{}\n", gpus.text.trim_end()))?;
    } else if arguments.csv {
        write(&gpus.csv(&paths::expanded(&fields), is_headed.replace(true)))?;
    } else {
        let host = client.get("/api/v1/host?fields=driver,agent")?;
        let host = if host.status == 200 {
            host.json
        } else {
            Value::Null
        };
        let columns = (!named.is_empty()).then(|| paths::expanded(named));
        let text = table::of(&gpus, columns.as_deref(), &host);
        if arguments.watch.is_some() {
            rewrite(&text)?
        } else {
            write(&text)?
        }
    }
    gpus.complain_of_none();
    Ok(gpus.exit())
}
