"""The agent's words for NVML's numbers, written down a second time: a slip in one of the two tables is a difference."""

BRAND = {
    0: "unknown", 1: "Quadro", 2: "Tesla", 3: "NVS", 4: "GRID", 5: "GeForce", 6: "Titan", 7: "NVIDIA vApps",
    8: "NVIDIA vPC", 9: "NVIDIA vCS", 10: "NVIDIA RTX vWS", 11: "NVIDIA Cloud Gaming", 12: "Quadro RTX",
    13: "NVIDIA RTX", 14: "NVIDIA", 15: "GeForce RTX", 16: "Titan RTX",
}
ARCHITECTURE = {
    2: "Kepler", 3: "Maxwell", 4: "Pascal", 5: "Volta", 6: "Turing", 7: "Ampere", 8: "Ada", 9: "Hopper", 10: "Blackwell",
}
BUS_TYPE = {0: "unknown", 1: "pci", 2: "pcie", 3: "fpci", 4: "agp"}
ADDRESSING_MODE = {0: "none", 1: "hmm", 2: "ats"}
POWER_SOURCE = {0: "ac", 1: "battery", 2: "undersized"}
FAN_POLICY = {0: "automatic", 1: "manual"}
COMPUTE_MODE = {0: "default", 1: "exclusive_thread", 2: "prohibited", 3: "exclusive_process"}
VIRTUALIZATION = {0: "none", 1: "passthrough", 2: "vgpu", 3: "host_vgpu", 4: "host_vsga"}
VGPU_HOST_MODE = {0: "non_sriov", 1: "sriov"}
LICENSE_FEATURE = {0: "unknown", 1: "vgpu", 2: "nvidia_rtx", 3: "gaming", 4: "compute"}
LICENSE_EXPIRY = {0: "not_available", 1: "invalid", 2: "valid", 3: "not_applicable", 4: "permanent"}
NVLINK_VERSION = {1: "1.0", 2: "2.0", 3: "2.2", 4: "3.0", 5: "3.1", 6: "4.0", 7: "5.0", 8: "6.0"}
NVLINK_REMOTE = {0: "gpu", 1: "cpu", 2: "switch", 255: "unknown"}
RECOVERY_ACTION = {0: "none", 1: "gpu_reset", 2: "node_reboot", 3: "drain_p2p", 4: "drain_and_reset"}
FABRIC_STATE = {1: "not_started", 2: "in_progress", 3: "completed"}
ANCESTOR = {0: "internal", 10: "single", 20: "multiple", 30: "host_bridge", 40: "node", 50: "system"}
P2P = {
    0: "ok", 1: "chipset_not_supported", 2: "gpu_not_supported", 3: "io_hub_not_supported", 4: "disabled_by_regkey",
    5: "not_supported", 6: "unknown",
}
EVENT_REASONS = [
    "gpu_idle", "applications_clocks_setting", "sw_power_cap", "hw_slowdown", "sync_boost", "sw_thermal_slowdown",
    "hw_thermal_slowdown", "hw_power_brake_slowdown", "display_clock_setting",
]


def word(table, number):
    """The word; a number without one is shown as such."""
    return table.get(number, f"unknown_{number}")


def event_reasons(mask):
    names = {bit: name for bit, name in enumerate(EVENT_REASONS)}
    return [names.get(bit, f"unknown_bit_{bit}") for bit in range(64) if mask >> bit & 1]


def performance_state(number):
    return "Unknown" if number == 32 else f"P{number}"


def confidential_compute(state):
    if state.ccFeature == 0:
        return "off"
    return "devtools" if state.devToolsMode == 1 else "on"


def uuid(raw):
    """Sixteen bytes as UUIDs are written."""
    digits = bytes(raw).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def moment(microseconds):
    """A point in time as the agent writes it: UTC, with as many digits of the second as it has."""
    from datetime import datetime, timedelta, timezone

    time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)
    text = time.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return text + "Z"
