//! What happened between two ticks, as arithmetic over numbers that the reader passes in.

pub(crate) mod counter;
pub(crate) mod limits;
pub(crate) mod ring;
