//! `?fields=`: which keys of a body a client wants.

use gpulse_models::catalogue::{Metric, What};

use super::nearest;
use crate::problem::{Mistake, clipped};

/// A key that can be asked for, and what is below it.
#[derive(Debug)]
pub(crate) struct Word {
    key: &'static str,
    below: Vec<Self>,
    /// Whether there is a list below, whose positions are left out of paths.
    is_list: bool,
}

/// What is wanted of what is below a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of it.
    All,
    /// These keys.
    Only(Vec<(&'static str, Selection)>),
}

impl Word {
    /// A key with nothing below it.
    pub(crate) fn leaf(key: &'static str) -> Self {
        Self::part(key, Vec::new())
    }

    /// A key with others below it.
    pub(crate) fn part(key: &'static str, below: Vec<Self>) -> Self {
        Self {
            key,
            below,
            is_list: false,
        }
    }

    /// A key with a list below it, and the keys of what is in the list.
    pub(crate) fn list(key: &'static str, below: Vec<Self>) -> Self {
        Self {
            is_list: true,
            ..Self::part(key, below)
        }
    }

    /// The keys of a table of readings.
    pub(crate) fn all(metrics: &[Metric]) -> Vec<Self> {
        let word = |metric: &Metric| match metric.what {
            What::Reading(_) => Self::leaf(metric.key),
            What::Part(below) => Self::part(metric.key, Self::all(below)),
            What::List(_, below) => Self::list(metric.key, Self::all(below)),
        };
        metrics.iter().map(word).collect()
    }

    #[cfg(test)]
    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    #[cfg(test)]
    pub(crate) fn below(&self) -> &[Self] {
        &self.below
    }
}

impl Selection {
    /// Reads paths such as `power.draw_watts,load`; a path selects everything below it.
    ///
    /// # Errors
    ///
    /// If a path is none of `words`, with those that are nearest to it.
    pub(crate) fn parse(text: &str, words: &'static [Word]) -> Result<Self, Mistake> {
        let mut selection = Self::Only(Vec::new());
        for path in text.split(',') {
            selection.add(path.trim_ascii(), words)?;
        }
        Ok(selection)
    }

    /// What is wanted of what is below `key`; nothing if the key is not wanted at all.
    pub(crate) fn below(&self, key: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Only(keys) => keys
                .iter()
                .find(|(wanted, _)| *wanted == key)
                .map(|(_, below)| below),
        }
    }

    /// Adds keys that are sent whatever a client selects: below `part`, if that is wanted, or else at the top.
    pub(crate) fn always(mut self, part: Option<&'static str>, keys: &[&'static str]) -> Self {
        let place = match (part, &mut self) {
            (None, place) => Some(place),
            (Some(part), Self::Only(parts)) => parts
                .iter_mut()
                .find(|(wanted, _)| *wanted == part)
                .map(|(_, below)| below),
            (Some(_), Self::All) => None,
        };
        if let Some(place) = place {
            for key in keys {
                *place.open(key) = Self::All;
            }
        }
        self
    }

    fn add(&mut self, path: &str, words: &'static [Word]) -> Result<(), Mistake> {
        let (mut here, mut words, mut is_list) = (self, words, false);
        let mut above = Vec::new();
        for part in path.split('.') {
            let Some(word) = words.iter().find(|word| word.key == part) else {
                return Err(unknown(path, &above.join("."), part, words, is_list));
            };
            here = here.open(word.key);
            above.push(word.key);
            (words, is_list) = (&word.below, word.is_list);
        }
        *here = Self::All;
        Ok(())
    }

    /// The place of `key`, made if it is not there. What is selected as a whole stays so.
    fn open(&mut self, key: &'static str) -> &mut Self {
        match self {
            Self::All => self,
            Self::Only(keys) => {
                let known = keys.iter().position(|(known, _)| *known == key);
                let place = known.unwrap_or_else(|| {
                    keys.push((key, Self::Only(Vec::new())));
                    keys.len() - 1
                });
                &mut keys[place].1
            }
        }
    }
}

/// `part` is no key below `above`.
fn unknown(path: &str, above: &str, part: &str, words: &[Word], is_list: bool) -> Mistake {
    let is_position = is_list && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let message = if is_position {
        format!("positions in lists are left out: name what is wanted of `{above}` for all of them")
    } else if words.is_empty() {
        format!("there is nothing below `{above}`")
    } else {
        let within = if above.is_empty() {
            String::new()
        } else {
            format!(" in `{above}`")
        };
        let keys = nearest::nearest(part, words.iter().map(|word| word.key));
        let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
        let part = clipped(part);
        format!(
            "there is no field `{part}`{within}; the nearest are {}",
            keys.join(", ")
        )
    };
    Mistake {
        kind: "unknown_field",
        parameter: "fields",
        message,
        input: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use gpulse_models::{Thermal, catalogue::Catalogued as _};

    use super::*;

    static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
        vec![
            Word::leaf("state"),
            Word::part("thermal", Word::all(Thermal::METRICS)),
        ]
    });

    fn message(text: &str) -> String {
        Selection::parse(text, &WORDS).unwrap_err().message
    }

    #[test]
    fn a_path_selects_everything_below_it_and_nothing_beside_it() {
        let selection = Selection::parse("thermal.fans, state", &WORDS).unwrap();
        let thermal = selection.below("thermal").unwrap();
        let fans = thermal.below("fans").unwrap();
        assert_eq!(fans.below("speed_rpm"), Some(&Selection::All));
        assert_eq!(thermal.below("gpu_celsius"), None);
        assert_eq!(selection.below("power"), None);
    }

    #[test]
    fn the_wider_of_two_paths_holds_in_either_order() {
        let wide = Selection::parse("thermal", &WORDS).unwrap();
        for text in ["thermal,thermal.gpu_celsius", "thermal.gpu_celsius,thermal"] {
            assert_eq!(Selection::parse(text, &WORDS).unwrap(), wide, "{text}");
        }
    }

    #[test]
    fn a_wrong_path_is_answered_with_what_was_probably_meant() {
        let text = message("thermal.gpu_celcius");
        assert!(
            text.contains("no field `gpu_celcius` in `thermal`; the nearest are `gpu_celsius`"),
            "{text}"
        );
        assert!(message("thermla").contains("the nearest are `thermal`"));
        assert!(message("").contains("the nearest are `state`"));
        assert!(message("state,").contains("there is no field ``"));
        assert_eq!(message("state.x"), "there is nothing below `state`");
        assert!(message("thermal.fans.0.speed_rpm").contains("positions in lists are left out"));
    }

    #[test]
    fn what_is_always_sent_is_added_where_something_is_selected() {
        let selection = Selection::parse("thermal.fans", &WORDS).unwrap();
        let selection = selection.always(Some("thermal"), &["gpu_celsius"]);
        let thermal = selection.below("thermal").unwrap();
        assert_eq!(thermal.below("gpu_celsius"), Some(&Selection::All));
        let elsewhere = Selection::parse("state", &WORDS).unwrap();
        assert_eq!(
            elsewhere.clone().always(Some("thermal"), &["gpu_celsius"]),
            elsewhere
        );
    }
}
