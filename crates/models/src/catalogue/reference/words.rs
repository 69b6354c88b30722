//! The prose of the reference.

use super::{Group, Reason};

pub(super) const INTRODUCTION: &str = "\
# Metrics

<!-- Generated from crates/models by `cargo xtask codegen`. -->

What gpulse reads of a GPU, and how it is named. The paths below are those of `/api/v1/gpus` and of its parameter
`fields`; a list is named without positions (`thermal.fans.speed_rpm`). The unit is a part of the name. Names are
frozen once they are released.

A reading is a **value or a reason**. A value that cannot be had is `null`, never zero, and the `unavailable` of its GPU
names its path and the reason, with positions of lists (`thermal.fans.0.speed_rpm`). Where everything below a path is
absent for one reason, the path stands there once (`activity`, `power.interval`): to find the reason of a null, look for
its own path first and then for each one above it. A `null` without a reason is an answer: a process that runs in no
container has no container. An empty list is an answer as well. A GPU without a sample to show (state `lost` or
`unavailable`) is there all the same, and its groups are absent for the reason of its `last_error`.

Kinds: a **gauge** goes up and down. A **counter** ends in `_total` and only grows while the agent lives: where the
driver's own counter begins anew, ours goes on, and `resets_total` counts how often. After a restart of the agent all
counters begin anew; the `instance` of `/api/v1/host` tells. An **info** says what something is.

Since: the generation of GPUs from which on NVIDIA documents the call; boards differ within one.

## Reasons

";

pub(super) const CLOCKS: &str = "
## Clocks

Each group is read on a clock of its own, and carries the time of its reading as `read_at`; one that was not due is
shown with the time at which it was read. What a GPU is (`identity`, `limits`) is read once per initialisation of the
driver, has no `read_at`, and cannot be configured; what is missing for a reason that may pass is asked for again.

| Clock | When |
|---|---|
| `tick` | every `sampler.interval` |
| `slow` | every `sampler.slow_interval` |
| a duration, such as `30s` | at the first tick after this time has passed |
| `off` | never; the group is absent with the reason `disabled` |

The key `sampler.groups.<group>` sets it, as in `sampler.groups.pcie = \"off\"`; without it the clock in the heading of
the group holds.

## Readings
";

pub(super) const TOPOLOGY: &str = "
## Topology

`/api/v1/topology`. Read once per initialisation of the driver, and again while something is missing for a reason that
may pass; `nvlinks` is of the latest samples. The route answers with `unavailable` as above.

";

pub(super) const TOTALS: &str = "
## Totals

`/api/v1/host`. A total is over those GPUs that give the value, and `totals.counted` says how many these are. One that
misses a GPU is named in `unavailable` with the reason of the first that is missing, and is null if all are. MIG
instances are not counted beside their GPU.

";

pub(super) const EVENTS: &str = "
## Events

`/api/v1/events`, in the order in which the agent heard of them.

| Kind | What happened |
|---|---|
";

pub(super) const XIDS: &str = "
## XIDs

What the driver's error numbers mean. Numbers, triggers and actions follow NVIDIA's Xid catalogue; severity and cause are
this project's reading of it. A number that is not here is reported all the same, as not documented.

| XID | Name | Severity | Cause | First action | Meaning |
|---|---|---|---|---|---|
";

/// All reasons.
pub(super) const REASONS: [Reason; 8] = [
    Reason::NotSupported,
    Reason::NoPermission,
    Reason::FunctionNotFound,
    Reason::GpuLost,
    Reason::Timeout,
    Reason::NotReady,
    Reason::Error,
    Reason::Disabled,
];

/// When a reason occurs.
pub(super) fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::NotSupported => {
            "This GPU has no such thing (`NVML_ERROR_NOT_SUPPORTED`): it is of an earlier generation, its board lacks \
             the part, or its mode rules it out (MIG, a vGPU)."
        }
        Reason::NoPermission => {
            "The agent may not ask for it (`NVML_ERROR_NO_PERMISSION`), or may not read what the system says."
        }
        Reason::FunctionNotFound => {
            "The library of this driver does not know the call: the driver is older than it."
        }
        Reason::GpuLost => "The GPU fell off the bus (`NVML_ERROR_GPU_IS_LOST`).",
        Reason::Timeout => "A call did not return in time: the GPU is `hung`.",
        Reason::NotReady => {
            "Nothing has been read yet, or two readings are needed and there is one: rates and statistics after the \
             first tick."
        }
        Reason::Error => "The call failed in another way, or gave what cannot be true.",
        Reason::Disabled => "The configuration turns it off.",
    }
}

/// Why values of a group are typically absent.
pub(super) fn gaps(group: Group) -> &'static str {
    match group {
        Group::Identity => {
            "Typically absent: `not_supported` where a board has no such thing, as serial numbers on consumer boards and \
             the chassis outside of racks."
        }
        Group::Limits => {
            "Typically absent: `not_supported` for fans on boards without any, and for what the board does not limit."
        }
        Group::Load => {
            "Typically absent: `not_supported` before the generation named and while MIG is on; `interval` is \
             `not_ready` until there are two ticks."
        }
        Group::Activity => {
            "Typically absent: `not_supported` before Hopper, `function_not_found` with an old driver, `not_ready` until \
             there are two ticks to count between."
        }
        Group::Memory => "Typically absent: `not_supported` on GPUs without memory of their own (`unified`).",
        Group::Power => {
            "Typically absent: `not_supported` before the generation named, and for the module on boards that are none; \
             `mean_watts` and `interval` are `not_ready` until there are two ticks."
        }
        Group::Thermal => {
            "Typically absent: `not_supported` for memory without a sensor and before the generation named. A board \
             that is cooled by others has an empty list of fans."
        }
        Group::Clocks => {
            "Typically absent: `not_supported` for applications' clocks on boards where they cannot be set, and before \
             the generation named."
        }
        Group::Mig => "Typically absent: `not_supported` as a whole on GPUs that cannot be cut.",
        Group::Pcie => {
            "Typically absent: `not_supported` for the totals before Hopper; rates are `not_ready` until there are two \
             readings."
        }
        Group::Nvlink => {
            "Typically absent: `not_supported` as a whole on boards without NVLink; rates are `not_ready` until there \
             are two readings."
        }
        Group::Reliability => {
            "Typically absent: `not_supported` for counts of errors without ECC, for retired pages from Ampere on, for \
             remapped rows before it, and for the fabric outside of one."
        }
        Group::Modes => "Typically absent: `not_supported` before the generation named.",
        Group::Sessions => {
            "Typically absent: `not_supported` for vGPUs and accounts where the driver does not keep any."
        }
        Group::Processes => {
            "Typically absent: `not_supported` for shares of the engines while MIG is on, `no_permission` for what \
             `/proc` does not show the agent, `disabled` for command lines that are not read. What `/proc` says of a \
             process that is not here is null without a reason: `identity` is `not_here`."
        }
    }
}
