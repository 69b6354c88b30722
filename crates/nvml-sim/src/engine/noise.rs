//! Seeded numbers without state: the n-th number of a stream is computed from n alone.

/// A stream of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// An independent stream.
    pub(super) fn fork(self, name: u64) -> Self {
        Self(mix(self.0 ^ mix(name.wrapping_add(0x5851_F42D_4C95_7F2D))))
    }

    /// The `n`-th number of this stream.
    pub(super) fn number(self, n: u64) -> u64 {
        mix(self.0.wrapping_add(mix(n)))
    }

    /// The `n`-th number of this stream, in 0 to 1.
    pub(super) fn unit(self, n: u64) -> f64 {
        (self.number(n) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The `n`-th number of this stream, between two bounds.
    pub(super) fn between(self, n: u64, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit(n)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
