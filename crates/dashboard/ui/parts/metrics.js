// What the overview can colour GPUs by: how a reading becomes a share of 100, and what is written.

import { celsius, finePercent, percent, watts } from "../core/format.js";
import { reading, share } from "../core/readings.js";

/** Degrees between which colours change, where a GPU does not say when it slows down. */
const COOL = 30;
const HOT = 90;

export const METRICS = [
  { id: "gpu", label: "GPU load", read: (gpu) => reading(gpu, "load.gpu_percent"), format: percent, level: (value) => value },
  { id: "sm", label: "SM activity", read: (gpu) => reading(gpu, "activity.sm_percent"), format: percent, level: (value) => value },
  { id: "memory", label: "Memory", read: (gpu) => share(gpu, "memory.used_bytes", "memory.total_bytes"), format: finePercent, level: (value) => value },
  {
    id: "power",
    label: "Power",
    read: (gpu) => reading(gpu, "power.draw_watts"),
    format: watts,
    level: (value, gpu) => (value / (gpu.power?.enforced_limit_watts || 1000)) * 100,
  },
  {
    id: "temperature",
    label: "Temperature",
    read: (gpu) => reading(gpu, "thermal.gpu_celsius"),
    format: celsius,
    level: (value, gpu) => ((value - COOL) / ((gpu.limits?.slowdown_celsius || HOT) - COOL)) * 100,
  },
];

/** The step of the colour scale, 0 to 10. */
export function step(level) {
  return Math.min(10, Math.max(0, Math.round(level / 10)));
}
