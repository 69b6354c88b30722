//! What stands above and below every screen: whom it is about, how fresh it is, the tabs, and what can be pressed.

use ratatui::{layout::Rect, text::Span};

use super::canvas::Canvas;
use crate::{
    action::{Action, Screen},
    app::{Link, State},
    look::Role,
    text,
};

/// States of GPUs, the good one first.
const STATES: [&str; 5] = ["ok", "stale", "hung", "lost", "unavailable"];

/// Draws both lines of the top.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let freshness = freshness(canvas, state);
    let width: usize = freshness.iter().map(Span::width).sum();
    let left = usize::from(area.width).saturating_sub(width + 1);
    #[allow(clippy::cast_possible_truncation, reason = "at most the width of the area")]
    let first = Rect {
        width: left.min(usize::from(area.width)) as u16,
        ..area
    };
    // What does not fit is not shown by half.
    let mut room = usize::from(first.width);
    let mut whom = whom(canvas, state, "");
    if whom.iter().map(Span::width).sum::<usize>() >= room && is_simulated(state) {
        // Nobody is to take simulated GPUs for real ones, however narrow the terminal.
        whom = self::whom(canvas, state, "SIM ");
    }
    whom.retain(|span| {
        room = room.saturating_sub(span.width());
        room > 0
    });
    canvas.line(first, 0, whom);
    let rest = Rect {
        x: area.x + first.width,
        width: area.width - first.width,
        ..area
    };
    canvas.line(rest, 0, freshness);
    tabs(canvas, state, area);
}

fn is_simulated(state: &State) -> bool {
    let driver = state.frame.as_ref().map(|frame| &frame.host.driver);
    driver.is_some_and(|driver| driver.simulated == Some(true))
}

/// The agent, its driver, and how its GPUs are. `mark` stands at the front for what otherwise stands at the end.
fn whom(canvas: &Canvas<'_>, state: &State, mark: &'static str) -> Vec<Span<'static>> {
    let mut spans = vec![
        canvas.span("gpulse ", Role::Key),
        canvas.span(mark, Role::Warning),
    ];
    let Some(frame) = &state.frame else {
        spans.push(canvas.span(state.place.clone(), Role::Title));
        return spans;
    };
    let host = &frame.host;
    let name = host.agent.id.clone().unwrap_or_else(|| state.place.clone());
    spans.push(canvas.span(name, Role::Title));
    let gpus = state.gpus();
    spans.push(canvas.span(format!("  {}", text::gpus(gpus.len())), Role::Title));
    for name in STATES {
        let count = gpus.iter().filter(|gpu| gpu.state == name).count();
        if count > 0 {
            spans.push(Span::styled(format!(" {count} {name}"), canvas.look.state(name)));
        }
    }
    if let (Some(count), Some(found)) = (host.expected.count, host.expected.found)
        && count > found
    {
        spans.push(canvas.span(format!(" {} missing", count - found), Role::Bad));
    }
    let driver = &host.driver;
    if let Some(version) = &driver.driver_version {
        spans.push(canvas.span(format!("  driver {version}"), Role::Quiet));
    }
    if let Some(cuda) = &driver.cuda_driver_version {
        spans.push(canvas.span(format!(" CUDA {cuda}"), Role::Quiet));
    }
    if is_simulated(state) && mark.is_empty() {
        spans.push(canvas.span(" simulated", Role::Warning));
    }
    spans
}

/// How old what is shown is, and why nothing newer is.
fn freshness(canvas: &Canvas<'_>, state: &State) -> Vec<Span<'static>> {
    let silence = text::span(state.silence().as_secs_f64());
    if let Link::Lost { .. } = state.link {
        return vec![canvas.span(format!("LOST for {silence} "), Role::Bad)];
    }
    if state.is_frozen() {
        return vec![canvas.span(format!("FROZEN for {silence} "), Role::Warning)];
    }
    if state.frame.is_none() {
        return vec![canvas.span("starting ", Role::Quiet)];
    }
    if state.is_stale() {
        return vec![canvas.span(format!("STALE for {silence} "), Role::Warning)];
    }
    let live = if state.keeps_pace() {
        format!("live, every {} ", text::short_span(state.interval.as_secs_f64()))
    } else {
        "live ".to_owned()
    };
    vec![
        canvas.span(canvas.look.pick("● ", "* "), Role::Good),
        canvas.span(live, Role::Quiet),
    ]
}

fn tabs(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let line = canvas.row(area, 1);
    let mut x = line.x;
    let narrow = area.width < 60;
    for (number, screen) in (1..).zip(Screen::ALL) {
        let mut title = screen.title().to_owned();
        if screen == Screen::Gpu && state.gpus().len() > 1 {
            title = format!("GPU {}", state.gpus()[state.gpu_at()].index);
        } else if narrow {
            title.truncate(4);
        }
        let role = if screen == state.screen {
            Role::Selected
        } else {
            Role::Quiet
        };
        let rest = Rect {
            x,
            width: line.right().saturating_sub(x),
            ..line
        };
        let (key, name) = (
            canvas.span(format!(" {number}"), Role::Key),
            canvas.span(format!(" {title} "), role),
        );
        let spans = if screen == state.screen {
            vec![canvas.span(format!(" {number} {title} "), role)]
        } else {
            vec![key, name]
        };
        let width = canvas.line(rest, 0, spans);
        canvas.spot(Rect { width, ..rest }, Action::Show(screen));
        x = x.saturating_add(width);
    }
}

/// Draws the line at the bottom.
pub(super) fn draw_bottom(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let last = area.height.saturating_sub(1);
    let line = canvas.row(area, last);
    if area.height < 3 {
        return;
    }
    if state.table.typing && state.screen == Screen::Processes {
        let spans = vec![
            canvas.span("Filter: ", Role::Key),
            canvas.span(state.table.filter.clone(), Role::Title),
            canvas.span(canvas.look.pick("▏", "_"), Role::Key),
            canvas.span("  Enter keeps it, Esc drops it", Role::Quiet),
        ];
        canvas.line(line, 0, spans);
        return;
    }
    if let Some(notice) = state.notice() {
        canvas.text(line, 0, notice, Role::Warning);
        return;
    }
    if let Link::Lost { why, retry_at, .. } = &state.link {
        let seconds = retry_at.saturating_duration_since(state.now).as_secs_f64().ceil();
        let retry = text::span(seconds);
        canvas.text(line, 0, &format!("next try in {retry}: {why}"), Role::Bad);
        return;
    }
    keys(canvas, state, line);
}

/// The keys of this screen, which can be clicked as well.
fn keys(canvas: &mut Canvas<'_>, state: &State, line: Rect) {
    let freeze = if state.is_frozen() { "go on" } else { "freeze" };
    let mut keys: Vec<(&str, &str, Action)> = vec![("q", "quit", Action::Quit)];
    match state.screen {
        Screen::Overview => keys.push(("Enter", "GPU", Action::Enter)),
        Screen::Gpu => {
            keys.push(("-", "longer", Action::Zoom(false)));
            keys.push(("+", "closer", Action::Zoom(true)));
        }
        Screen::Processes => {
            keys.push(("/", "filter", Action::Filter));
            keys.push(("s", "sort", Action::SortBeside(1)));
            keys.push(("I", "invert", Action::Reverse));
            keys.push(("t", "tree", Action::Tree));
            if state.may_kill.is_ok() {
                keys.push(("k", "kill", Action::Kill));
            }
        }
        Screen::Events | Screen::Help => {}
    }
    keys.push(("Space", freeze, Action::Freeze));
    keys.push(("Tab", "next", Action::NextScreen));
    keys.push(("?", "help", Action::Show(Screen::Help)));
    let mut x = line.x;
    for (key, what, action) in keys {
        let rest = Rect {
            x,
            width: line.right().saturating_sub(x),
            ..line
        };
        let spans = vec![
            canvas.span(key, Role::Key),
            canvas.span(format!(" {what}  "), Role::Quiet),
        ];
        let width = canvas.line(rest, 0, spans);
        canvas.spot(Rect { width, ..rest }, action);
        x = x.saturating_add(width);
    }
}
