// The charts of one GPU with their data: live points in a ring, the past from the agent's history, and the brush over it.

import { h, setText, show } from "../core/dom.js";
import { History } from "../core/history.js";
import { number } from "../core/readings.js";
import { Ring } from "../core/ring.js";
import { Chart } from "../parts/chart.js";
import { LIVE_MOST, Range } from "../parts/range.js";
import { BRUSH, CHARTS, PATHS } from "./gpu-charts.js";

/** Half an hour of seconds: more than the longest range that is drawn from the ring. */
const POINTS = 1800;

/** The brush is asked for anew this often, in milliseconds. */
const BRUSH_EVERY = 30_000;

/** Seconds that the brush spans at least. */
const SHORTEST_BRUSH = 60;

/** Points that a chart is asked to have: about as many as it has pixels. */
const WANTED = 400;

export class GpuHistory {
  constructor(ctx, uuid) {
    this.ctx = ctx;
    this.history = new History(ctx.store.base, uuid);
    this.ring = new Ring(POINTS, PATHS.length);
    this.early = [];
    this.past = null;
    this.brushedAt = -Infinity;
    this.loadedAt = -Infinity;
    this.range = new Range(() => this.ranged());
    this.charts = CHARTS.map((chart) => ({ ...chart, view: new Chart({ ...chart, onSelect: (from, to) => this.zoom(from, to) }), empty: h("p", { class: "quiet chart-empty" }) }));
    this.brush = new Chart({ ...BRUSH, series: [{ label: BRUSH.label }], keeps: true, height: 84, onSelect: (from, to) => this.range.choose(from, to) });
    this.note = h("p", { class: "quiet" });
    this.brushPart = h("div", { class: "brush" }, this.brush.element);
    this.element = h("section", { class: "panel", "aria-label": "Charts" },
      h("div", { class: "panel-head" }, h("h2", { text: "History" }), this.range.element),
      this.note, this.brushPart,
      h("div", { class: "charts" }, this.charts.map(({ view, empty, id }) => h("div", { data: { chart: id } }, view.element, empty))));
    show(this.brushPart, false);
    this.begin();
  }

  /** Fills the ring with what was before, as far as it is kept. */
  async begin() {
    try {
      const kept = await this.history.kept();
      this.range.limit(kept?.longest ?? 0);
      setText(this.note, kept ? "" : "This agent keeps no history (history.enabled in its configuration): the charts begin when this page was opened.");
      show(this.note, !kept);
      const past = kept ? await this.history.load(PATHS, -LIVE_MOST, 0) : null;
      past?.times.forEach((time, place) => this.ring.push(time, PATHS.map((path) => past.series.get(path)?.mean[place] ?? NaN)));
    } catch {
      setText(this.note, "The history could not be read; the charts begin when this page was opened.");
      show(this.note, true);
    }
    for (const [time, values] of this.early ?? []) this.ring.push(time, values);
    this.early = null;
    this.loadBrush();
    this.draw();
  }

  /** Takes the GPU's body of a new snapshot. */
  push(body) {
    const at = Date.parse(body.sampled_at) / 1000;
    if (!Number.isFinite(at)) return;
    const values = PATHS.map((path) => (body.state === "ok" ? number(body, path) ?? NaN : NaN));
    if (this.early) this.early.push([at, values]);
    else this.ring.push(at, values);
    this.body = body;
    this.draw();
  }

  /** A drag over a chart: where there is a history, that piece of it. */
  zoom(from, to) {
    if (this.range.kept > 0) this.range.choose(from, to);
  }

  ranged() {
    this.past = null;
    this.loadedAt = -Infinity;
    this.draw();
  }

  isLive() {
    return !this.range.fixed && this.range.span <= LIVE_MOST;
  }

  /** Asks for the piece of the past that is shown, as often as it brings a new point. */
  async loadPast() {
    const every = this.range.fixed ? Infinity : Math.max(5000, (this.range.span / WANTED) * 1000);
    if (this.loading || performance.now() - this.loadedAt < every) return;
    this.loading = true;
    this.loadedAt = performance.now();
    const asked = JSON.stringify([this.range.fixed, this.range.span]);
    try {
      const past = this.range.fixed ? await this.history.load(PATHS, ...this.range.fixed) : await this.history.load(PATHS, -this.range.span, 0);
      if (asked === JSON.stringify([this.range.fixed, this.range.span])) this.past = past;
    } catch {
      // The connection's own state says what is wrong; what was drawn stays.
    }
    this.loading = false;
    this.ctx.changed();
  }

  async loadBrush() {
    const kept = await this.history.kept().catch(() => null);
    if (!kept || performance.now() - this.brushedAt < BRUSH_EVERY) return;
    this.brushedAt = performance.now();
    try {
      const whole = await this.history.load([BRUSH.path], -kept.longest, 0);
      const first = whole?.series.get(BRUSH.path)?.mean.findIndex((value) => value !== null) ?? -1;
      show(this.brushPart, first >= 0);
      if (first < 0) return;
      // A young history is a point or two of the whole: what there is of it is asked for again, as fine as it fits.
      const past = await this.history.load([BRUSH.path], whole.times[first], 0);
      const line = past.series.get(BRUSH.path);
      const last = past.times[past.times.length - 1];
      this.brush.set(past.times, [line], [Math.min(past.times[0], last - SHORTEST_BRUSH), last]);
    } catch {
      // It is tried again.
    }
  }

  draw() {
    if (!this.isLive()) this.loadPast();
    if (!this.early) this.loadBrush();
    // The agent's clock: the last point is now, whatever time it is on this machine.
    const now = Math.max(this.ring.last(), 0) || Date.now() / 1000;
    const window = this.range.window(now);
    const columns = this.isLive() ? this.ring.columns(window[0]) : null;
    for (const { view, series, empty } of this.charts) {
      const lines = series.map(({ path }) => this.line(path, columns));
      const times = columns ? columns[0] : this.past?.times ?? [];
      const none = lines.every(({ mean }) => mean.every((value) => value === null || value === undefined));
      show(view.element, true);
      setText(empty, none ? (this.isLive() || this.past ? "Nothing was read in this time." : "Loading…") : "");
      show(empty, none);
      view.set(times, lines, window);
    }
    this.brush.mark(...window);
  }

  line(path, columns) {
    if (columns) return { mean: columns[PATHS.indexOf(path) + 1] };
    const past = this.past?.series.get(path);
    return past ? { mean: past.mean, min: past.min, max: past.max } : { mean: (this.past?.times ?? []).map(() => null) };
  }

  recolour() {
    for (const { view } of this.charts) view.recolour();
    this.brush.recolour();
  }

  stop() {
    this.history.stop();
    for (const { view } of this.charts) view.destroy();
    this.brush.destroy();
  }
}
