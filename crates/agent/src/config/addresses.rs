//! The addresses to serve on: one, or a list of them.

use std::{fmt, net::SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The addresses to serve on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses(pub(crate) Vec<SocketAddr>);

impl Addresses {
    /// The first that other hosts may reach.
    pub(super) fn exposed(&self) -> Option<SocketAddr> {
        self.0.iter().copied().find(|address| is_exposed(*address))
    }

    /// The same with another port.
    pub(super) fn with_port(&self, port: u16) -> Self {
        Self(
            self.0
                .iter()
                .map(|address| SocketAddr::new(address.ip(), port))
                .collect(),
        )
    }
}

/// Whether other hosts may reach `address`.
pub(crate) fn is_exposed(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(", "))
    }
}

impl Serialize for Addresses {
    /// A single one as the text that it usually is.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            all => all.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> de::Visitor<'de> for OneOrMore {
    type Value = Addresses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address with a port, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Addresses, E> {
        let address = text
            .parse()
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
        Ok(Addresses(vec![address]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Addresses, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = sequence.next_element::<String>()? {
            let address = text.parse();
            let address = address.map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &self))?;
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(Addresses(addresses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(json: &str) -> Addresses {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn one_address_or_a_list_come_back_as_they_were_written() {
        for json in [
            r#""127.0.0.1:8003""#,
            r#""[::1]:0""#,
            r#"["127.0.0.1:8003","[::1]:8003"]"#,
            "[]",
        ] {
            assert_eq!(serde_json::to_string(&addresses(json)).unwrap(), json);
        }
        assert_eq!(addresses(r#"["[::1]:1","[::1]:1"]"#).0.len(), 1);
    }

    #[test]
    fn what_other_hosts_reach_is_found_in_whatever_form() {
        for local in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(!is_exposed(local.parse().unwrap()), "{local}");
        }
        for open in [
            "0.0.0.0:1",
            "[::]:1",
            "10.0.0.1:1",
            "[::ffff:10.0.0.1]:1",
            "[fe80::1]:1",
        ] {
            assert!(is_exposed(open.parse().unwrap()), "{open}");
        }
        let both = addresses(r#"["127.0.0.1:1","0.0.0.0:2"]"#);
        assert_eq!(both.exposed(), Some(([0, 0, 0, 0], 2).into()));
    }
}
