//! NVML's C surface, complete by name.
//!
//! Every `unsafe` is here, in two files. `ffi` wraps the pointers that clients pass into types that check for
//! NULL and access them once, and exports functions through one macro; `sys` makes the two system calls that
//! have no safe wrapper. `call` is what all functions have
//! in common: the initialised world, counting, faults, handles. The others are safe code, one file per group
//! of functions; names nobody simulates are in `unsupported`.

mod accounting;
mod call;
mod clocks;
mod code;
mod confidential;
mod events;
mod ffi;
mod field;
mod gpm;
mod handle;
mod identity;
mod layout;
mod lifecycle;
mod link_fields;
mod load;
mod lookup;
mod memory;
mod mig;
mod modes;
mod names;
mod nvlink;
mod pci;
mod power;
mod process;
mod reliability;
mod samples;
mod sessions;
pub(crate) mod sys;
mod system;
mod thermal;
mod topology;
mod unsupported;
mod vgpu;

#[cfg(test)]
mod confidential_tests;
#[cfg(test)]
mod field_tests;
#[cfg(test)]
mod license_tests;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod raw_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_calls;

pub(crate) use code::Code;
pub(crate) use names::NAMES;
