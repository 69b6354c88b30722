//! Names with values: a text `name=value,name=value`, or a list of texts `name=value` where values have commas.

use std::fmt;

use serde::{Deserializer, Serialize, Serializer, de};

/// Names with values, in their order.
pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn serialize<S: Serializer>(pairs: &Pairs, serializer: S) -> Result<S::Ok, S::Error> {
    let texts: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    texts.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
    deserializer.deserialize_any(PairTexts)
}

struct PairTexts;

impl<'de> de::Visitor<'de> for PairTexts {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("texts `name=value`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Pairs, E> {
        all(text.split(','))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut texts: A) -> Result<Pairs, A::Error> {
        let mut list = Vec::new();
        while let Some(text) = texts.next_element::<String>()? {
            list.push(text);
        }
        all(list.iter().map(String::as_str))
    }
}

fn all<'t, E: de::Error>(texts: impl Iterator<Item = &'t str>) -> Result<Pairs, E> {
    let mut pairs = Pairs::new();
    for text in texts {
        let pair = text
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        let Some((name, value)) = pair.filter(|(name, _)| !name.is_empty()) else {
            return Err(E::custom(format_args!("`{text}` is not of the form name=value")));
        };
        if pairs.iter().any(|(other, _)| other == name) {
            return Err(E::custom(format_args!("`{name}` is there twice")));
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}
