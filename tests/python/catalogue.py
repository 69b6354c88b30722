"""Reads all that the agent's catalogue names, through nvidia-ml-py, and prints it as JSON: an object per GPU, and how the
GPUs are joined. `answers.py` says what an answer is.

The tables are those of the catalogue, read by hand: which call, which unit. What is not in them has its reason in
`tests/e2e/conformance/exceptions.rs`.
"""

import json
import sys

import pynvml as n

import lists
import raw
import words
from answers import Counted, Each, Sampled, walk
from lists import ACTIVITY

KIB = 1024


def field(number, scope=0, per=1):
    """A field, in units of which there are `per` in the agent's; as it is where that is one."""
    def read(handle):
        value = raw.field(handle, number, scope)
        return value if per == 1 else value / per
    return read


def kib(size):
    return size * KIB


def memory(key):
    def read(handle):
        info = n.nvmlDeviceGetMemoryInfo(handle, version=n.nvmlMemory_v2)
        return getattr(info, key)
    return read


def spread(kind, unit):
    """Statistics of the driver's samples."""
    def read(handle):
        return Sampled(len(n.nvmlDeviceGetSamples(handle, kind, 0)[1]))
    keys = [f"{of}_{unit}" for of in ("mean", "min", "max", "p95")] + ["samples", "covered_seconds"]
    return dict.fromkeys(keys, read)


def threshold(kind):
    return lambda h: n.nvmlDeviceGetTemperatureThreshold(h, kind)


def clock(call, kind):
    return lambda h: call(h, kind)


def ecc(kind, counter):
    return lambda h: n.nvmlDeviceGetTotalEccErrors(h, kind, counter)


def health(shift):
    """Two bits of the fabric's health: 1 for yes, 2 for no."""
    def read(handle):
        bits = raw.joined_fabric(handle).healthMask >> shift & 3
        return {1: True, 2: False}[bits] if bits in (1, 2) else raw.absent(n.NVML_ERROR_NOT_SUPPORTED)
    return read


def pcie_rate(number, direction):
    """By the counter, or, for a GPU without one, what went over the link within 20 ms."""
    def read(handle):
        try:
            return Counted(raw.field(handle, number))
        except n.NVMLError:
            return kib(n.nvmlDeviceGetPcieThroughput(handle, direction))
    return read


def pcie_source(handle):
    rate = pcie_rate(n.NVML_FI_DEV_PCIE_COUNT_TX_BYTES, n.NVML_PCIE_UTIL_TX_BYTES)(handle)
    return "counters" if isinstance(rate, Counted) else "sampled"


def resets(*counters):
    """None of the counters that there are began anew; the first refusal where there is none at all."""
    def read(handle):
        refusal = None
        for counter in counters:
            try:
                counter(handle)
                return 0
            except n.NVMLError as error:
                refusal = refusal or error
        raise refusal
    return read


CORRECTED, UNCORRECTED = n.NVML_MEMORY_ERROR_TYPE_CORRECTED, n.NVML_MEMORY_ERROR_TYPE_UNCORRECTED
LOWERED = [field(number, per=10**9) for number in range(n.NVML_FI_DEV_PERF_POLICY_POWER, 82)]
SENT, RECEIVED = field(n.NVML_FI_DEV_PCIE_COUNT_TX_BYTES), field(n.NVML_FI_DEV_PCIE_COUNT_RX_BYTES)

IDENTITY = {
    "name": n.nvmlDeviceGetName,
    "brand": lambda h: words.word(words.BRAND, n.nvmlDeviceGetBrand(h)),
    "architecture": lambda h: words.word(words.ARCHITECTURE, n.nvmlDeviceGetArchitecture(h)),
    "compute_capability": lambda h: "{}.{}".format(*n.nvmlDeviceGetCudaComputeCapability(h)),
    "cores": n.nvmlDeviceGetNumGpuCores,
    "memory_bus_bits": n.nvmlDeviceGetMemoryBusWidth,
    "serial": n.nvmlDeviceGetSerial,
    "board_part_number": n.nvmlDeviceGetBoardPartNumber,
    "board_id": n.nvmlDeviceGetBoardId,
    "multi_gpu_board": lambda h: bool(n.nvmlDeviceGetMultiGpuBoard(h)),
    "vbios_version": n.nvmlDeviceGetVbiosVersion,
    "gsp_firmware_version": n.nvmlDeviceGetGspFirmwareVersion,
    "inforom_image_version": n.nvmlDeviceGetInforomImageVersion,
    "inforom_oem_version": lambda h: n.nvmlDeviceGetInforomVersion(h, n.NVML_INFOROM_OEM),
    "inforom_ecc_version": lambda h: n.nvmlDeviceGetInforomVersion(h, n.NVML_INFOROM_ECC),
    "inforom_power_version": lambda h: n.nvmlDeviceGetInforomVersion(h, n.NVML_INFOROM_POWER),
    "pci_bus_id": lambda h: n.nvmlDeviceGetPciInfo(h).busId,
    "pci_device_id": lambda h: f"0x{n.nvmlDeviceGetPciInfo(h).pciDeviceId:08X}",
    "pci_subsystem_id": lambda h: f"0x{n.nvmlDeviceGetPciInfo(h).pciSubSystemId:08X}",
    "bus_type": lambda h: words.word(words.BUS_TYPE, n.nvmlDeviceGetBusType(h)),
    "minor_number": n.nvmlDeviceGetMinorNumber,
    "numa_node": lambda h: raw.known(n.nvmlDeviceGetNumaNodeId(h) & 0xFFFFFFFF),
    "module_id": n.nvmlDeviceGetModuleId,
    "addressing_mode": lambda h: words.word(words.ADDRESSING_MODE, n.nvmlDeviceGetAddressingMode(h)),
    "chassis_serial": lambda h: raw.platform(h).chassisSerialNumber or raw.absent(n.NVML_ERROR_NOT_SUPPORTED),
    "chassis_slot": lambda h: raw.byte(raw.platform(h).slotNumber),
    "chassis_tray": lambda h: raw.byte(raw.platform(h).trayIndex),
    "chassis_host_id": lambda h: raw.byte(raw.platform(h).hostId),
}

LIMITS = {
    "slowdown_celsius": threshold(n.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN),
    "shutdown_celsius": threshold(n.NVML_TEMPERATURE_THRESHOLD_SHUTDOWN),
    "gpu_max_celsius": threshold(n.NVML_TEMPERATURE_THRESHOLD_GPU_MAX),
    "memory_max_celsius": threshold(n.NVML_TEMPERATURE_THRESHOLD_MEM_MAX),
    "power_default_watts": lambda h: n.nvmlDeviceGetPowerManagementDefaultLimit(h) / 1000,
    "power_min_watts": lambda h: n.nvmlDeviceGetPowerManagementLimitConstraints(h)[0] / 1000,
    "power_max_watts": lambda h: n.nvmlDeviceGetPowerManagementLimitConstraints(h)[1] / 1000,
    "graphics_max_mhz": clock(n.nvmlDeviceGetMaxClockInfo, n.NVML_CLOCK_GRAPHICS),
    "sm_max_mhz": clock(n.nvmlDeviceGetMaxClockInfo, n.NVML_CLOCK_SM),
    "memory_max_mhz": clock(n.nvmlDeviceGetMaxClockInfo, n.NVML_CLOCK_MEM),
    "video_max_mhz": clock(n.nvmlDeviceGetMaxClockInfo, n.NVML_CLOCK_VIDEO),
    "application_graphics_default_mhz": clock(n.nvmlDeviceGetDefaultApplicationsClock, n.NVML_CLOCK_GRAPHICS),
    "application_memory_default_mhz": clock(n.nvmlDeviceGetDefaultApplicationsClock, n.NVML_CLOCK_MEM),
    "pcie_generation_max": n.nvmlDeviceGetMaxPcieLinkGeneration,
    "pcie_width_max": n.nvmlDeviceGetMaxPcieLinkWidth,
    "pcie_lane_max_mbps": lists.max_lane_mbps,
    "fan_min_percent": lambda h: n.nvmlDeviceGetMinMaxFanSpeed(h)[0],
    "fan_max_percent": lambda h: n.nvmlDeviceGetMinMaxFanSpeed(h)[1],
}

LOAD = {
    "gpu_percent": lambda h: n.nvmlDeviceGetUtilizationRates(h).gpu,
    "memory_percent": lambda h: n.nvmlDeviceGetUtilizationRates(h).memory,
    "encoder_percent": lambda h: n.nvmlDeviceGetEncoderUtilization(h)[0],
    "decoder_percent": lambda h: n.nvmlDeviceGetDecoderUtilization(h)[0],
    "jpeg_percent": lambda h: n.nvmlDeviceGetJpgUtilization(h)[0],
    "ofa_percent": lambda h: n.nvmlDeviceGetOfaUtilization(h)[0],
    "interval": {
        "gpu": spread(n.NVML_GPU_UTILIZATION_SAMPLES, "percent"),
        "memory": spread(n.NVML_MEMORY_UTILIZATION_SAMPLES, "percent"),
        "encoder": spread(n.NVML_ENC_UTILIZATION_SAMPLES, "percent"),
        "decoder": spread(n.NVML_DEC_UTILIZATION_SAMPLES, "percent"),
    },
}

MEMORY = {
    "total_bytes": memory("total"),
    "used_bytes": memory("used"),
    "free_bytes": memory("free"),
    "reserved_bytes": memory("reserved"),
    "bar1_total_bytes": lambda h: n.nvmlDeviceGetBAR1MemoryInfo(h).bar1Total,
    "bar1_used_bytes": lambda h: n.nvmlDeviceGetBAR1MemoryInfo(h).bar1Used,
    "bar1_free_bytes": lambda h: n.nvmlDeviceGetBAR1MemoryInfo(h).bar1Free,
}

POWER = {
    "draw_watts": lambda h: n.nvmlDeviceGetPowerUsage(h) / 1000,
    "average_watts": field(n.NVML_FI_DEV_POWER_AVERAGE, per=1000),
    "instant_watts": field(n.NVML_FI_DEV_POWER_INSTANT, per=1000),
    "module_average_watts": field(n.NVML_FI_DEV_POWER_AVERAGE, n.NVML_POWER_SCOPE_MODULE, 1000),
    "module_instant_watts": field(n.NVML_FI_DEV_POWER_INSTANT, n.NVML_POWER_SCOPE_MODULE, 1000),
    "mean_watts": lambda h: Counted(n.nvmlDeviceGetTotalEnergyConsumption(h)),
    "management_limit_watts": lambda h: n.nvmlDeviceGetPowerManagementLimit(h) / 1000,
    "enforced_limit_watts": lambda h: n.nvmlDeviceGetEnforcedPowerLimit(h) / 1000,
    "driver_energy_joules": lambda h: n.nvmlDeviceGetTotalEnergyConsumption(h) / 1000,
    "energy_joules_total": lambda h: n.nvmlDeviceGetTotalEnergyConsumption(h) / 1000,
    "energy_resets_total": resets(n.nvmlDeviceGetTotalEnergyConsumption),
    "source": lambda h: words.word(words.POWER_SOURCE, n.nvmlDeviceGetPowerSource(h)),
    "interval": spread(n.NVML_TOTAL_POWER_SAMPLES, "watts"),
}

CLOCKS = {
    "graphics_mhz": clock(n.nvmlDeviceGetClockInfo, n.NVML_CLOCK_GRAPHICS),
    "sm_mhz": clock(n.nvmlDeviceGetClockInfo, n.NVML_CLOCK_SM),
    "memory_mhz": clock(n.nvmlDeviceGetClockInfo, n.NVML_CLOCK_MEM),
    "video_mhz": clock(n.nvmlDeviceGetClockInfo, n.NVML_CLOCK_VIDEO),
    "application_graphics_mhz": clock(n.nvmlDeviceGetApplicationsClock, n.NVML_CLOCK_GRAPHICS),
    "application_memory_mhz": clock(n.nvmlDeviceGetApplicationsClock, n.NVML_CLOCK_MEM),
    "performance_state": lambda h: words.performance_state(n.nvmlDeviceGetPerformanceState(h)),
    "event_reasons": lambda h: words.event_reasons(n.nvmlDeviceGetCurrentClocksEventReasons(h)),
    "lowered": dict(zip(
        ("power_seconds_total", "thermal_seconds_total", "sync_boost_seconds_total", "board_limit_seconds_total",
         "low_utilization_seconds_total", "reliability_seconds_total", "application_clocks_seconds_total",
         "base_clocks_seconds_total"), LOWERED, strict=True)) | {"resets_total": resets(*LOWERED)},
}

PCIE = {
    "generation": n.nvmlDeviceGetCurrPcieLinkGeneration,
    "width": n.nvmlDeviceGetCurrPcieLinkWidth,
    "lane_mbps": n.nvmlDeviceGetPcieSpeed,
    "sent_bytes_total": SENT,
    "received_bytes_total": RECEIVED,
    "sent_bytes_per_second": pcie_rate(n.NVML_FI_DEV_PCIE_COUNT_TX_BYTES, n.NVML_PCIE_UTIL_TX_BYTES),
    "received_bytes_per_second": pcie_rate(n.NVML_FI_DEV_PCIE_COUNT_RX_BYTES, n.NVML_PCIE_UTIL_RX_BYTES),
    "rate_source": pcie_source,
    "replays_total": n.nvmlDeviceGetPcieReplayCounter,
    "resets_total": resets(SENT, RECEIVED, n.nvmlDeviceGetPcieReplayCounter),
}

RELIABILITY = {
    "ecc_enabled": lambda h: bool(n.nvmlDeviceGetEccMode(h)[0]),
    "ecc_enabled_after_reset": lambda h: bool(n.nvmlDeviceGetEccMode(h)[1]),
    "corrected_volatile": ecc(CORRECTED, n.NVML_VOLATILE_ECC),
    "uncorrected_volatile": ecc(UNCORRECTED, n.NVML_VOLATILE_ECC),
    "corrected_aggregate": ecc(CORRECTED, n.NVML_AGGREGATE_ECC),
    "uncorrected_aggregate": ecc(UNCORRECTED, n.NVML_AGGREGATE_ECC),
    "sram": {
        "corrected_volatile": lambda h: raw.sram(h).volatileCor,
        "corrected_aggregate": lambda h: raw.sram(h).aggregateCor,
        "uncorrected_parity_volatile": lambda h: raw.sram(h).volatileUncParity,
        "uncorrected_secded_volatile": lambda h: raw.sram(h).volatileUncSecDed,
        "uncorrected_parity_aggregate": lambda h: raw.sram(h).aggregateUncParity,
        "uncorrected_secded_aggregate": lambda h: raw.sram(h).aggregateUncSecDed,
        "threshold_exceeded": lambda h: bool(raw.sram(h).bThresholdExceeded),
    },
    "retired_pages_corrected": lambda h: len(n.nvmlDeviceGetRetiredPages(h, 0)),
    "retired_pages_uncorrected": lambda h: len(n.nvmlDeviceGetRetiredPages(h, 1)),
    "retirement_pending": lambda h: bool(n.nvmlDeviceGetRetiredPagesPendingStatus(h)),
    "remapped_rows": {
        "corrected": lambda h: n.nvmlDeviceGetRemappedRows(h)[0],
        "uncorrected": lambda h: n.nvmlDeviceGetRemappedRows(h)[1],
        "pending": lambda h: bool(n.nvmlDeviceGetRemappedRows(h)[2]),
        "failed": lambda h: bool(n.nvmlDeviceGetRemappedRows(h)[3]),
        "banks_max_spare": lambda h: n.nvmlDeviceGetRowRemapperHistogram(h).max,
        "banks_high_spare": lambda h: n.nvmlDeviceGetRowRemapperHistogram(h).high,
        "banks_partial_spare": lambda h: n.nvmlDeviceGetRowRemapperHistogram(h).partial,
        "banks_low_spare": lambda h: n.nvmlDeviceGetRowRemapperHistogram(h).low,
        "banks_no_spare": lambda h: n.nvmlDeviceGetRowRemapperHistogram(h).none,
    },
    "recovery_action": lambda h: words.word(words.RECOVERY_ACTION, raw.field(h, n.NVML_FI_DEV_GET_GPU_RECOVERY_ACTION)),
    "fabric": {
        "state": lambda h: words.word(words.FABRIC_STATE, raw.fabric(h).state),
        "status": lambda h: {0: "success"}[raw.joined_fabric(h).status],
        "cluster_uuid": lambda h: words.uuid(raw.joined_fabric(h).clusterUuid),
        "clique_id": lambda h: raw.joined_fabric(h).cliqueId,
        "degraded_bandwidth": health(n.NVML_GPU_FABRIC_HEALTH_MASK_SHIFT_DEGRADED_BW),
        "route_recovery": health(n.NVML_GPU_FABRIC_HEALTH_MASK_SHIFT_ROUTE_RECOVERY),
        "route_unhealthy": health(n.NVML_GPU_FABRIC_HEALTH_MASK_SHIFT_ROUTE_UNHEALTHY),
        "access_timeout_recovery": health(n.NVML_GPU_FABRIC_HEALTH_MASK_SHIFT_ACCESS_TIMEOUT_RECOVERY),
    },
}

MODES = {
    "persistence": lambda h: bool(n.nvmlDeviceGetPersistenceMode(h)),
    "compute_mode": lambda h: words.word(words.COMPUTE_MODE, n.nvmlDeviceGetComputeMode(h)),
    "display_active": lambda h: bool(n.nvmlDeviceGetDisplayActive(h)),
    "display_connected": lambda h: bool(n.nvmlDeviceGetDisplayMode(h)),
    "virtualization": lambda h: words.word(words.VIRTUALIZATION, n.nvmlDeviceGetVirtualizationMode(h)),
    "vgpu_host_mode": lambda h: words.word(words.VGPU_HOST_MODE, n.nvmlDeviceGetHostVgpuMode(h)),
    "vgpu_license_supported": lambda h: bool(n.nvmlDeviceGetGridLicensableFeatures(h).isGridLicenseSupported),
    "vgpu_licensed": lists.vgpu_licensed,
    "license_features": Each(lists.license_features, lists.LICENSE_FEATURE),
    "accounting": lambda h: bool(n.nvmlDeviceGetAccountingMode(h)),
    "chip_to_chip": lambda h: bool(n.nvmlDeviceGetC2cModeInfoV(h).isC2cEnabled),
    "confidential_compute": lambda h: words.confidential_compute(n.nvmlSystemGetConfComputeState()),
    "protected_memory_bytes": lambda h: kib(n.nvmlDeviceGetConfComputeMemSizeInfo(h).protectedMemSizeKib),
    "unprotected_memory_bytes": lambda h: kib(n.nvmlDeviceGetConfComputeMemSizeInfo(h).unprotectedMemSizeKib),
}

SESSIONS = {
    "encoder_sessions": lambda h: n.nvmlDeviceGetEncoderStats(h)[0],
    "encoder_average_fps": lambda h: n.nvmlDeviceGetEncoderStats(h)[1],
    "encoder_latency_microseconds": lambda h: n.nvmlDeviceGetEncoderStats(h)[2],
    "capture_sessions": lambda h: n.nvmlDeviceGetFBCStats(h).sessionsCount,
    "capture_average_fps": lambda h: n.nvmlDeviceGetFBCStats(h).averageFPS,
    "capture_latency_microseconds": lambda h: n.nvmlDeviceGetFBCStats(h).averageLatency,
    "vgpus": Each(n.nvmlDeviceGetActiveVgpus, lists.VGPU),
    "accounts": Each(lists.accounts, lists.ACCOUNT),
}

GPU = {
    "uuid": n.nvmlDeviceGetUUID,
    "index": n.nvmlDeviceGetIndex,
    "identity": IDENTITY,
    "limits": LIMITS,
    "load": LOAD,
    "activity": {
        key: lambda h, metric=metric: lists.performance(h, metric) for key, metric in ACTIVITY.items()
    },
    "memory": MEMORY,
    "power": POWER,
    "thermal": {
        "gpu_celsius": lambda h: n.nvmlDeviceGetTemperature(h, n.NVML_TEMPERATURE_GPU),
        "memory_celsius": field(n.NVML_FI_DEV_MEMORY_TEMP),
        "margin_celsius": n.nvmlDeviceGetMarginTemperature,
        "fans": Each(lists.fans, lists.FAN),
    },
    "clocks": CLOCKS,
    "mig": lists.MIG,
    "pcie": PCIE,
    "nvlink": lists.NVLINK,
    "reliability": RELIABILITY,
    "modes": MODES,
    "sessions": SESSIONS,
    "processes": lists.PROCESSES,
}


if __name__ == "__main__":
    n.nvmlInit()
    handles = [n.nvmlDeviceGetHandleByIndex(index) for index in range(n.nvmlDeviceGetCount())]
    json.dump({
        "gpus": [walk(GPU, handle) for handle in handles],
        "topology": walk(lists.TOPOLOGY, handles),
    }, sys.stdout)
