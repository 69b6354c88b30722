"""What a GPU has several of: fans, MIG instances, NVLinks, licences, vGPUs, accounts, processes; and how GPUs are joined."""

from itertools import combinations

import pynvml as n

import raw
import words
from answers import Counted, Each

KIB = 1024
MIB = 2**20

# From this version of NVLink on, links count bytes and not KiB.
COUNTS_BYTES = n.NVML_NVLINK_VERSION_5_0

# As many accounts, the latest, and as many processes are shown by the agent.
MOST_ACCOUNTS = 64
MOST_PROCESSES = 64

# Metrics of the performance monitor: number, and by what the agent's number is larger.
ACTIVITY = {
    "graphics_percent": (1, 1), "sm_percent": (2, 1), "sm_occupancy_percent": (3, 1), "integer_percent": (4, 1),
    "tensor_percent": (5, 1), "tensor_fp64_percent": (6, 1), "tensor_fp16_percent": (7, 1),
    "tensor_integer_percent": (9, 1), "dram_percent": (10, 1), "fp64_percent": (11, 1), "fp32_percent": (12, 1),
    "fp16_percent": (13, 1), "pcie_sent_bytes_per_second": (20, MIB), "pcie_received_bytes_per_second": (21, MIB),
    "nvlink_sent_bytes_per_second": (61, MIB), "nvlink_received_bytes_per_second": (60, MIB),
}


def supports_performance(handle):
    if not n.nvmlGpmQueryDeviceSupport(handle).isSupportedDevice:
        raw.absent(n.NVML_ERROR_NOT_SUPPORTED)


def performance(handle, metric):
    """A metric of the GPU as a whole."""
    supports_performance(handle)
    number, factor = metric
    return factor * raw.performance(lambda sample: n.nvmlGpmSampleGet(handle, sample), number)


def max_lane_mbps(handle):
    """NVML gives the speed as the number of a name, such as `NVML_PCIE_LINK_MAX_SPEED_16000MBPS`."""
    speeds = {1: 2500, 2: 5000, 3: 8000, 4: 16000, 5: 32000, 6: 64000}
    return speeds[n.nvmlDeviceGetPcieLinkMaxSpeed(handle)]


def fans(handle):
    return [(handle, fan) for fan in range(n.nvmlDeviceGetNumFans(handle))]


FAN = {
    "index": lambda fan: fan[1],
    "speed_percent": lambda fan: n.nvmlDeviceGetFanSpeed_v2(*fan),
    "target_percent": lambda fan: n.nvmlDeviceGetTargetFanSpeed(*fan),
    "speed_rpm": lambda fan: raw.fan_rpm(*fan),
    "policy": lambda fan: words.word(words.FAN_POLICY, n.nvmlDeviceGetFanControlPolicy_v2(*fan)),
}


def instances(handle):
    return [(handle, index, instance) for index, instance in raw.mig_instances(handle)]


def of_instance(read):
    return lambda instance: read(instance[2])


def instance_performance(metric):
    def read(instance):
        gpu, _, own = instance
        supports_performance(gpu)
        number, factor = metric
        of = n.nvmlDeviceGetGpuInstanceId(own)
        return factor * raw.performance(lambda sample: n.nvmlGpmMigSampleGet(gpu, of, sample), number)
    return read


def instance_memory(key):
    return of_instance(lambda own: getattr(n.nvmlDeviceGetMemoryInfo(own, version=n.nvmlMemory_v2), key))


MIG = {
    "enabled": lambda h: bool(n.nvmlDeviceGetMigMode(h)[0]),
    "enabled_after_reset": lambda h: bool(n.nvmlDeviceGetMigMode(h)[1]),
    "max_instances": n.nvmlDeviceGetMaxMigDeviceCount,
    "instances": Each(instances, {
        "index": lambda instance: instance[1],
        "uuid": of_instance(n.nvmlDeviceGetUUID),
        "name": of_instance(n.nvmlDeviceGetName),
        "profile": of_instance(lambda own: n.nvmlDeviceGetName(own).rsplit("MIG ", 1)[1]),
        "gpu_instance_id": of_instance(n.nvmlDeviceGetGpuInstanceId),
        "compute_instance_id": of_instance(n.nvmlDeviceGetComputeInstanceId),
        "multiprocessors": of_instance(lambda own: n.nvmlDeviceGetAttributes(own).multiprocessorCount),
        "gpu_slices": of_instance(lambda own: n.nvmlDeviceGetAttributes(own).gpuInstanceSliceCount),
        "compute_slices": of_instance(lambda own: n.nvmlDeviceGetAttributes(own).computeInstanceSliceCount),
        "memory_total_bytes": instance_memory("total"),
        "memory_used_bytes": instance_memory("used"),
        "memory_free_bytes": instance_memory("free"),
        "process_ids": of_instance(
            lambda own: sorted(process.pid for process in n.nvmlDeviceGetComputeRunningProcesses_v3(own))),
        "activity": {key: instance_performance(metric) for key, metric in ACTIVITY.items()},
    }),
}


def of_link(read):
    """What only a link that is up has: of one that is down the agent says that it is not ready."""
    def up(link):
        handle, index, state = link
        if not state:
            raw.absent(n.NVML_ERROR_NOT_READY)
        return read(handle, index)
    return up


def traffic(kibibytes, in_bytes):
    def read(handle, link):
        if n.nvmlDeviceGetNvLinkVersion(handle, link) >= COUNTS_BYTES:
            return raw.field(handle, in_bytes, link)
        return KIB * raw.field(handle, kibibytes, link)
    return read


def link_field(number):
    return lambda handle, link: raw.field(handle, number, link)


LINK_SENT = traffic(n.NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX, n.NVML_FI_DEV_NVLINK_COUNT_XMIT_BYTES)
LINK_RECEIVED = traffic(n.NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX, n.NVML_FI_DEV_NVLINK_COUNT_RCV_BYTES)


def traffic_of_all(traffic):
    return lambda h: Counted(sum(traffic(h, link) for link, state in raw.links(h) if state))


def link_resets(handle, link):
    counters = [LINK_SENT, LINK_RECEIVED] + [link_field(number) for number in (163, 161, 162)]
    refusal = None
    for counter in counters:
        try:
            counter(handle, link)
            return 0
        except n.NVMLError as error:
            refusal = refusal or error
    raise refusal


NVLINK = {
    "active_links": lambda h: sum(1 for _, state in raw.links(h) if state),
    "sent_bytes_per_second": traffic_of_all(LINK_SENT),
    "received_bytes_per_second": traffic_of_all(LINK_RECEIVED),
    "links": Each(lambda h: [(h, link, state) for link, state in raw.links(h)], {
        "index": lambda link: link[1],
        "state": lambda link: "up" if link[2] else "down",
        "version": of_link(lambda h, link: words.word(words.NVLINK_VERSION, n.nvmlDeviceGetNvLinkVersion(h, link))),
        "speed_mbps": of_link(link_field(n.NVML_FI_DEV_NVLINK_GET_SPEED)),
        "remote_type": of_link(
            lambda h, link: words.word(words.NVLINK_REMOTE, n.nvmlDeviceGetNvLinkRemoteDeviceType(h, link))),
        "remote_pci_bus_id": of_link(raw.far_bus_id),
        "sent_bytes_total": of_link(LINK_SENT),
        "received_bytes_total": of_link(LINK_RECEIVED),
        "sent_bytes_per_second": of_link(lambda h, link: Counted(LINK_SENT(h, link))),
        "received_bytes_per_second": of_link(lambda h, link: Counted(LINK_RECEIVED(h, link))),
        "crc_errors_total": of_link(link_field(n.NVML_FI_DEV_NVLINK_ERROR_DL_CRC)),
        "replay_errors_total": of_link(link_field(n.NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY)),
        "recovery_errors_total": of_link(link_field(n.NVML_FI_DEV_NVLINK_ERROR_DL_RECOVERY)),
        "resets_total": of_link(link_resets),
    }),
}



def license_features(handle):
    """What takes a licence, where anything does."""
    licensing = n.nvmlDeviceGetGridLicensableFeatures(handle)
    count = licensing.licensableFeaturesCount if licensing.isGridLicenseSupported else 0
    return list(licensing.gridLicensableFeatures[:count])


def vgpu_licensed(handle):
    states = [feature.featureState for feature in license_features(handle) if feature.featureCode == 1]
    return bool(states[0]) if states else raw.absent(n.NVML_ERROR_NOT_SUPPORTED)


def expires_at(feature):
    """A licence that is permanent, or that nothing is known of, has no end. (nvidia-ml-py's constants are tuples by mistake.)"""
    at = feature.licenseExpiry
    if words.word(words.LICENSE_EXPIRY, at.status) != "valid":
        raw.absent(n.NVML_ERROR_NOT_SUPPORTED)
    return f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.min:02}:{at.sec:02}Z"


LICENSE_FEATURE = {
    "feature": lambda feature: words.word(words.LICENSE_FEATURE, feature.featureCode),
    "product": lambda feature: feature.productName,
    "enabled": lambda feature: bool(feature.featureEnabled),
    "licensed": lambda feature: bool(feature.featureState),
    "expiry": lambda feature: words.word(words.LICENSE_EXPIRY, feature.licenseExpiry.status),
    "expires_at": expires_at,
}

VGPU = {
    "uuid": n.nvmlVgpuInstanceGetUUID,
    "virtual_machine": lambda vgpu: n.nvmlVgpuInstanceGetVmID(vgpu)[0],
    "type_name": lambda vgpu: n.nvmlVgpuTypeGetName(n.nvmlVgpuInstanceGetType(vgpu)),
    "memory_used_bytes": raw.vgpu_memory,
    "licensed": lambda vgpu: bool(n.nvmlVgpuInstanceGetLicenseInfo(vgpu).isLicensed),
}


def accounts(handle):
    return [(handle, pid) for pid in n.nvmlDeviceGetAccountingPids(handle)[-MOST_ACCOUNTS:]]


def account(key, show=raw.known):
    return lambda of: show(getattr(n.nvmlDeviceGetAccountingStats(*of), key))


# How long a process was at work, the driver says only once it has ended: until then that is a matter of the clock.
ACCOUNT = {
    "pid": lambda of: of[1],
    "gpu_percent": account("gpuUtilization"),
    "memory_percent": account("memoryUtilization"),
    "max_memory_bytes": account("maxMemoryUsage"),
    "active_seconds": lambda of: account("time")(of) / 1000 if not account("isRunning")(of) else Counted(0),
    "started_at": account("startTime", words.moment),
    "running": account("isRunning", bool),
}

LISTS = {
    "compute": n.nvmlDeviceGetComputeRunningProcesses_v3,
    "graphics": n.nvmlDeviceGetGraphicsRunningProcesses_v3,
    "mps": n.nvmlDeviceGetMPSComputeRunningProcesses_v3,
}


def processes(handle):
    """Who is in any of the lists, by pid. Where the one of computing processes is refused for good, the others say it."""
    found, refusals = {}, {}
    for kind, read in LISTS.items():
        try:
            for process in read(handle):
                found.setdefault(process.pid, {"of": handle})[kind] = process
        except n.NVMLError as error:
            refusals[kind] = error
    lasting = (n.NVML_ERROR_NOT_SUPPORTED, n.NVML_ERROR_FUNCTION_NOT_FOUND)
    if "compute" in refusals and (len(refusals) == len(LISTS) or refusals["compute"].value not in lasting):
        raise refusals["compute"]
    return [found[pid] | {"pid": pid} for pid in sorted(found)]


def entries(process):
    return [process[kind] for kind in LISTS if kind in process]


def process_memory(process):
    known = [entry.usedGpuMemory for entry in entries(process) if entry.usedGpuMemory is not None]
    return max(known) if known else raw.absent(n.NVML_ERROR_NOT_SUPPORTED)


def share(key):
    """Of the driver's latest sample of a process; null where it took none lately."""
    def read(process):
        try:
            samples = n.nvmlDeviceGetProcessUtilization(process["of"], 0)
        except n.NVMLError as error:
            if error.value != n.NVML_ERROR_NOT_FOUND:
                raise
            samples = []
        own = [sample for sample in samples if sample.pid == process["pid"]]
        return getattr(max(own, key=lambda sample: sample.timeStamp), key) if own else None
    return read


def instance_id(key):
    def read(process):
        ids = [getattr(entry, key) for entry in entries(process)]
        return next((number for number in ids if number != raw.NOT_AVAILABLE), None)
    return read


def others(of):
    """Of those that are too many to be described, where none is: so that the simulator's worlds stay below that."""
    def read(handle):
        assert len(processes(handle)) <= MOST_PROCESSES
        return of
    return read


PROCESSES = {
    "count": lambda h: len(processes(h)),
    "processes": Each(processes, {
        "pid": lambda process: process["pid"],
        "name": lambda process: n.nvmlSystemGetProcessName(process["pid"]),
        "kinds": lambda process: [kind for kind in LISTS if kind in process],
        "memory_used_bytes": process_memory,
        "sm_percent": share("smUtil"),
        "memory_percent": share("memUtil"),
        "encoder_percent": share("encUtil"),
        "decoder_percent": share("decUtil"),
        "gpu_instance_id": instance_id("gpuInstanceId"),
        "compute_instance_id": instance_id("computeInstanceId"),
    }),
    "other": {"count": others(0), "memory_used_bytes": others(0), "without_memory": others(0)},
}


def peer(index):
    return lambda pair: words.word(words.P2P, n.nvmlDeviceGetP2PStatus(pair[0], pair[1], index))


def far_ends(handle):
    """Where each link that is up leads to, and of which type that is; none for a GPU without NVLink."""
    try:
        up = [link for link, state in raw.links(handle) if state]
    except n.NVMLError as error:
        if error.value != n.NVML_ERROR_NOT_SUPPORTED:
            raise
        return []
    return [(n.nvmlDeviceGetNvLinkRemotePciInfo(handle, link).busId,
             n.nvmlDeviceGetNvLinkRemoteDeviceType(handle, link)) for link in up]


def nvlinks(pair):
    """Links that end at the other; or those to switches of the one that has fewer."""
    one, other = pair[:2]
    bus_id = n.nvmlDeviceGetPciInfo(other).busId
    direct = sum(1 for where, _ in far_ends(one) if where == bus_id)
    return direct or min(
        sum(1 for _, kind in far_ends(handle) if words.word(words.NVLINK_REMOTE, kind) == "switch")
        for handle in (one, other))


TOPOLOGY = {
    "gpus": Each(lambda handles: handles, {
        "index": n.nvmlDeviceGetIndex,
        "uuid": n.nvmlDeviceGetUUID,
        "pci_bus_id": lambda h: n.nvmlDeviceGetPciInfo(h).busId,
        "numa_node": lambda h: raw.known(n.nvmlDeviceGetNumaNodeId(h) & 0xFFFFFFFF),
        "cpu_affinity": lambda h: raw.numbers_of(n.nvmlDeviceGetCpuAffinity(h, raw.WORDS)),
        "memory_affinity": lambda h: raw.numbers_of(
            n.nvmlDeviceGetMemoryAffinity(h, raw.WORDS, n.NVML_AFFINITY_SCOPE_NODE)),
    }),
    "pairs": Each(lambda handles: list(combinations(handles, 2)), {
        "first": lambda pair: n.nvmlDeviceGetIndex(pair[0]),
        "second": lambda pair: n.nvmlDeviceGetIndex(pair[1]),
        "common_ancestor": lambda pair: words.word(words.ANCESTOR, n.nvmlDeviceGetTopologyCommonAncestor(*pair)),
        "p2p_read": peer(0),
        "p2p_write": peer(n.NVML_P2P_CAPS_INDEX_WRITE),
        "p2p_nvlink": peer(n.NVML_P2P_CAPS_INDEX_NVLINK),
        "nvlinks": nvlinks,
    }),
}
