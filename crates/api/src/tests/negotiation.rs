//! No header makes the parser panic, and no client gets what it refused.

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, IF_NONE_MATCH};
use proptest::prelude::*;

use crate::negotiation::{Coding, coding, has_already};

fn chosen(accept: &str) -> Option<Coding> {
    let value = HeaderValue::from_bytes(accept.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, value);
    coding(&headers)
}

#[test]
fn the_clients_weights_decide() {
    use Coding::{Gzip, Identity, Zstd};
    assert_eq!(coding(&HeaderMap::new()), Some(Identity));
    for (accept, expected) in [
        ("", Some(Identity)),
        ("gzip", Some(Gzip)),
        ("gzip, deflate, br, zstd", Some(Zstd)),
        ("gzip, deflate", Some(Gzip)),
        ("GZIP", Some(Gzip)),
        ("br", Some(Identity)),
        ("gzip;q=0.5, zstd;q=0.4", Some(Gzip)),
        ("gzip;q=0.5, identity;q=0.8", Some(Identity)),
        ("gzip;q=0", Some(Identity)),
        ("gzip;q=0, zstd;q=0, identity;q=0.1", Some(Identity)),
        ("*", Some(Identity)),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("identity;q=0, *", Some(Gzip)),
        ("identity;q=0, gzip;q=0, *", Some(Zstd)),
        ("identity;q=0, gzip", Some(Gzip)),
        ("*;q=0, identity", Some(Identity)),
        ("gzip;q=1, gzip;q=0", Some(Identity)),
        ("gzip;q=x", Some(Identity)),
        ("gzip;q=1.001", Some(Identity)),
        ("gzip ; q=0.001", Some(Gzip)),
        ("zstd;Q=0, gzip;level=9;Q=1.000", Some(Gzip)),
        ("x-gzip", Some(Gzip)),
        (",,;;==,q", Some(Identity)),
    ] {
        assert_eq!(chosen(accept), expected, "{accept:?}");
    }
}

/// Names and weights, and what a client says with them.
fn listed() -> impl Strategy<Value = Vec<(&'static str, u16)>> {
    let name = prop::sample::select(vec!["gzip", "zstd", "identity", "*", "br", "x-unknown"]);
    prop::collection::vec((name, 0_u16..=1000), 0..6)
}

proptest! {
    #[test]
    fn no_client_gets_an_encoding_that_it_refused(listed in listed()) {
        let accept: Vec<_> = listed
            .iter()
            .map(|(name, weight)| format!("{name};q={}.{:03}", weight / 1000, weight % 1000))
            .collect();
        let refused = |name: &str| {
            let mut weights = listed.iter().filter(|(listed, _)| *listed == name).map(|(_, weight)| *weight);
            weights.clone().next().map(|_| weights.any(|weight| weight == 0))
        };
        if let Some(coding) = chosen(&accept.join(", ")) {
            let unlisted = refused("*").unwrap_or(coding != Coding::Identity);
            prop_assert!(!refused(coding.as_str()).unwrap_or(unlisted), "{coding:?} for {accept:?}");
        } else {
            prop_assert!(refused("identity").or(refused("*")) == Some(true), "{accept:?}");
        }
    }

    #[test]
    fn no_header_makes_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.clone());
            headers.insert(IF_NONE_MATCH, value);
            let _ = coding(&headers);
            let _ = has_already(&headers, &HeaderValue::from_static("\"tag\""));
        }
    }

    #[test]
    fn a_body_is_known_if_and_only_if_its_tag_is_listed(tags in prop::collection::vec("[a-c]{1,2}", 0..5), weak: bool) {
        let value: Vec<_> = tags.iter().map(|tag| format!("{}\"{tag}\"", if weak { "W/" } else { "" })).collect();
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, value.join(",").parse().unwrap());
        let listed = tags.iter().any(|tag| tag == "a");
        prop_assert_eq!(has_already(&headers, &HeaderValue::from_static("\"a\"")), listed);
    }
}
