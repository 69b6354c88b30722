//! Who the agent is to a receiver, and whom it trusts: headers, credentials and certificates. Most of them are in files,
//! which are read again for every batch, so that what is renewed there holds from the next batch on.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::listed::Headers;

/// The most that is read of a file: no header, token or bundle of authorities is as long.
const LONGEST: u64 = 1024 * 1024;

/// The files of one receiver, and headers that come from none. None of them need be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Headers to send with each batch, but for those that the next file has.
    pub headers: Headers,
    /// Headers to send with each batch, a line `Name: value` each.
    pub headers_file: Option<PathBuf>,
    /// A bearer token.
    pub token_file: Option<PathBuf>,
    /// The name of a user whose password is in the next file.
    pub username: Option<String>,
    /// The password.
    pub password_file: Option<PathBuf>,
    /// Authorities that the receiver's certificate may come from, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The certificate that the agent shows.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}", path = .path.display())]
pub struct FileError {
    path: PathBuf,
    problem: String,
}

/// What the files about TLS contain; PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TlsText {
    pub(crate) ca: Option<Vec<u8>>,
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Access {
    /// Whether there is something to be kept secret in the headers.
    pub fn has_credentials(&self) -> bool {
        !self.headers.is_empty()
            || self.headers_file.is_some()
            || self.token_file.is_some()
            || self.password_file.is_some()
    }

    /// Files that nobody else should read.
    pub fn secret_files(&self) -> impl Iterator<Item = &Path> {
        let files = [
            &self.headers_file,
            &self.token_file,
            &self.password_file,
            &self.key,
        ];
        files.into_iter().flatten().map(PathBuf::as_path)
    }

    /// The headers to send, as the files say now.
    ///
    /// # Errors
    ///
    /// With the file that cannot be read or sent.
    pub fn headers(&self) -> Result<HeaderMap, FileError> {
        let mut headers = HeaderMap::new();
        if let Some(path) = &self.headers_file {
            for (number, line) in (1..).zip(text(path)?.lines()) {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let Some((name, value)) = header(line) else {
                    let problem = format!("line {number} is no header: write `Name: value`");
                    return Err(FileError::new(path, problem));
                };
                headers.append(name, value);
            }
        }
        self.headers.add_to(&mut headers);
        let mut authorize = |path: &Path, value: String| match secret(&value) {
            Some(value) => {
                headers.insert(AUTHORIZATION, value);
                Ok(())
            }
            None => Err(FileError::new(path, "it cannot be sent in a header")),
        };
        if let Some(path) = &self.token_file {
            authorize(path, format!("Bearer {}", text(path)?.trim()))?;
        } else if let (Some(name), Some(path)) = (&self.username, &self.password_file) {
            let both = format!("{name}:{}", text(path)?.trim_end_matches(['\r', '\n']));
            authorize(path, format!("Basic {}", STANDARD.encode(both)))?;
        }
        Ok(headers)
    }

    /// What the files about TLS contain now.
    pub(crate) fn tls(&self) -> Result<TlsText, FileError> {
        Ok(TlsText {
            ca: self.ca.as_deref().map(bytes).transpose()?,
            identity: match (&self.certificate, &self.key) {
                (Some(certificate), Some(key)) => Some((bytes(certificate)?, bytes(key)?)),
                _ => None,
            },
        })
    }
}

impl FileError {
    fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    Some((name, secret(value.trim())?))
}

/// A value that no log shows.
fn secret(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| FileError::new(path, format!("it cannot be read: {error}")))
}

fn text(path: &Path) -> Result<String, FileError> {
    String::from_utf8(bytes(path)?).map_err(|_| FileError::new(path, "it is no text"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn headers_and_credentials_are_what_the_files_say_now() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            Some(path)
        };
        let mut access = Access {
            headers_file: path(
                "headers",
                "# for the gateway\nX-Scope-OrgID: gpus\n\napi-key:a:b \n",
            ),
            token_file: path("token", "secret\n"),
            ..Access::default()
        };
        let headers = access.headers().unwrap();
        assert_eq!(headers["x-scope-orgid"], "gpus");
        assert_eq!(headers["api-key"], "a:b");
        assert_eq!(headers[AUTHORIZATION], "Bearer secret");
        assert!(!format!("{headers:?}").contains("secret"), "{headers:?}");
        path("token", "renewed");
        assert_eq!(access.headers().unwrap()[AUTHORIZATION], "Bearer renewed");
        access.token_file = None;
        access.username = Some("Aladdin".to_owned());
        access.password_file = path("password", "open sesame\n");
        assert_eq!(
            access.headers().unwrap()[AUTHORIZATION],
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let headers = directory.path().join("headers");
        fs::write(&headers, "fine: yes\nnot a header\n").unwrap();
        let mut access = Access {
            headers_file: Some(headers),
            ..Access::default()
        };
        let error = access.headers().unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("headers"), "{error}");
        access.headers_file = Some("/nowhere".into());
        assert!(access.headers().unwrap_err().to_string().contains("/nowhere"));
        access.ca = Some("/no/ca".into());
        assert!(access.tls().err().unwrap().to_string().contains("/no/ca"));
    }
}
