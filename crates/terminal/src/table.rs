//! The table of processes: sorted, filtered, as a list or as a tree.

use std::cmp::Ordering;

use crate::{
    body::{Process, Processes},
    frame::{Frame, Parents},
    tree,
};

/// A column, by which the table can be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Pid,
    User,
    Gpu,
    Kind,
    Sm,
    Bandwidth,
    Encoder,
    Decoder,
    Memory,
    Time,
    Place,
    Command,
}

impl Column {
    pub(crate) const ALL: [Self; 12] = [
        Self::Pid,
        Self::User,
        Self::Gpu,
        Self::Kind,
        Self::Sm,
        Self::Bandwidth,
        Self::Encoder,
        Self::Decoder,
        Self::Memory,
        Self::Time,
        Self::Place,
        Self::Command,
    ];

    /// Those that fit into a width, each with its own; the last takes what is left.
    pub(crate) fn shown(width: u16) -> Vec<(Self, usize)> {
        let all = [
            (Self::Pid, 8, 0),
            (Self::User, 10, 56),
            (Self::Gpu, 5, 0),
            (Self::Kind, 5, 70),
            (Self::Sm, 5, 0),
            (Self::Bandwidth, 5, 96),
            (Self::Encoder, 5, 132),
            (Self::Decoder, 5, 132),
            (Self::Memory, 9, 0),
            (Self::Time, 8, 84),
            (Self::Place, 24, 110),
            (Self::Command, 0, 0),
        ];
        all.into_iter()
            .filter(|(_, _, from)| width >= *from)
            .map(|(column, width, _)| (column, width))
            .collect()
    }

    /// Its heading.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Pid => "PID",
            Self::User => "USER",
            Self::Gpu => "GPU",
            Self::Kind => "TYPE",
            Self::Sm => "SM%",
            Self::Bandwidth => "BW%",
            Self::Encoder => "ENC%",
            Self::Decoder => "DEC%",
            Self::Memory => "GPU-MEM",
            Self::Time => "TIME",
            Self::Place => "RUNS IN",
            Self::Command => "COMMAND",
        }
    }

    /// The greatest first is what one looks for in numbers, and the other way round in names.
    fn usually_descends(self) -> bool {
        let is_share = matches!(self, Self::Sm | Self::Bandwidth | Self::Encoder | Self::Decoder);
        is_share || matches!(self, Self::Memory | Self::Time)
    }

    /// How two processes stand to each other. Whoever has no value comes last, either way.
    fn compare(self, one: &Process, other: &Process, descending: bool) -> Ordering {
        match self {
            Self::Pid => turn(one.pid.cmp(&other.pid), descending),
            Self::User => known(one.user.as_ref(), other.user.as_ref(), descending),
            Self::Gpu => {
                let place = |process: &Process| Some((process.gpu_index?, process.gpu_instance_id));
                known(place(one), place(other), descending)
            }
            Self::Kind => turn(one.kind().cmp(&other.kind()), descending),
            Self::Sm => shares(one.sm_percent, other.sm_percent, descending),
            Self::Bandwidth => shares(one.memory_percent, other.memory_percent, descending),
            Self::Encoder => shares(one.encoder_percent, other.encoder_percent, descending),
            Self::Decoder => shares(one.decoder_percent, other.decoder_percent, descending),
            Self::Memory => known(one.memory_used_bytes, other.memory_used_bytes, descending),
            // The longest time has the one that started first.
            Self::Time => known(one.started_at, other.started_at, !descending),
            Self::Place => {
                let place = |process: &Process| Some(process.place()).filter(|place| !place.is_empty());
                known(place(one), place(other), descending)
            }
            Self::Command => turn(one.title().cmp(&other.title()), descending),
        }
    }
}

fn turn(ordering: Ordering, descending: bool) -> Ordering {
    if descending { ordering.reverse() } else { ordering }
}

fn known<T: Ord>(one: Option<T>, other: Option<T>, descending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => turn(one.cmp(&other), descending),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

fn shares(one: Option<f64>, other: Option<f64>, descending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => turn(one.total_cmp(&other), descending),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

/// A process on a GPU, by which a row is known from frame to frame.
pub(crate) type RowKey = (Option<u32>, u32);

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// What the rows below it have in common.
    Group { indent: usize, title: String },
    /// A process, by its place in the frame.
    Process { indent: usize, place: usize },
}

/// How the table is shown.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) sort: Column,
    pub(crate) descending: bool,
    /// Words that a row has to hold, all of them.
    pub(crate) filter: String,
    /// The filter is being typed.
    pub(crate) typing: bool,
    pub(crate) tree: bool,
    selected: Option<RowKey>,
    /// Where the selected row was last, for when it is gone.
    position: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            sort: Column::Memory,
            descending: true,
            filter: String::new(),
            typing: false,
            tree: false,
            selected: None,
            position: 0,
        }
    }
}

impl Table {
    /// The rows, in their order.
    pub(crate) fn rows(&self, frame: &Frame) -> Vec<Row> {
        let Processes { processes, .. } = &frame.processes;
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut places: Vec<usize> = (0..processes.len())
            .filter(|&place| holds(&processes[place], &words))
            .collect();
        let key = |process: &Process| (process.gpu_index, process.pid);
        places.sort_by(|&one, &other| {
            let (one, other) = (&processes[one], &processes[other]);
            let order = self.sort.compare(one, other, self.descending);
            order.then_with(|| key(one).cmp(&key(other)))
        });
        match self.tree {
            false => places
                .into_iter()
                .map(|place| Row::Process { indent: 0, place })
                .collect(),
            true => branches(processes, &frame.parents, places),
        }
    }

    /// Where the selected row stands among `rows`; the first row that is a process if none was ever selected.
    pub(crate) fn selected(&self, rows: &[Row], frame: &Frame) -> Option<usize> {
        let is_it = |row: &Row| match row {
            Row::Process { place, .. } => {
                let process = frame.processes.processes.get(*place);
                process.map(|process| (process.gpu_index, process.pid)) == self.selected
            }
            Row::Group { .. } => false,
        };
        let found = self.selected.and_then(|_| rows.iter().position(is_it));
        found.or_else(|| {
            let from = self.position.min(rows.len().saturating_sub(1));
            let is_process = |place: &usize| matches!(rows.get(*place), Some(Row::Process { .. }));
            (from..rows.len()).chain((0..from).rev()).find(is_process)
        })
    }

    /// The selected process.
    pub(crate) fn process<'a>(&self, frame: &'a Frame) -> Option<&'a Process> {
        let rows = self.rows(frame);
        match rows.get(self.selected(&rows, frame)?)? {
            Row::Process { place, .. } => frame.processes.processes.get(*place),
            Row::Group { .. } => None,
        }
    }

    /// Moves the selection by so many processes; rows that are none are passed over.
    pub(crate) fn step(&mut self, frame: &Frame, by: isize) {
        let rows = self.rows(frame);
        let processes: Vec<usize> = (0..rows.len())
            .filter(|&place| matches!(rows[place], Row::Process { .. }))
            .collect();
        let now = self.selected(&rows, frame);
        let now = now
            .and_then(|now| processes.iter().position(|&place| place == now))
            .unwrap_or(0);
        let last = processes.len().saturating_sub(1);
        if let Some(&place) = processes.get(now.saturating_add_signed(by).min(last)) {
            self.choose(frame, &rows, place);
        }
    }

    /// Selects the row at this place.
    pub(crate) fn click(&mut self, frame: &Frame, place: usize) {
        let rows = self.rows(frame);
        self.choose(frame, &rows, place);
    }

    fn choose(&mut self, frame: &Frame, rows: &[Row], at: usize) {
        if let Some(Row::Process { place, .. }) = rows.get(at) {
            let process = frame.processes.processes.get(*place);
            self.selected = process.map(|process| (process.gpu_index, process.pid));
            self.position = at;
        }
    }

    /// Sorts by a column, or the other way round if it is that one already.
    pub(crate) fn sort_by(&mut self, column: Column) {
        if self.sort == column {
            self.descending = !self.descending;
        } else {
            (self.sort, self.descending) = (column, column.usually_descends());
        }
    }

    /// Sorts by the next column on the right, or on the left, of those that fit into `width`: what is sorted by is seen.
    pub(crate) fn sort_beside(&mut self, to_right: bool, width: u16) {
        let count = Column::ALL.len();
        let now = Column::ALL
            .iter()
            .position(|column| *column == self.sort)
            .unwrap_or(0);
        let shown = Column::shown(width);
        let next = (1..=count)
            .map(|steps| Column::ALL[(now + if to_right { steps } else { count - steps }) % count])
            .find(|column| shown.iter().any(|(shown, _)| shown == column));
        if let Some(next) = next {
            self.sort_by(next);
        }
    }
}

/// Whether all words are to be found in what is shown of a process.
fn holds(process: &Process, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let gpu = process
        .gpu_index
        .map(|index| format!("gpu{index}"))
        .unwrap_or_default();
    let user = process.user.as_deref().unwrap_or_default();
    let kinds = process.kinds.join(" ");
    let (title, place, pid) = (process.title(), process.place(), process.pid);
    let text = format!("{pid} {user} {gpu} {kinds} {title} {place}").to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// By descent where that is known, by what they run in otherwise.
fn branches(processes: &[Process], parents: &Parents, places: Vec<usize>) -> Vec<Row> {
    if parents.is_empty() {
        tree::by_place(processes, places)
    } else {
        tree::by_descent(processes, parents, &places)
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
