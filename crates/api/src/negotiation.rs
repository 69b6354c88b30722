//! Which encoding a client wants, and whether it already has the body.
//!
//! Both headers are read where they lie: this happens on every request, and actix-web's own types would build lists
//! (and take `identity;q=0, *` for leave to send the plain body).

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// The weight of what a client lists without one, in thousandths.
const FULL: u16 = 1000;

/// The encodings that bodies come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// The name used in headers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// The encoding in which a request with these headers is answered; nothing if it refuses all of them.
///
/// The client's own weights decide; at equal weight the smaller body wins. A bare `*` does not get a compressed
/// body as long as the plain one will do, because clients send it without being able to decompress anything.
pub(crate) fn coding(headers: &HeaderMap) -> Option<Coding> {
    Weights::of(headers).choose()
}

/// Whether the client takes a body that is not compressed.
pub(crate) fn takes_plain(headers: &HeaderMap) -> bool {
    Weights::of(headers).identity() > 0
}

/// What a client says of the encodings that bodies come in, in thousandths.
#[derive(Debug, Default)]
struct Weights {
    identity: Option<u16>,
    gzip: Option<u16>,
    zstd: Option<u16>,
    /// What is said of those not listed.
    any: Option<u16>,
}

impl Weights {
    fn of(headers: &HeaderMap) -> Self {
        let mut weights = Self::default();
        for value in headers.get_all(header::ACCEPT_ENCODING) {
            for item in value.as_bytes().split(|byte| *byte == b',') {
                weights.take(item);
            }
        }
        weights
    }

    /// Not listed at all, the plain body is acceptable after everything that is listed.
    fn identity(&self) -> u16 {
        self.identity.or(self.any).unwrap_or(1)
    }

    /// Notes one item of the list, such as `gzip;q=0.8`. What cannot be read is passed over.
    fn take(&mut self, item: &[u8]) {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let place = match name {
            b"*" => &mut self.any,
            name if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => {
                &mut self.gzip
            }
            name if name.eq_ignore_ascii_case(b"zstd") => &mut self.zstd,
            name if name.eq_ignore_ascii_case(b"identity") => &mut self.identity,
            _ => return,
        };
        let quality = parts.find_map(|part| part.strip_prefix(b"q=").or(part.strip_prefix(b"Q=")));
        let Some(weight) = quality.map_or(Some(FULL), weight) else {
            return;
        };
        // Listed twice: the lower weight, so that a refusal holds.
        *place = Some(place.map_or(weight, |earlier| earlier.min(weight)));
    }

    fn choose(&self) -> Option<Coding> {
        let candidates = [
            (Coding::Identity, self.identity()),
            (Coding::Gzip, self.gzip.unwrap_or(0)),
            (Coding::Zstd, self.zstd.unwrap_or(0)),
        ];
        let wanted = candidates.into_iter().filter(|(_, weight)| *weight > 0);
        if let Some((best, _)) = wanted.max_by_key(|(_, weight)| *weight) {
            return Some(best);
        }
        match (self.any.unwrap_or(0) > 0, self.gzip, self.zstd) {
            (true, None, _) => Some(Coding::Gzip),
            (true, _, None) => Some(Coding::Zstd),
            _ => None,
        }
    }
}

/// `0.8` in thousandths; nothing if it is no weight.
fn weight(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &b""[..]),
    };
    let mut weight = match whole {
        b"0" => 0,
        b"1" => FULL,
        _ => return None,
    };
    if fraction.len() > 3 {
        return None;
    }
    for (digit, worth) in fraction.iter().zip([100, 10, 1]) {
        weight += u16::try_from(char::from(*digit).to_digit(10)?).ok()? * worth;
    }
    (weight <= FULL).then_some(weight)
}

/// Whether `If-None-Match` names `etag`, or any (`*`). Compared weakly, as RFC 9110 asks for this header.
///
/// A tag of another server may contain a comma and is then cut in two; neither half can equal one of ours.
pub(crate) fn has_already(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get_all(header::IF_NONE_MATCH).any(|value| {
        let value = value.as_bytes().trim_ascii();
        value == b"*"
            || value.split(|byte| *byte == b',').any(|tag| {
                let tag = tag.trim_ascii();
                tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes()
            })
    })
}
