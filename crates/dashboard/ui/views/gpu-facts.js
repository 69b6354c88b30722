// What of one GPU is written: the tiles at the top and the lists of facts, each by the path of its reading.

import { bytes, celsius, count, finePercent, megahertz, percent, rate, text, watts, yesNo } from "../core/format.js";
import { number, reading, share } from "../core/readings.js";
import { spaced } from "../core/words.js";

const at = (path) => (gpu) => reading(gpu, path);
const row = (label, path, format = text) => ({ label, read: at(path), format });

export const TILES = [
  { label: "GPU load", read: at("load.gpu_percent"), format: percent, under: (gpu) => said(gpu, "activity.sm_percent", (value) => `SM ${percent(value)}`) },
  { label: "Memory", read: at("memory.used_bytes"), format: bytes, under: (gpu) => {
    const of = share(gpu, "memory.used_bytes", "memory.total_bytes");
    return of.value === undefined ? "" : `${finePercent(of.value)} of ${bytes(gpu.memory.total_bytes)}`;
  } },
  { label: "Power", read: at("power.draw_watts"), format: watts, under: (gpu) => said(gpu, "power.enforced_limit_watts", (value) => `limit ${watts(value)}`) },
  { label: "Temperature", read: at("thermal.gpu_celsius"), format: celsius, under: (gpu) => said(gpu, "thermal.memory_celsius", (value) => `memory ${celsius(value)}`) },
  { label: "SM clock", read: at("clocks.sm_mhz"), format: megahertz, under: (gpu) => said(gpu, "limits.sm_max_mhz", (value) => `of ${megahertz(value)}`) },
  { label: "Performance state", read: at("clocks.performance_state"), format: text },
];

function said(gpu, path, format) {
  const value = number(gpu, path);
  return value === null ? "" : format(value);
}

const pcie = (gpu) => {
  const [generation, width] = [reading(gpu, "pcie.generation"), reading(gpu, "pcie.width")];
  if (generation.value === undefined) return generation;
  if (width.value === undefined) return width;
  return { value: `gen ${generation.value} × ${width.value}` };
};

const fans = (gpu) => {
  const list = reading(gpu, "thermal.fans");
  if (list.value === undefined) return list;
  if (list.value.length === 0) return { value: "none" };
  return { value: list.value.map((fan) => (fan.speed_percent === null || fan.speed_percent === undefined ? `fan ${fan.index}: not known` : `fan ${fan.index}: ${percent(fan.speed_percent)}`)).join(", ") };
};

export const FACTS = [
  {
    title: "Errors and reliability",
    rows: [
      row("ECC", "reliability.ecc_enabled", yesNo),
      row("Corrected, since the driver was loaded", "reliability.corrected_volatile", count),
      row("Uncorrected, since the driver was loaded", "reliability.uncorrected_volatile", count),
      row("Corrected, ever", "reliability.corrected_aggregate", count),
      row("Uncorrected, ever", "reliability.uncorrected_aggregate", count),
      row("Rows remapped, uncorrected", "reliability.remapped_rows.uncorrected", count),
      row("Remapping pending", "reliability.remapped_rows.pending", yesNo),
      row("Remapping failed", "reliability.remapped_rows.failed", yesNo),
      row("Retired pages, uncorrected", "reliability.retired_pages_uncorrected", count),
      row("Recovery action", "reliability.recovery_action", spaced),
      row("PCIe replays", "pcie.replays_total", count),
    ],
  },
  {
    title: "Links and cooling",
    rows: [
      { label: "PCIe link", read: pcie, format: text },
      row("PCIe sent", "pcie.sent_bytes_per_second", rate),
      row("PCIe received", "pcie.received_bytes_per_second", rate),
      row("NVLinks up", "nvlink.active_links", count),
      row("NVLink sent", "nvlink.sent_bytes_per_second", rate),
      row("NVLink received", "nvlink.received_bytes_per_second", rate),
      row("Slows down at", "limits.slowdown_celsius", celsius),
      row("Shuts down at", "limits.shutdown_celsius", celsius),
      { label: "Fans", read: fans, format: text },
      row("Energy, since the driver was loaded", "power.energy_joules_total", (joules) => `${(joules / 3.6e6).toFixed(2)} kWh`),
    ],
  },
  {
    title: "Identity and modes",
    rows: [
      row("Name", "identity.name"),
      row("Architecture", "identity.architecture"),
      row("Compute capability", "identity.compute_capability"),
      row("UUID", "uuid"),
      row("Serial", "identity.serial"),
      row("PCI bus id", "identity.pci_bus_id"),
      row("VBIOS", "identity.vbios_version"),
      row("InfoROM", "identity.inforom_image_version"),
      row("GSP firmware", "identity.gsp_firmware_version"),
      row("NUMA node", "identity.numa_node"),
      row("Persistence mode", "modes.persistence", yesNo),
      row("Compute mode", "modes.compute_mode", spaced),
      row("MIG", "mig.enabled", yesNo),
      row("Processes", "processes.count", count),
    ],
  },
];
