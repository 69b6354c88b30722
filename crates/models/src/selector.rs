//! What a client may write where a GPU is meant: an index, a UUID or a PCI bus id.

use std::str::FromStr;

use crate::{GpuId, PciBusId};

/// A client's way of naming one GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuSelector {
    /// NVML's index on this host.
    Index(u32),
    /// A whole number that no GPU can have as its index, such as -1.
    ImpossibleIndex,
    /// NVML's UUID (`GPU-…`, or `MIG-…` for an instance).
    Uuid(GpuId),
    /// Where the GPU sits.
    PciBusId(PciBusId),
}

/// A text that names no GPU in any of the three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a GPU: give its index (0), its UUID (GPU-…) or its PCI bus id (0000:3b:00.0)")]
pub struct InvalidSelector;

impl FromStr for GpuSelector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(text.parse().map_or(Self::ImpossibleIndex, Self::Index));
        }
        if text.starts_with("GPU-") || text.starts_with("MIG-") {
            return Ok(Self::Uuid(GpuId::from_uuid(text)));
        }
        text.parse().map(Self::PciBusId).map_err(|_| InvalidSelector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_ways_are_told_apart() {
        assert_eq!("7".parse(), Ok(GpuSelector::Index(7)));
        assert_eq!("+7".parse(), Ok(GpuSelector::Index(7)));
        assert_eq!("GPU-1".parse(), Ok(GpuSelector::Uuid(GpuId::from_uuid("GPU-1"))));
        assert!(matches!("0000:3b:00.0".parse(), Ok(GpuSelector::PciBusId(_))));
    }

    #[test]
    fn a_whole_number_is_never_malformed() {
        for text in ["-1", "4294967296", "-99999999999999999999999999"] {
            assert_eq!(text.parse(), Ok(GpuSelector::ImpossibleIndex), "{text}");
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for text in ["", " ", "abc", "1.5", "-", "1e3", "0x1", "gpu-1", "٣"] {
            assert_eq!(text.parse::<GpuSelector>(), Err(InvalidSelector), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<GpuSelector>();
        }
    }
}
