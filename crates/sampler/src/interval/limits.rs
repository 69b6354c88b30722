//! What is known of NVML's counters: how wide they are, and how fast they count at most.
//!
//! The rates are deliberately generous, at least twice what any board is known to do: they only decide what a decrease
//! means. A rate that is too high mistakes a rare reset for a wrap; one that is too low loses what was counted.

/// How wide a counter is, which is where it starts anew from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// It wraps at 64 bits, if ever.
    Bits64,
    /// 32 or 64 bits, depending on the chip: taken for 32 until a value is seen that does not fit.
    Unknown,
    /// 32 or 64 bits, and it is not expected to count so far: each decrease is a reset.
    NoWrap,
}

/// What is known of a kind of counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// How wide it is.
    pub(crate) width: Width,
    /// More than the hardware can count in a second, in the counter's own unit. It never limits a value.
    pub(crate) per_second: f64,
}

/// Energy in millijoules (`nvmlDeviceGetTotalEnergyConsumption`, field 83): 10 kW, where boards draw up to 1.4 kW.
pub(crate) const ENERGY_MILLIJOULES: Limits = Limits {
    width: Width::Bits64,
    per_second: 10_000.0 * 1_000.0,
};

/// Bytes over PCIe in one direction (fields 197 and 198, of which the header says that they can wrap): 16 lanes of
/// generation 6 carry 128 GB/s each way.
pub(crate) const PCIE_BYTES: Limits = Limits {
    width: Width::Unknown,
    per_second: 2.0 * 128e9,
};

/// KiB over one NVLink in one direction (fields 138 to 141): links of generation 5 carry 100 GB/s, both ways together.
pub(crate) const NVLINK_KIBIBYTES: Limits = Limits {
    width: Width::Bits64,
    per_second: 2.0 * 100e9 / BYTES_PER_KIBIBYTE as f64,
};

/// The unit of NVLink's counters.
pub(crate) const BYTES_PER_KIBIBYTE: u64 = 1_024;

/// Nanoseconds for which a policy held the clocks down (fields 74 to 81): no more than a second in each second, but the
/// driver may hand in late what it has measured.
pub(crate) const VIOLATION_NANOSECONDS: Limits = Limits {
    width: Width::Bits64,
    per_second: 2.0 * 1e9,
};

/// Counts of errors and replays: storms of a million a second are unheard of.
pub(crate) const ERRORS: Limits = Limits {
    width: Width::NoWrap,
    per_second: 1e6,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hardware_comes_near_the_limits() {
        let known = [
            (ENERGY_MILLIJOULES, 1_400.0 * 1_000.0),
            (PCIE_BYTES, 128e9),
            (NVLINK_KIBIBYTES, 100e9 / BYTES_PER_KIBIBYTE as f64),
            (VIOLATION_NANOSECONDS, 1e9),
        ];
        for (limits, most) in known {
            assert!(
                limits.per_second >= 2.0 * most,
                "{limits:?} leaves no room above {most}"
            );
        }
    }
}
