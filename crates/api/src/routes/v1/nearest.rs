//! Which known words are nearest to one that is not known. The command line names them, too.

/// Words that are named: enough to hold the right one, few enough to be read.
const NAMED: usize = 3;

/// Characters of the unknown word that are looked at: longer than any key.
const LOOKED_AT: usize = 64;

/// The words that are nearest to `unknown`, the nearest first.
pub fn nearest(unknown: &str, words: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let unknown: Vec<char> = unknown.chars().take(LOOKED_AT).collect();
    let text: String = unknown.iter().collect();
    let mut ranked: Vec<_> = words
        .map(|word| {
            let contained = !text.is_empty() && (word.contains(&text) || text.contains(word));
            (!contained, distance(&unknown, word), word)
        })
        .collect();
    // Stable: words that are equally near stay in the order of the body.
    ranked.sort_by_key(|(apart, distance, _)| (*apart, *distance));
    ranked.into_iter().take(NAMED).map(|(.., word)| word).collect()
}

/// How many characters have to be put in, left out or replaced to make the one of the other.
fn distance(unknown: &[char], word: &str) -> usize {
    let mut row: Vec<usize> = (0..=unknown.len()).collect();
    for (line, right) in word.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, left) in unknown.iter().enumerate() {
            let replaced = diagonal + usize::from(*left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[unknown.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_number_of_changes() {
        let between = |left: &str, right| distance(&left.chars().collect::<Vec<_>>(), right);
        for (left, right, changes) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("draw_wats", "draw_watts", 1),
        ] {
            assert_eq!(between(left, right), changes, "{left} {right}");
        }
    }

    #[test]
    fn a_part_of_a_word_is_nearer_than_another_short_word() {
        let words = ["source", "mean_watts", "draw_watts", "interval"];
        assert_eq!(nearest("draw", words.into_iter())[0], "draw_watts");
        assert_eq!(nearest("drawn_watts", words.into_iter())[0], "draw_watts");
    }
}
