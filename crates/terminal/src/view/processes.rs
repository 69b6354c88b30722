//! The table of processes.

use ratatui::{layout::Rect, text::Span};

use super::{canvas::Canvas, first_shown, number};
use crate::{
    action::{Action, Screen},
    app::State,
    body::{Gpu, Process, words},
    frame::Frame,
    look::Role,
    table::{Column, Row, Table},
    text,
};

/// Rows of the table on the screen of a GPU.
const FEW: u16 = 6;

/// Draws the screen.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, frame: &Frame, area: Rect) {
    let rows = state.table.rows(frame);
    let used = u16::from(status(canvas, &state.table, frame, &rows, area));
    table(
        canvas,
        state,
        frame,
        &state.table,
        &rows,
        canvas.below(area, used),
        true,
    );
}

/// Who uses the GPUs most, below the overview.
pub(super) fn summary(canvas: &mut Canvas<'_>, state: &State, frame: &Frame, area: Rect) {
    let top = Table::default();
    let rows = top.rows(frame);
    canvas.heading(
        area,
        0,
        &format!("{}, by GPU memory", text::processes(rows.len())),
    );
    canvas.spot(canvas.row(area, 0), Action::Show(Screen::Processes));
    table(canvas, state, frame, &top, &rows, canvas.below(area, 1), false);
}

/// Who is on one GPU. Returns how many rows that took, from the bottom up.
pub(super) fn of_gpu(canvas: &mut Canvas<'_>, state: &State, frame: &Frame, gpu: &Gpu, area: Rect) -> u16 {
    let top = Table::default();
    let mut rows = top.rows(frame);
    rows.retain(|row| match row {
        Row::Process { place, .. } => frame.processes.processes[*place].gpu_index == Some(gpu.index),
        Row::Group { .. } => false,
    });
    let count = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(FEW);
    let place = canvas.below(area, area.height.saturating_sub(count + 2));
    let (others, count) = (
        frame
            .processes
            .gpus
            .iter()
            .find(|owner| owner.index == Some(gpu.index)),
        rows.len(),
    );
    let unknown = others.and_then(|owner| owner.unavailable.get("processes"));
    let title = match unknown {
        Some(reason) => format!("processes are not known: {}", words(reason)),
        None => format!("{} on this GPU", text::processes(count)),
    };
    canvas.heading(place, 0, &title);
    table(canvas, state, frame, &top, &rows, canvas.below(place, 1), false);
    place.height
}

/// What is filtered and what is not known, where there is something to say.
fn status(canvas: &mut Canvas<'_>, table: &Table, frame: &Frame, rows: &[Row], area: Rect) -> bool {
    let mut spans = Vec::new();
    if !table.filter.is_empty() {
        let shown = rows
            .iter()
            .filter(|row| matches!(row, Row::Process { .. }))
            .count();
        let all = frame.processes.processes.len();
        spans.push(canvas.span(
            format!("filter \"{}\": {shown} of {all}  ", table.filter),
            Role::Warning,
        ));
    }
    for owner in &frame.processes.gpus {
        let gpu = text::or_nothing(owner.index, |index| index.to_string());
        if let Some(reason) = owner.unavailable.get("processes") {
            spans.push(canvas.span(format!("GPU {gpu}: not known, {}  ", words(reason)), Role::Bad));
        } else if let Some(count @ 1..) = owner.other.count {
            spans.push(canvas.span(format!("GPU {gpu}: {count} more  "), Role::Quiet));
        }
    }
    let is_said = !spans.is_empty();
    canvas.line(area, 0, spans);
    is_said
}

fn table(
    canvas: &mut Canvas<'_>,
    state: &State,
    frame: &Frame,
    table: &Table,
    rows: &[Row],
    area: Rect,
    is_main: bool,
) {
    let columns = Column::shown(area.width);
    headings(canvas, table, &columns, area, is_main);
    let body = canvas.below(area, 1);
    let height = usize::from(body.height);
    let selected = table.selected(rows, frame).filter(|_| is_main);
    let first = first_shown(selected.unwrap_or(0), rows.len(), height);
    for (line, (at, row)) in (0..body.height).zip(rows.iter().enumerate().skip(first)) {
        let spans = match row {
            Row::Group { indent, title } => {
                vec![
                    Span::raw("  ".repeat(*indent)),
                    canvas.span(title.clone(), Role::Quiet),
                ]
            }
            Row::Process { indent, place } => match frame.processes.processes.get(*place) {
                Some(process) => cells(canvas, state, frame, process, *indent, &columns),
                None => Vec::new(),
            },
        };
        canvas.line(body, line, spans);
        if is_main {
            canvas.spot(canvas.row(body, line), Action::ChooseRow(at));
            if selected == Some(at) {
                canvas.select(body, line);
            }
        }
    }
    if rows.is_empty() {
        let said = if table.filter.is_empty() {
            "no process is on a GPU"
        } else {
            "no process has that"
        };
        canvas.text(body, 0, said, Role::Quiet);
    }
}

fn headings(canvas: &mut Canvas<'_>, table: &Table, columns: &[(Column, usize)], area: Rect, is_main: bool) {
    let arrow = match table.descending {
        true => canvas.look.pick("▼", "v"),
        false => canvas.look.pick("▲", "^"),
    };
    let line = canvas.row(area, 0);
    let mut x = line.x;
    for (column, width) in columns {
        let is_sorted = is_main && *column == table.sort;
        let mut heading = column.heading().to_owned();
        if is_sorted {
            heading.push_str(arrow);
        }
        let width = if *width == 0 {
            usize::from(area.width)
        } else {
            *width
        };
        let heading = if is_number(*column) {
            format!("{heading:>width$} ", width = width - 1)
        } else {
            format!("{heading:<width$}")
        };
        let rest = Rect {
            x,
            width: line.right().saturating_sub(x),
            ..line
        };
        let role = if is_sorted { Role::Key } else { Role::Title };
        let used = canvas.line(rest, 0, vec![canvas.span(heading, role)]);
        if is_main {
            canvas.spot(Rect { width: used, ..rest }, Action::Sort(*column));
        }
        x = x.saturating_add(used);
    }
}

fn is_number(column: Column) -> bool {
    !matches!(
        column,
        Column::User | Column::Gpu | Column::Kind | Column::Place | Column::Command
    )
}

fn cells(
    canvas: &Canvas<'_>,
    state: &State,
    frame: &Frame,
    process: &Process,
    indent: usize,
    columns: &[(Column, usize)],
) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (column, width) in columns {
        let (content, role) = cell(state, frame, process, *column);
        let content = text::printable(&content);
        if *column == Column::Command {
            let branch = if indent > 0 {
                canvas.look.pick("└ ", "\\ ")
            } else {
                ""
            };
            spans.push(canvas.span(format!("{}{branch}", "  ".repeat(indent)), Role::Quiet));
            spans.push(canvas.span(content, role));
            continue;
        }
        let content = text::cut(&content, width - 1, canvas.look.ellipsis());
        let cell = if is_number(*column) {
            format!("{content:>width$} ", width = width - 1)
        } else {
            format!("{content:<width$}")
        };
        spans.push(canvas.span(cell, role));
    }
    spans
}

fn cell(state: &State, frame: &Frame, process: &Process, column: Column) -> (String, Role) {
    let unknown = |known: bool| if known { Role::Title } else { Role::Quiet };
    let share = |percent| text::or_nothing(percent, |value: f64| format!("{value:.0}"));
    let content = match column {
        Column::Pid => process.pid.to_string(),
        Column::User => text::or_nothing(process.user.clone(), |user| user),
        Column::Gpu => match (process.gpu_index, process.gpu_instance_id) {
            (Some(index), Some(instance)) => format!("{index}:{instance}"),
            (index, _) => text::or_nothing(index, |index| index.to_string()),
        },
        Column::Kind => process.kind(),
        Column::Sm => share(process.sm_percent),
        Column::Bandwidth => share(process.memory_percent),
        Column::Encoder => share(process.encoder_percent),
        Column::Decoder => share(process.decoder_percent),
        Column::Memory => text::or_nothing(number(process.memory_used_bytes), text::bytes),
        Column::Time => {
            let age = process.started_at.zip(frame.gpus.published_at);
            text::or_nothing(age, |(started_at, now)| {
                text::span(text::seconds_between(started_at, now) + state.silence().as_secs_f64())
            })
        }
        Column::Place => process.place(),
        Column::Command => process.title(),
    };
    let role = unknown(content != text::NOTHING);
    (content, role)
}
