//! The screens: pure functions from what is known to characters on an area, and to what a click there means.

mod canvas;
mod detail;
mod dialog;
mod events;
mod facts;
mod gauge;
mod graph;
mod header;
mod help;
mod overview;
mod processes;

use gpulse_models::DriverReason;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Modifier,
};

use crate::{
    action::{Action, Screen},
    app::{Link, State},
    body,
    look::Role,
    text,
};
use canvas::Canvas;
pub(crate) use help::KEYS;

/// A place on the screen that does something when it is clicked.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    area: Rect,
    action: Action,
}

/// What a click on this position does. What was drawn last lies on top.
pub(crate) fn clicked(spots: &[Spot], column: u16, row: u16) -> Option<Action> {
    let at = Position { x: column, y: row };
    let hit = spots.iter().rev().find(|spot| spot.area.contains(at));
    hit.map(|spot| spot.action.clone())
}

/// Rows that header and tabs take up.
const TOP: u16 = 2;

/// Where somebody without GPUs goes on.
const DOCTOR: &str =
    "gpulse doctor, run on the agent's machine, says what is wrong and the command that mends it.";

/// Draws the whole screen.
pub(crate) fn draw(state: &State, area: Rect, buffer: &mut Buffer) -> Vec<Spot> {
    let mut canvas = Canvas::new(buffer, state.look);
    let area = canvas.within(area);
    header::draw(&mut canvas, state, area);
    let inner = Rect {
        y: area.y.saturating_add(TOP),
        height: area.height.saturating_sub(TOP + 1),
        ..area
    };
    let inner = canvas.within(inner);
    match (state.screen, &state.frame) {
        (Screen::Help, _) => help::draw(&mut canvas, state, inner),
        (_, None) => waiting(&mut canvas, state, inner),
        (Screen::Events, Some(_)) => events::draw(&mut canvas, state, inner),
        (_, Some(frame)) if !frame.host.driver.is_ready() => {
            without_driver(&mut canvas, &frame.host.driver, inner)
        }
        (Screen::Overview, Some(frame)) => overview::draw(&mut canvas, state, frame, inner),
        (Screen::Gpu, Some(frame)) => detail::draw(&mut canvas, state, frame, inner),
        (Screen::Processes, Some(frame)) => processes::draw(&mut canvas, state, frame, inner),
    }
    if state.is_stale() && state.frame.is_some() && state.screen != Screen::Help {
        canvas.modify(inner, Modifier::DIM);
    }
    header::draw_bottom(&mut canvas, state, area);
    if let Some(question) = &state.dialog {
        dialog::draw(&mut canvas, state, question, area);
    }
    canvas.spots
}

/// Nothing has come yet.
fn waiting(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    match &state.link {
        Link::Lost { why, .. } => {
            canvas.text(area, 1, "The agent does not answer:", Role::Bad);
            canvas.paragraph(canvas.below(area, 2), why, Role::Title);
        }
        Link::Waiting | Link::Live => {
            canvas.text(area, 1, &format!("Waiting for {} ...", state.place), Role::Quiet)
        }
    }
}

/// The agent is there and NVML is not.
fn without_driver(canvas: &mut Canvas<'_>, driver: &body::Driver, area: Rect) {
    let starting = driver.status == "starting";
    let headline = if starting {
        "The driver is being initialised ..."
    } else {
        "GPUs cannot be read: NVML cannot be used"
    };
    canvas.text(area, 1, headline, if starting { Role::Quiet } else { Role::Bad });
    let mut row = 2;
    for said in [&driver.message, &driver.hint].into_iter().flatten() {
        row += canvas.paragraph(canvas.below(area, row), said, Role::Title);
    }
    // A reason that is not known may be one.
    let reason = driver.reason.as_deref().and_then(body::named);
    if reason.is_none_or(DriverReason::is_for_doctor) {
        canvas.paragraph(canvas.below(area, row + 1), DOCTOR, Role::Quiet);
    }
}

/// Where a list of `count` rows begins, so that the selected one is among the `height` that are shown.
pub(crate) fn first_shown(selected: usize, count: usize, height: usize) -> usize {
    let centred = selected.saturating_sub(height / 2);
    centred.min(count.saturating_sub(height))
}

/// A share of a whole, 0 to 1; nothing where one of both is missing or there is no whole.
pub(crate) fn share(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let (part, whole) = (part?, whole?);
    (whole > 0.0).then(|| part / whole)
}

/// Bytes as a number to calculate with.
#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
pub(crate) fn number(bytes: Option<u64>) -> Option<f64> {
    bytes.map(|bytes| bytes as f64)
}

/// The time of day of a moment, in UTC.
pub(crate) fn time_of_day(at: Option<jiff::Timestamp>) -> String {
    text::or_nothing(at, |at| {
        let seconds = at.as_second().rem_euclid(86_400);
        format!(
            "{:02}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
    })
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
