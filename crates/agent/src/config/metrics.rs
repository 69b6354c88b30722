//! Keys about what `/metrics` shows.

use std::{fmt, fs};

use gpulse_exporters::{Profile, Profiles};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::schema::Violation;

/// What `/metrics` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    #[serde(with = "profiles")]
    pub(crate) profiles: Profiles,
    pub(crate) node: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) per_process: bool,
    pub(crate) created: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            profiles: Profiles::from_iter([Profile::Native]),
            node: None,
            target: None,
            per_process: false,
            created: false,
        }
    }
}

impl Metrics {
    pub(super) fn check(&self) -> Result<(), Violation> {
        if self.profiles.is_empty() {
            return Err(Violation {
                key: "metrics.profiles",
                problem: "it names no profile".to_owned(),
            });
        }
        if let Some(target) = &self.target
            && !is_host_and_port(target)
        {
            return Err(Violation {
                key: "metrics.target",
                problem: format!("`{target}` is no host with a port"),
            });
        }
        Ok(())
    }

    /// What the HTTP side is told.
    pub(crate) fn settings(&self) -> gpulse_api::Metrics {
        gpulse_api::Metrics {
            profiles: self.profiles,
            node: self.node(),
            per_process: self.per_process,
            created: self.created,
        }
    }

    /// The name of the node: as configured, or what the kernel calls this host.
    pub(crate) fn node(&self) -> String {
        let kernel = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let name = self.node.clone().or_else(kernel).unwrap_or_default();
        name.trim().to_owned()
    }
}

/// Whether `text` is what scrapers call a target: no scheme, no path, and a port.
fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_bare =
        |host: &str| !host.contains(|letter: char| letter.is_whitespace() || "/@?#".contains(letter));
    let is_host = !host.is_empty() && is_bare(host) && (!host.contains(':') || host.starts_with('['));
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Profiles as a text with commas or as a list of texts.
pub(super) mod profiles {
    use super::{Deserializer, Names, Profile, Profiles, Serialize, Serializer};

    pub(in crate::config) fn serialize<S: Serializer>(
        profiles: &Profiles,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let names: Vec<_> = profiles.iter().map(Profile::as_str).collect();
        names.serialize(serializer)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Profiles, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> de::Visitor<'de> for Names {
    type Value = Profiles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names of profiles")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Profiles, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<Profiles, A::Error> {
        let mut profiles = Vec::new();
        while let Some(name) = names.next_element::<String>()? {
            profiles.push(name.parse::<Profile>().map_err(de::Error::custom)?);
        }
        Ok(profiles.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::is_host_and_port;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        for target in ["gpu-1:8003", "10.0.0.1:1", "[fe80::1]:8003", "a.b.c:65535"] {
            assert!(is_host_and_port(target), "{target}");
        }
        for wrong in [
            "gpu-1",
            ":8003",
            "gpu-1:0",
            "gpu-1:x",
            "http://gpu-1:8003",
            "a/b:1",
            "fe80::1:8003",
            "a b:1",
        ] {
            assert!(!is_host_and_port(wrong), "{wrong}");
        }
    }
}
