//! What is wrong with a configuration: the key, where it was set, and what is permitted.

use std::fmt;

use figment::{Figment, error::Kind};

use super::{keys, layers, schema::Violation};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) struct ConfigError {
    key: String,
    origin: Option<String>,
    problem: String,
    permitted: Option<&'static str>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("configuration: ")?;
        if !self.key.is_empty() {
            write!(f, "`{}`", self.key)?;
            if let Some(origin) = &self.origin {
                write!(f, " (set by {origin})")?;
            }
            f.write_str(": ")?;
        } else if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.problem)?;
        if let Some(permitted) = self.permitted {
            write!(f, "; permitted: {permitted}")?;
        }
        Ok(())
    }
}

impl ConfigError {
    /// A value that no type took, a key that does not exist, or a file that cannot be read.
    pub(super) fn from_figment(error: &figment::Error) -> Self {
        let mut path = error.path.clone();
        if let Kind::UnknownField(name, _) = &error.kind
            && path.last() != Some(name)
        {
            path.push(name.clone());
        }
        // The position in a list is no key.
        while path.last().is_some_and(|part| part.parse::<usize>().is_ok()) {
            path.pop();
        }
        let key = path.join(".");
        let origin = error
            .metadata
            .as_ref()
            .map(|metadata| layers::origin(metadata, &key));
        let problem = match &error.kind {
            Kind::UnknownField(_, known) => {
                format!("there is no such key here; known are {}", known.join(", "))
            }
            kind => kind.to_string().trim_end().to_owned(),
        };
        Self {
            permitted: keys::permitted(&key),
            key,
            origin,
            problem,
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> String {
        let origin = self.origin.as_deref().unwrap_or("whatever sets it");
        match (self.key.as_str(), self.permitted) {
            // The address is permitted, and nobody is asked who they are.
            ("bind", _) if self.problem.contains("auth.tokens_file") => {
                "gpulse token --name NAME | sudo tee -a /etc/gpulse/tokens, and auth.tokens_file = \"/etc/gpulse/tokens\"; or serve this machine \
                 alone: bind = \"127.0.0.1:8003\""
                    .to_owned()
            }
            ("", _) => format!("mend {origin}; gpulse config --reference lists the keys"),
            (key, Some(permitted)) => format!("set `{key}` in {origin} to what is permitted: {permitted}"),
            (key, None) => {
                format!("take `{key}` out of {origin}; gpulse config --reference lists the keys that there are")
            }
        }
    }

    /// A variable that is no key.
    pub(super) fn in_variable(name: &str, problem: &str) -> Self {
        Self {
            key: String::new(),
            origin: Some(format!("environment variable {name}")),
            problem: problem.to_owned(),
            permitted: None,
        }
    }

    /// A value out of its range.
    pub(super) fn from_violation(violation: Violation, layers: &Figment) -> Self {
        let origin = layers
            .find_metadata(violation.key)
            .map(|metadata| layers::origin(metadata, violation.key));
        Self {
            key: violation.key.to_owned(),
            origin,
            problem: violation.problem,
            permitted: keys::permitted(violation.key),
        }
    }
}
