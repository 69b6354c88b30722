//! A block: the points of some slots in a row of one GPU and tier, a column for each metric. Open to be written, or packed.

use std::sync::Arc;

use super::packed::Packed;

/// Slots of a block, at most: a column has a bit for each.
pub(crate) const MOST_SLOTS: usize = 120;

/// What was read in one slot; not a number where that is nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) mean: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Point {
    pub(crate) const NONE: Self = Self::of(f64::NAN);

    pub(crate) const fn of(value: f64) -> Self {
        Self {
            mean: value,
            min: value,
            max: value,
        }
    }

    pub(crate) fn is_none(self) -> bool {
        self.mean.is_nan()
    }
}

/// Numbers in a row: most readings stay as they are for minutes, and then take no more than one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Same(f64),
    Each(Vec<f64>),
}

impl Values {
    fn get(&self, place: usize) -> f64 {
        match self {
            Self::Same(value) => *value,
            Self::Each(values) => values.get(place).copied().unwrap_or(f64::NAN),
        }
    }

    /// Puts `value` behind the `count` that are there.
    fn push(&mut self, count: usize, value: f64) {
        match self {
            Self::Same(same) if count == 0 => *same = value,
            Self::Same(same) if same.to_bits() == value.to_bits() => {}
            Self::Same(same) => {
                let mut values = vec![*same; count];
                values.push(value);
                *self = Self::Each(values);
            }
            Self::Each(values) => values.push(value),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Same(_) => 0,
            Self::Each(values) => values.capacity() * size_of::<f64>(),
        }
    }
}

/// The points of one metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// A bit for each place that has a point.
    pub(crate) present: u128,
    /// The mean of each point.
    pub(crate) mean: Values,
    /// The lowest and highest, where they are not the mean in every point.
    pub(crate) ends: Option<Box<[Values; 2]>>,
}

impl Default for Column {
    fn default() -> Self {
        Self {
            present: 0,
            mean: Values::Same(0.0),
            ends: None,
        }
    }
}

impl Column {
    /// How many points there are.
    pub(crate) fn count(&self) -> usize {
        self.present.count_ones() as usize
    }

    /// The points with their places.
    pub(crate) fn points(&self) -> impl Iterator<Item = (usize, Point)> {
        let places = (0..MOST_SLOTS).filter(|place| self.present & 1 << place != 0);
        places
            .enumerate()
            .map(|(number, place)| (place, self.nth(number)))
    }

    /// The point at `place`.
    pub(crate) fn get(&self, place: usize) -> Point {
        let bit = 1_u128 << place;
        if self.present & bit == 0 {
            return Point::NONE;
        }
        self.nth((self.present & (bit - 1)).count_ones() as usize)
    }

    fn nth(&self, number: usize) -> Point {
        let mean = self.mean.get(number);
        let end = |end: usize| self.ends.as_ref().map_or(mean, |ends| ends[end].get(number));
        Point {
            mean,
            min: end(0),
            max: end(1),
        }
    }

    /// Puts `point` at `place`, which is behind all that have one.
    fn push(&mut self, place: usize, point: Point) {
        let count = self.count();
        let has_ends = point.min != point.mean || point.max != point.mean;
        if has_ends && self.ends.is_none() {
            self.ends = Some(Box::new([self.mean.clone(), self.mean.clone()]));
        }
        self.mean.push(count, point.mean);
        if let Some(ends) = &mut self.ends {
            ends[0].push(count, point.min);
            ends[1].push(count, point.max);
        }
        self.present |= 1 << place;
    }

    fn bytes(&self) -> usize {
        let ends = self.ends.as_ref().map_or(0, |ends| {
            size_of::<[Values; 2]>() + ends[0].bytes() + ends[1].bytes()
        });
        self.mean.bytes() + ends
    }
}

/// A block that is written.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    columns: Vec<Column>,
    /// A bit for each place that was written.
    written: u128,
}

impl Open {
    pub(crate) fn new(metrics: usize) -> Self {
        Self::of(vec![Column::default(); metrics])
    }

    pub(crate) fn of(columns: Vec<Column>) -> Self {
        let written = columns.iter().fold(0, |bits, column| bits | column.present);
        Self { columns, written }
    }

    /// Puts a point for each metric at `place`, which is behind all that were written.
    pub(crate) fn push(&mut self, place: usize, points: &[Point]) {
        for (column, point) in self.columns.iter_mut().zip(points) {
            if !point.is_none() {
                column.push(place, *point);
            }
        }
        self.written |= 1 << place;
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn written(&self) -> u128 {
        self.written
    }

    fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::bytes).sum();
        columns + self.columns.capacity() * size_of::<Column>() + size_of::<Self>()
    }
}

/// A block in either form. Cheap to clone: whoever reads one holds nobody up.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Open(Arc<Open>),
    Packed(Arc<Packed>),
}

impl Block {
    /// The column at `place`.
    pub(crate) fn column(&self, place: usize) -> Column {
        match self {
            Self::Open(open) => open.columns.get(place).cloned().unwrap_or_default(),
            Self::Packed(packed) => packed.column(place),
        }
    }

    /// The first and last place in the block that were written.
    pub(crate) fn reach(&self) -> Option<(u32, u32)> {
        let written = match self {
            Self::Open(open) => open.written,
            Self::Packed(packed) => packed.written(),
        };
        (written != 0).then(|| (written.trailing_zeros(), written.ilog2()))
    }

    /// The block to write to; unpacked if it was packed.
    pub(crate) fn open(&mut self, metrics: usize) -> Option<&mut Open> {
        if let Self::Packed(packed) = self {
            let columns = (0..metrics).map(|place| packed.column(place)).collect();
            *self = Self::Open(Arc::new(Open::of(columns)));
        }
        match self {
            Self::Open(open) => Some(Arc::make_mut(open)),
            // Does not happen: it was unpacked above.
            Self::Packed(_) => None,
        }
    }

    /// Bytes that it holds, those of its maps included.
    pub(crate) fn bytes(&self) -> usize {
        /// An entry of a B-tree with its share of the node, the counts of an `Arc`, and what is beside the bytes.
        const OVERHEAD: usize = 96;
        OVERHEAD
            + match self {
                Self::Open(open) => open.bytes(),
                Self::Packed(packed) => packed.bytes().len(),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_and_highest_are_kept_apart_only_where_they_differ() {
        let mut column = Column::default();
        column.push(1, Point::of(5.0));
        column.push(2, Point::of(5.0));
        assert_eq!((column.bytes(), &column.ends), (0, &None));
        let spread = Point {
            mean: 2.0,
            min: 1.0,
            max: 4.0,
        };
        column.push(4, spread);
        assert!(column.get(0).is_none() && column.get(3).is_none() && column.get(5).is_none());
        assert_eq!((column.get(2), column.get(4)), (Point::of(5.0), spread));
        let all: Vec<_> = column.points().collect();
        assert_eq!(all, [(1, Point::of(5.0)), (2, Point::of(5.0)), (4, spread)]);
    }
}
