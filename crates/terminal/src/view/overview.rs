//! All GPUs at a glance: a card for each where there is room, a row or a cell of a grid where there is less; and below
//! them who uses them most.

use ratatui::{layout::Rect, style::Modifier, text::Span};

use super::{DOCTOR, canvas::Canvas, detail, facts, first_shown, gauge::gauge, number, processes, share};
use crate::{action::Action, app::State, body::Gpu, frame::Frame, look::Role, text};

/// Columns that a cell of the grid needs to be of use.
const CELL: u16 = 38;

/// Columns from which on a card needs two rows only.
const WIDE: u16 = 96;

/// Rows below which a table of processes is of no use.
const FEW: u16 = 5;

/// Rows from which on there is room for graphs of the selected GPU as well, and how many these are given.
const MUCH: u16 = 16;
const GRAPHS: u16 = 12;

/// Draws the screen.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, frame: &Frame, area: Rect) {
    let gpus = state.gpus();
    if gpus.is_empty() {
        canvas.text(area, 1, "The driver knows no GPU.", Role::Warning);
        canvas.paragraph(canvas.below(area, 3), DOCTOR, Role::Quiet);
        return;
    }
    let count = u16::try_from(gpus.len()).unwrap_or(u16::MAX);
    let card = card_rows(area.width);
    let used = if count.saturating_mul(card) <= area.height {
        cards(canvas, state, area, card)
    } else {
        grid(canvas, state, area)
    };
    let mut rest = canvas.below(area, used);
    if rest.height >= MUCH {
        let graphs = Rect {
            height: GRAPHS.min(rest.height / 2),
            ..rest
        };
        if let Some(gpu) = gpus.get(state.gpu_at()) {
            detail::graphs_of(canvas, state, gpu, graphs);
            rest = canvas.below(rest, graphs.height);
        }
    }
    if rest.height >= FEW {
        processes::summary(canvas, state, frame, rest);
    }
}

/// Rows of a card, by how wide it can be.
fn card_rows(width: u16) -> u16 {
    match width {
        WIDE.. => 2,
        60.. => 3,
        _ => 4,
    }
}

fn cards(canvas: &mut Canvas<'_>, state: &State, area: Rect, rows: u16) -> u16 {
    let mut used = 0;
    for (place, gpu) in state.gpus().iter().enumerate() {
        let card = Rect {
            height: rows,
            ..canvas.below(area, used)
        };
        let card = canvas.within(card);
        canvas.spot(card, Action::ChooseGpu(place));
        head(canvas, state, gpu, card, place == state.gpu_at());
        bars(canvas, gpu, card);
        if !gpu.is_ok() {
            canvas.modify(canvas.below(card, 1), Modifier::DIM);
        }
        used += rows;
    }
    used
}

/// The first row of a card: which GPU, its state and why.
fn head(canvas: &mut Canvas<'_>, state: &State, gpu: &Gpu, card: Rect, is_selected: bool) {
    let look = canvas.look;
    let mark = if is_selected { look.pick("▶", ">") } else { " " };
    let name = gpu.identity.name.as_deref().unwrap_or("GPU without a name");
    let mut spans = vec![
        canvas.span(mark, Role::Key),
        canvas.span(format!("{:<3}", gpu.index), Role::Title),
        canvas.span(short_name(name).to_owned(), Role::Title),
    ];
    if card.width >= WIDE
        && let Some(bus) = &gpu.identity.pci_bus_id
    {
        spans.push(canvas.span(format!("  {bus}"), Role::Quiet));
    }
    if let Some(trouble) = facts::trouble(state, gpu) {
        spans.push(Span::styled(format!("  {trouble}"), look.state(&gpu.state)));
        if let Some(age) = facts::age(state, gpu) {
            spans.push(canvas.span(format!("  {age}"), Role::Quiet));
        }
        canvas.line(card, 0, spans);
        return;
    }
    spans.push(canvas.span("  ok", Role::Good));
    if let Some(age) = facts::age(state, gpu) {
        spans.push(canvas.span(format!("  {age}"), Role::Warning));
    }
    if let Some(performance) = &gpu.clocks.performance_state {
        spans.push(canvas.span(format!("  {performance}"), Role::Quiet));
    }
    if card.width >= 60 {
        spans.push(canvas.span(clocks(gpu), Role::Quiet));
    }
    for (reason, is_bad) in facts::lowered_by(gpu) {
        let role = if is_bad { Role::Warning } else { Role::Quiet };
        spans.push(canvas.span(format!("  {reason}"), role));
    }
    // The first to go where there is no room for all.
    if let (60.., Some(fan)) = (card.width, fan(gpu)) {
        spans.push(canvas.span(format!("  fan {}", text::percent(fan)), Role::Quiet));
    }
    canvas.line(card, 0, spans);
}

/// The rows of a card with bars: two or four to a row.
fn bars(canvas: &mut Canvas<'_>, gpu: &Gpu, card: Rect) {
    let gauges = gauges(canvas, gpu);
    let per_row = match card.height {
        2 => 4,
        3 => 2,
        _ => 1,
    };
    if card.height == 4 {
        // Power and temperature have no room for bars of their own.
        let width = usize::from(card.width.saturating_sub(1));
        for (row, (label, share, value)) in (1..3).zip(&gauges) {
            let mut spans = vec![Span::raw(" ")];
            spans.extend(gauge(canvas.look, label, *share, value, width));
            canvas.line(card, row, spans);
        }
        let celsius = text::or_nothing(gpu.thermal.gpu_celsius, |value| {
            text::celsius(value, canvas.look.degree())
        });
        let spans = vec![
            canvas.span(" PWR ", Role::Quiet),
            canvas.span(facts::power(gpu), Role::Title),
            canvas.span("  TEMP ", Role::Quiet),
            canvas.span(celsius, Role::Title),
            canvas.span(clocks(gpu), Role::Quiet),
        ];
        canvas.line(card, 3, spans);
        return;
    }
    let width = usize::from(card.width.saturating_sub(1)) / per_row;
    for (row, gauges) in (1..card.height).zip(gauges.chunks(per_row)) {
        let mut spans = vec![Span::raw(" ")];
        for (label, share, value) in gauges {
            spans.extend(gauge(canvas.look, label, *share, value, width));
        }
        canvas.line(card, row, spans);
    }
}

/// What has a bar: its label, its share, and its value.
fn gauges(canvas: &Canvas<'_>, gpu: &Gpu) -> [(&'static str, Option<f64>, String); 4] {
    let degree = canvas.look.degree();
    let load = gpu.load.gpu_percent;
    let celsius = gpu.thermal.gpu_celsius;
    let memory = share(number(gpu.memory.used_bytes), number(gpu.memory.total_bytes));
    let power = share(gpu.power.draw_watts, gpu.power.enforced_limit_watts);
    [
        (
            "GPU",
            load.map(|load| load / 100.0),
            format!("{:>4}", text::or_nothing(load, text::percent)),
        ),
        ("MEM", memory, format!("{:>15}", facts::memory(gpu))),
        ("PWR", power, format!("{:>9}", facts::power(gpu))),
        (
            "TMP",
            celsius.map(|celsius| celsius / facts::hottest(gpu)),
            format!(
                "{:>4}",
                text::or_nothing(celsius, |celsius| text::celsius(celsius, degree))
            ),
        ),
    ]
}

/// A row for each GPU, or a cell where even that is too much; those around the selected one where there are more.
fn grid(canvas: &mut Canvas<'_>, state: &State, area: Rect) -> u16 {
    let gpus = state.gpus();
    let height = usize::from(area.height).max(1);
    let possible = usize::from((area.width / CELL).max(1));
    let columns = gpus.len().div_ceil(height).clamp(1, possible);
    let rows = gpus.len().div_ceil(columns);
    // Column after column, so that down is down.
    let first = first_shown(state.gpu_at() % rows, rows, height);
    #[allow(clippy::cast_possible_truncation, reason = "at most the width of the area")]
    let width = area.width / (columns as u16).max(1);
    for (column, line) in (0..).zip(gpus.chunks(rows)) {
        let place = usize::from(column) * rows + first;
        for (row, (place, gpu)) in (0..area.height).zip((place..).zip(line.iter().skip(first))) {
            let cell = Rect {
                x: area.x.saturating_add(width.saturating_mul(column)),
                width,
                ..canvas.row(area, row)
            };
            cell_of(canvas, gpu, cell, place == state.gpu_at());
            canvas.spot(cell, Action::ChooseGpu(place));
        }
    }
    u16::try_from(rows).unwrap_or(u16::MAX).min(area.height)
}

fn cell_of(canvas: &mut Canvas<'_>, gpu: &Gpu, cell: Rect, is_selected: bool) {
    let look = canvas.look;
    let mark = if is_selected { look.pick("▶", ">") } else { " " };
    let mut spans = vec![
        canvas.span(mark, Role::Key),
        canvas.span(format!("{:<3}", gpu.index), Role::Title),
    ];
    if !gpu.is_ok() {
        let mut said = gpu.state.clone();
        if let Some(error) = &gpu.last_error {
            said = format!("{said}: {}", error.message.as_deref().unwrap_or_default());
        }
        spans.push(Span::styled(said, look.state(&gpu.state)));
        canvas.line(cell, 0, spans);
        return;
    }
    let width = usize::from(cell.width).saturating_sub(5);
    let load = gpu.load.gpu_percent;
    let memory = share(number(gpu.memory.used_bytes), number(gpu.memory.total_bytes));
    let power = text::or_nothing(gpu.power.draw_watts, text::watts);
    let celsius = text::or_nothing(gpu.thermal.gpu_celsius, |value| {
        text::celsius(value, look.degree())
    });
    let tail = format!("{power:>5} {celsius:>4}");
    let half = width.saturating_sub(tail.len() + 1) / 2;
    let load_text = format!("{:>4}", text::or_nothing(load, text::percent));
    let memory_text = format!(
        "{:>4}",
        text::or_nothing(memory, |share| text::percent(share * 100.0))
    );
    spans.extend(gauge(look, "G", load.map(|load| load / 100.0), &load_text, half));
    spans.extend(gauge(look, "M", memory, &memory_text, half));
    spans.push(canvas.span(tail, Role::Quiet));
    if facts::lowered_by(gpu).iter().any(|(_, is_bad)| *is_bad) {
        spans.push(canvas.span("!", Role::Warning));
    }
    canvas.line(cell, 0, spans);
}

fn clocks(gpu: &Gpu) -> String {
    let clock = gpu.clocks.sm_mhz.or(gpu.clocks.graphics_mhz);
    clock.map_or_else(String::new, |clock| format!("  {}", text::megahertz(clock)))
}

/// The fastest of its fans.
pub(super) fn fan(gpu: &Gpu) -> Option<f64> {
    let fans = gpu.thermal.fans.iter().flatten();
    fans.filter_map(|fan| fan.speed_percent).max_by(f64::total_cmp)
}

/// A name without what all of them have in common.
fn short_name(name: &str) -> &str {
    name.strip_prefix("NVIDIA ").unwrap_or(name)
}
