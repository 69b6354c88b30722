//! The web dashboard: the files of `ui/`, carried in the binary, and the policy that the browser holds them to.
//!
//! Plain ES modules, style sheets and one page: nothing is built, and nothing comes from another server. This crate knows
//! no HTTP; the API serves [`asset`] below `/ui/` and the [`Page`] at `/`.

mod page;

pub use page::{Links, Page, is_source};

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

/// The file that the page is made of.
const PAGE: &str = "index.html";

/// Digits of a file's hash that are its tag: enough to tell its versions apart.
const TAG_BYTES: usize = 16;

#[derive(RustEmbed)]
#[folder = "ui/"]
struct Files;

/// A file of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type, as `content-type` says it.
    pub content_type: &'static str,
    /// Names the content, in hexadecimal digits: the same in every process, another for every other content.
    pub etag: String,
}

/// The file at `path`, such as `core/store.js`; nothing if there is none. The page itself is not among them.
pub fn asset(path: &str) -> Option<Asset> {
    let content_type = content_type(path)?;
    let EmbeddedFile { data, metadata, .. } = Files::get(path)?;
    Some(Asset {
        bytes: data,
        content_type,
        etag: hex(&metadata.sha256_hash()[..TAG_BYTES]),
    })
}

/// The paths of all of them.
pub fn paths() -> impl Iterator<Item = Cow<'static, str>> {
    Files::iter().filter(|path| content_type(path).is_some())
}

/// The types that there are. What is of another one is no part of the dashboard and is not served.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
