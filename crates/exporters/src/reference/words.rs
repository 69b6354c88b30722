//! What the reference says in words, and families that no table holds.

use crate::{Kind, Profile};

pub(super) const INTRODUCTION: &str = "\
# What monitoring systems see

`GET /metrics` shows the latest snapshot in the text format of Prometheus (0.0.4), or in OpenMetrics (1.0.0) if the client
prefers that. `metrics.profiles` says under which names, and `?profile=native,dcgm` asks for others.

A series whose value is stale or not known is absent, never 0: of a GPU that is not `ok` only what never changes is
shown. Why something is absent says the profile `native`, by `gpulse_gpu_state`, `gpulse_reading_unavailable`
and `gpulse_driver_unavailable`.

The column *From* names readings as [METRICS.md](METRICS.md) lists them. In OpenMetrics a counter whose name does not end in
`_total` has the type `unknown`, because that format allows no other names for counters.
";

/// A family: its name, type, source and meaning.
pub(super) type Row = (&'static str, Kind, &'static str, &'static str);

/// What is to be known of a profile beside its table.
pub(super) fn of(profile: Profile) -> &'static str {
    match profile {
        Profile::Native => {
            "Series of a GPU have the labels `gpu` (NVML's index) and `uuid`; those of a MIG instance have also those that the \
             table names. Where Kubernetes assigned a GPU to one container there are also `namespace`, `pod` and `container`. `gpulse_gpu_info` joins them with everything else that is known of the GPU. `gpulse_process_…` are \
             shown if `metrics.per_process` is set."
        }
        Profile::Dcgm => {
            "Labels are `gpu`, `UUID`, `pci_bus_id`, `device`, `modelName`, `Hostname`, `DCGM_FI_DRIVER_VERSION`, where Kubernetes assigned the GPU to one \
             container `namespace`, `pod` and `container`, and of MIG instances `GPU_I_PROFILE` and `GPU_I_ID`. Not read, and therefore absent: `DCGM_FI_DEV_VGPU_LICENSE_STATUS`. \
             The unit of `DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL` is not documented by its maker; here it is what its \
             meaning says. `DCGM_EXP_CLOCK_EVENTS_COUNT` is of this moment and not of a window."
        }
        Profile::Dcgm49 => "Labels are those of `dcgm`, with `hostname` in place of `Hostname`.",
        Profile::NvidiaSmi => {
            "The label `uuid` is the UUID without `GPU-`; `nvidia_smi_gpu_info` joins it with what the GPU is. \
             `nvidia_smi_compute_app_…` are shown if `metrics.per_process` is set."
        }
        Profile::ResourceAgent => "Labels are `gpu_id` (NVML's index) and `node`.",
    }
}

/// Families of the profile `native` that come from no reading.
pub(super) const NATIVE: &[Row] = &[
    (
        "gpulse_generation",
        Kind::Gauge,
        "the snapshot",
        "Number of the snapshot that this was made of; the same as over REST.",
    ),
    (
        "gpulse_published_timestamp_seconds",
        Kind::Gauge,
        "the snapshot",
        "When that snapshot was published.",
    ),
    (
        "gpulse_driver_up",
        Kind::Gauge,
        "NVML's initialisation",
        "Whether NVML can be used.",
    ),
    (
        "gpulse_driver_info",
        Kind::Info,
        "labels `driver_version`, `cuda_version`, `nvml_version`, `simulated`",
        "What NVML says of itself.",
    ),
    (
        "gpulse_driver_unavailable",
        Kind::Gauge,
        "by `reason`",
        "1 while NVML cannot be used, and why.",
    ),
    (
        "gpulse_driver_unavailable_since_timestamp_seconds",
        Kind::Gauge,
        "NVML's initialisation",
        "When the first of these attempts failed.",
    ),
    ("gpulse_gpus", Kind::Gauge, "the roster", "GPUs that NVML knows."),
    (
        "gpulse_expected_gpus",
        Kind::Gauge,
        "PCI devices or `health.expected_gpus`",
        "GPUs that the node should have, by its PCI devices or its configuration.",
    ),
    (
        "gpulse_missing_gpus",
        Kind::Gauge,
        "PCI devices or `health.expected_gpus`",
        "GPUs that the node should have and that NVML does not know.",
    ),
    (
        "gpulse_gpu_state",
        Kind::Gauge,
        "by `state`",
        "The state of the GPU: 1 for the one that holds.",
    ),
    (
        "gpulse_gpu_up",
        Kind::Gauge,
        "its state",
        "Whether the GPU is read at its pace.",
    ),
    (
        "gpulse_gpu_state_since_timestamp_seconds",
        Kind::Gauge,
        "its state",
        "Since when it is in its state.",
    ),
    (
        "gpulse_gpu_sample_timestamp_seconds",
        Kind::Gauge,
        "its sample",
        "When the last good sample was taken.",
    ),
    (
        "gpulse_gpu_sample_age_seconds",
        Kind::Gauge,
        "its sample",
        "How old the last good sample was when this was written.",
    ),
    (
        "gpulse_gpu_samples_total",
        Kind::Counter,
        "its sampler",
        "Good samples.",
    ),
    (
        "gpulse_gpu_consecutive_failures",
        Kind::Gauge,
        "its sampler",
        "Failed ticks since the last good sample.",
    ),
    (
        "gpulse_gpu_overruns_total",
        Kind::Counter,
        "its sampler",
        "Ticks that found the reader of the GPU still busy.",
    ),
    (
        "gpulse_gpu_dropped_records_total",
        Kind::Counter,
        "its sampler",
        "Records of the GPU that the aggregator's mailbox refused.",
    ),
    (
        "gpulse_gpu_error",
        Kind::Gauge,
        "by `reason`, `call`",
        "1 while the last tick of the GPU failed: the NVML call, and the reason.",
    ),
    (
        "gpulse_group_age_seconds",
        Kind::Gauge,
        "by `group`",
        "How old the readings of a group were when this was written.",
    ),
    (
        "gpulse_reading_unavailable",
        Kind::Gauge,
        "by `metric`, `reason`",
        "1 for each reading that is absent, and why. What is absent as a whole for one reason has one series.",
    ),
];

/// Families of a profile that come from events or processes.
pub(super) fn beside(profile: Profile) -> &'static [Row] {
    match profile {
        Profile::Native => &[
            (
                "gpulse_events_total",
                Kind::Counter,
                "by `kind`",
                "What happened to the GPU, by kind; a kind that is not there did not occur.",
            ),
            (
                "gpulse_xid_errors_total",
                Kind::Counter,
                "by `xid`, `severity`",
                "XIDs of the GPU, by number, with how grave it is; `other` are those beyond what is told apart. Its exemplar is the number of the event in `/api/v1/events`.",
            ),
            (
                "gpulse_last_xid",
                Kind::Gauge,
                "events",
                "The latest XID of the GPU.",
            ),
            (
                "gpulse_last_xid_timestamp_seconds",
                Kind::Gauge,
                "events",
                "When the agent heard of the latest XID of the GPU.",
            ),
            (
                "gpulse_events_unwatched",
                Kind::Gauge,
                "by `reason`",
                "1 while the driver's events of the GPU do not reach the agent, and why.",
            ),
            (
                "gpulse_events_dropped_total",
                Kind::Counter,
                "events",
                "Events that the agent heard of and could not take in.",
            ),
            (
                "gpulse_processes",
                Kind::Gauge,
                "`processes.count`",
                "Processes on the GPU.",
            ),
            (
                "gpulse_process_info",
                Kind::Info,
                "labels `pid`, `name`, `user`, `container_id`, `pod_uid`, `slurm_job_id`",
                "A process on the GPU, and whose it is.",
            ),
            (
                "gpulse_process_memory_used_bytes",
                Kind::Gauge,
                "by `pid`",
                "GPU memory that the process holds.",
            ),
            (
                "gpulse_process_sm_ratio",
                Kind::Gauge,
                "by `pid`",
                "Share of the streaming multiprocessors that the process used.",
            ),
            (
                "gpulse_process_memory_ratio",
                Kind::Gauge,
                "by `pid`",
                "Share of the memory interface that the process used; not occupancy.",
            ),
            (
                "gpulse_pod_info",
                Kind::Info,
                "the kubelet, by `namespace`, `pod`, `container`",
                "A container that the GPU or MIG instance is assigned to, one of several where it is shared.",
            ),
            (
                "gpulse_nvml_call_duration_seconds",
                Kind::Histogram,
                "the agent, by `call`",
                "How long calls of the driver took that returned.",
            ),
            (
                "gpulse_nvml_calls_total",
                Kind::Counter,
                "the agent, by `call`",
                "Calls of the driver, those that have not returned included.",
            ),
            (
                "gpulse_nvml_calls_under_way",
                Kind::Gauge,
                "the agent, by `call`",
                "Calls of the driver that have not returned.",
            ),
            (
                "gpulse_nvml_call_hangs_total",
                Kind::Counter,
                "the agent, by `call`",
                "Times that a call of the driver was given up.",
            ),
            (
                "gpulse_nvml_call_errors_total",
                Kind::Counter,
                "the agent, by `call`, `reason`",
                "Calls of the driver that returned with an error, by reason.",
            ),
            (
                "gpulse_sampler_ticks_total",
                Kind::Counter,
                "the agent, by `gpu`",
                "Times at which a read of the GPU was due.",
            ),
            (
                "gpulse_sampler_failures_total",
                Kind::Counter,
                "the agent, by `gpu`",
                "Reads of the GPU that failed.",
            ),
            (
                "gpulse_sampler_hangs_total",
                Kind::Counter,
                "the agent, by `gpu`",
                "Reads of the GPU that were given up because a call did not return.",
            ),
            (
                "gpulse_sampler_readers_replaced_total",
                Kind::Counter,
                "the agent, by `gpu`",
                "Reader threads that were started in the place of one that hung or ended.",
            ),
            (
                "gpulse_aggregator_records_total",
                Kind::Counter,
                "the agent",
                "Outcomes of reads that were taken in.",
            ),
            (
                "gpulse_aggregator_events_total",
                Kind::Counter,
                "the agent",
                "Events of the driver that were taken in.",
            ),
            (
                "gpulse_aggregator_heartbeats_total",
                Kind::Counter,
                "the agent",
                "Looks at the ages of GPUs, at least one a second for as long as the agent does what it is for.",
            ),
            (
                "gpulse_http_requests_total",
                Kind::Counter,
                "the agent, by `route`, `method`, `code`",
                "Requests that were answered.",
            ),
            (
                "gpulse_http_requests_in_flight",
                Kind::Gauge,
                "the agent",
                "Requests that are being answered.",
            ),
            (
                "gpulse_http_connections",
                Kind::Gauge,
                "the agent",
                "Connections that are open.",
            ),
            (
                "gpulse_http_requests_abandoned_total",
                Kind::Counter,
                "the agent",
                "Requests whose client went away before there was an answer.",
            ),
            (
                "gpulse_http_sent_bytes_total",
                Kind::Counter,
                "the agent",
                "Bytes that were sent, heads included, and within TLS.",
            ),
            (
                "gpulse_http_connections_accepted_total",
                Kind::Counter,
                "the agent",
                "Connections that were taken in.",
            ),
            (
                "gpulse_http_connections_refused_total",
                Kind::Counter,
                "the agent",
                "Connections that were closed because their client has as many as it may have.",
            ),
            (
                "gpulse_http_connections_cut_total",
                Kind::Counter,
                "the agent",
                "Connections that were cut because their peer did not do its part.",
            ),
            (
                "gpulse_http_handshakes_failed_total",
                Kind::Counter,
                "the agent",
                "Connections whose TLS handshake failed.",
            ),
            (
                "process_cpu_seconds_total",
                Kind::Counter,
                "`/proc/self`",
                "Time of processors that the agent has spent.",
            ),
            (
                "process_resident_memory_bytes",
                Kind::Gauge,
                "`/proc/self`",
                "Memory of the machine's that the agent uses.",
            ),
            (
                "process_virtual_memory_bytes",
                Kind::Gauge,
                "`/proc/self`",
                "Memory of the agent that has an address.",
            ),
            (
                "process_open_fds",
                Kind::Gauge,
                "`/proc/self`",
                "Files and sockets that the agent has open.",
            ),
            (
                "process_max_fds",
                Kind::Gauge,
                "`/proc/self`",
                "How many of them it may have open.",
            ),
            (
                "process_threads",
                Kind::Gauge,
                "`/proc/self`",
                "Threads of the agent, those that are stuck included.",
            ),
            (
                "process_start_time_seconds",
                Kind::Gauge,
                "`/proc/self`",
                "When the agent was started.",
            ),
            (
                "gpulse_build_info",
                Kind::Info,
                "labels `version`, `commit`, `rustc`, `target`",
                "What was built.",
            ),
        ],
        Profile::Dcgm => &[
            (
                "DCGM_FI_DEV_XID_ERRORS",
                Kind::Gauge,
                "events",
                "The latest XID; 0 if there was none since the agent started.",
            ),
            (
                "DCGM_EXP_XID_ERRORS_COUNT",
                Kind::Gauge,
                "events, by `xid`",
                "XIDs since the agent started, by number.",
            ),
        ],
        Profile::Dcgm49 => &[(
            "DCGM_FI_DEV_XID_ERROR",
            Kind::Gauge,
            "events",
            "The latest XID; 0 if there was none since the agent started.",
        )],
        Profile::NvidiaSmi => &[
            (
                "nvidia_smi_gpu_info",
                Kind::Info,
                "labels `uuid`, `name`, `driver_version`, `vbios_version`, `pci_bus_id`, `serial`, `index`",
                "What the GPU is.",
            ),
            (
                "nvidia_smi_xid_errors_total",
                Kind::Counter,
                "events, by `xid`",
                "XIDs since the agent started, by number.",
            ),
            (
                "nvidia_smi_compute_app_info",
                Kind::Info,
                "labels `pid`, `process_name`",
                "A process that computes on the GPU.",
            ),
            (
                "nvidia_smi_compute_app_used_memory_bytes",
                Kind::Gauge,
                "by `pid`",
                "Memory of a process that computes on the GPU.",
            ),
        ],
        Profile::ResourceAgent => &[(
            "gpu_exporter_success",
            Kind::Gauge,
            "NVML's initialisation",
            "Whether NVML can be used.",
        )],
    }
}
