// The whole history in small, on which a piece of time is chosen: by mouse, finger or pen, or with two sliders.

import { h, setAttr } from "../core/dom.js";
import { moment } from "../core/format.js";
import { Chart } from "./chart.js";

/** Pixels: less is a click. */
const SHORTEST = 4;

/** Steps of the sliders from one end to the other. */
const STEPS = 240;

export class Brush {
  /** `line`: `{title, label, format, range}`; `onChoose(from, to)` in unix seconds. */
  constructor(line, onChoose) {
    this.onChoose = onChoose;
    this.chart = new Chart({ ...line, series: [{ label: line.label }], keeps: true, height: 84 });
    this.sliders = ["From", "To"].map((label) => h("input", { type: "range", "aria-label": `${label}, time shown`, on: { input: () => this.slide(), change: () => this.slid() } }));
    this.element = h("div", { class: "brush" }, this.chart.element,
      h("div", { class: "brush-ends" }, this.sliders.map((slider, place) => h("label", {}, h("span", { class: "quiet", text: ["From", "To"][place] }), slider))));
    this.listen(this.chart.picture);
  }

  listen(picture) {
    picture.addEventListener("pointerdown", (event) => {
      const at = event.button === 0 ? this.chart.timeAt(event.clientX) : null;
      if (at === null) return;
      // What moves from here on is the choice, wherever the pointer goes.
      picture.setPointerCapture(event.pointerId);
      this.drag = { from: at, to: at, x: event.clientX };
    });
    picture.addEventListener("pointermove", (event) => {
      if (!this.drag) return;
      this.drag.to = this.chart.timeAt(event.clientX) ?? this.drag.to;
      this.chart.mark(...ordered(this.drag.from, this.drag.to));
    });
    picture.addEventListener("pointerup", (event) => {
      const { drag } = this;
      this.drag = null;
      if (drag && Math.abs(event.clientX - drag.x) >= SHORTEST) this.onChoose(...ordered(drag.from, drag.to));
    });
    picture.addEventListener("pointercancel", () => { this.drag = null; });
  }

  /** Shows the whole history. */
  set(times, line, [from, to]) {
    this.chart.set(times, [line], [from, to]);
    for (const slider of this.sliders) {
      slider.min = String(Math.floor(from));
      slider.max = String(Math.ceil(to));
      slider.step = String(Math.max(1, Math.round((to - from) / STEPS)));
    }
    // Ends that were marked before lay outside of what the sliders had then.
    if (this.marked) this.mark(...this.marked);
  }

  /** Marks the time that is shown, but not while another one is being chosen. */
  mark(from, to) {
    this.marked = [from, to];
    if (this.drag || this.isSliding) return;
    this.chart.mark(from, to);
    [from, to].forEach((at, place) => { this.sliders[place].value = String(Math.round(at)); });
    this.tell();
  }

  ends() {
    return ordered(...this.sliders.map((slider) => Number(slider.value)));
  }

  slide() {
    this.isSliding = true;
    this.chart.mark(...this.ends());
    this.tell();
  }

  slid() {
    this.isSliding = false;
    this.onChoose(...this.ends());
  }

  /** Says the moments: the numbers themselves are seconds since 1970. */
  tell() {
    for (const slider of this.sliders) setAttr(slider, "aria-valuetext", moment(Number(slider.value) * 1000));
  }

  recolour() {
    this.chart.recolour();
  }

  destroy() {
    this.chart.destroy();
  }
}

const ordered = (one, other) => [Math.min(one, other), Math.max(one, other)];
