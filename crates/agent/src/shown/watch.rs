//! Showing something once, or again and again until a signal comes or nobody reads any more.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use crate::{
    cli::Settings,
    client::{Client, ClientError, Source},
    exit::Exit,
};

/// Moves to the upper left of a terminal and clears what is there.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// The shortest time between two looks: agents sample no faster.
const SHORTEST: Duration = Duration::from_millis(10);

/// How often an agent samples unless told otherwise. One of the command's own is told where it is looked at more often.
const USUAL_INTERVAL: Duration = Duration::from_secs(1);

/// Shows what `show` makes of an agent: once, or every so often. A watch that a signal ends has done its work, and ends as its
/// last look did. An agent that does not answer for a while does not end it.
pub(crate) fn watch(
    source: &Source,
    every: Option<Duration>,
    mut show: impl FnMut(&Client) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let client = match every.filter(|every| *every < USUAL_INTERVAL) {
        None => source.open()?,
        Some(every) => {
            let interval = Some(format!("{}ms", every.as_millis()));
            Client::open(
                &source.connect,
                &Settings {
                    interval,
                    ..source.settings()
                },
            )?
        }
    };
    let mut exit = match show(&client) {
        Err(error) if is_unread(&error) => return Ok(Exit::Ok),
        shown => shown?,
    };
    let Some(every) = every else { return Ok(exit) };
    while client.pause(every) {
        match show(&client) {
            Ok(now) => exit = now,
            Err(error) if is_unread(&error) || client.ended().is_some() => break,
            Err(error) if error.is::<ClientError>() => {
                complain(&format!("{error:#}"));
                exit = Exit::Failed;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(exit)
}

/// Writes at once.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes in place of what was written before, on a terminal; elsewhere below it.
pub(crate) fn rewrite(text: &str) -> io::Result<()> {
    if io::stdout().is_terminal() {
        write(&format!("{CLEAR}{text}"))
    } else {
        write(text)
    }
}

/// Says on standard error what is wrong.
pub(crate) fn complain(text: &str) {
    // Where it is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "gpulse: {text}");
}

/// Whether nobody reads what is written (`| head`).
fn is_unread(error: &anyhow::Error) -> bool {
    let error: Option<&io::Error> = error.downcast_ref();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Reads a time: a number of seconds, or a duration such as 500ms.
pub(crate) fn every(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .map(|seconds| Duration::try_from_secs_f64(seconds).map_err(|_| "it is no time".to_owned()));
    let time =
        seconds.unwrap_or_else(|| humantime::parse_duration(text).map_err(|error| error.to_string()))?;
    if time < SHORTEST {
        return Err(format!("it is shorter than {SHORTEST:?}"));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_durations() {
        assert_eq!(every("2"), Ok(Duration::from_secs(2)));
        assert_eq!(every("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(every("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["0", "-1", "nan", "1e30", "soon", ""] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}
