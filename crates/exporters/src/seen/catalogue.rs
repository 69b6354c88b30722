//! The catalogue of `models` laid out flat: a leaf for each reading, at the place that it has in a row of cells.

use std::{collections::HashMap, sync::LazyLock};

use gpulse_models::catalogue::{Described, Group, Metric, What};

/// The groups whose readings are looked at. Processes are rows of their own, not readings of a GPU.
pub(super) const GROUPS: [Group; 14] = [
    Group::Identity,
    Group::Limits,
    Group::Load,
    Group::Activity,
    Group::Memory,
    Group::Power,
    Group::Thermal,
    Group::Clocks,
    Group::Mig,
    Group::Pcie,
    Group::Nvlink,
    Group::Reliability,
    Group::Modes,
    Group::Sessions,
];

/// All readings of a GPU.
pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::new);

/// The place of a leaf: among the cells of a GPU, or behind all of these for the readings of a list's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafId(pub(super) usize);

/// The number of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListId(usize);

/// One reading of the catalogue.
#[derive(Debug)]
pub struct Leaf {
    /// Its place.
    pub id: LeafId,
    /// Where it stands, such as `power.interval.mean_watts`.
    pub path: String,
    /// Its key and what it means.
    pub metric: &'static Metric,
    /// How it comes about.
    pub described: Described,
    /// The list of whose parts it is read.
    pub of: Option<ListId>,
}

/// A list of the catalogue.
#[derive(Debug)]
pub struct List {
    /// Its number.
    pub id: ListId,
    /// Where it stands, such as `thermal.fans`.
    pub path: String,
    /// The cell that holds its length.
    pub(super) length: usize,
    /// The first of its leaves; the others follow.
    pub(super) first: LeafId,
    /// How many there are.
    pub(super) count: usize,
}

impl List {
    /// The readings of each of its parts.
    pub fn leaves(&self) -> impl Iterator<Item = LeafId> {
        (self.first.0..self.first.0 + self.count).map(LeafId)
    }
}

/// All readings of a GPU.
#[derive(Debug)]
pub struct Catalogue {
    /// The leaves, by place.
    pub leaves: Vec<Leaf>,
    lists: Vec<List>,
    ends: Vec<(Group, usize)>,
    paths: HashMap<String, LeafId>,
    scalars: usize,
}

impl Catalogue {
    fn new() -> Self {
        let mut catalogue = Self {
            leaves: Vec::new(),
            lists: Vec::new(),
            ends: Vec::new(),
            paths: HashMap::new(),
            scalars: 0,
        };
        let mut parts = Vec::new();
        for group in GROUPS {
            catalogue.add(group.as_str(), group.metrics(), None, &mut parts);
            catalogue.ends.push((group, catalogue.leaves.len()));
        }
        catalogue.scalars = catalogue.leaves.len();
        for (id, metrics) in parts {
            catalogue.lists[id.0].first = LeafId(catalogue.leaves.len());
            let path = catalogue.lists[id.0].path.clone();
            // A list within a list is not unfolded: its length is a cell like any other.
            catalogue.add(&path, metrics, Some(id), &mut Vec::new());
            let list = &mut catalogue.lists[id.0];
            list.count = catalogue.leaves.len() - list.first.0;
        }
        for leaf in &catalogue.leaves {
            catalogue.paths.insert(leaf.path.clone(), leaf.id);
        }
        catalogue
    }

    fn add(
        &mut self,
        above: &str,
        metrics: &'static [Metric],
        of: Option<ListId>,
        parts: &mut Vec<(ListId, &'static [Metric])>,
    ) {
        for metric in metrics {
            let path = format!("{above}.{}", metric.key);
            let described = match metric.what {
                What::Part(below) => {
                    self.add(&path, below, of, parts);
                    continue;
                }
                What::Reading(described) => described,
                What::List(described, below) => {
                    let id = ListId(self.lists.len());
                    if of.is_none() {
                        self.lists.push(List {
                            id,
                            path: path.clone(),
                            length: self.leaves.len(),
                            first: LeafId(0),
                            count: 0,
                        });
                        parts.push((id, below));
                    }
                    described
                }
            };
            self.leaves.push(Leaf {
                id: LeafId(self.leaves.len()),
                path,
                metric,
                described,
                of,
            });
        }
    }

    /// The leaf at `path`.
    pub fn leaf(&self, path: &str) -> Option<LeafId> {
        self.paths.get(path).copied()
    }

    /// The leaf with this place.
    pub fn at(&self, leaf: LeafId) -> &Leaf {
        &self.leaves[leaf.0]
    }

    /// The lists.
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    /// The list with this number.
    pub fn list(&self, id: ListId) -> &List {
        &self.lists[id.0]
    }

    /// The list at `path`.
    pub fn list_named(&self, path: &str) -> Option<ListId> {
        self.lists
            .iter()
            .find(|list| list.path == path)
            .map(|list| list.id)
    }

    /// The list whose length stands in this cell.
    pub(super) fn list_at(&self, cell: usize) -> Option<ListId> {
        self.lists
            .iter()
            .find(|list| list.length == cell)
            .map(|list| list.id)
    }

    /// The group that `leaf` is of, or the list of whose parts it is.
    pub fn group_of(&self, leaf: LeafId) -> Option<Group> {
        let cell = self.at(leaf).of.map_or(leaf.0, |list| self.list(list).length);
        let found = self.ends.iter().find(|(_, end)| cell < *end);
        found.map(|(group, _)| *group)
    }

    /// How many cells a GPU has up to the end of `group`.
    pub(super) fn end_of(&self, group: Group) -> usize {
        let end = self.ends.iter().find(|(other, _)| *other == group);
        end.map_or(0, |(_, end)| *end)
    }

    /// How many cells a GPU has, those of its lists' parts apart.
    pub fn scalars(&self) -> usize {
        self.scalars
    }
}
