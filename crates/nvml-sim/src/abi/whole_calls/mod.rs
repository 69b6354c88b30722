//! Every exported function, called with whatever a program may pass: nothing crashes, nothing is written beyond what the
//! caller has declared, and what is wrong with a call is said as NVML says it.
//!
//! The list of functions comes from their declarations (`export!`), with the types of their parameters, so that a new one
//! is called from the beginning.

mod attempt;
mod entry;
mod place;

mod refusals;
mod sequences;

pub(super) use entry::Entry;

use std::sync::{Arc, LazyLock};

use super::field_tests::AGE;
use super::names::NAMES;
use super::{
    accounting, clocks, confidential, events, field, gpm, identity, lifecycle, load, lookup, memory, mig,
    modes, nvlink, pci, power, process, reliability, samples, sessions, system, thermal, topology,
    unsupported, vgpu,
};
use crate::faults::{Fault, Values};
use crate::profile::Profile;
use crate::world::World;

/// All that is exported, but for the text of a code, which takes no pointer.
fn entries() -> Vec<Entry> {
    let of_each_file = [
        accounting::exported,
        clocks::exported,
        confidential::exported,
        events::exported,
        field::exported,
        gpm::exported,
        identity::exported,
        lifecycle::exported,
        load::exported,
        lookup::exported,
        memory::exported,
        mig::exported,
        modes::exported,
        nvlink::exported,
        pci::exported,
        power::exported,
        process::exported,
        reliability::exported,
        samples::exported,
        sessions::exported,
        system::exported,
        thermal::exported,
        topology::exported,
        unsupported::exported,
        vgpu::exported,
    ];
    let mut all = Vec::new();
    for add in of_each_file {
        add(&mut all);
    }
    all
}

/// Nodes that differ in what their GPUs can do, and one whose driver says strange things.
static WORLDS: LazyLock<Vec<Arc<World>>> = LazyLock::new(|| {
    let strange = Values {
        blank_processes: Some(40),
        pids: Some((1..=60).collect()),
        process_name: Some("n".repeat(200)),
        retired_single_bit: Some(100),
        retired_double_bit: Some(3),
        ..Values::default()
    };
    let video = "extends = \"l40s-4\"\n[gpu]\naccounting = true\n\
        vgpu = { name = \"NVIDIA L40S-12Q\", type_id = 1151, memory_mib = 12288, most = 4, active = 3 }";
    let parsed = |text: &str| Profile::parse("calls", text).expect("a profile");
    let named = |name: &str| parsed(&format!("extends = \"{name}\""));
    let mut worlds: Vec<_> = [
        "h100-mig",
        "h100-sxm-8",
        "a100-nvlink-2",
        "b200-8",
        "gb10",
        "t4",
        "rtx-4090",
        "a100-vgpu",
        "no-gpu",
    ]
    .map(|name| World::of(named(name), AGE, &[]))
    .into();
    worlds.push(World::of(parsed(video), AGE, &[]));
    worlds.push(World::of(
        named("a100-pcie-4"),
        AGE,
        &[Fault::everywhere().values(strange)],
    ));
    worlds
});

#[test]
fn nothing_that_is_exported_is_left_out() {
    let mut names: Vec<_> = entries().iter().map(|entry| entry.name).collect();
    names.push("nvmlErrorString");
    names.sort_unstable();
    assert_eq!(names, NAMES);
}
