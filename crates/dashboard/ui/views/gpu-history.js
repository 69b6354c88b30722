// The charts of one GPU with their data: live points in a ring, the past from the agent's history, and the brush over it.

import { h, setText, show } from "../core/dom.js";
import { History } from "../core/history.js";
import { number } from "../core/readings.js";
import { Ring } from "../core/ring.js";
import { FEW, breaks, joined, told } from "../core/series.js";
import { Brush } from "../parts/brush.js";
import { Chart } from "../parts/chart.js";
import { LIVE_MOST, Range } from "../parts/range.js";
import { BRUSHES, CHARTS, PATHS } from "./gpu-charts.js";

/** Half an hour of seconds: more than the longest range that is drawn from the ring. */
const POINTS = 1800;

/** The brush is asked for anew this often, in milliseconds. */
const BRUSH_EVERY = 30_000;

/** Seconds that the brush spans at least. */
const SHORTEST_BRUSH = 60;

/** Milliseconds between two drawings where no point comes: the time goes on without one. */
const DRAW_EVERY = 900;

/** Points that a chart is asked to have: about as many as it has pixels. */
const WANTED = 400;

export class GpuHistory {
  /** `chosen` is the time that was shown before: `{span, fixed}`. */
  constructor(ctx, uuid, chosen) {
    this.ctx = ctx;
    this.history = new History(ctx.store.base, uuid);
    this.ring = new Ring(POINTS, PATHS.length);
    // Points that come while the past is asked for; null when it is there.
    this.early = [];
    this.limits = new Map();
    this.drawnAt = -Infinity;
    this.past = null;
    this.brushedAt = -Infinity;
    this.loadedAt = -Infinity;
    this.range = new Range(() => this.ranged(), chosen);
    this.charts = CHARTS.map((chart) => ({ ...chart, view: new Chart({ ...chart, onSelect: (from, to) => this.zoom(from, to) }), empty: h("p", { class: "quiet chart-empty" }) }));
    this.brush = null;
    this.note = h("p", { class: "quiet" });
    this.brushPart = h("div", {});
    this.element = h("section", { class: "panel", "aria-label": "Charts" },
      h("div", { class: "panel-head" }, h("h2", { text: "History" }), this.range.element),
      this.note, this.brushPart,
      h("div", { class: "charts" }, this.charts.map(({ view, empty, id }) => h("div", { data: { chart: id } }, view.element, empty))));
    show(this.brushPart, false);
    this.begin();
  }

  /** Fills the ring with what was before and is not in it, as far as it is kept. */
  async begin() {
    try {
      const kept = await this.history.kept();
      this.range.limit(kept?.longest ?? 0);
      setText(this.note, kept ? "" : "This agent keeps no history (history.enabled in its configuration): the charts begin when this page was opened.");
      show(this.note, !kept);
      const past = kept ? await this.history.load(PATHS, -LIVE_MOST, 0) : null;
      if (past) this.take(past);
    } catch {
      setText(this.note, "The history could not be read; the charts begin when this page was opened.");
      show(this.note, true);
    }
    for (const [time, values] of this.early ?? []) this.add(time, values);
    this.early = null;
    this.loadBrush();
    this.draw();
  }

  take(past) {
    this.limits = past.limits;
    const means = PATHS.map((path) => past.series.get(path)?.mean ?? []);
    // The second that is not over has no values yet: that is no gap.
    const length = told(past.times, means);
    past.times.slice(0, length).forEach((time, place) => this.add(time, means.map((mean) => mean[place] ?? NaN)));
  }

  /** Adds a point; after a time without any also a gap, so that no line is drawn over it. */
  add(time, values) {
    const last = this.ring.last();
    if (this.isGap(time)) this.ring.push(last + this.interval(), []);
    this.ring.push(time, values);
  }

  isGap(time) {
    return this.ring.length > 0 && time - this.ring.last() > FEW * this.interval();
  }

  /** Seconds between two points, if all is well: the feed asks about every second. */
  interval() {
    return Math.max(1, this.ctx.store.hello?.interval_seconds ?? 0);
  }

  /** Takes the GPU's body of a new snapshot. One that is not ok has no values, from the moment at which that is published. */
  push(body) {
    const at = Date.parse(body.state === "ok" ? body.sampled_at : body.published_at) / 1000;
    if (!Number.isFinite(at)) return;
    const values = PATHS.map((path) => (body.state === "ok" ? number(body, path) ?? NaN : NaN));
    if (this.early) {
      this.early.push([at, values]);
    } else if (this.isGap(at)) {
      // Nobody looked, or nobody answered: the agent may have kept it.
      this.early = [[at, values]];
      this.begin();
    } else {
      this.add(at, values);
    }
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
    const again = Math.max(5000, (this.range.span / WANTED) * 1000);
    const every = this.range.fixed && this.past ? Infinity : again;
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
      const whole = await this.history.load(BRUSHES.map(({ path }) => path), -kept.longest, 0);
      const begins = ({ path }) => whole?.series.get(path)?.mean.findIndex((value) => value !== null) ?? -1;
      const drawn = BRUSHES.find((one) => begins(one) >= 0);
      show(this.brushPart, Boolean(drawn));
      if (!drawn) return;
      // A young history is a point or two of the whole: what there is of it is asked for again, as fine as it fits.
      const past = await this.history.load([drawn.path], whole.times[begins(drawn)], 0);
      const last = past.times[past.times.length - 1];
      this.brushFor(drawn).set(past.times, past.series.get(drawn.path), [Math.min(past.times[0], last - SHORTEST_BRUSH), last]);
    } catch {
      // It is tried again.
    }
  }

  brushFor(line) {
    if (this.drawn !== line) {
      this.brush?.destroy();
      this.drawn = line;
      this.brush = new Brush(line, (from, to) => this.range.choose(from, to));
      this.brushPart.replaceChildren(this.brush.element);
    }
    return this.brush;
  }

  /** Goes on with time, whether or not points come. */
  tick() {
    if (performance.now() - this.drawnAt > DRAW_EVERY) this.draw();
  }

  draw() {
    this.drawnAt = performance.now();
    if (!this.isLive()) this.loadPast();
    if (!this.early) this.loadBrush();
    // The agent's clock, whatever time it is on this machine.
    const window = this.range.window(this.ctx.store.agentNow() ?? Date.now() / 1000);
    const columns = this.isLive() ? this.ring.columns(window[0]) : null;
    const broken = columns ? breaks(columns[0], columns.slice(1), FEW * this.interval()) : null;
    for (const { view, series, empty } of this.charts) {
      const lines = series.map(({ path }) => this.line(path, columns, broken));
      const times = columns ? columns[0] : this.past?.times ?? [];
      const none = lines.every(({ mean }) => mean.every((value) => value === null || value === undefined));
      show(view.element, true);
      setText(empty, none ? (this.isLive() || this.past ? "Nothing was read in this time." : "Loading…") : "");
      show(empty, none);
      view.set(times, lines, window);
    }
    this.brush?.mark(...window);
  }

  line(path, columns, broken) {
    if (columns) {
      const limit = Math.max(this.limits.get(path) ?? 0, FEW * this.interval());
      return { mean: joined(columns[0], columns[PATHS.indexOf(path) + 1], limit, broken) };
    }
    return this.past?.series.get(path) ?? { mean: (this.past?.times ?? []).map(() => null) };
  }

  recolour() {
    for (const { view } of this.charts) view.recolour();
    this.brush?.recolour();
  }

  stop() {
    this.history.stop();
    for (const { view } of this.charts) view.destroy();
    this.brush?.destroy();
  }
}
