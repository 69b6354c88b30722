// What the words of the agent's answers mean, for people.

/** Why a value is absent. */
export const REASONS = {
  not_supported: "this GPU does not have it",
  no_permission: "the agent may not ask for it",
  function_not_found: "the driver does not know this call",
  gpu_lost: "the GPU fell off the bus",
  timeout: "the driver did not answer in time",
  not_ready: "nothing has been read yet",
  error: "the call failed, or gave what cannot be true",
  disabled: "switched off in the agent's configuration",
};

/** Why something else than a reading of a GPU is absent; these words are the page's own. */
const ELSEWHERE = {
  not_here: "the process lives in another pid namespace, is hidden, or has ended",
  no_container: "the process runs in no container that is known",
  no_kubelet: "this node has no kubelet",
};

/** How a GPU is doing, and how bad it is to come to that. The sign is shown beside the colour, never the colour alone. */
export const STATES = {
  ok: { sign: "●", label: "ok", severity: "info", meaning: "It is read at its pace." },
  stale: { sign: "◷", label: "stale", severity: "warning", meaning: "Nothing was heard of it for a while; what is shown is old." },
  hung: {
    sign: "■",
    label: "hung",
    severity: "critical",
    meaning: "A call to the driver has not returned; what is shown is old.",
    advice: "Look at the kernel log for Xid lines. If it does not come back, move the work away and reset the GPU.",
  },
  lost: {
    sign: "✕",
    label: "lost",
    severity: "fatal",
    meaning: "It fell off the bus.",
    advice: "Restart the machine; if it recurs, check power and seating, and ask the vendor.",
  },
  unavailable: { sign: "○", label: "unavailable", severity: "critical", meaning: "It gives no data: not yet, or its reads fail." },
};

/** What to do first about an XID. */
export const ACTIONS = {
  none: "Nothing has to be done.",
  follow_other_errors: "Look at the errors that came with it, and follow those.",
  restart_application: "Start the application again; if it recurs, look for the fault in the application.",
  reset_gpu: "Move the work away and reset the GPU.",
  reboot_node: "Restart the machine, not just the guest on it.",
  restart_vm: "Restart the virtual machine.",
  drain_and_diagnose: "Take the GPU out of service and run the vendor's field diagnostics.",
  update_driver: "Bring driver and firmware to versions that fit each other.",
  check_power_and_cooling: "Check power cables, power supply and cooling.",
  check_configuration: "Check how the feature concerned is configured.",
  contact_vendor: "Ask the vendor, with the output of nvidia-bug-report.sh.",
};

/** Events: how bad they are, what happened, what to do. Those of an XID say so themselves. */
export const EVENTS = {
  xid: { label: "XID", severity: "warning", meaning: "The driver reported an error by its number." },
  single_bit_ecc: { label: "ECC corrected", severity: "info", meaning: "Memory corrected an error." },
  double_bit_ecc: {
    label: "ECC uncorrected",
    severity: "critical",
    meaning: "Memory met an error that it could not correct.",
    advice: "Restart what ran on the GPU, and reset the GPU when it is free.",
  },
  single_bit_ecc_storm: {
    label: "ECC storm",
    severity: "warning",
    meaning: "Memory corrects one error after the other.",
    advice: "Plan to take the GPU out of service and run field diagnostics.",
  },
  performance_state: { label: "Performance state", severity: "info", meaning: "The performance state changed." },
  clock: { label: "Clock", severity: "info", meaning: "A clock changed." },
  power_source: { label: "Power source", severity: "warning", meaning: "The power source changed." },
  mig_config: { label: "MIG", severity: "info", meaning: "MIG instances were made or removed." },
  page_retirement: {
    label: "Memory retired",
    severity: "warning",
    meaning: "A page or row of memory was taken out of use.",
    advice: "It takes effect with the next reset of the GPU.",
  },
  page_retirement_failure: {
    label: "Retirement failed",
    severity: "critical",
    meaning: "A page or row of memory could not be taken out of use.",
    advice: "The GPU may have to be replaced: run field diagnostics.",
  },
  poison: {
    label: "Poison",
    severity: "warning",
    meaning: "Poisoned data was met, and what met it can be stopped by itself.",
    advice: "Restart the application that was stopped.",
  },
  fatal_poison: {
    label: "Fatal poison",
    severity: "fatal",
    meaning: "Poisoned data was met, and the GPU cannot go on.",
    advice: "Reset the GPU.",
  },
  gpu_unavailable: { label: "GPU unavailable", severity: "fatal", meaning: "The GPU cannot be used." },
  recovery_action: {
    label: "Recovery",
    severity: "critical",
    meaning: "Something has to be done to bring the GPU back into order.",
    advice: "The GPU's own page says what, under reliability.",
  },
  unknown: {
    label: "Unknown",
    severity: "info",
    meaning: "The driver reported something that the agent has no name for.",
  },
  gpu_state: { label: "State", severity: "info", meaning: "The agent sees the GPU in another state than before." },
  gpu_missing: {
    label: "GPU missing",
    severity: "critical",
    meaning: "NVML does not know a GPU that the machine should have.",
    advice: "Look at the kernel log; the GPU failed to start or fell off the bus before the driver saw it.",
  },
  gpu_found: { label: "GPU found", severity: "info", meaning: "A GPU that was missing is there again." },
  gpu_not_expected: {
    label: "GPU not expected",
    severity: "info",
    meaning: "A GPU that was missing is not expected any more: it was taken out or given to another driver.",
  },
  driver: { label: "Driver", severity: "info", meaning: "NVML can be used from now on, or cannot, and why." },
};

/** Why clocks are lower than they could be; `bad` where it costs work that could be done. */
export const THROTTLES = {
  gpu_idle: { label: "idle", bad: false, meaning: "Nothing runs, so the clocks are low." },
  applications_clocks_setting: { label: "application clocks", bad: false, meaning: "Somebody set the clocks." },
  sw_power_cap: { label: "power cap", bad: true, meaning: "The power limit is reached." },
  hw_slowdown: { label: "hardware slowdown", bad: true, meaning: "Temperature or power forces the clocks to half or less." },
  sync_boost: { label: "sync boost", bad: false, meaning: "The clocks follow those of another GPU." },
  sw_thermal_slowdown: { label: "thermal (driver)", bad: true, meaning: "GPU or memory is warmer than it should be." },
  hw_thermal_slowdown: { label: "thermal (hardware)", bad: true, meaning: "The temperature is too high: check cooling." },
  hw_power_brake_slowdown: { label: "power brake", bad: true, meaning: "The power supply demands less: check it." },
  display_clock_setting: { label: "display clocks", bad: false, meaning: "The display demands these clocks." },
};

/** How two GPUs are joined on PCIe, nearest first; short as `nvidia-smi topo` has it. */
export const ANCESTORS = {
  internal: { short: "PSB", rank: 1, meaning: "on one board" },
  single: { short: "PIX", rank: 2, meaning: "below one PCIe switch" },
  multiple: { short: "PXB", rank: 3, meaning: "across several PCIe switches" },
  host_bridge: { short: "PHB", rank: 4, meaning: "across the CPU's PCIe bridge" },
  node: { short: "NODE", rank: 5, meaning: "across bridges of one NUMA node" },
  system: { short: "SYS", rank: 6, meaning: "across NUMA nodes" },
};

/** The text for a reason; a word that is not known stands for itself. */
export function reasonText(reason) {
  return REASONS[reason] ?? ELSEWHERE[reason] ?? String(reason ?? "not known").replaceAll("_", " ");
}

/** A word of the agent with spaces. */
export function spaced(word) {
  return String(word).replaceAll("_", " ");
}
