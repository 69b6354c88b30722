//! Simulated hosts.

use nvml_sim::testing::Simulator;

/// A host of this profile, with a copy of the library of its own.
#[track_caller]
pub(crate) fn simulator(profile: &str) -> Simulator {
    match Simulator::start(profile) {
        Ok(simulator) => simulator,
        Err(error) => panic!("{profile}: {error}"),
    }
}
