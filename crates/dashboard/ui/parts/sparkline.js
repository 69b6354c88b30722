// The last two minutes of one number, drawn small. A picture beside the number, so it is hidden from screen readers.

import { h } from "../core/dom.js";
import { Ring } from "../core/ring.js";

/** Seconds that are drawn. */
export const SPAN = 120;

/** Points that are kept, and seconds between two of them at least: of an agent that samples more often some are left out. */
const POINTS = 240;
const APART = SPAN / POINTS;

const WIDTH = 120;
const HEIGHT = 24;

export class Sparkline {
  constructor() {
    this.element = h("canvas", { class: "spark", width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
    this.ring = new Ring(POINTS, 1);
  }

  clear() {
    this.ring.clear();
  }

  /** Adds a share of 100, or that there was none, and draws. */
  push(time, level) {
    // The agent's clock was set back.
    if (time < this.ring.last()) this.clear();
    if (time - this.ring.last() < APART) return;
    this.ring.push(time, [level]);
    this.draw();
  }

  /** Puts `points`, `[time, level]` each, before what there is, and draws. */
  precede(points) {
    const [times, levels] = this.ring.columns();
    const first = times[0] ?? Infinity;
    this.ring.clear();
    for (const [time, level] of points) if (time <= first - APART) this.ring.push(time, [level]);
    times.forEach((time, place) => this.ring.push(time, [levels[place]]));
    this.draw();
  }

  draw() {
    const end = this.ring.last();
    const [times, levels] = this.ring.columns(end - SPAN);
    const context = this.element.getContext("2d");
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.strokeStyle = getComputedStyle(this.element).color;
    context.lineWidth = 1.5;
    context.beginPath();
    let pen = false;
    times.forEach((time, place) => {
      const level = levels[place];
      if (level === null) {
        pen = false;
        return;
      }
      const x = (1 - (end - time) / SPAN) * WIDTH;
      const y = HEIGHT - 2 - (Math.min(100, Math.max(0, level)) / 100) * (HEIGHT - 4);
      if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = true;
    });
    context.stroke();
  }
}
