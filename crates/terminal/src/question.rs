//! The question before a process is ended: about whom it is, what is answered, and what comes of it.

use crate::{
    action::{Choice, Effect, Screen},
    app::State,
    signaller::Target,
};

/// A question about a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dialog {
    pub(crate) target: Target,
    pub(crate) choice: Choice,
}

/// Asks whether the selected process is to be ended, if that may be asked.
pub(crate) fn ask(state: &mut State) -> Effect {
    if let Err(why) = &state.may_kill {
        let why = why.clone();
        state.say(why);
        return Effect::Nothing;
    }
    state.screen = Screen::Processes;
    let process = state.frame.as_ref().and_then(|frame| state.table.process(frame));
    let Some(process) = process else {
        state.say("no process is selected".to_owned());
        return Effect::Nothing;
    };
    let is_known =
        process.identity.as_deref() == Some("found") && process.pid_namespace.as_deref() != Some("own");
    let target = Target {
        pid: process.pid,
        user: process.user.clone().unwrap_or_else(|| "?".to_owned()),
        command: process.title(),
        started_at: process.started_at.filter(|_| is_known),
    };
    state.dialog = Some(Dialog {
        target: target.clone(),
        choice: Choice::Cancel,
    });
    Effect::Hold(target)
}

/// Takes the answer.
pub(crate) fn choose(state: &mut State, choice: Choice) -> Effect {
    match (choice, &mut state.dialog) {
        (_, None) => Effect::Nothing,
        (Choice::Cancel, dialog) => {
            *dialog = None;
            Effect::Nothing
        }
        (Choice::Terminate, Some(_)) => Effect::Send { force: false },
        (Choice::Kill, Some(_)) => Effect::Send { force: true },
    }
}

/// Says how it went.
pub(crate) fn sent(state: &mut State, result: Result<(), String>) {
    if let Some(dialog) = state.dialog.take() {
        let pid = dialog.target.pid;
        state.say(match result {
            Ok(()) => format!("process {pid} was sent the signal"),
            Err(why) => format!("process {pid}: {why}"),
        });
    }
}
