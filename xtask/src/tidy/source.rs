//! Rust source with comments and literals blanked out, for rules that look for words of the language.

/// Replaces comments, strings and character literals by blanks; lines keep their numbers.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => line_end(bytes, at),
            [b'/', b'*', ..] => comment_end(bytes, at),
            [b'"', ..] => string_end(bytes, at),
            [b'r', b'"' | b'#', ..] | [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word(bytes, at) => {
                raw_string_end(bytes, at).unwrap_or(at + 1)
            }
            [b'\'', ..] => char_end(bytes, at).unwrap_or(at + 1),
            _ => at + 1,
        };
        if end > at + 1 {
            blank(&mut code[at..end]);
        }
        at = end;
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Whether `word` stands in `line` by itself and not as a part of a longer name.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn in_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(wanted.len())
        .position(|window| window == wanted)
        .map(|found| from + found)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    find(bytes, at, b"\n").unwrap_or(bytes.len())
}

/// Block comments nest.
fn comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// `None` for raw names such as `r#type`.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mark = find(bytes, at, b"r")? + 1;
    let hashes = bytes[mark..].iter().take_while(|byte| **byte == b'#').count();
    let quote = mark + hashes;
    if bytes.get(quote) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    Some(find(bytes, quote + 1, &close).map_or(bytes.len(), |found| found + close.len()))
}

/// `None` for lifetimes and labels.
fn char_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'\\') {
        return find(bytes, at + 3, b"'").map(|quote| quote + 1);
    }
    // One character of UTF-8 takes up to four bytes.
    let quote = (at + 2..at + 6).find(|end| bytes.get(*end) == Some(&b'\''))?;
    let inside = std::str::from_utf8(&bytes[at + 1..quote]).ok()?;
    (inside.chars().count() == 1).then_some(quote + 1)
}

#[cfg(test)]
mod tests {
    use super::{code_only, has_word};

    fn left(text: &str) -> String {
        let code = code_only(text);
        assert_eq!(code.lines().count(), text.lines().count());
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_vanish() {
        assert_eq!(left("a // unsafe\nb"), "a b");
        assert_eq!(left("a /* un /* safe */ \n x */ b"), "a b");
        assert_eq!(left(r#"a "un\"safe" b"#), "a b");
        assert_eq!(left("a r##\"un\"#safe\"## b br\"x\" c"), "a b c");
        assert_eq!(left("a 'x' '\\'' '\"' 'µ' '\\u{1F600}' b"), "a b");
    }

    #[test]
    fn names_stay() {
        assert_eq!(
            left("fn f<'a>(x: &'a str) -> &'a str"),
            "fn f<'a>(x: &'a str) -> &'a str"
        );
        assert_eq!(left("r#type \"x\" error\"\" b"), "r#type error b");
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe {", "unsafe"));
        assert!(!has_word("unsafe_op", "unsafe"));
        assert!(has_word("unsafe_op unsafe", "unsafe"));
    }
}
