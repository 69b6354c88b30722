//! Quantities that carry their unit in the type. NVML's integers become these once, in the sampler.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Defines a quantity: a number that serialises as that number alone.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $number);
    };
}

quantity!(
    /// Electrical power.
    Watts(f64)
);
quantity!(
    /// Energy.
    Joules(f64)
);
quantity!(
    /// Temperature.
    Celsius(f64)
);
quantity!(
    /// Clock frequency, in NVML's own unit.
    Megahertz(f64)
);
quantity!(
    /// A share of a hundred, as the driver gave it: it may lie above 100.
    Percent(f64)
);
quantity!(
    /// An amount of data.
    Bytes(u64)
);
quantity!(
    /// A rate of data.
    BytesPerSecond(f64)
);
quantity!(
    /// The rate of a link, in millions of bits per second.
    Megabits(u32)
);
quantity!(
    /// The width of a bus.
    Bits(u32)
);
quantity!(
    /// A length of time.
    Seconds(f64)
);
quantity!(
    /// A short length of time.
    Microseconds(u64)
);
quantity!(
    /// How fast a fan turns, a minute.
    Revolutions(u32)
);
quantity!(
    /// Pictures a second.
    FramesPerSecond(u32)
);

/// A word of a fixed vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(Cow<'static, str>);

impl Label {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Label {
    fn from(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }
}

impl From<String> for Label {
    /// For a number that has no word yet.
    fn from(word: String) -> Self {
        Self(Cow::Owned(word))
    }
}

impl Bytes {
    /// The amount in units of 1,048,576 bytes, which the REST routes call "mb".
    pub fn mebibytes(self) -> f64 {
        self.0 as f64 / 1_048_576.0
    }
}

impl Percent {
    /// The share limited to 0..=100, for routes that promise that range.
    pub fn clamped(self) -> f64 {
        self.0.clamp(0.0, 100.0)
    }

    /// `part` as a share of `whole`; 0 where there is no whole to have a share of.
    pub fn of(part: f64, whole: f64) -> Self {
        if whole > 0.0 {
            Self(part / whole * 100.0)
        } else {
            Self(0.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mebibyte_is_1048576_bytes() {
        assert_eq!(Bytes(80 << 30).mebibytes(), 81_920.0);
    }

    #[test]
    fn a_share_of_nothing_is_zero_and_not_nan() {
        assert_eq!(Percent::of(5.0, 0.0), Percent(0.0));
    }

    proptest! {
        #[test]
        fn a_clamped_share_stays_within_its_promise(part in 0u64.., whole in 0u64..) {
            let share = Percent::of(part as f64, whole as f64).clamped();
            prop_assert!((0.0..=100.0).contains(&share));
        }
    }
}
