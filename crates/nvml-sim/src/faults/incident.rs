//! What goes wrong in the hardware rather than in a call: it counts, and some of it is an event.

use serde::{Deserialize, Serialize};

/// Something that happens to a GPU, once or at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Incident {
    /// A memory error that was corrected.
    EccSingleBit,
    /// A memory error that could not be corrected: a row waits to be remapped or, on older chips, a page to be retired.
    EccDoubleBit,
    /// The performance state changed.
    PerformanceState,
    /// The clocks changed.
    Clock,
    /// What the GPU needs to recover changed.
    RecoveryAction,
    /// A PCIe packet was sent again.
    PcieReplay,
    /// An NVLink packet arrived damaged.
    NvlinkCrc,
    /// An NVLink packet was sent again.
    NvlinkReplay,
    /// An NVLink went down and came back.
    NvlinkRecovery,
}

impl Incident {
    /// The kind of event it is, as NVML's bit; most are none.
    pub(crate) fn event(self) -> Option<u64> {
        match self {
            Self::EccSingleBit => Some(0x1),
            Self::EccDoubleBit => Some(0x2),
            Self::PerformanceState => Some(0x4),
            Self::Clock => Some(0x10),
            Self::RecoveryAction => Some(0x8000),
            Self::PcieReplay | Self::NvlinkCrc | Self::NvlinkReplay | Self::NvlinkRecovery => None,
        }
    }

    /// Whether it happens to memory that detects errors only.
    pub(crate) fn needs_ecc(self) -> bool {
        matches!(self, Self::EccSingleBit | Self::EccDoubleBit)
    }

    /// Whether it happens to one link.
    pub(super) fn has_link(self) -> bool {
        matches!(self, Self::NvlinkCrc | Self::NvlinkReplay | Self::NvlinkRecovery)
    }
}
