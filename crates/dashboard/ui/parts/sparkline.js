// The last two minutes of one number, drawn small. A picture beside the number, so it is hidden from screen readers.

import { h } from "../core/dom.js";

const POINTS = 120;
const WIDTH = 120;
const HEIGHT = 24;

export class Sparkline {
  constructor() {
    this.element = h("canvas", { class: "spark", width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
    this.values = new Float32Array(POINTS).fill(NaN);
    this.next = 0;
    this.length = 0;
  }

  clear() {
    this.next = 0;
    this.length = 0;
  }

  /** Adds a share of 100, or that there was none, and draws. */
  push(level) {
    this.values[this.next] = level ?? NaN;
    this.next = (this.next + 1) % POINTS;
    this.length = Math.min(this.length + 1, POINTS);
    this.draw();
  }

  draw() {
    const context = this.element.getContext("2d");
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.strokeStyle = getComputedStyle(this.element).color;
    context.lineWidth = 1.5;
    context.beginPath();
    let pen = false;
    for (let step = 0; step < this.length; step += 1) {
      const value = this.values[(this.next + POINTS - this.length + step) % POINTS];
      if (Number.isNaN(value)) {
        pen = false;
        continue;
      }
      const x = ((POINTS - this.length + step) / (POINTS - 1)) * WIDTH;
      const y = HEIGHT - 2 - (Math.min(100, Math.max(0, value)) / 100) * (HEIGHT - 4);
      if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = true;
    }
    context.stroke();
  }
}
