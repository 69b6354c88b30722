//! Matching function names against patterns with `*` and `?`.

/// Whether the whole of `text` matches `pattern`. Linear in practice, and never recursive.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to resume when a guess about the last `*` turns out wrong.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_match_what_they_should() {
        for pattern in [
            "*",
            "nvml*",
            "*Usage",
            "nvml*Power*",
            "nvmlDeviceGet?owerUsage",
            "nvmlDeviceGetPowerUsage",
        ] {
            assert!(matches(pattern, "nvmlDeviceGetPowerUsage"), "{pattern}");
        }
        for pattern in ["", "nvml", "*Usag", "nvml?", "Nvml*", "nvmlDeviceGetPowerUsage?"] {
            assert!(!matches(pattern, "nvmlDeviceGetPowerUsage"), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_matches_itself_and_its_own_pieces(text in "[a-zA-Z_]{0,20}", cut in 0_usize..20) {
            let cut = cut.min(text.len());
            let pieces = format!("{}*", &text[..cut]);
            proptest::prop_assert!(matches(&text, &text));
            proptest::prop_assert!(matches(&pieces, &text));
        }
    }
}
