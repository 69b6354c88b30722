//! Bars.

use ratatui::text::Span;

use crate::look::{Look, Role};

/// Parts of a cell that a bar can end in.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar of `width` columns. Nothing that is known is not the same as an empty bar.
pub(crate) fn bar(look: Look, share: Option<f64>, width: usize) -> Vec<Span<'static>> {
    let quiet = look.style(Role::Quiet);
    let Some(share) = share.filter(|share| !share.is_nan()) else {
        return vec![Span::styled(look.pick("·", ".").repeat(width), quiet)];
    };
    let share = share.clamp(0.0, 1.0);
    let heat = look.heat(share);
    let (filled, rest) = if look.ascii {
        let full = cells(share * count(width));
        ("|".repeat(full), " ".repeat(width.saturating_sub(full)))
    } else {
        let eighths = cells(share * count(width * 8));
        let mut filled = "█".repeat(eighths / 8);
        filled.push_str(EIGHTHS[eighths % 8]);
        let used = eighths.div_ceil(8);
        (filled, "░".repeat(width.saturating_sub(used)))
    };
    vec![Span::styled(filled, heat), Span::styled(rest, quiet)]
}

/// `label`, a bar and `value`, in `width` columns; without the bar where there is no room for it.
pub(crate) fn gauge(
    look: Look,
    label: &str,
    share: Option<f64>,
    value: &str,
    width: usize,
) -> Vec<Span<'static>> {
    let taken = label.chars().count() + value.chars().count() + 3;
    let room = width.saturating_sub(taken);
    let mut spans = vec![Span::styled(format!("{label} "), look.style(Role::Quiet))];
    if room >= 3 {
        spans.extend(bar(look, share, room));
        spans.push(Span::raw(" "));
    }
    let style = match share {
        Some(_) => look.style(Role::Title),
        None => look.style(Role::Quiet),
    };
    spans.push(Span::styled(format!("{value} "), style));
    spans
}

#[allow(clippy::cast_precision_loss, reason = "columns of a terminal")]
fn count(cells: usize) -> f64 {
    cells as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates"
)]
fn cells(value: f64) -> usize {
    value.round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::Colors;

    fn shown(share: Option<f64>, ascii: bool) -> String {
        let look = Look {
            colors: Colors::None,
            ascii,
        };
        bar(look, share, 4)
            .iter()
            .map(|span| span.content.as_ref())
            .collect()
    }

    #[test]
    fn a_bar_ends_within_a_cell() {
        assert_eq!(shown(Some(0.0), false), "░░░░");
        assert_eq!(shown(Some(0.5), false), "██░░");
        assert_eq!(shown(Some(0.6), false), "██▍░");
        assert_eq!(shown(Some(7.0), false), "████");
        assert_eq!(shown(Some(0.5), true), "||  ");
    }

    #[test]
    fn no_value_is_no_empty_bar() {
        assert_eq!(shown(None, false), "····");
        assert_eq!(shown(Some(f64::NAN), true), "....");
    }
}
