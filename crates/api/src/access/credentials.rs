//! The `Authorization` header.

use std::fmt;

use actix_web::http::header::{self, HeaderMap};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What a client shows.
#[derive(Debug)]
pub(crate) enum Credentials<'a> {
    /// A token.
    Bearer(&'a [u8]),
    /// A user's name and password.
    Basic(Basic),
}

/// A user's name and password. They are not shown by `Debug`.
pub(crate) struct Basic {
    pub(super) user: String,
    pub(super) password: Vec<u8>,
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}

impl<'a> Credentials<'a> {
    /// Nothing if there are none, if they are of no kind that is known, or if there are several: which of them counts
    /// must not be a matter of who reads them.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::AUTHORIZATION);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        let value = value.as_bytes();
        let space = value.iter().position(|byte| *byte == b' ')?;
        let (scheme, rest) = (&value[..space], value[space..].trim_ascii());
        if rest.is_empty() {
            return None;
        }
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Some(Self::Bearer(rest));
        }
        if scheme.eq_ignore_ascii_case(b"basic") {
            return Basic::decode(rest).map(Self::Basic);
        }
        None
    }
}

impl Basic {
    fn decode(text: &[u8]) -> Option<Self> {
        let mut user = STANDARD.decode(text).ok()?;
        let colon = user.iter().position(|byte| *byte == b':')?;
        let password = user.split_off(colon + 1);
        user.pop();
        Some(Self {
            user: String::from_utf8(user).ok()?,
            password,
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn both_kinds_are_read_in_any_case() {
        for text in ["Bearer abc", "bearer   abc ", "BEARER abc"] {
            let headers = headers(&[text.as_bytes()]);
            assert!(
                matches!(Credentials::of(&headers), Some(Credentials::Bearer(b"abc"))),
                "{text}"
            );
        }
        let headers = headers(&[b"basic YW5uOmE6Yg=="]);
        let Some(Credentials::Basic(basic)) = Credentials::of(&headers) else {
            panic!("no credentials")
        };
        assert_eq!(
            (basic.user.as_str(), basic.password.as_slice()),
            ("ann", &b"a:b"[..])
        );
    }

    #[test]
    fn what_is_not_clear_is_nothing() {
        for values in [
            &[][..],
            &[&b""[..]],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"abc"],
            &[b"Digest abc"],
            &[b"Basic YW5u"],
            &[b"Basic ???"],
            &[b"Basic /////w=="],
            &[b"Bearer a", b"Bearer b"],
        ] {
            assert!(Credentials::of(&headers(values)).is_none(), "{values:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let headers = headers(&[b"Basic YW5uOnNlY3JldA=="]);
        let shown = format!("{:?}", Credentials::of(&headers));
        assert!(!shown.contains("secret") && !shown.contains("115"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut headers = HeaderMap::new();
                headers.insert(header::AUTHORIZATION, value);
                let _ = Credentials::of(&headers);
            }
        }

        #[test]
        fn names_and_passwords_come_back(user in "[^:]{0,20}", password in "\\PC{0,30}") {
            let header = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            let headers = headers(&[header.as_bytes()]);
            let Some(Credentials::Basic(basic)) = Credentials::of(&headers) else { panic!("no credentials") };
            prop_assert_eq!(basic.user, user);
            prop_assert_eq!(basic.password, password.as_bytes());
        }
    }
}
