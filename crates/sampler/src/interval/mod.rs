//! What happened between two ticks, as arithmetic over numbers that the reader passes in.
//!
//! A tick sees a moment. What lies in between is known to the driver, in two forms:
//!
//! - It samples by itself and keeps a ring of what it has seen. [`ring::Ring`] turns what is new in there into the mean,
//!   lowest, highest and 95th percentile of the interval, each sample weighted by the time that it stands for.
//! - It counts. [`counter::Counter`] goes on counting where the driver's counter wraps, is reset or begins anew with a
//!   reloaded driver, and [`rate::Rate`] says how fast the total grows, such as the average power of the interval out
//!   of its energy.
//!
//! All three join without overlap: what they say of consecutive intervals, weighted by time, is true of the whole.
//! They are plain data that outlives a reader thread, ask nobody, and have no clock: times are passed in.
//!
//! | Counter of NVML | Unit | Width | Counts in a second at most ([`limits`]) |
//! |---|---|---|---|
//! | total energy (field 83, `nvmlDeviceGetTotalEnergyConsumption`) | mJ | 64 bits | 10 kW |
//! | PCIe bytes, each way (fields 197, 198) | byte | 32 or 64 bits, by the chip | 128 GB/s, twice over |
//! | NVLink traffic, per link and way (fields 138 to 141) | KiB: × 1024 | 64 bits | 100 GB/s, twice over |
//! | violation times (fields 74 to 81) | ns | 64 bits | one second, twice over |
//! | ECC errors, replays | count | 32 or 64 bits, no wrap expected | a million |
//!
//! The ceilings are deliberately generous. No value is ever cut off by one: they only decide whether a counter that
//! decreased has wrapped or was reset.

pub(crate) mod counter;
pub(crate) mod limits;
pub(crate) mod rate;
pub(crate) mod ring;
