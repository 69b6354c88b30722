//! What happened, what it means, and what to do about it.

use gpulse_models::XidSeverity;
use ratatui::{layout::Rect, text::Span};

use super::{canvas::Canvas, first_shown, time_of_day};
use crate::{
    action::Action,
    app::State,
    body::{Event, words},
    look::Role,
    text,
};

/// Rows for the meaning of the selected event.
const MEANING: u16 = 7;

/// Draws the screen.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let count = state.events().len();
    if count == 0 {
        canvas.text(
            area,
            1,
            "Nothing has happened since the agent started.",
            Role::Quiet,
        );
        return;
    }
    let meaning = MEANING.min(area.height / 2);
    let list = Rect {
        height: area.height - meaning,
        ..area
    };
    canvas.text(list, 0, "TIME (UTC)   GPU  WHAT HAPPENED", Role::Title);
    let body = canvas.below(list, 1);
    let first = first_shown(state.event, count, usize::from(body.height));
    for (row, (at, event)) in (0..body.height).zip(state.events().enumerate().skip(first)) {
        let spans = vec![
            canvas.span(format!("{:<11}  ", time_of_day(event.at)), Role::Quiet),
            canvas.span(format!("{:<5}", whom(event)), Role::Title),
            canvas.span(event.summary(), role(event)),
        ];
        canvas.line(body, row, spans);
        canvas.spot(canvas.row(body, row), Action::ChooseEvent(at));
        if at == state.event {
            canvas.select(body, row);
        }
    }
    if let Some(event) = state.events().nth(state.event) {
        explain(canvas, event, canvas.below(area, list.height));
    }
}

fn explain(canvas: &mut Canvas<'_>, event: &Event, area: Rect) {
    canvas.heading(area, 0, &event.summary());
    let mut row = 1;
    row += canvas.paragraph(canvas.below(area, row), &event.meaning(), Role::Title);
    if let Some(xid) = &event.xid {
        let spans: Vec<Span<'_>> = vec![
            canvas.span("severity ", Role::Quiet),
            canvas.span(format!("{}  ", words(&xid.severity)), role(event)),
            canvas.span("cause ", Role::Quiet),
            canvas.span(words(&xid.cause), Role::Title),
        ];
        canvas.line(area, row, spans);
        row += 1;
    }
    let advice = event.advice();
    if !advice.is_empty() {
        canvas.paragraph(
            canvas.below(area, row),
            &format!("What to do: {advice}"),
            Role::Key,
        );
    }
}

fn whom(event: &Event) -> String {
    match (event.gpu_id, &event.pci_bus_id) {
        (Some(index), _) => index.to_string(),
        (None, Some(bus)) => text::cut(bus, 13, ""),
        (None, None) => "-".to_owned(),
    }
}

fn role(event: &Event) -> Role {
    match event.severity() {
        XidSeverity::Info => Role::Good,
        XidSeverity::Warning => Role::Warning,
        XidSeverity::Critical | XidSeverity::Fatal => Role::Bad,
    }
}
