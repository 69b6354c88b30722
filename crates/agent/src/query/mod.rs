//! `gpulse query`: single readings for scripts, by their own paths or by the names of nvidia-smi.

mod answer;
mod apps;
mod field;
mod fields;
mod format;
mod made;
mod unread;

use std::{
    cell::{Cell as Once, RefCell},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use serde_json::Value;

use crate::{
    client::{Client, Source},
    exit::{Exit, UsageError},
    print,
    shown::{
        Gpus, Look, Selection, look,
        look::why_no_nvml,
        paths, trouble,
        watch::{complain, every, watch},
    },
};
use answer::Answers;
use field::{About, Field};
use format::Format;

/// What is asked, and how it is written.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct QueryArguments {
    /// Readings by their paths in docs/METRICS.md, such as load.gpu_percent; a path stands for all below it
    #[arg(value_name = "PATH", group = "what")]
    paths: Vec<String>,
    /// Readings of GPUs by the names of nvidia-smi, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', group = "what")]
    query_gpu: Vec<String>,
    /// Processes that compute, by the names of nvidia-smi, separated by commas
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        group = "what",
        alias = "query-apps"
    )]
    query_compute_apps: Vec<String>,
    /// List the names that --query-gpu takes
    #[arg(long, group = "what")]
    help_query_gpu: bool,
    /// List the names that --query-compute-apps takes
    #[arg(long, group = "what")]
    help_query_compute_apps: bool,
    /// csv, with noheader and nounits after it if so wanted; or json, of paths
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// Only these GPUs: index, UUID or PCI bus id; several separated by commas
    #[arg(
        short = 'i',
        long = "id",
        alias = "gpu",
        value_name = "GPU",
        value_delimiter = ','
    )]
    gpus: Vec<String>,
    /// Ask again every so many seconds, until a signal comes
    #[arg(
        short = 'l', long = "loop", alias = "watch", value_name = "SECONDS", num_args = 0..=1,
        default_missing_value = "5", value_parser = every
    )]
    every: Option<Duration>,
    /// Ask again every so many milliseconds; -lms is the same
    #[arg(long, value_name = "MILLISECONDS", value_parser = milliseconds, conflicts_with = "every")]
    loop_ms: Option<Duration>,
    /// Write the answers into this file, which begins anew, in place of standard output
    #[arg(short = 'f', long, value_name = "FILE")]
    filename: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// Answers the query.
pub(crate) fn run(arguments: &QueryArguments) -> anyhow::Result<Exit> {
    if arguments.help_query_gpu || arguments.help_query_compute_apps {
        let fields = if arguments.help_query_gpu {
            fields::FIELDS
        } else {
            apps::FIELDS
        };
        print(&listed(fields))?;
        return Ok(Exit::Ok);
    }
    let query = Query::of(arguments)?;
    for name in &query.unread {
        complain(&format!(
            "`{name}` is not read: [N/A] stands for it; `gpulse query --help-query-gpu` lists what is"
        ));
    }
    let every = arguments.loop_ms.or(arguments.every);
    let is_headed = Once::new(!arguments.format.header);
    watch(&arguments.source, every, |client| {
        query.answer(client, &is_headed)
    })
}

/// Reads a time in milliseconds, within the bounds of `--loop`.
fn milliseconds(text: &str) -> Result<Duration, String> {
    let number: u64 = text.parse().map_err(|_| "it is no whole number".to_owned())?;
    every(&format!("{number}ms"))
}

/// A query that was understood.
struct Query<'a> {
    what: What<'a>,
    format: Format,
    selection: Selection,
    answers: Answers,
    /// Names without a reading, as they were asked for.
    unread: Vec<&'a str>,
    /// The GPUs that were complained of last, each with its state and since when, so that a loop does not repeat itself.
    complained: RefCell<Vec<[Value; 3]>>,
}

enum What<'a> {
    /// Paths of ours.
    Paths(&'a [String]),
    /// A line for each GPU.
    Gpus(Vec<&'static Field>),
    /// A line for each process.
    Apps(Vec<&'static Field>),
}

impl<'a> Query<'a> {
    fn of(arguments: &'a QueryArguments) -> anyhow::Result<Self> {
        let mut paths: Vec<String> = Vec::new();
        let mut unread = Vec::new();
        let what = if !arguments.query_gpu.is_empty() {
            let fields = named(
                &arguments.query_gpu,
                fields::FIELDS,
                unread::UNREAD,
                "--help-query-gpu",
            )?;
            let asked = arguments.query_gpu.iter().zip(&fields);
            unread.extend(
                asked
                    .filter(|(_, field)| !field.is_read())
                    .map(|(name, _)| name.trim()),
            );
            paths.extend(
                fields
                    .iter()
                    .flat_map(|field| field.paths())
                    .map(|path| (*path).to_owned()),
            );
            // A query for driver and count alone is about GPUs, too.
            paths.push("index".to_owned());
            What::Gpus(fields)
        } else if !arguments.query_compute_apps.is_empty() {
            let fields = named(
                &arguments.query_compute_apps,
                apps::FIELDS,
                &[],
                "--help-query-compute-apps",
            )?;
            paths.extend(apps::PATHS.map(str::to_owned));
            What::Apps(fields)
        } else {
            paths.extend(arguments.paths.iter().cloned());
            What::Paths(&arguments.paths)
        };
        let format = arguments.format;
        if format.json && !matches!(what, What::Paths(_)) {
            return Err(
                UsageError("names of nvidia-smi are written as csv: use paths for json".to_owned()).into(),
            );
        }
        if !format.json {
            paths.extend(trouble::FIELDS.map(str::to_owned));
        }
        let selection = Selection {
            gpu: arguments.gpus.clone(),
            fields: paths,
        };
        Ok(Self {
            what,
            format,
            selection,
            answers: Answers::to(arguments.filename.as_deref())?,
            unread,
            complained: RefCell::default(),
        })
    }

    fn answer(&self, client: &Client, is_headed: &Once<bool>) -> anyhow::Result<Exit> {
        let gpus = match look(client, &self.selection)? {
            Look::Gpus(gpus) => gpus,
            Look::NoNvml(answer) => {
                complain(&why_no_nvml(&answer));
                return Ok(Exit::NoNvml);
            }
        };
        let text = match &self.what {
            What::Paths(_) if self.format.json => format!("{}\n", gpus.text.trim_end()),
            What::Paths(paths) => gpus.csv(&paths::expanded(paths), is_headed.replace(true)),
            What::Gpus(fields) | What::Apps(fields) => {
                let host = client.get("/api/v1/host?fields=driver,gpus")?.json;
                let lines = match &self.what {
                    What::Apps(_) => gpus.gpus.iter().flat_map(apps::computing).collect(),
                    _ => gpus.gpus.clone(),
                };
                self.theirs(&gpus, &host, fields, &lines, is_headed.replace(true))
            }
        };
        self.answers.write(&text)?;
        gpus.complain_of_none();
        self.complain_of_sick(&gpus);
        Ok(gpus.exit())
    }

    /// Says on standard error which GPUs are not `ok`: their values may be old ones.
    fn complain_of_sick(&self, gpus: &Gpus) {
        let mut before = self.complained.borrow_mut();
        let mut now = Vec::new();
        for gpu in &gpus.gpus {
            let Some(line) = trouble::trouble(gpu) else {
                continue;
            };
            let about = ["index", "state", "state_since"].map(|key| gpu[key].clone());
            if !before.contains(&about) {
                complain(&line);
            }
            now.push(about);
        }
        *before = now;
    }

    /// Lines as nvidia-smi writes them.
    fn theirs(
        &self,
        gpus: &Gpus,
        host: &Value,
        fields: &[&Field],
        lines: &Vec<Value>,
        is_headed: bool,
    ) -> String {
        let mut text = String::new();
        let mut line = |values: Vec<String>| {
            text += &values.join(", ");
            text.push('\n');
        };
        if !is_headed {
            line(fields.iter().map(|field| field.heading()).collect());
        }
        for of in lines {
            let about = About {
                of,
                published_at: &gpus.published_at,
                host,
            };
            line(
                fields
                    .iter()
                    .map(|field| field.value(&about, self.format.units))
                    .collect(),
            );
        }
        text
    }
}

/// The fields of these names.
fn named(
    names: &[String],
    fields: &'static [Field],
    unread: &'static [Field],
    help: &str,
) -> anyhow::Result<Vec<&'static Field>> {
    let find = |name: &String| {
        let name = name.trim();
        let found = fields.iter().chain(unread).find(|field| field.is_called(name));
        found.ok_or_else(|| {
            let known = fields
                .iter()
                .flat_map(|field| std::iter::once(field.name).chain(field.aliases.iter().copied()));
            let nearest = gpulse_api::nearest(name, known).join("`, `");
            UsageError(format!(
                "there is no `{name}`; the nearest are `{nearest}`; `gpulse query {help}` lists all"
            ))
            .into()
        })
    };
    names.iter().map(find).collect()
}

/// The names, with what is behind each.
fn listed(fields: &[Field]) -> String {
    let mut text = String::new();
    for field in fields {
        let names: Vec<_> = std::iter::once(&field.name)
            .chain(field.aliases)
            .copied()
            .collect();
        let unit = if field.unit.is_empty() {
            String::new()
        } else {
            format!(" [{}]", field.unit)
        };
        let paths = if field.paths().is_empty() {
            "the driver".to_owned()
        } else {
            field.paths().join(", ")
        };
        text += &format!("{}{unit}\n    {paths}\n", names.join(" or "));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_unique_and_stands_for_readings_that_there_are() {
        let answered: Vec<_> = fields::FIELDS.iter().chain(unread::UNREAD).collect();
        for (table, above) in [
            (answered, ""),
            (apps::FIELDS.iter().collect(), "processes.processes."),
        ] {
            let mut names = HashSet::new();
            for field in table {
                for name in std::iter::once(&field.name).chain(field.aliases) {
                    assert!(names.insert(*name), "{name} twice");
                }
                for path in field.paths() {
                    let whole = match path.strip_prefix("gpu.") {
                        Some(path) => path.to_owned(),
                        None if *path == "sampled_at" => (*path).to_owned(),
                        None => format!("{above}{path}"),
                    };
                    assert!(paths::is_known(&whole), "{}: {whole}", field.name);
                }
            }
        }
    }

    #[test]
    fn a_name_that_is_unknown_is_told_from_one_that_is_not_read() {
        let find = |name: &str| {
            named(
                &[name.to_owned()],
                fields::FIELDS,
                unread::UNREAD,
                "--help-query-gpu",
            )
        };
        let said = |name: &str| find(name).err().unwrap().to_string();
        assert!(said("utilisation.gpu").contains("`utilization.gpu`"));
        assert!(said("inforom.imgg").contains("there is no"));
        for name in [
            "inforom.checksum_validation",
            "gom.current",
            "protected_memory.total",
        ] {
            assert!(!find(name).unwrap()[0].is_read(), "{name}");
        }
        for name in [
            "gpu_recovery_action",
            "clocks_event_reasons_counters.sync_boost",
            "module.power.draw.average",
        ] {
            assert!(find(name).unwrap()[0].is_read(), "{name}");
        }
    }

    #[test]
    fn milliseconds_have_the_bounds_of_seconds() {
        assert_eq!(milliseconds("500"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "9", "-5", "0.5", "soon", "99999999999999999999"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}
