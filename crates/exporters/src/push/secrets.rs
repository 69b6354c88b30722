//! What receivers are shown, kept out of what is said about them.

use reqwest::header::HeaderMap;

/// What is shown to a receiver and must not be seen in the log, where its answers are: some repeat what they refuse.
pub(crate) struct Secrets(Vec<String>);

/// Texts that are shorter hide nothing, and would be found everywhere.
const SHORTEST_SECRET: usize = 4;

impl Secrets {
    /// Those in `headers`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values = headers.values().filter(|value| value.is_sensitive());
        let words = values
            .filter_map(|value| value.to_str().ok())
            .filter_map(|value| value.split_ascii_whitespace().last());
        let words = words.filter(|word| word.len() >= SHORTEST_SECRET);
        Self(words.map(ToOwned::to_owned).collect())
    }

    /// `text` without them.
    pub(crate) fn hidden_in(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| text.replace(secret, "…"))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn what_a_receiver_repeats_of_the_credentials_is_not_shown() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer s3cret-token"),
            ("x-key", "k3y-k3y"),
            ("x-tiny", "a"),
        ] {
            let mut value: HeaderValue = value.parse().unwrap();
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert("x-scope-orgid", "gpus".parse().unwrap());
        let said = "a Bearer s3cret-token and a key k3y-k3y for gpus".to_owned();
        assert_eq!(
            Secrets::of(&headers).hidden_in(said),
            "a Bearer … and a key … for gpus"
        );
    }
}
