//! `cargo xtask hardware`: the tests that only a machine with an NVIDIA GPU can run.

use std::env;

use anyhow::Result;
use xshell::cmd;

use crate::project::Project;

/// Names the NVML library to test with, where it is not the system's.
const LIBRARY: &str = "GPULSE_HARDWARE_LIBRARY";

/// Says what will happen to the machine, then runs the ignored tests of the sampler.
pub(crate) fn run(project: &Project) -> Result<()> {
    println!(
        "Runs the sampler's ignored tests over the real driver. They read every GPU through NVML, change"
    );
    println!("no setting and start no work on a GPU. An open NVML session blocks GPU resets while they run.");
    match env::var(LIBRARY) {
        Ok(path) => println!("NVML library: {path} ({LIBRARY})"),
        Err(_) => println!("NVML library: the system's libnvidia-ml.so.1 (set {LIBRARY} for another)"),
    }
    let sh = &project.sh;
    cmd!(
        sh,
        "cargo test -p gpulse-sampler --test hardware -- --ignored --nocapture"
    )
    .run()?;
    Ok(())
}
