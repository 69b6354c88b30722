//! NVML's C ABI over simulated GPUs.
//!
//! The crate is two things at once. As a shared library it is `libnvidia-ml.so.1`: any NVML client loads it,
//! unchanged, and sees the GPUs of a [`profile`], alive and misbehaving on request. As a Rust library it
//! offers what is needed around that: the [`engine`], whose values can be recomputed in another process, the
//! [`faults`] that can be switched on in a running process, and the [`testing`] front end that puts it all
//! together.
//!
//! `abi → world → control, engine, faults, profile`: the C surface holds every `unsafe`, that of
//! the two system calls in `abi::sys` included; everything else is safe code. A client recognises the simulator by
//! `nvmlSystemGetNVMLVersion`, which ends in `-sim`.

mod abi;
pub mod control;
pub mod engine;
pub mod faults;
pub mod profile;
pub mod testing;
mod world;

/// The names of all functions that the shared library exports, in byte order.
pub fn names() -> &'static [&'static str] {
    abi::NAMES
}
