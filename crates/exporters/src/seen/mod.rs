//! A GPU's readings as one row of cells, in the order of the catalogue: what every table picks from.

mod catalogue;

use gpulse_models::{
    GpuSnapshot, Reading, Reason, Sample,
    catalogue::{Below, Group, Readings, Shown},
};

pub use catalogue::{CATALOGUE, Catalogue, Leaf, LeafId, List, ListId};

/// What was read of a GPU.
pub struct Seen<'a> {
    /// Whose readings these are.
    pub gpu: &'a GpuSnapshot,
    cells: Vec<Reading<Shown<'a>>>,
    items: Vec<Item<'a>>,
}

/// One part of a list: a fan, a link, a MIG instance.
pub struct Item<'a> {
    /// Of which list it is.
    pub list: ListId,
    cells: Vec<Reading<Shown<'a>>>,
}

impl<'a> Seen<'a> {
    /// What was read of `gpu`. What is not fresh is absent: of a GPU that is not `ok` only what never changes is there.
    pub fn of(gpu: &'a GpuSnapshot) -> Self {
        let mut seen = Self {
            gpu,
            cells: Vec::with_capacity(CATALOGUE.leaves.len()),
            items: Vec::new(),
        };
        let sample = seen.sample();
        let absence = gpu.fresh_sample().err();
        for group in catalogue::GROUPS {
            let before = seen.cells.len();
            match (group, gpu.facts.as_deref(), sample) {
                (Group::Identity, Some(facts), _) => seen.take(&facts.identity),
                (Group::Limits, Some(facts), _) => seen.take(&facts.limits),
                (_, _, Some(sample)) => {
                    if let Some((readings, _)) = sample.group(group) {
                        seen.take(readings);
                    }
                }
                _ => {}
            }
            let end = CATALOGUE.end_of(group);
            debug_assert!(seen.cells.len() == before || seen.cells.len() == end);
            let reason = absence.unwrap_or(Reason::NotReady);
            seen.cells.resize_with(end, || Reading::Unavailable(reason));
        }
        seen
    }

    /// The sample, if it is fresh.
    pub fn sample(&self) -> Option<&'a Sample> {
        self.gpu.fresh_sample().ok()
    }

    /// What was read for `leaf`, which is not one of a list's.
    pub fn cell(&self, leaf: LeafId) -> &Reading<Shown<'a>> {
        &self.cells[leaf.0]
    }

    /// The number that was read for `leaf`.
    pub fn number(&self, leaf: LeafId) -> Option<f64> {
        self.cell(leaf).value().and_then(number)
    }

    /// The parts of `list`.
    pub fn items(&self, list: ListId) -> impl Iterator<Item = &Item<'a>> {
        self.items.iter().filter(move |item| item.list == list)
    }

    /// Takes the readings of a group, depth first as the catalogue does.
    fn take(&mut self, readings: &'a dyn Readings) {
        let mut lists = Vec::new();
        let mut cells = std::mem::take(&mut self.cells);
        walk(readings, &mut cells, &mut lists);
        self.cells = cells;
        for (leaf, parts) in lists {
            let Some(list) = CATALOGUE.list_at(leaf) else {
                continue;
            };
            for part in parts {
                let Below::Kept(part) = part else { continue };
                let mut cells = Vec::new();
                walk(part, &mut cells, &mut Vec::new());
                self.items.push(Item { list, cells });
            }
        }
    }
}

impl<'a> Item<'a> {
    /// What was read for `leaf`, which is one of this list's.
    pub fn cell(&self, leaf: LeafId) -> &Reading<Shown<'a>> {
        &self.cells[leaf.0 - CATALOGUE.list(self.list).first.0]
    }

    /// The number that was read for `leaf`.
    pub fn number(&self, leaf: LeafId) -> Option<f64> {
        self.cell(leaf).value().and_then(number)
    }

    /// The text that was read for `leaf`, or its number as text.
    pub fn text(&self, leaf: LeafId) -> Option<String> {
        self.cell(leaf).value().and_then(text)
    }
}

/// Lists that were met, with the place of their own cell.
type Lists<'a> = Vec<(usize, Vec<Below<'a>>)>;

fn walk<'a>(readings: &'a dyn Readings, cells: &mut Vec<Reading<Shown<'a>>>, lists: &mut Lists<'a>) {
    readings.see(&mut |_, reading| match reading {
        Reading::Value(Shown::Part(Below::Kept(part))) => walk(part, cells, lists),
        Reading::Value(Shown::Parts(parts)) => {
            let length = Shown::Integer(parts.len() as i128);
            lists.push((cells.len(), parts));
            cells.push(Reading::Value(length));
        }
        other => cells.push(other),
    });
}

/// What is shown as a number; yes is 1.
pub fn number(shown: &Shown<'_>) -> Option<f64> {
    match shown {
        Shown::Float(value) => value.is_finite().then_some(*value),
        Shown::Integer(value) => Some(*value as f64),
        Shown::Flag(flag) => Some(f64::from(u8::from(*flag))),
        // In seconds since 1970.
        Shown::Time(time) => Some(time.as_microsecond() as f64 / 1e6),
        _ => None,
    }
}

/// What is shown as text.
pub fn text(shown: &Shown<'_>) -> Option<String> {
    match shown {
        Shown::Text(text) => Some(text.to_string()),
        Shown::Time(time) => Some(time.to_string()),
        Shown::Integer(value) => Some(value.to_string()),
        Shown::Flag(flag) => Some(flag.to_string()),
        Shown::Float(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gpulse_models::example;

    use super::*;

    #[test]
    fn every_cell_stands_at_its_path() {
        let gpu = example::gpu(3);
        let seen = Seen::of(&gpu);
        let sample = gpu.sample.as_deref().unwrap();
        let at = |path| seen.number(CATALOGUE.leaf(path).unwrap());
        assert_eq!(seen.cells.len(), CATALOGUE.scalars());
        assert_eq!(
            at("power.draw_watts"),
            sample.power.draw_watts.value().map(|w| w.0)
        );
        assert_eq!(
            at("clocks.lowered.thermal_seconds_total"),
            sample.clocks.lowered.thermal_seconds_total.value().map(|s| s.0)
        );
        assert_eq!(at("limits.slowdown_celsius"), Some(87.0));
        assert_eq!(at("identity.cores"), Some(16_896.0));
        let fans = CATALOGUE.list_named("thermal.fans").unwrap();
        let speed = CATALOGUE.leaf("thermal.fans.speed_percent").unwrap();
        assert_eq!(CATALOGUE.group_of(speed), Some(Group::Thermal));
        let draw = CATALOGUE.leaf("power.draw_watts").unwrap();
        assert_eq!(CATALOGUE.group_of(draw), Some(Group::Power));
        let read = sample.thermal.fans.value().unwrap();
        assert_eq!(seen.items(fans).count(), read.len());
        for (item, fan) in seen.items(fans).zip(read) {
            assert_eq!(item.number(speed), fan.speed_percent.value().map(|p| p.0));
        }
    }

    #[test]
    fn of_a_gpu_that_is_not_well_only_facts_are_there() {
        let mut gpu = example::gpu(0);
        gpu.health.state = gpulse_models::GpuState::Hung;
        let seen = Seen::of(&gpu);
        let draw = CATALOGUE.leaf("power.draw_watts").unwrap();
        assert!(matches!(seen.cell(draw), Reading::Unavailable(Reason::Timeout)));
        assert_eq!(
            seen.number(CATALOGUE.leaf("limits.power_max_watts").unwrap()),
            Some(700.0)
        );
    }
}
