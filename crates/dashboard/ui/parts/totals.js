// The strip of totals over all GPUs. What a GPU does not say is not counted, and how many did not is said.

import { h, setAttr, setText } from "../core/dom.js";
import { ABSENT, bytes, celsius, percent, watts } from "../core/format.js";
import { number } from "../core/readings.js";

export class Totals {
  constructor() {
    this.tiles = ["GPUs", "Mean load", "Memory", "Power", "Hottest"].map((label) => {
      const value = h("dd", {});
      const note = h("dd", { class: "note" });
      return { value, note, element: h("div", { class: "tile" }, h("dt", { text: label }), value, note) };
    });
    this.element = h("dl", { class: "tiles", "aria-label": "Totals" }, this.tiles.map(({ element }) => element));
  }

  /** GPUs that are not ok are left out: what they said last is no part of how things are now. */
  update(all) {
    const gpus = all.filter(({ state }) => state === "ok");
    const missing = (from, known, before = "") => notCounted(all, from, known, before);
    this.show(0, `${gpus.length} / ${all.length}`, gpus.length === all.length ? "all ok" : `${all.length - gpus.length} not ok`, gpus.length !== all.length);
    const loads = numbers(gpus, "load.gpu_percent");
    this.show(1, loads.length ? percent(sum(loads) / loads.length) : null, missing(gpus, loads));
    const both = gpus.filter((gpu) => number(gpu, "memory.used_bytes") !== null && number(gpu, "memory.total_bytes") !== null);
    const [used, total] = [sum(numbers(both, "memory.used_bytes")), sum(numbers(both, "memory.total_bytes"))];
    this.show(2, both.length ? bytes(used) : null, both.length ? `of ${bytes(total)}${missing(gpus, both, ", ")}` : missing(gpus, both));
    const draws = numbers(gpus, "power.draw_watts");
    const limits = numbers(gpus, "power.enforced_limit_watts");
    this.show(3, draws.length ? watts(sum(draws)) : null, draws.length && limits.length ? `of ${watts(sum(limits))}${missing(gpus, draws, ", ")}` : missing(gpus, draws));
    const warmest = gpus.reduce((best, gpu) => (number(gpu, "thermal.gpu_celsius") ?? -Infinity) > (best?.degrees ?? -Infinity) ? { degrees: number(gpu, "thermal.gpu_celsius"), index: gpu.index } : best, null);
    this.show(4, warmest ? celsius(warmest.degrees) : null, warmest ? `GPU ${warmest.index}${missing(gpus, gpus, ", ")}` : "no GPU says");
  }

  show(place, value, note, isBad = false) {
    const tile = this.tiles[place];
    setText(tile.value, value ?? ABSENT);
    setText(tile.note, note);
    setAttr(tile.element, "class", isBad ? "tile bad" : "tile");
  }
}

const numbers = (gpus, path) => gpus.map((gpu) => number(gpu, path)).filter((value) => value !== null);
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Which of all GPUs are not in a sum, and why: those that are not ok, and those that do not say. */
function notCounted(all, ok, known, before) {
  const states = new Set(all.map(({ state }) => state).filter((state) => state !== "ok"));
  const parts = states.size === 0 ? [] : [`${all.length - ok.length} of ${all.length} not counted (${[...states].join(", ")})`];
  if (ok.length > known.length) parts.push(`${ok.length - known.length} of ${all.length} do not say`);
  return parts.length === 0 ? "" : `${before}${parts.join(", ")}`;
}
