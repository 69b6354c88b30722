//! Tells the crate what it is built with, and for what.

use std::{env, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BUILD_COMMIT");
    println!(
        "cargo:rustc-env=BUILD_RUSTC={}",
        compiler().as_deref().unwrap_or("unknown")
    );
    println!(
        "cargo:rustc-env=BUILD_TARGET={}",
        env::var("TARGET").as_deref().unwrap_or("unknown")
    );
}

/// `1.90.0`, out of `rustc 1.90.0 (1159e78c4 2025-09-14)`.
fn compiler() -> Option<String> {
    let said = Command::new(env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.split_ascii_whitespace().nth(1).map(str::to_owned)
}
