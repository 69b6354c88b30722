"""Calls of NVML that nvidia-ml-py wraps in a way of its own, or not at all, and its marks for "no value".

Every function here raises `NVMLError` where there is no value, so that a table of readings need not care.
"""

from ctypes import byref, c_ulonglong

import pynvml as n

NOT_AVAILABLE = 0xFFFFFFFF
NOT_AVAILABLE_LONG = 0xFFFFFFFFFFFFFFFF

# The address of what is no PCI device of this host.
NO_PCI_DEVICE = "FFFFFFFF:FF:FF.0"

# The most links that a GPU can have, and the most processors and memory nodes that are asked for, in 64-bit words.
LINKS = 36
WORDS = 128


def absent(code):
    """Says that there is no value, as NVML would have said with `code`."""
    raise n.NVMLError(code)


def known(value):
    """A number, unless it is NVML's mark for "no value"."""
    if value in (NOT_AVAILABLE, NOT_AVAILABLE_LONG):
        absent(n.NVML_ERROR_NOT_SUPPORTED)
    return value


def field(handle, number, scope=0):
    """A field; links, and the module of a GPU, are scopes."""
    value = n.nvmlDeviceGetFieldValues(handle, [(number, scope)])[0]
    if value.nvmlReturn != n.NVML_SUCCESS:
        absent(value.nvmlReturn)
    member = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")[value.valueType]
    return known(getattr(value.value, member))


def far_bus_id(handle, link):
    """Where the far end of a link sits."""
    bus_id = n.nvmlDeviceGetNvLinkRemotePciInfo(handle, link).busId
    return absent(n.NVML_ERROR_NOT_SUPPORTED) if bus_id == NO_PCI_DEVICE else bus_id


def fan_rpm(handle, fan):
    """nvidia-ml-py asks for the first fan only."""
    info = n.c_nvmlFanSpeedInfo_t()
    info.version, info.fan = n.nvmlFanSpeedInfo_v1, fan
    n._nvmlCheckReturn(n._nvmlGetFunctionPointer("nvmlDeviceGetFanSpeedRPM")(handle, byref(info)))
    return info.speed


def vgpu_memory(vgpu):
    """nvidia-ml-py makes room for 32 bits of the 64."""
    used = c_ulonglong()
    n._nvmlCheckReturn(n._nvmlGetFunctionPointer("nvmlVgpuInstanceGetFbUsage")(vgpu, byref(used)))
    return used.value


def platform(handle):
    """Where the GPU is in its rack."""
    info = n.c_nvmlPlatformInfo_v2_t()
    n.nvmlDeviceGetPlatformInfo(handle, byref(info))
    return info


def byte(character):
    """nvidia-ml-py calls an unsigned number of one byte a character."""
    return ord(character)


def sram(handle):
    """Errors in on-chip memory."""
    status = n.c_nvmlEccSramErrorStatus_v1_t()
    n.nvmlDeviceGetSramEccErrorStatus(handle, byref(status))
    return status


def fabric(handle):
    """The fabric; it has results only once joining it is completed."""
    info = n.c_nvmlGpuFabricInfo_v2_t()
    n.nvmlDeviceGetGpuFabricInfoV(handle, byref(info))
    if info.state == n.NVML_GPU_FABRIC_STATE_NOT_SUPPORTED:
        absent(n.NVML_ERROR_NOT_SUPPORTED)
    return info


def joined_fabric(handle):
    info = fabric(handle)
    if info.state != n.NVML_GPU_FABRIC_STATE_COMPLETED:
        absent(n.NVML_ERROR_NOT_READY)
    return info


def numbers_of(words):
    """The numbers of the bits that are set, as the kernel writes lists: `0-15,64-79`."""
    numbers = [64 * place + bit for place, word in enumerate(words) for bit in range(64) if word >> bit & 1]
    ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] + 1 == number:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def mig_instances(handle):
    """Number and handle of each MIG instance; the numbers in between may be free."""
    if not n.nvmlDeviceGetMigMode(handle)[0]:
        return []
    found = []
    for index in range(n.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            found.append((index, n.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)))
        except n.NVMLError as error:
            if error.value != n.NVML_ERROR_NOT_FOUND:
                raise
    return found


def links(handle):
    """Number and state of each NVLink. A number that is too high ends them."""
    states = []
    for link in range(LINKS):
        try:
            states.append((link, n.nvmlDeviceGetNvLinkState(handle, link)))
        except n.NVMLError as error:
            if link == 0 or error.value != n.NVML_ERROR_INVALID_ARGUMENT:
                raise
            break
    return states


def performance(take, metric):
    """A metric of the performance monitor (GPM) between two samples. In a world that stands still no time passes between
    them, about which NVML has nothing to say."""
    samples = [n.nvmlGpmSampleAlloc() for _ in range(2)]
    try:
        for sample in samples:
            take(sample)
        question = n.c_nvmlGpmMetricsGet_t()
        question.version, question.numMetrics = n.NVML_GPM_METRICS_GET_VERSION, 1
        question.sample1, question.sample2 = samples
        question.metrics[0].metricId = metric
        n.nvmlGpmMetricsGet(question)
        answer = question.metrics[0]
        if answer.nvmlReturn != n.NVML_SUCCESS:
            absent(answer.nvmlReturn)
        return answer.value
    finally:
        for sample in samples:
            n.nvmlGpmSampleFree(sample)
