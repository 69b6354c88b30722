// The charts of one GPU: which there are, and which readings they draw.

import { bytes, celsius, megahertz, percent, rate, watts } from "../core/format.js";

const upTo = (most) => (_, max) => [0, Math.max(most, max ?? 0)];
const fromZero = (min, max) => [0, max > 0 ? max * 1.1 : 100];

/** Room above and below, so that what hardly changes is not drawn as if it did. */
const around = (room) => (min, max) => (min === null || max === null ? [0, 100] : [Math.max(0, Math.floor(min - room)), Math.ceil(max + room)]);

/** Steps of a scale of bytes: powers of two. */
const BINARY = Array.from({ length: 50 }, (_, power) => 2 ** power);

const line = (path, label, more = {}) => ({ path, label, ...more });

export const CHARTS = [
  {
    id: "load", title: "Utilisation", format: percent, range: upTo(100),
    series: [line("load.gpu_percent", "GPU"), line("load.memory_percent", "Memory bus"), line("activity.sm_percent", "SM"), line("activity.tensor_percent", "Tensor")],
  },
  { id: "memory", title: "Memory", format: bytes, range: fromZero, increments: BINARY, series: [line("memory.used_bytes", "Used"), line("memory.total_bytes", "Total", { dashed: true })] },
  { id: "power", title: "Power", format: watts, range: fromZero, series: [line("power.draw_watts", "Draw"), line("power.enforced_limit_watts", "Limit", { dashed: true })] },
  { id: "temperature", title: "Temperature", format: celsius, range: around(5), series: [line("thermal.gpu_celsius", "GPU"), line("thermal.memory_celsius", "Memory")] },
  { id: "clocks", title: "Clocks", format: megahertz, range: fromZero, series: [line("clocks.sm_mhz", "SM"), line("clocks.memory_mhz", "Memory")] },
  { id: "pcie", title: "PCIe", format: rate, range: fromZero, series: [line("pcie.sent_bytes_per_second", "Sent"), line("pcie.received_bytes_per_second", "Received")] },
  { id: "nvlink", title: "NVLink", format: rate, range: fromZero, series: [line("nvlink.sent_bytes_per_second", "Sent"), line("nvlink.received_bytes_per_second", "Received")] },
];

/** Every path that is drawn, once. */
export const PATHS = [...new Set(CHARTS.flatMap(({ series }) => series.map(({ path }) => path)))];

const HISTORY = "History: drag, or use the sliders, to choose a time";

/** What the brush draws: the first of these that there is. A GPU that is cut into MIG instances has no load as a whole. */
export const BRUSHES = [
  { path: "load.gpu_percent", title: HISTORY, label: "GPU", format: percent, range: upTo(100) },
  { path: "activity.sm_percent", title: HISTORY, label: "SM", format: percent, range: upTo(100) },
  { path: "power.draw_watts", title: HISTORY, label: "Power", format: watts, range: fromZero },
];
