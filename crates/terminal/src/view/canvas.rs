//! Drawing that never leaves its area, and never shows a character that the terminal cannot or that would command it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::Spot;
use crate::{
    action::Action,
    look::{Look, Role},
    text,
};

/// A buffer to draw on, and the spots that were drawn.
pub(crate) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    pub(crate) look: Look,
    pub(crate) spots: Vec<Spot>,
}

impl<'a> Canvas<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer, look: Look) -> Self {
        Self {
            buffer,
            look,
            spots: Vec::new(),
        }
    }

    /// What of `area` there is.
    pub(crate) fn within(&self, area: Rect) -> Rect {
        area.intersection(self.buffer.area)
    }

    /// What of `area` is left below its first rows.
    pub(crate) fn below(&self, area: Rect, rows: u16) -> Rect {
        let rows = rows.min(area.height);
        Rect {
            y: area.y + rows,
            height: area.height - rows,
            ..area
        }
    }

    /// One row of `area`; empty if it has none such.
    pub(crate) fn row(&self, area: Rect, row: u16) -> Rect {
        Rect {
            height: u16::from(row < area.height),
            ..self.below(area, row)
        }
    }

    /// A text in a style of its own.
    pub(crate) fn span(&self, text: impl Into<String>, role: Role) -> Span<'static> {
        Span::styled(text.into(), self.look.style(role))
    }

    /// Draws a line on a row of `area`, as much as there is room for. Returns how many columns it took up.
    pub(crate) fn line(&mut self, area: Rect, row: u16, spans: Vec<Span<'_>>) -> u16 {
        let place = self.within(self.row(area, row));
        if place.is_empty() {
            return 0;
        }
        let spans: Vec<Span<'static>> = spans
            .into_iter()
            .map(|span| Span::styled(self.shown(&span.content), span.style))
            .collect();
        let (end, _) = self
            .buffer
            .set_line(place.x, place.y, &Line::from(spans), place.width);
        end.saturating_sub(place.x)
    }

    /// Draws a text on a row of `area`.
    pub(crate) fn text(&mut self, area: Rect, row: u16, text: &str, role: Role) {
        let span = self.span(text, role);
        self.line(area, row, vec![span]);
    }

    /// Draws a text over as many rows as it needs, broken between words. Returns how many that were.
    pub(crate) fn paragraph(&mut self, area: Rect, text: &str, role: Role) -> u16 {
        let mut rows = 0;
        for line in broken(text, usize::from(area.width)) {
            if rows == area.height {
                break;
            }
            self.text(area, rows, &line, role);
            rows += 1;
        }
        rows
    }

    /// Empties an area.
    pub(crate) fn clear(&mut self, area: Rect) {
        let area = self.within(area);
        for position in area.positions() {
            self.buffer[position].reset();
        }
    }

    /// Gives an area a style beside the one that it has.
    pub(crate) fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(self.within(area), style);
    }

    /// Dims an area, or the like.
    pub(crate) fn modify(&mut self, area: Rect, modifier: Modifier) {
        self.style(area, Style::new().add_modifier(modifier));
    }

    /// Shows that a row is the selected one.
    pub(crate) fn select(&mut self, area: Rect, row: u16) {
        let selected = self.look.style(Role::Selected);
        let place = self.row(area, row);
        self.style(place, selected);
    }

    /// A heading with a rule up to the right end.
    pub(crate) fn heading(&mut self, area: Rect, row: u16, title: &str) {
        let rule = self.look.pick("─", "-");
        let width = usize::from(area.width);
        let used = title.chars().count() + 4;
        let rest = rule.repeat(width.saturating_sub(used));
        let spans = vec![
            self.span(format!("{rule} "), Role::Quiet),
            self.span(title.to_owned(), Role::Title),
            self.span(format!(" {rest}"), Role::Quiet),
        ];
        self.line(area, row, spans);
    }

    /// Makes a place do something when it is clicked.
    pub(crate) fn spot(&mut self, area: Rect, action: Action) {
        let area = self.within(area);
        if !area.is_empty() {
            self.spots.push(Spot { area, action });
        }
    }

    fn shown(&self, content: &str) -> String {
        let printable = text::printable(content);
        if self.look.ascii && !printable.is_ascii() {
            return printable
                .chars()
                .map(|character| if character.is_ascii() { character } else { '?' })
                .collect();
        }
        printable
    }
}

/// The lines of a text, broken between words, or within one that is too long.
fn broken(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        length += word.len();
        line.extend(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn a_text_is_broken_between_words() {
        assert_eq!(
            broken("the driver cannot be used", 10),
            ["the driver", "cannot be", "used"]
        );
        assert_eq!(broken("a 123456789 b", 4), ["a", "1234", "5678", "9 b"]);
        assert!(broken("", 4).is_empty());
        assert_eq!(broken("ab", 0), ["a", "b"]);
    }
}
