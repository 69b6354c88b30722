//! Processes as a tree: by who started whom, or, of another host, by what they run in.

use std::collections::{BTreeMap, BTreeSet};

use crate::{body::Process, frame::Parents, table::Row, text};

/// Groups processes by Slurm job, pod, container or user, in the order of their first.
pub(crate) fn by_place(processes: &[Process], places: Vec<usize>) -> Vec<Row> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for place in places {
        let process = &processes[place];
        let title = match process.place() {
            bare if bare.is_empty() => format!("user {}", process.user.as_deref().unwrap_or("?")),
            runs_in => runs_in,
        };
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, members)) => members.push(place),
            None => groups.push((title, vec![place])),
        }
    }
    let mut rows = Vec::new();
    for (title, members) in groups {
        let title = format!("{title} ({}, {})", members.len(), memory(processes, &members));
        rows.push(Row::Group { indent: 0, title });
        rows.extend(members.into_iter().map(|place| Row::Process { indent: 1, place }));
    }
    rows
}

/// What they hold together, as far as it is known of each.
#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
fn memory(processes: &[Process], members: &[usize]) -> String {
    let known: Vec<u64> = members
        .iter()
        .filter_map(|&place| processes[place].memory_used_bytes)
        .collect();
    if known.is_empty() {
        return text::NOTHING.to_owned();
    }
    let sum = text::bytes(known.iter().copied().fold(0, u64::saturating_add) as f64);
    if known.len() < members.len() {
        format!("at least {sum}")
    } else {
        sum
    }
}

/// Shows processes below those that started them. A line of ancestors with one child each is not shown.
pub(crate) fn by_descent(processes: &[Process], parents: &Parents, places: &[usize]) -> Vec<Row> {
    let mut nodes = Nodes::default();
    for &place in places {
        let pid = processes[place].pid;
        nodes.own.entry(pid).or_default().push(place);
        let mut child = pid;
        // A number that was used again could close a circle.
        let mut passed = BTreeSet::from([child]);
        while let Some(parent) = parents.get(&child).map(|parent| parent.pid) {
            if parent <= 1 || !passed.insert(parent) {
                break;
            }
            let children = nodes.children.entry(parent).or_default();
            if !children.contains(&child) {
                children.push(child);
            }
            child = parent;
        }
        if !nodes.roots.contains(&child) {
            nodes.roots.push(child);
        }
    }
    let mut rows = Vec::new();
    let mut shown = BTreeSet::new();
    for mut root in nodes.roots.clone() {
        while let (false, Some([only])) = (
            nodes.own.contains_key(&root),
            nodes.children.get(&root).map(Vec::as_slice),
        ) {
            root = *only;
        }
        nodes.show(root, 0, parents, &mut rows, &mut shown);
    }
    rows
}

/// Who is below whom.
#[derive(Debug, Default)]
struct Nodes {
    roots: Vec<u32>,
    children: BTreeMap<u32, Vec<u32>>,
    /// Rows of a process, one for each of its GPUs.
    own: BTreeMap<u32, Vec<usize>>,
}

impl Nodes {
    fn show(
        &self,
        pid: u32,
        indent: usize,
        parents: &Parents,
        rows: &mut Vec<Row>,
        shown: &mut BTreeSet<u32>,
    ) {
        if !shown.insert(pid) {
            return;
        }
        match self.own.get(&pid) {
            Some(own) => rows.extend(own.iter().map(|&place| Row::Process { indent, place })),
            None => {
                let name = parents.get(&pid).map_or("?", |parent| parent.name.as_str());
                let title = format!("{pid} {}", text::printable(name));
                rows.push(Row::Group { indent, title });
            }
        }
        for &child in self.children.get(&pid).into_iter().flatten() {
            self.show(child, indent + 1, parents, rows, shown);
        }
    }
}
