//! The GPUs themselves: how they are, whether all are there, persistence, and the errors that the kernel logged.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
};

use gpulse_models::{Xid, XidSeverity};
use rustix::fs::OFlags;
use serde_json::Value;

use super::{check::Check, host::Host, probe::Answers};

/// The kernel's log, a record for each read.
const LOG: &str = "/dev/kmsg";

/// The longest record (`CONSOLE_EXT_LOG_MAX`).
const LONGEST_RECORD: usize = 8 * 1024;

/// More than the kernel's ring holds, so that a log that grows does not keep anybody.
const MOST_RECORDS: usize = 1_000_000;

/// `EPIPE`: records were overwritten before they were read; the next read goes on behind them.
const OVERWRITTEN: i32 = 32;

/// All of them. `is_local`: whether the GPUs are those of this machine.
pub(super) fn checks(host: &Host, answers: Result<&Answers, &str>, is_local: bool) -> Vec<Check> {
    let answers = match answers {
        Ok(answers) => answers,
        Err(why) => {
            return ["states", "inventory", "persistence", "xids"]
                .map(|name| Check::skipped(name, why))
                .into();
        }
    };
    let log = if is_local && !answers.is_simulated() {
        read_log(host).map_err(|error| format!("{LOG}: {error}"))
    } else {
        Err("the kernel's log here is not about these GPUs".to_owned())
    };
    vec![
        states(answers),
        inventory(answers),
        persistence(answers),
        xids(answers, log),
    ]
}

fn states(answers: &Answers) -> Check {
    const NAME: &str = "states";
    let sick: Vec<_> = answers.gpus().filter(|gpu| gpu["state"] != "ok").collect();
    if answers.gpus().next().is_none() {
        return Check::skipped(NAME, "no GPU is known");
    }
    let Some(first) = sick.first() else {
        return Check::ok(NAME, format!("all of {} GPUs are ok", answers.gpus().count()));
    };
    let one = |gpu: &&Value| {
        format!(
            "GPU {} is {}",
            gpu["index"],
            gpu["state"].as_str().unwrap_or("unknown")
        )
    };
    let (call, message) = (
        first["last_error"]["call"].as_str(),
        first["last_error"]["message"].as_str(),
    );
    let why = match (call, message) {
        (Some(call), Some(message)) => format!("{call}: {message}"),
        _ => "nothing was heard of it yet".to_owned(),
    };
    let fix = match first["state"].as_str() {
        Some("lost") => {
            "move the work away and reboot: a GPU that fell off the bus does not come back by itself"
                .to_owned()
        }
        Some("hung") => format!(
            "move the work away, then: sudo nvidia-smi --gpu-reset -i {}; if that hangs, reboot",
            first["index"]
        ),
        _ => "sudo dmesg | grep -i nvrm".to_owned(),
    };
    Check::fail(
        NAME,
        sick.iter().map(one).collect::<Vec<_>>().join(", "),
        why,
        fix,
    )
}

/// GPUs that the machine has and the driver does not know.
fn inventory(answers: &Answers) -> Check {
    const NAME: &str = "inventory";
    let inventory = &answers.health["components"]["inventory"];
    match inventory["status"].as_str() {
        Some("ok") if inventory["gpus_expected"] == 0 => Check::skipped(
            NAME,
            "there is no NVIDIA GPU among the PCI devices of this machine",
        ),
        Some("ok") => Check::ok(
            NAME,
            format!("all of {} GPUs that there should be", inventory["gpus_expected"]),
        ),
        Some("missing") => {
            let missing = inventory["missing"].as_array().into_iter().flatten();
            let missing: Vec<_> = missing.filter_map(Value::as_str).collect();
            Check::fail(
                NAME,
                format!(
                    "{} of {} GPUs are missing: {}",
                    inventory["gpus_missing"],
                    inventory["gpus_expected"],
                    missing.join(", ")
                ),
                "the machine has them, or is configured to have them, and the driver does not know them",
                "sudo dmesg | grep -iE 'nvrm|xid' says why; a power cycle of the machine brings back GPUs that fell off the bus",
            )
        }
        _ => Check::skipped(
            NAME,
            inventory["message"]
                .as_str()
                .unwrap_or("it is not known what GPUs there should be"),
        ),
    }
}

fn persistence(answers: &Answers) -> Check {
    const NAME: &str = "persistence";
    let with = |mode: bool| {
        answers
            .gpus()
            .filter(|gpu| gpu["modes"]["persistence"] == mode)
            .map(|gpu| gpu["index"].to_string())
            .collect::<Vec<_>>()
    };
    let (off, on) = (with(false), with(true));
    if !off.is_empty() {
        return Check::warn(
            NAME,
            format!("off on GPU {}", off.join(", ")),
            "without it the driver lets a GPU go when nobody uses it: counters begin anew, and the next start takes a second",
            "sudo systemctl enable --now nvidia-persistenced, or until the next boot: sudo nvidia-smi -pm 1",
        );
    }
    if on.is_empty() {
        Check::skipped(NAME, "no GPU says its mode")
    } else {
        Check::ok(NAME, "on")
    }
}

/// XIDs of the kernel's log, or as far as that cannot be read those that the agent heard of.
fn xids(answers: &Answers, log: Result<BTreeMap<u64, u64>, String>) -> Check {
    const NAME: &str = "xids";
    let heard = answers.host["events"]["xids"].as_object().into_iter().flatten();
    let heard: BTreeMap<u64, u64> = heard
        .filter_map(|(code, count)| Some((code.parse().ok()?, count.as_u64()?)))
        .collect();
    let (seen, unread) = match log {
        Ok(seen) => (seen, None),
        Err(why) => (BTreeMap::new(), Some(why)),
    };
    let mut all = seen;
    for (code, count) in heard {
        let known = all.entry(code).or_default();
        *known = count.max(*known);
    }
    if all.is_empty() {
        return match unread {
            None => Check::ok(NAME, "none in the kernel's log"),
            Some(why) => Check::skipped(
                NAME,
                format!("the agent has heard of none since it started; {why}"),
            ),
        };
    }
    let found: Vec<_> = all
        .iter()
        .map(|(code, count)| format!("{count} × XID {code} ({})", Xid::of(*code).name))
        .collect();
    let Some(worst) = all
        .keys()
        .map(|code| Xid::of(*code))
        .max_by_key(|xid| xid.severity)
    else {
        return Check::ok(NAME, "none");
    };
    let fix = format!(
        "{}; docs/METRICS.md says what each XID asks for",
        worst.action.as_str().replace('_', " ")
    );
    let why = format!("XID {}: {}", worst.code, worst.meaning);
    match worst.severity {
        XidSeverity::Info => Check::ok(NAME, found.join(", ")),
        XidSeverity::Warning => Check::warn(NAME, found.join(", "), why, fix),
        XidSeverity::Critical | XidSeverity::Fatal => Check::fail(NAME, found.join(", "), why, fix),
    }
}

/// How often each XID stands in the kernel's log.
fn read_log(host: &Host) -> io::Result<BTreeMap<u64, u64>> {
    let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut log = File::options()
        .read(true)
        .custom_flags(no_wait)
        .open(host.path(LOG))?;
    let mut counts = BTreeMap::new();
    let mut record = vec![0; LONGEST_RECORD];
    for _ in 0..MOST_RECORDS {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(length) => {
                for code in String::from_utf8_lossy(&record[..length]).lines().filter_map(xid) {
                    *counts.entry(code).or_default() += 1;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.raw_os_error() == Some(OVERWRITTEN) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(counts)
}

/// The number in `…NVRM: Xid (PCI:0000:19:00): 79, pid=…`.
fn xid(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("NVRM: Xid (")?;
    let (_, rest) = rest.split_once("): ")?;
    let digits = rest
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::check::Status;

    fn answers(gpus: &Value, inventory: &Value, xids: &Value) -> Answers {
        Answers {
            info: json!({ "simulated": false }),
            gpus: json!({ "gpus": gpus }),
            host: json!({ "events": { "xids": xids } }),
            health: json!({ "components": { "inventory": inventory } }),
        }
    }

    #[track_caller]
    fn assert_says(check: &Check, status: Status, word: &str) {
        let text = format!("{:?} {:?} {:?}", check.found, check.why, check.fix);
        assert!(check.status == status && text.contains(word), "{check:#?}");
    }

    #[test]
    fn sick_gpus_and_those_without_persistence_are_named() {
        let gpus = json!([
            { "index": 0, "state": "ok", "modes": { "persistence": true } },
            { "index": 1, "state": "lost", "modes": null, "last_error": { "call": "nvmlX", "message": "lost" } },
            { "index": 2, "state": "ok", "modes": { "persistence": false } },
        ]);
        let answers = answers(&gpus, &Value::Null, &Value::Null);
        assert_says(&states(&answers), Status::Fail, "GPU 1 is lost");
        assert_says(&persistence(&answers), Status::Warn, "off on GPU 2");
        let none = self::answers(&json!([]), &Value::Null, &Value::Null);
        assert_says(&states(&none), Status::Skipped, "no GPU");
        assert_says(&persistence(&none), Status::Skipped, "no GPU");
    }

    #[test]
    fn missing_gpus_are_named_by_their_place() {
        let said = |inventory: &Value| inventory_of(inventory);
        assert_says(
            &said(&json!({ "status": "ok", "gpus_expected": 8 })),
            Status::Ok,
            "8",
        );
        let missing = json!({ "status": "missing", "gpus_expected": 8, "gpus_missing": 1, "missing": ["00000000:19:00.0"] });
        assert_says(
            &said(&missing),
            Status::Fail,
            "1 of 8 GPUs are missing: 00000000:19:00.0",
        );
        assert_says(
            &said(&json!({ "status": "unknown", "message": "off" })),
            Status::Skipped,
            "off",
        );
    }

    fn inventory_of(value: &Value) -> Check {
        inventory(&answers(&json!([]), value, &Value::Null))
    }

    #[test]
    fn xids_come_from_the_log_and_from_the_agent() {
        let quiet = answers(&json!([]), &Value::Null, &json!({}));
        assert_says(&xids(&quiet, Ok(BTreeMap::new())), Status::Ok, "none");
        assert_says(
            &xids(&quiet, Err("may not".to_owned())),
            Status::Skipped,
            "may not",
        );
        let fallen = BTreeMap::from([(79, 2), (13, 1)]);
        assert_says(&xids(&quiet, Ok(fallen)), Status::Fail, "2 × XID 79");
        let heard = answers(&json!([]), &Value::Null, &json!({ "13": 3 }));
        assert_says(
            &xids(&heard, Err("may not".to_owned())),
            Status::Warn,
            "3 × XID 13",
        );
    }

    #[test]
    fn the_log_is_read_record_by_record() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::here(Some(root.path()));
        assert!(read_log(&host).is_err());
        std::fs::create_dir(root.path().join("dev")).unwrap();
        let log = "4,1,1,-;NVRM: Xid (PCI:0000:19:00): 79, pid=1, GPU has fallen off the bus.\n6,2,2,-;usb 1-1: Xid (x): 5\n\
                   4,3,3,-;NVRM: Xid (PCI:0000:19:00): 79\n4,4,4,-;NVRM: Xid (broken\n";
        std::fs::write(root.path().join("dev/kmsg"), log).unwrap();
        assert_eq!(read_log(&host).unwrap(), BTreeMap::from([(79, 2)]));
    }
}
