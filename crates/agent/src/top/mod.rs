//! `gpulse top`: the screens of `gpulse-terminal` over an agent, or over one of this command's own.

mod source;

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use clap::{Args, ValueEnum};
use gpulse_terminal::{Colors, LocalSignaller, Options, Signaller};

use crate::{
    client::{Client, Source},
    exit::{Exit, UsageError},
};
use source::AskedAgent;

/// Faster than this nobody can read, and each look costs the agent work.
const SHORTEST: Duration = Duration::from_millis(100);

/// Slower than this it is taken for one that stands still.
const LONGEST: Duration = Duration::from_secs(60);

/// What is shown, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct TopArguments {
    /// From one look at the agent to the next, such as 1s or 250ms; an agent of this command's own samples at that pace
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Let `k` end processes of this host, after a question and a look at whether this user may
    #[arg(long, conflicts_with = "connect")]
    allow_kill: bool,
    /// Colours to use; auto goes by NO_COLOR, COLORTERM and TERM
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = ColorChoice::Auto)]
    colors: ColorChoice,
    /// Draw with ASCII only, as is done anyway where the locale is not one of UTF-8
    #[arg(long)]
    ascii: bool,
    /// Leave the mouse to the terminal, which selects text with it
    #[arg(long)]
    no_mouse: bool,
    #[command(flatten)]
    source: Source,
}

/// Colours to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    None,
    #[value(name = "16")]
    Sixteen,
    #[value(name = "256")]
    Palette,
    True,
}

/// Shows the screens until they are quit.
pub(crate) fn run(arguments: &TopArguments) -> anyhow::Result<Exit> {
    // Before anything is started that would have to end again.
    gpulse_terminal::check()?;
    let is_local = arguments.source.connect.connect.is_none();
    let client = open(arguments)?;
    let place = if is_local { "this host" } else { client.place() }.to_owned();
    let options = Options {
        place,
        interval: arguments.interval,
        colors: colors(arguments.colors),
        ascii: arguments.ascii || !gpulse_terminal::is_utf8(),
        mouse: !arguments.no_mouse,
        local: is_local,
        signaller: signaller(arguments, is_local),
    };
    gpulse_terminal::run(Box::new(AskedAgent(client)), options)?;
    Ok(Exit::Ok)
}

/// A client of the agent that is named. An agent of this command's own keeps quiet where its log would stand on the screen.
fn open(arguments: &TopArguments) -> anyhow::Result<Client> {
    let mut settings = arguments.source.settings();
    settings.interval = Some(humantime::format_duration(arguments.interval).to_string());
    if settings.log_level.is_none() && stderr().is_terminal() {
        settings.log_level = Some("off".to_owned());
    }
    Client::open(&arguments.source.connect, &settings)
}

fn signaller(arguments: &TopArguments, is_local: bool) -> Result<Box<dyn Signaller>, String> {
    match (arguments.allow_kill, is_local) {
        (true, true) => Ok(Box::new(LocalSignaller::default())),
        (false, true) => Err("ending processes is off: start `gpulse top` with --allow-kill".to_owned()),
        (_, false) => Err("processes of another agent cannot be ended from here".to_owned()),
    }
}

fn colors(choice: ColorChoice) -> Colors {
    match choice {
        ColorChoice::Auto => Colors::detect(),
        ColorChoice::None => Colors::None,
        ColorChoice::Sixteen => Colors::Sixteen,
        ColorChoice::Palette => Colors::Palette,
        ColorChoice::True => Colors::True,
    }
}

fn interval(text: &str) -> Result<Duration, UsageError> {
    let interval = humantime::parse_duration(text)
        .map_err(|_| UsageError("a duration with its unit is wanted, such as 1s or 250ms".to_owned()))?;
    if (SHORTEST..=LONGEST).contains(&interval) {
        Ok(interval)
    } else {
        Err(UsageError(format!(
            "it has to be from {SHORTEST:?} to {LONGEST:?}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_that_a_person_can_follow() {
        assert_eq!(interval("250ms").unwrap(), Duration::from_millis(250));
        for wrong in ["", "1", "1ms", "2m", "-1s"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
