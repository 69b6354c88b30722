//! Lists as OpenTelemetry's variables have them: `name=value,name=value`, where what would end a value is `%2C`.

use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// A text that is no such list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry {0} is not of the form name=value, with % before the two digits of each byte that is written so"
)]
pub struct NotListed(usize);

/// The names and values of a list, in their order. Empty entries are passed over and not counted.
///
/// # Errors
///
/// With the place of an entry that has no name, or bytes that are no text. What it says is not repeated: it may be secret.
pub fn listed(text: &str) -> Result<Vec<(String, String)>, NotListed> {
    let entries = (1..).zip(text.split(',').filter(|entry| !entry.trim().is_empty()));
    let read = |(place, entry): (usize, &str)| {
        let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8().map(String::from);
        let (name, value) = entry.split_once('=').ok_or(NotListed(place))?;
        let name = decoded(name).map_err(|_| NotListed(place))?;
        let value = decoded(value).map_err(|_| NotListed(place))?;
        if name.is_empty() {
            return Err(NotListed(place));
        }
        Ok((name, value))
    };
    entries.map(read).collect()
}

/// Headers that are known without a file. No log shows their values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

impl Headers {
    /// Reads a list of headers.
    ///
    /// # Errors
    ///
    /// With the place of an entry that is no header.
    pub fn listed(text: &str) -> Result<Self, NotListed> {
        let mut headers = HeaderMap::new();
        for (place, (name, value)) in (1..).zip(listed(text)?) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| NotListed(place))?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| NotListed(place))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Self(headers))
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those whose name `others` does not have.
    pub(super) fn add_to(&self, others: &mut HeaderMap) {
        let missing: Vec<_> = self
            .0
            .keys()
            .filter(|name| !others.contains_key(*name))
            .cloned()
            .collect();
        for name in missing {
            for value in self.0.get_all(&name) {
                others.append(name.clone(), value.clone());
            }
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_told_apart_and_decoded() {
        let pairs = |list: &[(&str, &str)]| {
            let owned = list
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Ok(owned.collect::<Vec<_>>())
        };
        assert_eq!(
            listed("service.namespace=gpu, rack=7%2C8,,equal=a=b"),
            pairs(&[("service.namespace", "gpu"), ("rack", "7,8"), ("equal", "a=b")])
        );
        assert_eq!(listed(""), pairs(&[]));
        assert_eq!(listed("a=1,alone"), Err(NotListed(2)));
        assert_eq!(listed("=1"), Err(NotListed(1)));
        assert_eq!(listed("a=%FF"), Err(NotListed(1)));
    }

    #[test]
    fn headers_are_kept_secret_and_those_of_a_file_win() {
        let headers = Headers::listed("authorization=Basic%20c2VjcmV0,x-scope=gpus").unwrap();
        assert!(!format!("{headers:?}").contains("c2VjcmV0"), "{headers:?}");
        let mut sent = HeaderMap::new();
        sent.insert("x-scope", HeaderValue::from_static("others"));
        headers.add_to(&mut sent);
        assert_eq!(sent["authorization"], "Basic c2VjcmV0");
        assert_eq!(sent.get_all("x-scope").iter().collect::<Vec<_>>(), ["others"]);
        assert!(sent["authorization"].is_sensitive());
        let error = Headers::listed("x-key=a%0Ab").unwrap_err().to_string();
        assert!(error.contains("entry 1"), "{error}");
    }
}
