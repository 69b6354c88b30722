//! What the screens show at a moment, and how it changes. Nothing here draws, waits or asks anybody.

use std::time::{Duration, Instant};

use crate::{
    action::{Action, Choice, Effect, Move, Screen},
    body::{Event, Gpu},
    frame::{Delivery, Frame},
    look::Look,
    pace::Pace,
    question::{self, Dialog},
    seen::Seen,
    table::Table,
    view::KEYS,
};

/// Rows that a page moves by.
const PAGE: isize = 10;

/// How long something is said at the bottom.
const NOTICE_LASTS: Duration = Duration::from_secs(6);

/// Seconds that a column of a graph stands for, at the most.
const COARSEST: f64 = 60.0;

/// The longest filter: it has to fit on a line.
const LONGEST_FILTER: usize = 60;

/// How the agent answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// It has not answered yet.
    Waiting,
    /// It answers.
    Live,
    /// It does not.
    Lost {
        why: String,
        since: Instant,
        retry_at: Instant,
    },
}

/// Everything.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) look: Look,
    /// Where the data comes from, for a person.
    pub(crate) place: String,
    pub(crate) interval: Duration,
    /// Whether processes may be ended, or why not.
    pub(crate) may_kill: Result<(), String>,
    pub(crate) screen: Screen,
    pub(crate) link: Link,
    pub(crate) frame: Option<Frame>,
    /// What came while nothing was to move.
    frozen: Option<Option<Box<Frame>>>,
    /// When the agent last said something new.
    pub(crate) fresh_at: Instant,
    pace: Pace,
    pub(crate) seen: Seen,
    /// The place of the selected GPU in the list.
    gpu: usize,
    pub(crate) table: Table,
    /// The place of the selected event, the newest first.
    pub(crate) event: usize,
    /// The first line of the help that is shown.
    pub(crate) help: usize,
    /// How wide it was drawn last, in characters.
    pub(crate) width: u16,
    /// Seconds that a column of a graph stands for.
    pub(crate) step: f64,
    pub(crate) dialog: Option<Dialog>,
    notice: Option<(String, Instant)>,
    pub(crate) now: Instant,
}

impl State {
    pub(crate) fn new(look: Look, place: String, interval: Duration, may_kill: Result<(), String>) -> Self {
        let now = Instant::now();
        Self {
            look,
            place,
            interval,
            may_kill,
            screen: Screen::Overview,
            link: Link::Waiting,
            frame: None,
            frozen: None,
            fresh_at: now,
            pace: Pace::default(),
            seen: Seen::default(),
            gpu: 0,
            table: Table::default(),
            event: 0,
            help: 0,
            width: 0,
            step: interval.as_secs_f64().max(0.05),
            dialog: None,
            notice: None,
            now,
        }
    }

    /// The GPUs.
    pub(crate) fn gpus(&self) -> &[Gpu] {
        self.frame.as_ref().map_or(&[], |frame| &frame.gpus.gpus)
    }

    /// The place of the selected GPU.
    pub(crate) fn gpu_at(&self) -> usize {
        self.gpu.min(self.gpus().len().saturating_sub(1))
    }

    /// The events, the newest first.
    pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = &Event> {
        let events = self.frame.as_ref().map(|frame| frame.events.as_slice());
        events.unwrap_or_default().iter().rev()
    }

    /// Whether what is shown stands still on purpose.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// For how long the agent has said nothing new.
    pub(crate) fn silence(&self) -> Duration {
        self.now.saturating_duration_since(self.fresh_at)
    }

    /// Whether what is shown is too old to be taken for what is.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self.link, Link::Lost { .. })
            || self.silence() > (self.interval * 3).max(Duration::from_secs(3))
    }

    /// Whether the agent says something new as often as it is asked for, by a quarter more or less. Before that is seen, what
    /// counts is how long it has said nothing.
    pub(crate) fn keeps_pace(&self) -> bool {
        let pace = self.pace.seen().unwrap_or_else(|| self.silence());
        pace <= self.interval * 5 / 4
    }

    /// How old the sample of a GPU is, in seconds: by the agent's own clock, and what has passed since.
    pub(crate) fn age(&self, gpu: &Gpu) -> Option<f64> {
        let published_at = self.frame.as_ref()?.gpus.published_at?;
        let at_publication = published_at.duration_since(gpu.sampled_at?).as_secs_f64();
        Some(at_publication.max(0.0) + self.silence().as_secs_f64())
    }

    /// What is to be said at the bottom.
    pub(crate) fn notice(&self) -> Option<&str> {
        let (text, at) = self.notice.as_ref()?;
        (self.now.saturating_duration_since(*at) < NOTICE_LASTS).then_some(text)
    }

    /// Says something at the bottom for a while.
    pub(crate) fn say(&mut self, text: String) {
        self.notice = Some((text, self.now));
    }
}

/// Carries out an action.
pub(crate) fn update(state: &mut State, action: Action) -> Effect {
    match action {
        Action::Quit => return Effect::Quit,
        Action::Suspend => return Effect::Suspend,
        Action::Redraw => return Effect::Redraw,
        Action::Refresh => return Effect::Refresh,
        Action::Freeze => freeze(state),
        Action::Show(screen) => state.screen = screen,
        Action::NextScreen => state.screen = beside(state.screen, 1),
        Action::PreviousScreen => state.screen = beside(state.screen, Screen::ALL.len() - 1),
        Action::Back => back(state),
        Action::Enter => return enter(state),
        Action::Move(by) => travel(state, by),
        Action::ChooseGpu(place) if state.screen == Screen::Overview && place == state.gpu_at() => {
            state.screen = Screen::Gpu;
        }
        Action::ChooseGpu(place) => state.gpu = place,
        Action::ChooseRow(place) => {
            if let Some(frame) = &state.frame {
                state.table.click(frame, place);
            }
        }
        Action::ChooseEvent(place) => state.event = place,
        Action::Sort(column) => state.table.sort_by(column),
        Action::SortBeside(by) => state.table.sort_beside(by > 0, state.width),
        Action::Reverse => state.table.descending = !state.table.descending,
        Action::Tree => {
            state.screen = Screen::Processes;
            state.table.tree = !state.table.tree;
        }
        Action::Filter => {
            state.screen = Screen::Processes;
            state.table.typing = true;
        }
        Action::Type(character) => {
            if state.table.filter.chars().count() < LONGEST_FILTER && !character.is_control() {
                state.table.filter.push(character);
            }
        }
        Action::Erase => {
            state.table.filter.pop();
        }
        Action::EraseAll => state.table.filter.clear(),
        Action::Zoom(closer) => {
            let finest = state.interval.as_secs_f64().max(0.05);
            let step = if closer {
                state.step / 2.0
            } else {
                state.step * 2.0
            };
            state.step = step.clamp(finest, COARSEST.max(finest));
        }
        Action::Kill => return question::ask(state),
        Action::Choose(choice) => return question::choose(state, choice),
        Action::Held(Ok(())) => {}
        Action::Held(Err(why)) => {
            state.dialog = None;
            state.say(why);
        }
        Action::Sent(result) => question::sent(state, result),
        Action::Deliver(delivery) => deliver(state, delivery),
    }
    Effect::Nothing
}

fn beside(screen: Screen, by: usize) -> Screen {
    let at = Screen::ALL.iter().position(|other| *other == screen).unwrap_or(0);
    Screen::ALL[(at + by) % Screen::ALL.len()]
}

fn freeze(state: &mut State) {
    match state.frozen.take() {
        None => state.frozen = Some(None),
        Some(None) => {}
        Some(Some(frame)) => show(state, *frame),
    }
}

fn back(state: &mut State) {
    if state.dialog.take().is_some() {
        return;
    }
    if state.screen == Screen::Processes && (state.table.typing || !state.table.filter.is_empty()) {
        state.table.typing = false;
        state.table.filter.clear();
        return;
    }
    state.screen = Screen::Overview;
}

fn enter(state: &mut State) -> Effect {
    if let Some(dialog) = &state.dialog {
        return question::choose(state, dialog.choice);
    }
    match state.screen {
        Screen::Overview => state.screen = Screen::Gpu,
        Screen::Processes if state.table.typing => state.table.typing = false,
        Screen::Processes => {
            let process = state.frame.as_ref().and_then(|frame| state.table.process(frame));
            let index = process.and_then(|process| process.gpu_index);
            let place = state.gpus().iter().position(|gpu| Some(gpu.index) == index);
            if let Some(place) = place {
                (state.gpu, state.screen) = (place, Screen::Gpu);
            }
        }
        Screen::Gpu | Screen::Events | Screen::Help => {}
    }
    Effect::Nothing
}

fn travel(state: &mut State, by: Move) {
    let step = match by {
        Move::Up | Move::Left => -1,
        Move::Down | Move::Right => 1,
        Move::PageUp => -PAGE,
        Move::PageDown => PAGE,
        Move::First => isize::MIN / 2,
        Move::Last => isize::MAX / 2,
    };
    if let Some(dialog) = &mut state.dialog {
        let at = Choice::ALL
            .iter()
            .position(|choice| *choice == dialog.choice)
            .unwrap_or(0);
        dialog.choice = Choice::ALL[moved(at, step, Choice::ALL.len())];
        return;
    }
    match (state.screen, by) {
        (Screen::Processes, Move::Left | Move::Right) => state.table.sort_beside(step > 0, state.width),
        (Screen::Processes, _) => {
            if let Some(frame) = &state.frame {
                state.table.step(frame, step);
            }
        }
        (Screen::Events, _) => {
            let count = state.events().len();
            state.event = moved(state.event, step, count);
        }
        (Screen::Overview | Screen::Gpu, _) => state.gpu = moved(state.gpu_at(), step, state.gpus().len()),
        (Screen::Help, _) => state.help = moved(state.help, step, KEYS.len()),
    }
}

fn moved(at: usize, by: isize, count: usize) -> usize {
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}

fn deliver(state: &mut State, delivery: Delivery) {
    let (frame, history) = match delivery {
        Delivery::Failed { why, retry_at } => {
            let since = match &state.link {
                Link::Lost { since, .. } => *since,
                Link::Waiting | Link::Live => state.now,
            };
            state.link = Link::Lost { why, since, retry_at };
            // The gap is none of its pace.
            state.pace = Pace::default();
            return;
        }
        Delivery::Seen(frame, history) => (frame, history),
    };
    state.link = Link::Live;
    let last = state.frame.as_ref();
    let is_another = last.is_some_and(|last| last.host.agent.instance != frame.host.agent.instance);
    if is_another {
        state.seen.clear();
        state.event = 0;
        state.pace = Pace::default();
    }
    state.pace.take(&frame);
    state.seen.take(&frame.gpus);
    if let Some(history) = history {
        state.seen.take_history(&history);
    }
    match &mut state.frozen {
        Some(waiting) => *waiting = Some(frame),
        None => show(state, *frame),
    }
}

fn show(state: &mut State, frame: Frame) {
    let generation = |frame: &Frame| (frame.gpus.generation, frame.host.agent.instance.clone());
    let is_new = state
        .frame
        .as_ref()
        .is_none_or(|last| generation(last) != generation(&frame));
    // Without a driver there are no generations to see.
    if is_new || !frame.host.driver.is_ready() {
        state.fresh_at = frame.received;
    }
    let more = state.frame.as_ref().map_or(0, |last| {
        let last = last.events.last().map(|event| event.sequence);
        let newer = frame
            .events
            .iter()
            .rev()
            .take_while(|event| Some(event.sequence) > last);
        newer.count()
    });
    // Who reads an event goes on reading it; who stands at the newest sees what comes.
    if state.event > 0 {
        state.event += more;
    }
    state.frame = Some(frame);
    let count = state.events().len();
    state.event = state.event.min(count.saturating_sub(1));
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
