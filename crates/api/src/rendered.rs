//! A body as it goes over the wire: each encoding is made at most once, on first use, and shared from then on.

use std::{
    io::{self, Write as _},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use crate::negotiation::Coding;

/// The level at which a body that lives for a fraction of a second is worth compressing.
const FAST: u32 = 1;

/// Gives each rendering a name that no other rendering of this or an earlier process has.
#[derive(Debug)]
pub(crate) struct Tags {
    boot: u64,
    next: AtomicU64,
}

impl Tags {
    pub(crate) fn new(boot: u64) -> Self {
        Self {
            boot,
            next: AtomicU64::new(0),
        }
    }

    fn draw(&self) -> String {
        format!(
            "{:016x}-{:x}",
            self.boot,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// How many bodies were rendered so far.
    #[cfg(test)]
    pub(crate) fn drawn(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

/// One body in all encodings that were asked for.
#[derive(Debug)]
pub(crate) struct Rendered {
    content_type: HeaderValue,
    tag: String,
    identity: Encoded,
    gzip: OnceLock<Option<Encoded>>,
    zstd: OnceLock<Option<Encoded>>,
}

/// One encoding of a body, with its headers ready to be sent.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    /// Strong: it names these very bytes.
    pub(crate) etag: HeaderValue,
    /// Nothing for the bytes as they are.
    pub(crate) content_encoding: Option<HeaderValue>,
}

impl Rendered {
    /// `value` as JSON.
    pub(crate) fn json(value: &impl Serialize, tags: &Tags) -> Self {
        Self::ready_json(to_json(value), tags)
    }

    /// What is JSON already.
    pub(crate) fn ready_json(json: Vec<u8>, tags: &Tags) -> Self {
        Self::new(exact(json), HeaderValue::from_static("application/json"), tags)
    }

    /// A body of any type.
    pub(crate) fn new(bytes: impl Into<Bytes>, content_type: HeaderValue, tags: &Tags) -> Self {
        Self::tagged(bytes, content_type, tags.draw())
    }

    /// A body of any type whose tag names its content: the next process gives it the same.
    pub(crate) fn tagged(bytes: impl Into<Bytes>, content_type: HeaderValue, tag: String) -> Self {
        Self {
            content_type,
            identity: Encoded::new(bytes.into(), &tag, Coding::Identity),
            tag,
            gzip: OnceLock::new(),
            zstd: OnceLock::new(),
        }
    }

    pub(crate) fn content_type(&self) -> HeaderValue {
        self.content_type.clone()
    }

    /// The bytes as they are.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.identity.bytes
    }

    /// The body in `coding`; made now if nobody asked for it before. Two callers at once: one makes it, one waits.
    pub(crate) fn encoded(&self, coding: Coding) -> &Encoded {
        let place = match coding {
            Coding::Identity => return &self.identity,
            Coding::Gzip => &self.gzip,
            Coding::Zstd => &self.zstd,
        };
        let made = place.get_or_init(|| match compress(&self.identity.bytes, coding) {
            Ok(bytes) => Some(Encoded::new(bytes, &self.tag, coding)),
            Err(error) => {
                tracing::error!(%error, coding = coding.as_str(), "body sent as it is: it could not be compressed");
                None
            }
        });
        made.as_ref().unwrap_or(&self.identity)
    }
}

impl Encoded {
    fn new(bytes: Bytes, tag: &str, coding: Coding) -> Self {
        let suffix = match coding {
            Coding::Identity => "",
            Coding::Gzip => "-gzip",
            Coding::Zstd => "-zstd",
        };
        let etag = HeaderValue::from_maybe_shared(Bytes::from(format!("\"{tag}{suffix}\"")))
            .expect("digits, letters and dashes are a header value");
        Self {
            bytes,
            etag,
            content_encoding: content_encoding(coding),
        }
    }
}

/// What was made, in as many bytes as it has. Whoever makes something of unknown length leaves room behind it, compressors as
/// much as the worst case takes, and a body is held for as long as it may be asked for again.
pub(crate) fn exact(made: Vec<u8>) -> Bytes {
    made.into_boxed_slice().into()
}

/// `value` as JSON bytes.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("bodies are structs and maps with text for keys")
}

/// `bytes` in `coding` for one answer, and the header that says so; as they are if they cannot be compressed.
pub(crate) fn in_coding(bytes: Vec<u8>, coding: Coding) -> (Bytes, Option<HeaderValue>) {
    let bytes = Bytes::from(bytes);
    match compress(&bytes, coding) {
        Ok(made) => (made, content_encoding(coding)),
        Err(error) => {
            tracing::error!(%error, coding = coding.as_str(), "body sent as it is: it could not be compressed");
            (bytes, None)
        }
    }
}

fn content_encoding(coding: Coding) -> Option<HeaderValue> {
    match coding {
        Coding::Identity => None,
        Coding::Gzip => Some(HeaderValue::from_static("gzip")),
        Coding::Zstd => Some(HeaderValue::from_static("zstd")),
    }
}

fn compress(bytes: &Bytes, coding: Coding) -> io::Result<Bytes> {
    match coding {
        Coding::Identity => Ok(bytes.clone()),
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(FAST));
            encoder.write_all(bytes)?;
            encoder.finish().map(exact)
        }
        Coding::Zstd => zstd::bulk::compress(bytes, FAST.cast_signed()).map(exact),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_body_takes_no_more_than_its_bytes() {
        let plain = Bytes::from(vec![b' '; 100_000]);
        for coding in [Coding::Gzip, Coding::Zstd] {
            let made = compress(&plain, coding).unwrap();
            let length = made.len();
            // Nobody else has it: that is the memory itself.
            assert_eq!(Vec::from(made).capacity(), length, "{coding:?}");
        }
    }
}
