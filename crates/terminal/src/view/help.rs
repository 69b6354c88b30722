//! Which keys there are.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::{app::State, look::Role};

/// Keys and what they do; a heading has no key.
pub(crate) const KEYS: [(&str, &str); 31] = [
    ("", "Everywhere"),
    (
        "1 2 3 4 5, Tab, Shift-Tab",
        "overview, GPU, processes, events, help",
    ),
    ("arrows, h j k l", "move; on the GPU's screen to its neighbour"),
    ("PgUp PgDn Home End", "move further"),
    ("Space", "freeze what is shown, and go on"),
    ("r", "ask the agent now"),
    ("Esc", "back to the overview"),
    ("? F1", "this help"),
    ("Ctrl-L", "draw anew"),
    ("Ctrl-Z", "suspend"),
    ("q F10 Ctrl-C", "quit"),
    ("", "Overview"),
    ("Enter, second click", "the selected GPU"),
    ("", "GPU"),
    ("+ -", "graphs of a shorter or longer time"),
    ("", "Processes"),
    (
        "s > < . , F6, left right",
        "sort by the next column; a click on its heading",
    ),
    ("P M T N U", "sort by SM, memory, time, pid, user"),
    ("G", "sort by GPU"),
    ("I R", "invert the order"),
    ("/ F3 F4", "filter: words that a row has to hold"),
    ("t F5", "tree: by parents, or by job, pod, container and user"),
    ("Enter", "the GPU of the process"),
    ("k F9", "end the process (with --allow-kill)"),
    ("", "Mouse"),
    ("click", "tabs, GPUs, headings, rows, keys at the bottom"),
    ("wheel", "moves"),
    ("", "What it looks like"),
    ("n/a", "not available: never shown as zero"),
    ("dotted bar, gap in a graph", "nothing was read"),
    ("dimmed", "older than it should be"),
];

/// Draws the screen.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let width = if area.width >= 70 { 28 } else { 18 };
    let columns = if area.width >= 150 { 2 } else { 1 };
    let per_column = KEYS.len().div_ceil(columns);
    let hidden = per_column.saturating_sub(usize::from(area.height));
    let first = state.help.min(hidden);
    for (column, keys) in (0..).zip(KEYS.chunks(per_column)) {
        let keys = keys.get(first..).unwrap_or_default();
        let place = Rect {
            x: area.x + column * (area.width / 2),
            width: area.width / u16::try_from(columns).unwrap_or(1),
            ..area
        };
        for (row, (key, what)) in (0..).zip(keys) {
            let spans = match *key {
                "" => vec![canvas.span(*what, Role::Title)],
                key => vec![
                    canvas.span(format!(" {key:<width$} "), Role::Key),
                    canvas.span(*what, Role::Quiet),
                ],
            };
            canvas.line(place, row, spans);
        }
    }
    let last = area.height.saturating_sub(1);
    if usize::from(last) > per_column {
        let kill = match &state.may_kill {
            Ok(()) => "Processes may be ended here.".to_owned(),
            Err(why) => why.clone(),
        };
        canvas.text(area, last, &kill, Role::Quiet);
    }
}
