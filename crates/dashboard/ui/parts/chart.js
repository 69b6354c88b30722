// A chart over time with its legend: lines, and a band from least to most where a point stands for many.

import { h, keyed, setAttr, setText } from "../core/dom.js";
import { ABSENT, moment } from "../core/format.js";
import { colour } from "../core/theme.js";

const HEIGHT = 168;

/** Charts whose cursors move together. */
const SYNC = "gpulse";

/** Colours of lines, by name in the style sheet. */
const LINES = ["line-1", "line-2", "line-3", "line-4"];

export class Chart {
  /**
   * `series`: `[{label, dashed}]`; `format(value)`; `range(min, max)`; `increments`: steps of the scale, where they are not decimal; `onSelect(from, to)` after a drag, in unix seconds. Lines go over undefined and break at null.
   * With `keeps`, what is marked stays: the picture of a brush, which is dragged by whoever owns it.
   */
  constructor({ title, series, format, range, increments, onSelect, keeps = false, height = HEIGHT }) {
    this.options = { title, series, format, range, increments, onSelect, keeps, height };
    this.series = series;
    this.picture = h("div", { class: "picture", role: "img", "aria-label": title });
    this.legend = h("ul", { class: "legend" });
    this.element = h("figure", { class: "chart" }, h("figcaption", {}, h("span", { class: "chart-title", text: title }), this.legend), this.picture);
    this.columns = [[], ...series.flatMap(() => [[], [], []])];
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(this.picture);
  }

  /** Shows the points: for each series the means, and least and most or nothing. */
  set(times, lines, window = null) {
    this.window = window;
    const none = new Array(times.length).fill(null);
    this.columns = [times, ...lines.flatMap(({ mean, min, max }) => [mean, min ?? none, max ?? none])];
    if (!this.plot) this.build();
    // Each in one step: what is set and not drawn would be drawn twice.
    this.plot?.batch(() => {
      this.plot.setData(this.columns, false);
      this.plot.setScale("x", this.bounds());
    });
    this.say();
  }

  bounds() {
    if (this.window) return { min: this.window[0], max: this.window[1] };
    const times = this.columns[0];
    return { min: times[0] ?? 0, max: times[times.length - 1] ?? 1 };
  }

  build() {
    const width = Math.floor(this.picture.clientWidth);
    if (width === 0) return;
    const { series, format, range, increments, onSelect, keeps, height } = this.options;
    const lines = series.flatMap(({ label, dashed }, place) => {
      const stroke = colour(LINES[place % LINES.length]);
      return [
        { label, stroke, width: 1.5, dash: dashed ? [5, 4] : undefined, points: { show: false }, spanGaps: false },
        { label: `${label} least`, points: { show: false }, width: 0 },
        { label: `${label} most`, points: { show: false }, width: 0 },
      ];
    });
    const bands = series.map((_, place) => ({
      series: [place * 3 + 3, place * 3 + 2],
      fill: `${colour(LINES[place % LINES.length])}40`,
    }));
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 } };
    this.plot = new uPlot({
      width,
      height,
      legend: { show: false },
      cursor: { sync: keeps ? undefined : { key: SYNC }, drag: { x: !keeps, y: false, setScale: false }, points: { size: 6 } },
      scales: { x: { time: true, auto: false }, y: { range: (_, min, max) => range(min, max) } },
      axes: [
        { ...axis, values: (_, splits, __, ___, step) => splits.map((at) => tick(at, step)), size: 28, space: 76 },
        { ...axis, values: (_, splits) => splits.map((value) => format(value)), size: 76, space: 28, incrs: increments ?? undefined },
      ],
      series: [{}, ...lines],
      bands,
      hooks: {
        setCursor: [(plot) => this.point(plot.cursor.idx)],
        setSelect: [(plot) => {
          if (plot.select.width < 4) return;
          const [from, to] = [plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x")];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onSelect?.(from, to);
        }],
      },
    }, this.columns, this.picture);
  }

  /** Marks a window on a brush, as far as it is drawn, without telling anybody. */
  mark(from, to) {
    if (!this.plot) return;
    const { clientWidth } = this.plot.over;
    const [left, right] = [from, to].map((at) => Math.min(clientWidth, Math.max(0, this.plot.valToPos(at, "x"))));
    this.plot.setSelect({ left, width: right - left, top: 0, height: this.plot.over.clientHeight }, false);
  }

  /** The time at a place of the window, within what is drawn; null before anything is. */
  timeAt(clientX) {
    if (!this.plot) return null;
    const { left, width } = this.plot.over.getBoundingClientRect();
    return this.plot.posToVal(Math.min(width, Math.max(0, clientX - left)), "x");
  }

  fit() {
    const width = Math.floor(this.picture.clientWidth);
    if (!this.plot || width === 0 || width === this.plot.width) return;
    this.plot.setSize({ width, height: this.options.height });
  }

  /** Draws anew with the colours of another theme. */
  recolour() {
    if (!this.plot) return;
    this.plot.destroy();
    this.plot = null;
    this.build();
    this.plot?.setScale("x", this.bounds());
    this.say();
  }

  point(place) {
    this.pointed = place ?? null;
    this.say();
  }

  /** The legend: the values under the cursor, or the last ones. */
  say() {
    const times = this.columns[0];
    const place = this.pointed ?? lastKnown(this.series.map((_, number) => this.columns[number * 3 + 1]), times.length);
    const items = this.series.map((series, number) => ({ ...series, number, value: this.columns[number * 3 + 1][place] }));
    keyed(this.legend, items, ({ number }) => number, ({ number, label }) => h("li", {},
      h("span", { class: `swatch swatch-${(number % LINES.length) + 1}`, "aria-hidden": "true" }), `${label} `, h("b", {})),
    (item, { value }) => setText(item.lastChild, value === null || value === undefined ? ABSENT : this.options.format(value)));
    const said = items.map(({ label, value }) => `${label} ${value === null || value === undefined ? "not available" : this.options.format(value)}`);
    const at = times[place] === undefined ? "" : ` at ${moment(times[place] * 1000)}`;
    setAttr(this.picture, "aria-label", `${this.options.title}${at}: ${said.join(", ")}`);
  }

  destroy() {
    this.resizing.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }
}

/** The last place at which any of the columns has a value: a second that is not over yet has none. */
function lastKnown(columns, length) {
  for (let place = length - 1; place >= 0; place -= 1) {
    if (columns.some((column) => column[place] !== null && column[place] !== undefined)) return place;
  }
  return length - 1;
}

/** A mark on the axis of time, as fine as its step. */
function tick(at, step) {
  const time = new Date(at * 1000);
  const two = (number) => String(number).padStart(2, "0");
  if (step >= 86_400) return `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const minutes = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return step < 60 ? `${minutes}:${two(time.getSeconds())}` : minutes;
}
