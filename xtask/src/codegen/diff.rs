//! Shows where two texts part.

/// The first line in which the texts differ.
pub(crate) fn first(found: &str, wanted: &str) -> String {
    let (mut left, mut right) = (found.lines(), wanted.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (found, wanted) if found != wanted => {
                let show =
                    |line: Option<&str>| line.map_or_else(|| "(end)".to_owned(), |line| format!("`{line}`"));
                return format!(
                    "  line {number}: found {}, expected {}",
                    show(found),
                    show(wanted)
                );
            }
            _ => {}
        }
    }
    "  only the line ends differ".to_owned()
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(first("a\nb", "a\nc"), "  line 2: found `b`, expected `c`");
        assert_eq!(first("", "a"), "  line 1: found (end), expected `a`");
        assert_eq!(first("a", "a\n"), "  only the line ends differ");
    }
}
