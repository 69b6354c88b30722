// The grid of GPUs: a cell for each, coloured by one reading, with its value and its state as text and as a pattern.

import { h, keyed, setAttr, setClass, setText, spoken } from "../core/dom.js";
import { celsius, percent, shortName, watts } from "../core/format.js";
import { History } from "../core/history.js";
import { reading, share } from "../core/readings.js";
import { link } from "../core/router.js";
import { showReading, textOf } from "../core/value.js";
import { STATES } from "../core/words.js";
import { step } from "./metrics.js";
import { SPAN, Sparkline } from "./sparkline.js";

/** Keys that go from cell to cell. Up and down by as many cells as lie in a row at the moment. */
const MOVES = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (row) => -row, ArrowDown: (row) => row };

/**
 * Seconds between two updates after which something was missed, and intervals of the agent if these are more: the page was not
 * looked at, or not connected.
 */
const MISSED = 15;
const INTERVALS = 3;

export class HeatGrid {
  constructor(base) {
    this.base = base;
    this.element = h("ul", { class: "heat", "aria-label": "GPUs: arrow keys move, Enter opens", on: { keydown: (event) => this.move(event) } });
    this.history = new History(base);
    this.current = 0;
  }

  /**
   * Shows these GPUs by `metric`, as they were `at` that time in seconds; `isNew` says that they have not been shown before. The agent
   * samples `every` so many seconds.
   */
  update(gpus, metric, at, isNew, every = 0) {
    const isGap = at - this.at > Math.max(MISSED, INTERVALS * every);
    setClass(this.element, gpus.length > 16 ? "heat dense" : "heat");
    keyed(this.element, gpus, (gpu) => gpu.uuid ?? `#${gpu.index}`, (gpu) => this.cell(gpu), (cell, gpu) => this.fill(cell, gpu, metric, at, isNew, isGap));
    this.mark();
    this.at = at;
    if (this.metric === metric.id && !isGap) return;
    this.metric = metric.id;
    this.lookBack(metric);
  }

  /** Begins the sparklines with what the agent kept, if it does: a page that was just opened has seen nothing itself. */
  async lookBack(metric) {
    let lately;
    try {
      lately = await this.history.lately(metric.past, SPAN);
    } catch {
      // Then they begin now.
      return;
    }
    if (this.metric !== metric.id) return;
    const was = metric.was ?? metric.level;
    for (const { parts, gpu } of this.element.children) {
      const points = lately.get(gpu?.uuid) ?? [];
      parts.sparkline.precede(points.map(([time, value]) => [time, value === null ? null : was(value, gpu)]));
    }
  }

  leave() {
    this.history.stop();
  }

  cell(gpu) {
    const parts = {
      index: h("span", { class: "index" }),
      name: h("span", { class: "name" }),
      state: h("span", { class: "cell-state" }),
      value: h("span", { class: "value" }),
      detail: h("span", { class: "detail" }),
      // What eyes see by place and colour.
      meaning: spoken(""),
    };
    const sparkline = new Sparkline();
    const anchor = h("a", { class: "cell", tabindex: "-1", href: link("gpu", { argument: gpu.uuid ?? gpu.index, base: this.base }) },
      h("span", { class: "cell-head" }, spoken("GPU "), parts.index, parts.name, parts.state),
      parts.meaning, parts.value, sparkline.element, parts.detail);
    const item = h("li", {}, anchor);
    item.parts = { ...parts, anchor, sparkline };
    return item;
  }

  fill(item, gpu, metric, at, isNew, isGap) {
    item.gpu = gpu;
    const { index, name, state, meaning, value, detail, anchor, sparkline } = item.parts;
    const read = metric.read(gpu);
    const level = read.value === undefined ? null : metric.level(read.value, gpu);
    const known = STATES[gpu.state] ?? STATES.unavailable;
    setClass(anchor, `cell ${level === null ? "no-heat" : `heat-${step(level)}`} cell-${STATES[gpu.state] ? gpu.state : "unavailable"}`);
    setText(index, String(gpu.index));
    setText(name, gpu.identity?.name ? shortName(gpu.identity.name) : "");
    setText(state, gpu.state === "ok" ? "" : `${known.sign} ${known.label}`);
    showReading(value, read, metric.format);
    const parts = [
      textOf(share(gpu, "memory.used_bytes", "memory.total_bytes"), (used) => `${percent(used)} mem`),
      textOf(reading(gpu, "power.draw_watts"), watts),
      textOf(reading(gpu, "thermal.gpu_celsius"), celsius),
    ];
    setText(detail, parts.join(" · "));
    setAttr(anchor, "title", gpu.state === "ok" ? null : known.meaning);
    setText(meaning, gpu.state === "ok" ? `, ok, ${metric.label} ` : `, when it was last read: ${metric.label} `);
    const isOther = sparkline.metric !== metric.id || isGap;
    if (isOther) {
      sparkline.metric = metric.id;
      sparkline.clear();
    }
    if (isNew || isOther) sparkline.push(at, gpu.state === "ok" ? level : null);
  }

  cells() {
    return [...this.element.querySelectorAll(".cell")];
  }

  /** One cell is reached by Tab, the others by arrows. */
  mark() {
    const cells = this.cells();
    this.current = Math.min(this.current, Math.max(0, cells.length - 1));
    cells.forEach((cell, place) => setAttr(cell, "tabindex", place === this.current ? "0" : "-1"));
  }

  move(event) {
    const cells = this.cells();
    const from = cells.indexOf(document.activeElement);
    if (from < 0) return;
    let to = null;
    if (event.key === "Home") to = 0;
    else if (event.key === "End") to = cells.length - 1;
    else if (MOVES[event.key]) to = from + MOVES[event.key](rowLength(cells));
    if (to === null || to < 0 || to >= cells.length) return;
    event.preventDefault();
    this.current = to;
    this.mark();
    cells[to].focus();
  }
}

function rowLength(cells) {
  const top = cells[0]?.getBoundingClientRect().top;
  const below = cells.findIndex((cell) => cell.getBoundingClientRect().top > top + 1);
  return below < 0 ? cells.length : below;
}
