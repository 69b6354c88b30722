//! NVML's C ABI over simulated GPUs.
