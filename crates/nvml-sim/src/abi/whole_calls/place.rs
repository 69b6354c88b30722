//! Memory that a caller hands out, between bytes that nobody may touch.

/// Bytes on either side: more than any structure has, so that a wrong size ends within them.
const GUARD: usize = 256;

const UNTOUCHED: u8 = 0xA5;

/// A place of a fixed size.
#[derive(Debug)]
pub(super) struct Place {
    bytes: Vec<u8>,
    before: Vec<u8>,
}

impl Place {
    /// A place with this content.
    pub(super) fn with(content: &[u8]) -> Self {
        let mut bytes = vec![UNTOUCHED; GUARD];
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len() + GUARD, UNTOUCHED);
        Self {
            bytes,
            before: content.to_vec(),
        }
    }

    /// Where it begins.
    pub(super) fn address(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().wrapping_add(GUARD)
    }

    /// What it holds now.
    pub(super) fn content(&self) -> &[u8] {
        &self.bytes[GUARD..self.bytes.len() - GUARD]
    }

    /// The number of 32 bits that it begins with.
    pub(super) fn number(&self) -> u32 {
        let first = self.content().first_chunk();
        u32::from_ne_bytes(*first.expect("a place for a number"))
    }

    /// Whether it holds what it held in the beginning, from this byte on.
    pub(super) fn is_as_before(&self, from: usize) -> bool {
        let from = from.min(self.before.len());
        self.content()[from..] == self.before[from..]
    }

    /// Whether nothing was written around it.
    pub(super) fn is_kept(&self) -> bool {
        let (before, after) = (&self.bytes[..GUARD], &self.bytes[self.bytes.len() - GUARD..]);
        before.iter().chain(after).all(|byte| *byte == UNTOUCHED)
    }
}

#[test]
fn a_byte_too_many_is_noticed() {
    let mut place = Place::with(&[1, 2]);
    assert!(place.is_kept() && place.is_as_before(0));
    place.bytes[GUARD + 1] = 9;
    assert!(place.is_kept() && place.is_as_before(2) && !place.is_as_before(0));
    place.bytes[GUARD + 2] = 9;
    assert!(!place.is_kept());
}
