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

/// Families: type, name, source and meaning.
macro_rules! families {
    ($($kind:ident $name:literal $from:literal $help:literal;)*) => {
        &[$(($name, families!($kind), $from, $help)),*]
    };
    (gauge) => { Kind::Gauge };
    (counter) => { Kind::Counter };
    (info) => { Kind::Info };
    (histogram) => { Kind::Histogram };
}

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
             container `namespace`, `pod` and `container`, and of MIG instances `GPU_I_PROFILE` and `GPU_I_ID`. \
             The unit of `DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL` is not documented by its maker; here it is what its \
             meaning says. `DCGM_EXP_CLOCK_EVENTS_COUNT` is of this moment and not of a window, which it has no label of. Where a GPU is cut into MIG \
             instances, what they have is shown of them and not of the GPU as well, so that sums are right; what only the GPU has, \
             such as its temperature, is shown once and without `GPU_I_…`."
        }
        Profile::Dcgm49 => "Labels are those of `dcgm`, with `hostname` in place of `Hostname`.",
        Profile::NvidiaSmi => {
            "The label `uuid` is the UUID without `GPU-`; `nvidia_smi_gpu_info` joins it with what the GPU is. \
             `nvidia_smi_compute_app_…` are shown if `metrics.per_process` is set. There are no \
             `nvidia_smi_clocks_throttle_reasons_…`, which drivers before 535 have in place of `…_event_reasons_…`. \
             The collection has no duration of its own: each GPU is read by itself."
        }
        Profile::ResourceAgent => "Labels are `gpu_id` (NVML's index) and `node`.",
    }
}

/// Families of the profile `native` that come from no reading.
pub(super) const NATIVE: &[Row] = families! {
    gauge "gpulse_generation" "the snapshot" "Number of the snapshot that this was made of; the same as over REST.";
    gauge "gpulse_published_timestamp_seconds" "the snapshot" "When that snapshot was published.";
    gauge "gpulse_driver_up" "NVML's initialisation" "Whether NVML can be used.";
    info "gpulse_driver_info" "labels `driver_version`, `cuda_version`, `nvml_version`, `simulated`" "What NVML says of itself.";
    gauge "gpulse_driver_unavailable" "by `reason`" "1 while NVML cannot be used, and why.";
    gauge "gpulse_driver_unavailable_since_timestamp_seconds" "NVML's initialisation" "When the first of these attempts failed.";
    gauge "gpulse_gpus" "the roster" "GPUs that NVML knows.";
    gauge "gpulse_expected_gpus" "PCI devices or `health.expected_gpus`" "GPUs that the node should have, by its PCI devices or its configuration.";
    gauge "gpulse_missing_gpus" "PCI devices or `health.expected_gpus`" "GPUs that the node should have and that NVML does not know.";
    gauge "gpulse_gpu_state" "by `state`" "The state of the GPU: 1 for the one that holds.";
    gauge "gpulse_gpu_up" "its state" "Whether the GPU is read at its pace.";
    gauge "gpulse_gpu_state_since_timestamp_seconds" "its state" "Since when it is in its state.";
    gauge "gpulse_gpu_sample_timestamp_seconds" "its sample" "When the last good sample was taken.";
    gauge "gpulse_gpu_sample_age_seconds" "its sample" "How old the last good sample was when this was written.";
    counter "gpulse_gpu_samples_total" "its sampler" "Good samples.";
    gauge "gpulse_gpu_consecutive_failures" "its sampler" "Failed ticks since the last good sample.";
    counter "gpulse_gpu_overruns_total" "its sampler" "Ticks that found the reader of the GPU still busy.";
    counter "gpulse_gpu_dropped_records_total" "its sampler" "Records of the GPU that the aggregator's mailbox refused.";
    gauge "gpulse_gpu_error" "by `reason`, `call`" "1 while the last tick of the GPU failed: the NVML call, and the reason.";
    gauge "gpulse_group_age_seconds" "by `group`" "How old the readings of a group were when this was written.";
    gauge "gpulse_reading_unavailable" "by `metric`, `reason`" "1 for each reading that is absent, and why. What is absent as a whole for one reason has one series.";
};

/// Families of a profile that come from events or processes.
pub(super) fn beside(profile: Profile) -> &'static [Row] {
    match profile {
        Profile::Native => families! {
            counter "gpulse_push_batches_total" "by `exporter`, `outcome`" "Batches that were pushed, by what became of them; `retried` are failed attempts that were made again.";
            counter "gpulse_push_dropped_samples_total" "by `exporter`, `reason`" "Samples that a receiver will never get, and why.";
            gauge "gpulse_push_buffered_bytes" "by `exporter`" "What waits for a receiver, compressed.";
            gauge "gpulse_push_last_success_timestamp_seconds" "by `exporter`" "When a receiver last took a batch.";
            counter "gpulse_events_total" "by `kind`" "What happened to the GPU, by kind; a kind that is not there did not occur.";
            counter "gpulse_xid_errors_total" "by `xid`, `severity`" "XIDs of the GPU, by number, with how grave it is; `other` are those beyond what is told apart. Its exemplar is the number of the event in `/api/v1/events`.";
            gauge "gpulse_xid_last_timestamp_seconds" "by `xid`, `severity`" "When the agent last heard of an XID of the GPU, by number, with how grave it is.";
            gauge "gpulse_last_xid" "events" "The latest XID of the GPU.";
            gauge "gpulse_last_xid_timestamp_seconds" "events" "When the agent heard of the latest XID of the GPU.";
            gauge "gpulse_events_unwatched" "by `reason`" "1 while the driver's events of the GPU do not reach the agent, and why.";
            counter "gpulse_events_dropped_total" "events" "Events that the agent heard of and could not take in.";
            gauge "gpulse_processes" "`processes.count`" "Processes on the GPU.";
            info "gpulse_process_info" "labels `pid`, `name`, `user`, `container_id`, `pod_uid`, `slurm_job_id`" "A process on the GPU, and whose it is.";
            gauge "gpulse_process_memory_used_bytes" "by `pid`" "GPU memory that the process holds.";
            gauge "gpulse_process_sm_ratio" "by `pid`" "Share of the streaming multiprocessors that the process used.";
            gauge "gpulse_process_memory_ratio" "by `pid`" "Share of the memory interface that the process used; not occupancy.";
            info "gpulse_pod_info" "the kubelet, by `namespace`, `pod`, `container`" "A container that the GPU or MIG instance is assigned to, one of several where it is shared.";
            histogram "gpulse_nvml_call_duration_seconds" "the agent, by `call`" "How long calls of the driver took that returned.";
            counter "gpulse_nvml_calls_total" "the agent, by `call`" "Calls of the driver, those that have not returned included.";
            gauge "gpulse_nvml_calls_under_way" "the agent, by `call`" "Calls of the driver that have not returned.";
            counter "gpulse_nvml_call_hangs_total" "the agent, by `call`" "Times that a call of the driver was given up.";
            counter "gpulse_nvml_call_errors_total" "the agent, by `call`, `reason`" "Calls of the driver that returned with an error, by reason.";
            counter "gpulse_sampler_ticks_total" "the agent, by `gpu`" "Times at which a read of the GPU was due.";
            counter "gpulse_sampler_failures_total" "the agent, by `gpu`" "Reads of the GPU that failed.";
            counter "gpulse_sampler_hangs_total" "the agent, by `gpu`" "Reads of the GPU that were given up because a call did not return.";
            counter "gpulse_sampler_readers_replaced_total" "the agent, by `gpu`" "Reader threads that were started in the place of one that hung or ended.";
            counter "gpulse_aggregator_records_total" "the agent" "Outcomes of reads that were taken in.";
            counter "gpulse_aggregator_events_total" "the agent" "Events of the driver that were taken in.";
            counter "gpulse_aggregator_heartbeats_total" "the agent" "Looks at the ages of GPUs, at least one a second for as long as the agent does what it is for.";
            counter "gpulse_http_requests_total" "the agent, by `route`, `method`, `code`" "Requests that were answered.";
            gauge "gpulse_http_requests_in_flight" "the agent" "Requests that are being answered.";
            gauge "gpulse_http_connections" "the agent" "Connections that are open.";
            gauge "gpulse_streams" "the agent" "Streams of snapshots that are open.";
            counter "gpulse_http_requests_abandoned_total" "the agent" "Requests whose client went away before there was an answer.";
            counter "gpulse_http_sent_bytes_total" "the agent" "Bytes that were sent, heads included, and within TLS.";
            counter "gpulse_http_connections_accepted_total" "the agent" "Connections that were taken in.";
            counter "gpulse_http_connections_refused_total" "the agent" "Connections that were closed because their client has as many as it may have.";
            counter "gpulse_http_connections_cut_total" "the agent" "Connections that were cut because their peer did not do its part.";
            counter "gpulse_http_handshakes_failed_total" "the agent" "Connections whose TLS handshake failed.";
            counter "gpulse_stream_snapshots_total" "the agent" "Snapshots that streams were sent.";
            counter "gpulse_stream_snapshots_skipped_total" "the agent" "Snapshots that streams were not sent because their client did not take them in time.";
            counter "process_cpu_seconds_total" "`/proc/self`" "Time of processors that the agent has spent.";
            gauge "process_resident_memory_bytes" "`/proc/self`" "Memory of the machine's that the agent uses.";
            gauge "process_virtual_memory_bytes" "`/proc/self`" "Memory of the agent that has an address.";
            gauge "process_open_fds" "`/proc/self`" "Files and sockets that the agent has open.";
            gauge "process_max_fds" "`/proc/self`" "How many of them it may have open.";
            gauge "process_threads" "`/proc/self`" "Threads of the agent, those that are stuck included.";
            gauge "process_start_time_seconds" "`/proc/self`" "When the agent was started.";
            info "gpulse_build_info" "labels `version`, `commit`, `rustc`, `target`" "What was built.";
        },
        Profile::Dcgm => families! {
            gauge "DCGM_FI_DEV_XID_ERRORS" "events" "The latest XID; 0 if there was none since the agent started.";
            gauge "DCGM_EXP_XID_ERRORS_COUNT" "events, by `window_size_in_ms` and `xid`" "XIDs of the last five minutes, by number; 0 without a number if there was none.";
        },
        Profile::Dcgm49 => families! {
            gauge "DCGM_FI_DEV_XID_ERROR" "events" "The latest XID; 0 if there was none since the agent started.";
        },
        Profile::NvidiaSmi => families! {
            info "nvidia_smi_gpu_info" "labels `uuid`, `name`, `driver_version`, `cuda_version`, `compute_cap`, `vbios_version`, `pci_bus_id`, `pci_sub_device_id`, `serial`, `index`" "What the GPU is.";
            info "nvidia_smi_mig_info" "labels `mig_uuid`, `gpu_instance_id`, `compute_instance_id`, `profile`" "What a MIG instance is.";
            gauge "nvidia_smi_mig_memory_total_bytes" "`mig.instances.memory_total_bytes`, by `gpu_instance_id`" "Memory of a GPU instance.";
            gauge "nvidia_smi_mig_memory_used_bytes" "`mig.instances.memory_used_bytes`, by `gpu_instance_id`" "Memory of a GPU instance that is allocated.";
            gauge "nvidia_smi_mig_memory_free_bytes" "`mig.instances.memory_free_bytes`, by `gpu_instance_id`" "Memory of a GPU instance that is not allocated.";
            gauge "nvidia_smi_mig_graphics_activity_ratio" "`mig.instances.activity.graphics_percent`, by `gpu_instance_id`" "Share of time in which its engines were at work.";
            gauge "nvidia_smi_mig_sm_activity_ratio" "`mig.instances.activity.sm_percent`, by `gpu_instance_id`" "Share of time in which its SMs had a warp.";
            gauge "nvidia_smi_mig_sm_occupancy_ratio" "`mig.instances.activity.sm_occupancy_percent`, by `gpu_instance_id`" "Warps that were on its SMs, of those that could be.";
            gauge "nvidia_smi_mig_tensor_activity_ratio" "`mig.instances.activity.tensor_percent`, by `gpu_instance_id`" "Cycles in which its tensor cores were at work.";
            gauge "nvidia_smi_mig_pcie_throughput_tx_bytes_per_second" "`mig.instances.activity.pcie_sent_bytes_per_second`, by `gpu_instance_id`" "Sent over PCIe by a GPU instance.";
            gauge "nvidia_smi_mig_pcie_throughput_rx_bytes_per_second" "`mig.instances.activity.pcie_received_bytes_per_second`, by `gpu_instance_id`" "Received over PCIe by a GPU instance.";
            counter "nvidia_smi_xid_errors_total" "events, by `xid`" "XIDs since the agent started, by number.";
            gauge "nvidia_smi_xid_last_timestamp_seconds" "events, by `xid`" "When the agent last heard of an XID, by number.";
            info "nvidia_smi_compute_app_info" "labels `pid`, `process_name`" "A process that computes on the GPU.";
            gauge "nvidia_smi_compute_app_used_memory_bytes" "by `pid`, `process_name`" "Memory of a process that computes on the GPU.";
            gauge "nvidia_smi_compute_apps_last_collect_success" "`processes` of all GPUs" "Whether the processes of each GPU could be read.";
            gauge "nvidia_smi_last_collect_success" "NVML's initialisation and the states of all GPUs" "Whether NVML can be used and each GPU was read.";
            gauge "nvidia_smi_last_collect_success_timestamp_seconds" "times of the samples" "When the GPU that was read longest ago was read.";
            counter "nvidia_smi_failed_scrapes_total" "the agent" "Reads of GPUs that failed.";
        },
        Profile::ResourceAgent => families! {
            gauge "gpu_exporter_success" "NVML's initialisation" "Whether NVML can be used.";
        },
    }
}
