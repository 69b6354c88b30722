//! What commands that show GPUs have in common: what is asked for ([`look`]), what is at a path of an answer ([`cell`]),
//! how columns and lines are written ([`text`]), what is the
//! matter with GPUs ([`trouble`]), and showing it again and again ([`watch`]).

pub(crate) mod cell;
pub(crate) mod look;
pub(crate) mod paths;
pub(crate) mod text;
pub(crate) mod trouble;
pub(crate) mod watch;

pub(crate) use cell::{Cell, cell};
pub(crate) use look::{Gpus, Look, Selection, look};
