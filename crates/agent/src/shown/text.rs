//! Lines and columns for a terminal, and values for CSV. What comes from GPUs and processes is data: no character of it
//! may steer the terminal.

use std::borrow::Cow;

/// A column's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Lines of cells below a heading, each column as wide as its widest cell.
pub(crate) fn table(heading: &[(&str, Side)], rows: &[Vec<String>]) -> String {
    let cells =
        |row: &[String]| -> Vec<String> { row.iter().map(|cell| visible(cell).into_owned()).collect() };
    let titles: Vec<String> = heading.iter().map(|(title, _)| (*title).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(titles)
        .chain(rows.iter().map(|row| cells(row)))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..heading.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((cell, (_, side)), width) in row.iter().zip(heading).zip(&widths) {
            let width = *width;
            line += &match side {
                Side::Left => format!("{cell:width$}  "),
                Side::Right => format!("{cell:>width$}  "),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The text without what steers a terminal.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.replace(char::is_control, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A value of CSV as RFC 4180 has it: in quotes where it needs them.
pub(crate) fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// A line of CSV.
pub(crate) fn csv<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let values: Vec<_> = values.into_iter().map(quoted).collect();
    values.join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_steers_the_terminal() {
        let rows = [
            vec!["0".to_owned(), "a\u{1b}[31mb".to_owned()],
            vec!["10".to_owned(), "é".to_owned()],
        ];
        assert_eq!(
            table(&[("GPU", Side::Right), ("Name", Side::Left)], &rows),
            "GPU  Name\n  0  a\u{fffd}[31mb\n 10  é\n"
        );
    }

    #[test]
    fn values_of_csv_are_quoted_where_they_need_it() {
        assert_eq!(csv(["a", "b,c", "d\"e", ""]), "a,\"b,c\",\"d\"\"e\",\n");
    }
}
