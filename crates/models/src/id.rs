//! How a GPU is named: by its UUID, which stays, and by its PCI bus id, which says where it sits.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The stable identity of a GPU: its NVML UUID. Index and PCI bus id are attributes and may change.
///
/// A GPU that has not said its UUID yet goes by a placeholder, so that it is visible all the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GpuId(Arc<str>);

impl GpuId {
    /// The identity that NVML gave.
    pub fn from_uuid(uuid: &str) -> Self {
        Self(uuid.into())
    }

    /// The placeholder for the GPU at `index` until it has said its UUID.
    pub fn unidentified(index: u32) -> Self {
        Self(format!("unidentified-{index}").into())
    }

    /// The UUID, or the placeholder's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a GPU sits: `domain:bus:device.function`. Written as NVML does, `00000000:3B:00.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciBusId {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

/// A text that is no PCI bus id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PCI bus id: write it as 0000:3b:00.0 or 3b:00.0")]
pub struct InvalidPciBusId;

impl FromStr for PciBusId {
    type Err = InvalidPciBusId;

    /// Accepts NVML's form (eight digits of domain), the kernel's (four) and a bus id without a domain.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, function) = text.rsplit_once('.').ok_or(InvalidPciBusId)?;
        let mut parts = rest.rsplit(':');
        let device = hex(parts.next(), 2)?;
        let bus = hex(parts.next(), 2)?;
        let domain = match parts.next() {
            None => 0,
            domain => hex(domain, 8)?,
        };
        if parts.next().is_some() || device > 0x1f {
            return Err(InvalidPciBusId);
        }
        let function = hex(Some(function), 1)?;
        if function > 7 {
            return Err(InvalidPciBusId);
        }
        let narrow = |number: u32| u8::try_from(number).map_err(|_| InvalidPciBusId);
        Ok(Self {
            domain,
            bus: narrow(bus)?,
            device: narrow(device)?,
            function: narrow(function)?,
        })
    }
}

/// A hexadecimal number of at most `digits` digits and nothing else (no sign, no blank).
fn hex(text: Option<&str>, digits: usize) -> Result<u32, InvalidPciBusId> {
    let text = text.ok_or(InvalidPciBusId)?;
    if text.is_empty() || text.len() > digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(InvalidPciBusId);
    }
    u32::from_str_radix(text, 16).map_err(|_| InvalidPciBusId)
}

impl fmt::Display for PciBusId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:08X}:{:02X}:{:02X}.{:X}",
            self.domain, self.bus, self.device, self.function
        )
    }
}

impl Serialize for PciBusId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PciBusId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_common_spelling_names_the_same_place() {
        let place: PciBusId = "00000000:3B:00.0".parse().unwrap();
        for spelling in ["0000:3b:00.0", "3b:00.0", "3B:00.0", "0:3b:0.0"] {
            assert_eq!(spelling.parse(), Ok(place), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_bus_id_is_refused() {
        for text in [
            "",
            "3b",
            "3b:00",
            "3b:00.8",
            "3b:20.0",
            "+b:00.0",
            "0:0:3b:00.0",
            "3b:00.",
            ":00.0",
            "3b:.0",
        ] {
            assert_eq!(text.parse::<PciBusId>(), Err(InvalidPciBusId), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_bus_id_survives_its_own_text(domain: u32, bus: u8, device in 0u8..32, function in 0u8..8) {
            let id = PciBusId { domain, bus, device, function };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<PciBusId>();
        }
    }
}
