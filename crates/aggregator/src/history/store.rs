//! The histories of all GPUs, in all tiers, within a bound of bytes: pure state, with time passed in.

use std::{collections::BTreeMap, sync::Arc};

use gpulse_models::{GpuId, GpuSnapshot, Sample};

use super::{
    block::{Block, Point},
    disk::Kept,
    metrics::KEPT,
    packed::Packed,
    ring::{Ring, Tier},
};

/// Seconds by which the clock may go back without that what was kept from the future is forgotten: nothing is kept until it
/// has caught up.
const SMALL_STEP_BACK: i64 = 60;

/// Seconds after which a slot is over without a sample that comes later: a sample is on its way for less.
const LATE: i64 = 2;

/// The history of one GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    /// NVML's index, when it was last seen.
    pub(crate) index: u32,
    /// The tiers, the finest first.
    pub(crate) rings: Vec<Ring>,
    before: Option<Arc<Sample>>,
}

/// Names a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId {
    pub(crate) gpu: GpuId,
    /// Seconds of a slot of its tier.
    pub(crate) step: i64,
    /// Its number, which its first slot follows from.
    pub(crate) number: i64,
}

/// The histories of all GPUs.
#[derive(Debug)]
pub(crate) struct Store {
    tiers: Vec<Tier>,
    max_bytes: usize,
    gpus: BTreeMap<GpuId, Gpu>,
    bytes: usize,
    /// Times that the clock went back so far that something was forgotten.
    pub(crate) clock_steps: u64,
}

impl Store {
    /// An empty one, with the finest of `tiers` first.
    pub(crate) fn new(tiers: Vec<Tier>, max_bytes: usize) -> Self {
        Self {
            tiers,
            max_bytes,
            gpus: BTreeMap::new(),
            bytes: 0,
            clock_steps: 0,
        }
    }

    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    pub(crate) fn gpus(&self) -> &BTreeMap<GpuId, Gpu> {
        &self.gpus
    }

    /// Bytes that are held, as of the last slot that was over.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Takes in what a tick read of a GPU that has said who it is.
    pub(crate) fn note(&mut self, snapshot: &GpuSnapshot) {
        let (Some(id), Some(sample)) = (snapshot.uuid(), &snapshot.sample) else {
            return;
        };
        let gpu = self.gpu(id);
        gpu.index = snapshot.index;
        let values = KEPT.read(sample, gpu.before.as_deref());
        gpu.before = Some(Arc::clone(sample));
        let points: Vec<Point> = values.into_iter().map(Point::of).collect();
        self.add(id, sample.taken_at.as_second(), &points);
    }

    /// Takes in points of the second `at`.
    pub(crate) fn add(&mut self, id: &GpuId, at: i64, points: &[Point]) {
        let gpu = self.gpu(id);
        let latest = gpu
            .rings
            .first()
            .and_then(|ring| Some(ring.latest()? * ring.tier.step));
        if let Some(latest) = latest
            && at < latest
        {
            if latest - at <= SMALL_STEP_BACK {
                return;
            }
            gpu.rings.iter_mut().for_each(|ring| ring.forget_from(at));
            self.clock_steps += 1;
        }
        if self.gpu(id).add(at, points) {
            self.shrink(at);
        }
    }

    /// Ends the slots that are over by the second `now`, and forgets what is too old.
    pub(crate) fn tick(&mut self, now: i64) {
        for gpu in self.gpus.values_mut() {
            gpu.close_before(now - LATE);
        }
        self.shrink(now);
    }

    /// Ends the slots of the finest tier, whether they are over or not: nothing more will come. The coarser tiers are completed
    /// from it when it is restored.
    pub(crate) fn end(&mut self) {
        for gpu in self.gpus.values_mut() {
            gpu.end();
        }
    }

    fn gpu(&mut self, id: &GpuId) -> &mut Gpu {
        let tiers = &self.tiers;
        self.gpus.entry(id.clone()).or_insert_with(|| Gpu {
            index: 0,
            rings: tiers.iter().map(|tier| Ring::new(*tier, KEPT.count())).collect(),
            before: None,
        })
    }

    /// Forgets what is older than its tier keeps and then, as long as too much is held, the block that is oldest by
    /// the measure of what its tier keeps: so the tiers shrink together, and the coarse ones still reach further back.
    fn shrink(&mut self, now: i64) {
        for gpu in self.gpus.values_mut() {
            gpu.rings.iter_mut().for_each(|ring| ring.expire(now));
        }
        self.gpus
            .retain(|_, gpu| gpu.rings.iter().any(|ring| !ring.is_empty()));
        self.bytes = self.gpus.values().map(Gpu::bytes).sum();
        while self.bytes > self.max_bytes {
            let rings = self.gpus.values_mut().flat_map(|gpu| &mut gpu.rings);
            // A block that is still written goes last.
            let ripe = rings.filter_map(|ring| Some((ring.count() > 1, ring.ripeness(now)?, ring)));
            let riper = |left: &(bool, f64, _), right: &(bool, f64, _)| {
                left.0.cmp(&right.0).then(left.1.total_cmp(&right.1))
            };
            let Some((_, _, ring)) = ripe.max_by(riper) else {
                break;
            };
            let before = ring.bytes();
            ring.forget_oldest();
            self.bytes -= before - ring.bytes();
        }
    }

    /// Blocks that will not be written any more and are not packed.
    pub(crate) fn unpacked(&self) -> Vec<(BlockId, Block)> {
        self.each(|ring| {
            ring.unpacked()
                .map(|(number, block)| (number, block.clone()))
                .collect()
        })
    }

    /// Puts packed blocks in place of themselves.
    pub(crate) fn replace(&mut self, packed: Vec<(BlockId, Packed)>) {
        for (id, packed) in packed {
            if let Some(ring) = self.ring(&id) {
                ring.replace(id.number, Block::Packed(Arc::new(packed)));
            }
        }
        self.bytes = self.gpus.values().map(Gpu::bytes).sum();
    }

    /// The blocks that were written since this was last called.
    pub(crate) fn unsaved(&mut self) -> Vec<(BlockId, Block)> {
        let mut found = Vec::new();
        for (id, gpu) in &mut self.gpus {
            for ring in &mut gpu.rings {
                let step = ring.tier.step;
                found.extend(ring.unsaved().into_iter().map(|(number, block)| {
                    let gpu = id.clone();
                    (BlockId { gpu, step, number }, block)
                }));
            }
        }
        found
    }

    /// Takes back that these were asked for: nobody took them.
    pub(crate) fn not_saved(&mut self, blocks: &[(BlockId, Block)]) {
        for (id, _) in blocks {
            if let Some(ring) = self.ring(id) {
                ring.not_saved(id.number);
            }
        }
    }

    /// Each GPU with its index, and the oldest block of each of its tiers.
    pub(crate) fn oldest(&self) -> Vec<(BlockId, u32)> {
        let mut found = Vec::new();
        for (id, gpu) in &self.gpus {
            for ring in &gpu.rings {
                if let Some(number) = ring.oldest() {
                    let (gpu_id, step) = (id.clone(), ring.tier.step);
                    found.push((
                        BlockId {
                            gpu: gpu_id,
                            step,
                            number,
                        },
                        gpu.index,
                    ));
                }
            }
        }
        found
    }

    /// Takes over what an earlier process kept. What lies in the future is not believed.
    pub(crate) fn restore(&mut self, kept: Kept, now: i64) {
        for (id, index) in kept.gpus {
            let gpu = self.gpu(&id);
            // One that was seen meanwhile has a sample.
            if gpu.before.is_none() {
                gpu.index = index;
            }
        }
        for (id, packed) in kept.blocks {
            self.gpu(&id.gpu);
            let block = Block::Packed(Arc::new(packed));
            if let Some(ring) = self.ring(&id) {
                ring.restore(id.number, block);
            }
        }
        for gpu in self.gpus.values_mut() {
            for ring in &mut gpu.rings {
                let is_future = |slot: i64| slot * ring.tier.step > now + SMALL_STEP_BACK;
                if ring.latest_kept().is_some_and(is_future) {
                    ring.forget_from(now);
                }
            }
            gpu.catch_up();
        }
        self.shrink(now);
    }

    fn ring(&mut self, id: &BlockId) -> Option<&mut Ring> {
        let gpu = self.gpus.get_mut(&id.gpu)?;
        gpu.rings.iter_mut().find(|ring| ring.tier.step == id.step)
    }

    fn each(&self, of: impl Fn(&Ring) -> Vec<(i64, Block)>) -> Vec<(BlockId, Block)> {
        let rings = self
            .gpus
            .iter()
            .flat_map(|(id, gpu)| gpu.rings.iter().map(move |ring| (id, ring)));
        rings
            .flat_map(|(id, ring)| {
                let step = ring.tier.step;
                of(ring).into_iter().map(move |(number, block)| {
                    let gpu = id.clone();
                    (BlockId { gpu, step, number }, block)
                })
            })
            .collect()
    }
}

impl Gpu {
    /// Takes in points of the second `at`. Whether a slot is over thereby.
    fn add(&mut self, at: i64, points: &[Point]) -> bool {
        let Some((finest, coarser)) = self.rings.split_first_mut() else {
            return false;
        };
        let over = finest.add(at.div_euclid(finest.tier.step), points);
        let step = finest.tier.step;
        let is_over = over.is_some();
        if let Some((slot, points)) = over {
            pass_on(coarser, slot * step, &points);
        }
        is_over
    }

    fn close_before(&mut self, now: i64) {
        let Some((finest, coarser)) = self.rings.split_first_mut() else {
            return;
        };
        if let Some((slot, points)) = finest.close_before(now) {
            pass_on(coarser, slot * finest.tier.step, &points);
        }
        for ring in coarser {
            ring.close_before(now);
        }
    }

    fn end(&mut self) {
        if let Some((finest, coarser)) = self.rings.split_first_mut()
            && let Some((slot, points)) = finest.close()
        {
            pass_on(coarser, slot * finest.tier.step, &points);
        }
    }

    /// Gives the coarser tiers what the finest one has and they do not: the slots in which an earlier process ended.
    fn catch_up(&mut self) {
        let Some((finest, coarser)) = self.rings.split_first_mut() else {
            return;
        };
        let (Some(first), Some(latest)) = (finest.begins(), finest.latest_kept()) else {
            return;
        };
        let step = finest.tier.step;
        for ring in coarser {
            let behind = ring
                .latest_kept()
                .map_or(first, |slot| (slot + 1) * ring.tier.step);
            for slot in behind.max(first).div_euclid(step)..=latest {
                let points = finest.points(slot);
                if points.iter().any(|point| !point.is_none()) {
                    ring.add((slot * step).div_euclid(ring.tier.step), &points);
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        /// An entry of the map, and the identity.
        const OVERHEAD: usize = 128;
        OVERHEAD + self.rings.iter().map(Ring::bytes).sum::<usize>()
    }
}

/// Gives the coarser tiers a slot of the finest one that is over.
fn pass_on(coarser: &mut [Ring], at: i64, points: &[Point]) {
    for ring in coarser {
        ring.add(at.div_euclid(ring.tier.step), points);
    }
}
