//! A packed block: all columns behind one another in one piece of memory, which is what lies on disk as well.
//!
//! A column is a tag, the places that have a point, and a section each of means, lowest and highest. A section is one number
//! if all are the same, or what `pco` makes of them, without loss. Numbers are little-endian.

use pco::{
    ChunkConfig,
    standalone::{simple_compress, simple_decompress},
};

use super::block::{Column, MOST_SLOTS, Open, Values};

/// Nothing was read.
const EMPTY: u8 = 0;
/// There is something: means.
const MEANS: u8 = 1;
/// Lowest and highest as well.
const ENDS: u8 = 2;
/// Not all places up to the last have a point: a bit for each says which. Otherwise a byte says how many have.
const GAPS: u8 = 4;

/// How hard `pco` tries, of 12: what is above this gains a few percent.
const EFFORT: usize = 6;

/// A block that is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    written: u128,
    bytes: Box<[u8]>,
}

impl Packed {
    /// Packs a block. Nothing if the numbers cannot be packed, which `pco` does not say of any.
    pub(crate) fn of(open: &Open) -> Option<Self> {
        let mut bytes = Vec::new();
        for column in open.columns() {
            pack(column, &mut bytes)?;
        }
        Some(Self {
            written: open.written(),
            bytes: bytes.into(),
        })
    }

    /// The block that is made of these columns, each as it was packed.
    pub(crate) fn made_of<'a>(columns: impl IntoIterator<Item = Option<&'a [u8]>>) -> Option<Self> {
        let (mut written, mut bytes) = (0, Vec::new());
        for column in columns {
            let column = column.unwrap_or(&[EMPTY]);
            let mut rest = column;
            written |= unpack(&mut rest)?.present;
            if !rest.is_empty() {
                return None;
            }
            bytes.extend_from_slice(column);
        }
        Some(Self {
            written,
            bytes: bytes.into(),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A bit for each place that was written.
    pub(crate) fn written(&self) -> u128 {
        self.written
    }

    /// The column at `place`; an empty one if there is none.
    pub(crate) fn column(&self, place: usize) -> Column {
        let mut rest = &*self.bytes;
        for _ in 0..place {
            if skip(&mut rest).is_none() {
                return Column::default();
            }
        }
        unpack(&mut rest).unwrap_or_default()
    }
}

/// The bytes of each column that stand one behind the other in `bytes`; none if they do not.
pub(crate) fn split(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut columns, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let before = rest;
        skip(&mut rest)?;
        columns.push(before.get(..before.len() - rest.len())?);
    }
    Some(columns)
}

/// Packs a column behind `bytes`.
fn pack(column: &Column, bytes: &mut Vec<u8>) -> Option<()> {
    let count = column.count();
    if count == 0 {
        bytes.push(EMPTY);
        return Some(());
    }
    let ends = column.ends.as_ref().map_or(0, |_| ENDS);
    // All places up to the last have a point if there are no zeros below the highest one.
    let is_whole = column.present.trailing_ones() as usize == count;
    bytes.push(MEANS | ends | if is_whole { 0 } else { GAPS });
    if is_whole {
        bytes.push(u8::try_from(count).ok()?);
    } else {
        bytes.extend(column.present.to_le_bytes());
    }
    section(&column.mean, bytes)?;
    for values in column.ends.iter().flat_map(|ends| ends.iter()) {
        section(values, bytes)?;
    }
    Some(())
}

fn section(values: &Values, bytes: &mut Vec<u8>) -> Option<()> {
    match values {
        Values::Same(value) => {
            bytes.extend(0_u16.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        Values::Each(values) => {
            let config = ChunkConfig::default().with_compression_level(EFFORT);
            let packed = simple_compress(values, &config).ok()?;
            bytes.extend(u16::try_from(packed.len()).ok()?.to_le_bytes());
            bytes.extend(packed);
        }
    }
    Some(())
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

/// The tag of the column that comes next, and which places have a point.
fn head(rest: &mut &[u8]) -> Option<(u8, u128)> {
    let tag = *take(rest, 1)?.first()?;
    if tag == EMPTY {
        return Some((tag, 0));
    }
    if tag & MEANS == 0 || tag > MEANS | ENDS | GAPS {
        return None;
    }
    let present = if tag & GAPS == 0 {
        let count = *take(rest, 1)?.first()?;
        1_u128.checked_shl(count.into())? - 1
    } else {
        u128::from_le_bytes(take(rest, size_of::<u128>())?.try_into().ok()?)
    };
    (present != 0 && present >> MOST_SLOTS == 0).then_some((tag, present))
}

/// The bytes of the section that comes next; one number for all if a length of 0 says so.
fn raw_section<'a>(rest: &mut &'a [u8]) -> Option<(bool, &'a [u8])> {
    let length = u16::from_le_bytes(take(rest, size_of::<u16>())?.try_into().ok()?);
    if length == 0 {
        return Some((true, take(rest, size_of::<f64>())?));
    }
    Some((false, take(rest, length.into())?))
}

fn sections(tag: u8) -> usize {
    match tag {
        EMPTY => 0,
        tag if tag & ENDS == 0 => 1,
        _ => 3,
    }
}

fn skip(rest: &mut &[u8]) -> Option<()> {
    let (tag, _) = head(rest)?;
    for _ in 0..sections(tag) {
        raw_section(rest)?;
    }
    Some(())
}

fn unpack(rest: &mut &[u8]) -> Option<Column> {
    let (tag, present) = head(rest)?;
    if tag == EMPTY {
        return Some(Column::default());
    }
    let count = present.count_ones() as usize;
    let mean = unpacked(rest, count)?;
    let ends = if tag & ENDS == 0 {
        None
    } else {
        Some(Box::new([unpacked(rest, count)?, unpacked(rest, count)?]))
    };
    Some(Column { present, mean, ends })
}

fn unpacked(rest: &mut &[u8], count: usize) -> Option<Values> {
    let (is_one, bytes) = raw_section(rest)?;
    if is_one {
        return Some(Values::Same(f64::from_le_bytes(bytes.try_into().ok()?)));
    }
    let values = simple_decompress::<f64>(bytes).ok()?;
    (values.len() == count).then_some(Values::Each(values))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::block::Point;

    fn point() -> impl Strategy<Value = Option<Point>> {
        let value = prop_oneof![
            Just(0.0),
            (0..100_u8).prop_map(f64::from),
            (0..1_u64 << 53).prop_map(|value| value as f64),
            any::<f64>().prop_filter("a number", |value| !value.is_nan()),
        ];
        proptest::option::of((value, any::<bool>()).prop_map(|(mean, spread)| Point {
            mean,
            min: if spread { mean - 1.0 } else { mean },
            max: if spread { mean + 1.0 } else { mean },
        }))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_packed_is_unpacked(
            rows in prop::collection::vec((point(), point(), point()), 0..=MOST_SLOTS),
        ) {
            let mut open = Open::new(3);
            for (place, (first, second, third)) in rows.iter().enumerate() {
                open.push(place, &[first, second, third].map(|point| point.unwrap_or(Point::NONE)));
            }
            let packed = Packed::of(&open).unwrap();
            for (number, column) in open.columns().iter().enumerate() {
                prop_assert_eq!(&packed.column(number), column);
            }
            let columns = split(packed.bytes()).unwrap();
            prop_assert_eq!(columns.len(), 3);
            let again = Packed::made_of([columns[2], columns[1], columns[0]].map(Some)).unwrap();
            prop_assert_eq!(again.column(2), packed.column(0));
        }

        #[test]
        fn rubbish_is_refused_and_not_believed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            // Whatever comes of it: no panic, and a block that is taken can be read.
            if let Some(packed) = Packed::made_of([Some(&*bytes)]) {
                packed.column(0);
                packed.column(1);
            }
            split(&bytes);
        }
    }

    #[test]
    fn a_number_that_stays_the_same_takes_next_to_nothing() {
        let mut open = Open::new(1);
        for place in 0..MOST_SLOTS {
            open.push(place, &[Point::of(350.0)]);
        }
        assert_eq!(Packed::of(&open).unwrap().bytes().len(), 12);
    }
}
