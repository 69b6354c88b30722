//! The history of one GPU in one tier: pure state, with time passed in as numbers of slots.
//!
//! What comes within a slot is put together, and becomes a point once the slot is over. Slots are counted from the beginning
//! of 1970, so that they are the same before and after a restart.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{Block, MOST_SLOTS, Open, Point};

/// Slots of a block of seconds: two minutes, in which numbers are packed well.
const SECONDS: i64 = MOST_SLOTS as i64;

/// Slots of a block of a coarser tier: what is not packed yet has three numbers for each.
const OTHERS: i64 = 40;

/// How far a tier reaches, and how fine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Seconds of a slot.
    pub step: i64,
    /// Seconds that are kept, give or take a block.
    pub keep: i64,
}

impl Tier {
    /// Slots of a block.
    pub(crate) fn width(self) -> i64 {
        if self.step == 1 { SECONDS } else { OTHERS }
    }

    /// The block of `slot`, and its place there.
    fn place_of(self, slot: i64) -> (i64, usize) {
        let place = usize::try_from(slot.rem_euclid(self.width())).unwrap_or(0);
        (slot.div_euclid(self.width()), place)
    }
}

/// What came within the slot that is not over.
#[derive(Clone, Copy, Debug)]
struct Sum {
    total: f64,
    count: u32,
    min: f64,
    max: f64,
}

impl Sum {
    const NOTHING: Self = Self {
        total: 0.0,
        count: 0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    fn add(&mut self, point: Point) {
        if !point.is_none() {
            self.total += point.mean;
            self.count += 1;
            self.min = self.min.min(point.min);
            self.max = self.max.max(point.max);
        }
    }

    fn point(self) -> Point {
        if self.count == 0 {
            return Point::NONE;
        }
        let mean = self.total / f64::from(self.count);
        Point {
            // Of a mean 24 bits are kept, one part in 16 million: it takes half the bytes. What is put together from equal
            // numbers is that number, however it was rounded.
            mean: f64::from(mean as f32).clamp(self.min, self.max),
            min: self.min,
            max: self.max,
        }
    }
}

/// One GPU in one tier.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(crate) tier: Tier,
    blocks: BTreeMap<i64, Block>,
    /// Bytes of the blocks.
    held: usize,
    /// Blocks that were written since they were last asked for.
    unsaved: BTreeSet<i64>,
    /// The slot that is not over.
    slot: Option<i64>,
    sums: Vec<Sum>,
}

impl Ring {
    pub(crate) fn new(tier: Tier, metrics: usize) -> Self {
        Self {
            tier,
            blocks: BTreeMap::new(),
            held: 0,
            unsaved: BTreeSet::new(),
            slot: None,
            sums: vec![Sum::NOTHING; metrics],
        }
    }

    /// Takes in points of `slot`, which is not before the one that is not over. Returns a slot that is over thereby. What comes
    /// for a slot that was over already is late, and left out.
    pub(crate) fn add(&mut self, slot: i64, points: &[Point]) -> Option<(i64, Vec<Point>)> {
        if self.latest_kept().is_some_and(|kept| slot <= kept) || self.slot.is_some_and(|open| slot < open) {
            return None;
        }
        let over = (self.slot != Some(slot)).then(|| self.close()).flatten();
        self.slot = Some(slot);
        for (sum, point) in self.sums.iter_mut().zip(points) {
            sum.add(*point);
        }
        over
    }

    /// Ends the slot that is not over, if all of it lies before the second `now`.
    pub(crate) fn close_before(&mut self, now: i64) -> Option<(i64, Vec<Point>)> {
        let is_over = self.slot.is_some_and(|slot| (slot + 1) * self.tier.step <= now);
        is_over.then(|| self.close()).flatten()
    }

    /// Ends the slot that is not over.
    pub(crate) fn close(&mut self) -> Option<(i64, Vec<Point>)> {
        let slot = self.slot.take()?;
        let metrics = self.sums.len();
        let points: Vec<Point> = self.sums.iter().map(|sum| sum.point()).collect();
        self.sums.fill(Sum::NOTHING);
        let (number, place) = self.tier.place_of(slot);
        let mut block = self
            .remove(number)
            .unwrap_or_else(|| Block::Open(Open::new(metrics).into()));
        if let Some(open) = block.open(metrics) {
            open.push(place, &points);
        }
        self.put(number, block);
        self.unsaved.insert(number);
        Some((slot, points))
    }

    /// The latest slot that there is anything of.
    pub(crate) fn latest(&self) -> Option<i64> {
        self.latest_kept().max(self.slot)
    }

    /// The latest slot that is over and kept.
    pub(crate) fn latest_kept(&self) -> Option<i64> {
        let (number, block) = self.blocks.last_key_value()?;
        let (_, last) = block.reach()?;
        Some(number * self.tier.width() + i64::from(last))
    }

    /// The second in which the oldest slot begins that is kept.
    pub(crate) fn begins(&self) -> Option<i64> {
        let (number, block) = self.blocks.first_key_value()?;
        let (first, _) = block.reach()?;
        Some((number * self.tier.width() + i64::from(first)) * self.tier.step)
    }

    /// All points of `slot`.
    pub(crate) fn points(&self, slot: i64) -> Vec<Point> {
        let (number, place) = self.tier.place_of(slot);
        let block = self.blocks.get(&number);
        let metrics = 0..self.sums.len();
        metrics
            .map(|metric| block.map_or(Point::NONE, |block| block.column(metric).get(place)))
            .collect()
    }

    /// The blocks that hold anything of the seconds from `from` until `to`, each with its first slot.
    pub(crate) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, &Block)> {
        let number = |second: i64| self.tier.place_of(second.div_euclid(self.tier.step)).0;
        let blocks = number(from)..=number(to.max(from));
        self.blocks
            .range(blocks)
            .map(|(number, block)| (*number * self.tier.width(), block))
    }

    /// Forgets what is older than the tier keeps.
    pub(crate) fn expire(&mut self, now: i64) {
        while let Some(first) = self.oldest() {
            let ends = (first + 1) * self.tier.width() * self.tier.step;
            if ends > now - self.tier.keep {
                break;
            }
            self.remove(first);
        }
    }

    /// Forgets the blocks that hold anything of the second `now` and later.
    pub(crate) fn forget_from(&mut self, now: i64) {
        let (number, _) = self.tier.place_of(now.div_euclid(self.tier.step));
        let future: Vec<i64> = self.blocks.range(number..).map(|(number, _)| *number).collect();
        for number in future {
            self.remove(number);
        }
        self.slot = None;
        self.sums.fill(Sum::NOTHING);
    }

    fn remove(&mut self, number: i64) -> Option<Block> {
        let block = self.blocks.remove(&number)?;
        self.held -= block.bytes();
        self.unsaved.remove(&number);
        Some(block)
    }

    fn put(&mut self, number: i64, block: Block) {
        self.held += block.bytes();
        self.blocks.insert(number, block);
    }

    /// The number of the oldest block.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.blocks.keys().next().copied()
    }

    /// How many blocks there are.
    pub(crate) fn count(&self) -> usize {
        self.blocks.len()
    }

    /// How old the oldest block is, as a share of what the tier keeps.
    pub(crate) fn ripeness(&self, now: i64) -> Option<f64> {
        let age = now - self.begins()?;
        Some(age as f64 / self.tier.keep.max(1) as f64)
    }

    pub(crate) fn forget_oldest(&mut self) {
        if let Some(oldest) = self.oldest() {
            self.remove(oldest);
        }
    }

    /// Blocks that are no longer written, and not packed.
    pub(crate) fn unpacked(&self) -> impl Iterator<Item = (i64, &Block)> {
        let last = self.blocks.keys().next_back().copied();
        self.blocks
            .iter()
            .filter(move |(number, block)| Some(**number) != last && matches!(block, Block::Open(_)))
            .map(|(number, block)| (*number, block))
    }

    /// Puts a block in its packed form in place of itself.
    pub(crate) fn replace(&mut self, number: i64, packed: Block) {
        let is_unsaved = self.unsaved.contains(&number);
        if self.remove(number).is_some() {
            self.put(number, packed);
            if is_unsaved {
                self.unsaved.insert(number);
            }
        }
    }

    /// Takes over a block of an earlier process.
    pub(crate) fn restore(&mut self, number: i64, block: Block) {
        if !self.blocks.contains_key(&number) {
            self.put(number, block);
        }
    }

    /// The blocks that were written since this was last called.
    pub(crate) fn unsaved(&mut self) -> Vec<(i64, Block)> {
        let numbers = std::mem::take(&mut self.unsaved);
        numbers
            .into_iter()
            .filter_map(|number| Some((number, self.blocks.get(&number)?.clone())))
            .collect()
    }

    /// Takes back that this block was asked for.
    pub(crate) fn not_saved(&mut self, number: i64) {
        if self.blocks.contains_key(&number) {
            self.unsaved.insert(number);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.slot.is_none()
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.held + self.sums.capacity() * size_of::<Sum>() + size_of::<Self>()
    }
}
