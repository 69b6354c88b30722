//! The keys about Kubernetes: where the kubelet is asked which pods hold which GPUs.

use std::{fmt, path::PathBuf, time::Duration};

use gpulse_exporters::{KUBELET_SOCKET, PodSettings};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    duration,
    schema::{Violation, within},
};

/// How the kubelet is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kubernetes {
    pub(crate) pod_resources_socket: Socket,
    #[serde(with = "duration")]
    pub(crate) interval: Duration,
    pub(crate) resource_names: Vec<String>,
}

/// A path, or nothing where nobody is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Socket(pub(crate) Option<PathBuf>);

/// Asking more often would load the kubelet, which limits how often it is asked.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Pods come and go within an hour: what is older says nothing.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);

/// More names than there are kinds of GPUs in any cluster: a longer list is a mistake.
const MOST_NAMES: usize = 256;

impl Default for Kubernetes {
    fn default() -> Self {
        Self {
            pod_resources_socket: Socket(Some(KUBELET_SOCKET.into())),
            interval: Duration::from_secs(10),
            resource_names: Vec::new(),
        }
    }
}

impl Kubernetes {
    /// How the kubelet is asked, if it is.
    pub(crate) fn pods(&self) -> Option<PodSettings> {
        Some(PodSettings {
            socket: self.pod_resources_socket.0.clone()?,
            interval: self.interval,
            resource_names: self.resource_names.clone(),
        })
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        let violation = |key, problem| Err(Violation { key, problem });
        if let Some(path) = self
            .pod_resources_socket
            .0
            .as_ref()
            .filter(|path| !path.is_absolute())
        {
            let problem = format!("`{}` is no absolute path", path.display());
            return violation("kubernetes.pod_resources_socket", problem);
        }
        within(
            "kubernetes.interval",
            self.interval,
            SHORTEST_INTERVAL,
            LONGEST_INTERVAL,
        )?;
        if self.resource_names.len() > MOST_NAMES {
            let problem = format!("there are more than {MOST_NAMES} names");
            return violation("kubernetes.resource_names", problem);
        }
        match self.resource_names.iter().find(|name| !is_resource(name)) {
            None => Ok(()),
            Some(name) => violation(
                "kubernetes.resource_names",
                format!("`{name}` is neither `domain/name` nor, as a beginning, `domain/name*`"),
            ),
        }
    }
}

/// `domain/name`, with `*` at the end for all that begin so. The domain is whole: memory and CPUs are no GPUs.
fn is_resource(name: &str) -> bool {
    let is_plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    match name.split_once('/') {
        None => false,
        Some((domain, rest)) => {
            let is_beginning = rest.ends_with('*');
            let rest = rest.strip_suffix('*').unwrap_or(rest);
            !domain.is_empty() && is_plain(domain) && is_plain(rest) && (is_beginning || !rest.is_empty())
        }
    }
}

impl Serialize for Socket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            None => serializer.serialize_str(""),
            Some(path) => path.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Socket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SocketText)
    }
}

struct SocketText;

impl de::Visitor<'_> for SocketText {
    type Value = Socket;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or \"\" or false to ask nobody")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Socket, E> {
        match text {
            "" | "off" => Ok(Socket(None)),
            path => Ok(Socket(Some(path.into()))),
        }
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Socket, E> {
        if on {
            Err(E::invalid_value(de::Unexpected::Bool(on), &self))
        } else {
            Ok(Socket(None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Result<Kubernetes, String> {
        let mut value = serde_json::to_value(Kubernetes::default()).unwrap();
        let given: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
        value.as_object_mut().unwrap().extend(given);
        let keys: Kubernetes = serde_json::from_value(value).map_err(|error| error.to_string())?;
        keys.check().map_err(|violation| violation.problem)?;
        let again = serde_json::to_value(&keys).unwrap();
        assert_eq!(
            serde_json::from_value::<Kubernetes>(again).unwrap(),
            keys,
            "{json}"
        );
        Ok(keys)
    }

    #[test]
    fn the_socket_is_a_path_or_off() {
        let socket = |json: &str| parsed(json).map(|keys| keys.pods().map(|pods| pods.socket));
        assert_eq!(socket("{}"), Ok(Some(KUBELET_SOCKET.into())));
        assert_eq!(
            socket(r#"{"pod_resources_socket": "/run/k.sock"}"#),
            Ok(Some("/run/k.sock".into()))
        );
        for off in [r#""""#, r#""off""#, "false"] {
            assert_eq!(
                socket(&format!(r#"{{"pod_resources_socket": {off}}}"#)),
                Ok(None),
                "{off}"
            );
        }
        for wrong in ["true", "1", r#""run/k.sock""#] {
            let json = format!(r#"{{"pod_resources_socket": {wrong}}}"#);
            assert!(socket(&json).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_resources_have_a_domain() {
        for fine in ["example.com/gpu", "example.com/gpu-*", "gpus.example.com/*"] {
            assert!(
                parsed(&format!(r#"{{"resource_names": ["{fine}"]}}"#)).is_ok(),
                "{fine}"
            );
        }
        for wrong in [
            "",
            "*",
            "cpu",
            "/gpu",
            "example.com/",
            "example*/gpu",
            "example.com/a*b",
        ] {
            assert!(
                parsed(&format!(r#"{{"resource_names": ["{wrong}"]}}"#)).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_interval_is_within_bounds() {
        assert!(parsed(r#"{"interval": "100ms"}"#).is_ok());
        for wrong in ["50ms", "2h"] {
            assert!(
                parsed(&format!(r#"{{"interval": "{wrong}"}}"#)).is_err(),
                "{wrong}"
            );
        }
    }
}
