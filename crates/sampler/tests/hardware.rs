//! The sampler on real hardware. Not run by default: `cargo xtask hardware` starts it on a machine with a GPU.
//!
//! `GPULSE_HARDWARE_LIBRARY` names the NVML library; without it the sampler searches for the driver's.

mod support;

use std::path::PathBuf;

use gpulse_models::{DriverStatus, GpuState};
use gpulse_sampler::ProcessSettings;

#[test]
#[ignore = "needs an NVIDIA GPU and its driver: cargo xtask hardware"]
fn every_gpu_of_this_machine_is_read() {
    let library = std::env::var_os("GPULSE_HARDWARE_LIBRARY").map(PathBuf::from);
    let host = support::first_snapshot(library, ProcessSettings::default());
    let DriverStatus::Ready(driver) = &host.driver else {
        panic!("NVML cannot be used: {:?}", host.driver)
    };
    assert!(!driver.simulated, "{} is the simulator", driver.library.display());
    assert!(!host.gpus.is_empty(), "the driver knows no GPU");
    for gpu in &host.gpus {
        assert_eq!(
            gpu.health.state,
            GpuState::Ok,
            "GPU {}: {:?}",
            gpu.index,
            gpu.health.last_error
        );
        println!("{gpu:#?}");
    }
}
