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

  update(gpus) {
    const ok = gpus.filter(({ state }) => state === "ok").length;
    this.show(0, `${ok} / ${gpus.length}`, ok === gpus.length ? "all ok" : `${gpus.length - ok} not ok`, ok !== gpus.length);
    const loads = numbers(gpus, "load.gpu_percent");
    this.show(1, loads.length ? percent(sum(loads) / loads.length) : null, missing(gpus, loads));
    const both = gpus.filter((gpu) => number(gpu, "memory.used_bytes") !== null && number(gpu, "memory.total_bytes") !== null);
    const [used, total] = [sum(numbers(both, "memory.used_bytes")), sum(numbers(both, "memory.total_bytes"))];
    this.show(2, both.length ? bytes(used) : null, both.length ? `of ${bytes(total)}${missing(gpus, both, ", ")}` : missing(gpus, both));
    const draws = numbers(gpus, "power.draw_watts");
    const limits = numbers(gpus, "power.enforced_limit_watts");
    this.show(3, draws.length ? watts(sum(draws)) : null, draws.length && limits.length ? `of ${watts(sum(limits))}${missing(gpus, draws, ", ")}` : missing(gpus, draws));
    const warmest = gpus.reduce((best, gpu) => (number(gpu, "thermal.gpu_celsius") ?? -Infinity) > (best?.degrees ?? -Infinity) ? { degrees: number(gpu, "thermal.gpu_celsius"), index: gpu.index } : best, null);
    this.show(4, warmest ? celsius(warmest.degrees) : null, warmest ? `GPU ${warmest.index}` : "no GPU says");
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

function missing(gpus, known, before = "") {
  const without = gpus.length - known.length;
  return without === 0 ? "" : `${before}${without} of ${gpus.length} do not say`;
}
