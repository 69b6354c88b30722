// What the overview can colour GPUs by: how a reading becomes a share of 100, and what is written.

import { celsius, finePercent, percent, watts } from "../core/format.js";
import { reading, share } from "../core/readings.js";

/** Degrees between which colours change, where a GPU does not say when it slows down. */
const COOL = 30;
const HOT = 90;

const itself = (value) => value;

/**
 * `read` gives what is written, and `level` what it is of 100. `past` is the path of which a history is kept, and `was` what a value
 * of that was of 100, where that is not `level`.
 */
export const METRICS = [
  { id: "gpu", label: "GPU load", past: "load.gpu_percent", read: (gpu) => reading(gpu, "load.gpu_percent"), format: percent, level: itself },
  { id: "sm", label: "SM activity", past: "activity.sm_percent", read: (gpu) => reading(gpu, "activity.sm_percent"), format: percent, level: itself },
  {
    id: "memory",
    label: "Memory",
    past: "memory.used_bytes",
    read: (gpu) => share(gpu, "memory.used_bytes", "memory.total_bytes"),
    format: finePercent,
    level: itself,
    was: (used, gpu) => (gpu.memory?.total_bytes > 0 ? (used / gpu.memory.total_bytes) * 100 : null),
  },
  {
    id: "power",
    label: "Power",
    past: "power.draw_watts",
    read: (gpu) => reading(gpu, "power.draw_watts"),
    format: watts,
    level: (value, gpu) => (value / (gpu.power?.enforced_limit_watts || 1000)) * 100,
  },
  {
    id: "temperature",
    label: "Temperature",
    past: "thermal.gpu_celsius",
    read: (gpu) => reading(gpu, "thermal.gpu_celsius"),
    format: celsius,
    level: (value, gpu) => ((value - COOL) / ((gpu.limits?.slowdown_celsius || HOT) - COOL)) * 100,
  },
];

/** The step of the colour scale, 0 to 10. */
export function step(level) {
  return Math.min(10, Math.max(0, Math.round(level / 10)));
}
