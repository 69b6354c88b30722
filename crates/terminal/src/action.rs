//! What a person can ask for, and what comes of it.

use crate::{frame::Delivery, signaller::Target, table::Column};

/// One of the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Overview,
    Gpu,
    Processes,
    Events,
    Help,
}

impl Screen {
    pub(crate) const ALL: [Self; 5] = [
        Self::Overview,
        Self::Gpu,
        Self::Processes,
        Self::Events,
        Self::Help,
    ];

    /// Its name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Gpu => "GPU",
            Self::Processes => "Processes",
            Self::Events => "Events",
            Self::Help => "Help",
        }
    }
}

/// How far something moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    First,
    Last,
}

/// An answer to the question whether a process is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Cancel,
    Terminate,
    Kill,
}

impl Choice {
    pub(crate) const ALL: [Self; 3] = [Self::Cancel, Self::Terminate, Self::Kill];

    /// What stands on its button.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Cancel => "Cancel (n)",
            Self::Terminate => "SIGTERM (y)",
            Self::Kill => "SIGKILL (K)",
        }
    }
}

/// Something that changes what is shown.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Quit,
    Suspend,
    Redraw,
    Refresh,
    Freeze,
    Show(Screen),
    NextScreen,
    PreviousScreen,
    Back,
    Enter,
    Move(Move),
    /// The GPU at this place of the list; once it is selected already its own screen.
    ChooseGpu(usize),
    /// The row at this place of the table.
    ChooseRow(usize),
    /// The event at this place of the list, the newest first.
    ChooseEvent(usize),
    Sort(Column),
    SortBeside(isize),
    Reverse,
    Tree,
    Filter,
    Type(char),
    Erase,
    EraseAll,
    Zoom(bool),
    Kill,
    Choose(Choice),
    /// Whether the process that the question is about can be ended.
    Held(Result<(), String>),
    /// Whether the signal was sent.
    Sent(Result<(), String>),
    Deliver(Delivery),
}

/// What a change asks the outside to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Quit,
    Suspend,
    Redraw,
    Refresh,
    Hold(Target),
    Send { force: bool },
}
