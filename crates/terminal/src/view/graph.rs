//! Graphs over time: filled, two moments and four levels to a cell, as braille has them.

use ratatui::{layout::Rect, text::Span};

use super::canvas::Canvas;
use crate::look::{Look, Role};

/// Dots of a column of a cell from the bottom up, left and right.
const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];

/// The cell without any.
const EMPTY: u32 = 0x2800;

/// Characters for levels where there is no braille.
const LEVELS: [char; 5] = [' ', '.', ':', '|', '#'];

/// How many moments a width shows.
pub(crate) fn moments(look: Look, width: u16) -> usize {
    usize::from(width) * if look.ascii { 1 } else { 2 }
}

/// The rows of a graph of `shares` (0 to 1, the newest last), from the top down. What is nothing leaves a gap; what is
/// zero leaves a line of dots at the bottom.
fn rows(look: Look, shares: &[Option<f64>], width: u16, height: u16) -> Vec<String> {
    let levels = usize::from(height) * 4;
    let level = |share: &Option<f64>| share.map(|share| to_level(share, levels));
    let columns: Vec<Option<usize>> = shares.iter().map(level).collect();
    let per_cell = if look.ascii { 1 } else { 2 };
    let of_row = |row: u16| {
        let floor = usize::from(height - 1 - row) * 4;
        let cell = |column: u16| {
            let at = usize::from(column) * per_cell;
            let height_of = |place: usize| {
                let level = columns.get(at + place).copied().flatten();
                // A zero can be told from nothing.
                level.map_or(0, |level| level.max(1).saturating_sub(floor).min(4))
            };
            if look.ascii {
                return LEVELS[height_of(0)];
            }
            let dots = DOTS
                .iter()
                .enumerate()
                .flat_map(|(place, dots)| &dots[..height_of(place)]);
            match dots.fold(EMPTY, |cell, dot| cell | dot) {
                // Not every font has the empty one.
                EMPTY => ' ',
                cell => char::from_u32(cell).unwrap_or(' '),
            }
        };
        (0..width).map(cell).collect()
    };
    (0..height).map(of_row).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "rows of a terminal"
)]
fn to_level(share: f64, levels: usize) -> usize {
    (share.clamp(0.0, 1.0) * levels as f64).round() as usize
}

/// Draws a graph of values below a line that says what it is; `top` is the value of its upper edge.
pub(crate) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    title: Vec<Span<'_>>,
    values: &[Option<f64>],
    top: f64,
) {
    canvas.line(area, 0, title);
    let inner = canvas.below(area, 1);
    if inner.is_empty() {
        return;
    }
    let look = canvas.look;
    let shares: Vec<Option<f64>> = values
        .iter()
        .map(|value| value.map(|value| if top > 0.0 { value / top } else { 0.0 }))
        .collect();
    for (row, cells) in (0..inner.height).zip(rows(look, &shares, inner.width, inner.height)) {
        let height = f64::from(inner.height - row) / f64::from(inner.height);
        canvas.line(inner, row, vec![Span::styled(cells, look.heat(height))]);
    }
    if values.iter().all(Option::is_none) {
        canvas.text(inner, inner.height / 2, " nothing was read", Role::Quiet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::Colors;

    fn shown(shares: &[Option<f64>], width: u16, height: u16, ascii: bool) -> Vec<String> {
        let look = Look {
            colors: Colors::None,
            ascii,
        };
        rows(look, shares, width, height)
    }

    #[test]
    fn two_moments_share_a_cell() {
        assert_eq!(shown(&[Some(0.0), Some(1.0)], 1, 1, false), ["⣸"]);
        assert_eq!(shown(&[Some(0.5), Some(1.0)], 1, 2, false), ["⢸", "⣿"]);
    }

    #[test]
    fn nothing_is_no_zero() {
        assert_eq!(shown(&[None, Some(0.0)], 1, 1, false), ["⢀"]);
        assert_eq!(shown(&[None, Some(0.0), Some(1.0)], 3, 1, true), [" .#"]);
    }
}
