//! The keys that say who may read: TLS, credentials, the unix socket; and how they go together.

use std::{fmt, net::SocketAddr, num::NonZeroU32, path::PathBuf};

use gpulse_api::{CredentialFiles, RateLimit, Scope, Security, TlsFiles, UnixSocketSettings};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    Config,
    addresses::is_exposed,
    schema::{Http, Violation},
};

/// Certificates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) client_scopes: Vec<Scope>,
}

/// Credentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    pub(crate) tokens_file: Option<PathBuf>,
    pub(crate) users_file: Option<PathBuf>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            client_ca: None,
            client_scopes: vec![Scope::Read, Scope::Metrics],
        }
    }
}

/// Permissions, written in octal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

/// All permissions that there are.
const ALL: u32 = 0o777;

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:04o}", self.0))
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OctalText)
    }
}

struct OctalText;

impl de::Visitor<'_> for OctalText {
    type Value = Mode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permissions in octal digits, as a text such as \"0660\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Mode, E> {
        let digits =
            (3..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        let mode = u32::from_str_radix(text, 8).ok();
        match mode.filter(|mode| digits && *mode <= ALL) {
            Some(mode) => Ok(Mode(mode)),
            None => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

impl Http {
    /// The unix socket to make, if there is to be one.
    pub(crate) fn unix_socket(&self) -> Option<UnixSocketSettings> {
        Some(UnixSocketSettings {
            path: self.unix_socket.clone()?,
            mode: self.unix_socket_mode.0,
            group: self.unix_socket_group.clone(),
        })
    }

    fn rate_limit(&self) -> Option<RateLimit> {
        let per_second: NonZeroU32 = self.rate_limit?;
        Some(RateLimit {
            per_second,
            burst: self.rate_burst.unwrap_or(per_second),
        })
    }
}

impl Config {
    /// Who may read, and how much.
    pub(crate) fn security(&self) -> Security {
        let (certificate, key) = (self.tls.certificate.clone(), self.tls.key.clone());
        Security {
            tls: certificate.zip(key).map(|(certificate, key)| TlsFiles {
                certificate,
                key,
                client_ca: self.tls.client_ca.clone(),
                client_scopes: self.tls.client_scopes.iter().copied().collect(),
            }),
            credentials: CredentialFiles {
                tokens: self.auth.tokens_file.clone(),
                users: self.auth.users_file.clone(),
            },
            host_names: None,
            rate_limit: self.http.rate_limit(),
            connections_per_client: self.http.max_connections_per_client,
        }
    }

    /// What this host is called, where only clients on it reach the agent at `addresses`: what they alone may read, no page may
    /// read through their browser. Where others read as well, there is nothing that this would keep.
    pub(crate) fn host_names(&self, addresses: &[SocketAddr]) -> Option<Vec<String>> {
        if addresses.iter().copied().any(is_exposed) {
            return None;
        }
        let others = [Some(self.metrics.node()), self.metrics.target.clone()];
        let others = others.into_iter().flatten().filter(|name| !name.is_empty());
        Some(self.http.allowed_hosts.iter().cloned().chain(others).collect())
    }

    /// What of these keys does not go together.
    pub(super) fn check_security(&self) -> Result<(), Violation> {
        let violation = |key, problem: &str| {
            Err(Violation {
                key,
                problem: problem.to_owned(),
            })
        };
        if self.bind.0.is_empty() && self.http.unix_socket.is_none() {
            return violation("bind", "there is no address, and no http.unix_socket either");
        }
        match (&self.tls.certificate, &self.tls.key) {
            (Some(_), None) => return violation("tls.key", "tls.certificate is set, and needs its key"),
            (None, Some(_)) => {
                return violation("tls.certificate", "tls.key is set, and needs its certificate");
            }
            (None, None) if self.tls.client_ca.is_some() => {
                return violation(
                    "tls.client_ca",
                    "without tls.certificate and tls.key there is no TLS",
                );
            }
            _ => {}
        }
        let is_no_name = |name: &&String| {
            name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || "/:@,".contains(letter))
        };
        if let Some(wrong) = self.http.allowed_hosts.iter().find(is_no_name) {
            let problem = format!("{wrong:?} is no name of a host: write it without scheme, port and path");
            return violation("http.allowed_hosts", &problem);
        }
        if self.http.rate_burst.is_some() && self.http.rate_limit.is_none() {
            return violation("http.rate_burst", "without http.rate_limit there is no limit");
        }
        let exposed = self.bind.exposed();
        if let Some(address) = exposed.filter(|_| !self.http.insecure && !self.security().is_authenticating())
        {
            let problem = format!(
                "other hosts reach {address}, and nobody has to say who they are; have them: auth.tokens_file (`gpulse \
                 token` makes tokens), auth.users_file or tls.client_ca; or, if everybody who gets there may read, \
                 say so: --insecure or http.insecure = true"
            );
            return violation("bind", &problem);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn permissions_are_octal_texts() {
        for (json, mode) in [(r#""0660""#, 0o660), (r#""600""#, 0o600), (r#""0777""#, 0o777)] {
            assert_eq!(serde_json::from_str::<Mode>(json).unwrap(), Mode(mode));
        }
        for json in [
            r#""0880""#,
            r#""66""#,
            r#""1777""#,
            r#""+660""#,
            r#""rw-rw----""#,
            "660",
            "432",
            r#""""#,
        ] {
            assert!(serde_json::from_str::<Mode>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::to_string(&Mode(0o60)).unwrap(), r#""0060""#);
    }

    proptest! {
        #[test]
        fn no_permissions_make_it_panic(text in "\\PC{0,8}") {
            let _ = serde_json::from_value::<Mode>(text.into());
        }
    }
}
