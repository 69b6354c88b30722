//! Gives the shared library the name under which NVML clients know it, and keeps it mapped once loaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Clients that are linked against NVML record the soname; it has to be the driver's.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnvidia-ml.so.1");
    // A thread may still sleep inside a call while its client closes the library.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
