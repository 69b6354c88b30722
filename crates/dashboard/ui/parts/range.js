// Which time the charts show: the last minutes, moving on, or a piece of the past that was chosen.

import { h, setAttr, setText, show } from "../core/dom.js";
import { duration, moment } from "../core/format.js";

const RANGES = [["5 min", 300], ["15 min", 900], ["1 h", 3600], ["6 h", 21_600], ["24 h", 86_400]];

/** A piece of the past is at least this long: the history counts in whole seconds. */
export const SHORTEST = 10;

/** A piece in whole seconds that is long enough, around what was chosen. */
export function piece(from, to) {
  const more = Math.max(0, SHORTEST - (to - from)) / 2;
  return [Math.floor(from - more), Math.ceil(to + more)];
}

/** Ranges up to this long are drawn from what comes in. */
export const LIVE_MOST = 900;

export class Range {
  /** Begins with a time that was chosen before. */
  constructor(onChange, { span = 300, fixed = null } = {}) {
    this.onChange = onChange;
    this.span = span;
    this.fixed = fixed;
    this.buttons = RANGES.map(([label, span]) => h("button", { type: "button", text: label, data: { span: String(span) }, on: { click: () => this.last(span) } }));
    this.earlier = h("button", { type: "button", "aria-label": "Earlier", title: "Earlier", text: "◂", on: { click: () => this.shift(-1) } });
    this.later = h("button", { type: "button", "aria-label": "Later", title: "Later", text: "▸", on: { click: () => this.shift(1) } });
    this.said = h("span", { class: "quiet", role: "status" });
    this.element = h("div", { class: "range" },
      h("div", { class: "segmented", role: "group", "aria-label": "Time shown" }, this.earlier, this.buttons, this.later), this.said);
    this.limit(0);
    this.mark();
  }

  /** The agent keeps `seconds` of history: longer ranges and the past cannot be had. */
  limit(seconds) {
    this.kept = seconds;
    // What comes in is kept by the page itself.
    this.buttons.forEach((button, place) => {
      const isTooLong = RANGES[place][1] > Math.max(LIVE_MOST, seconds);
      setAttr(button, "disabled", isTooLong);
      setAttr(button, "title", isTooLong ? (seconds > 0 ? `The agent keeps ${duration(seconds)}` : "The agent keeps no history") : null);
    });
    for (const button of [this.earlier, this.later]) setAttr(button, "disabled", seconds === 0);
  }

  /** The last `span` seconds, moving on. */
  last(span) {
    this.span = span;
    this.fixed = null;
    this.changed();
  }

  /** A piece of the past, in unix seconds. */
  choose(from, to) {
    this.fixed = piece(from, to);
    this.changed();
  }

  shift(by) {
    const [from, to] = this.window();
    const step = ((to - from) / 2) * by;
    if (to + step >= Date.now() / 1000) this.last(this.span);
    else this.choose(from + step, to + step);
  }

  changed() {
    this.mark();
    this.onChange();
  }

  /** What is shown now, in unix seconds. */
  window(now = Date.now() / 1000) {
    return this.fixed ?? [now - this.span, now];
  }

  mark() {
    for (const button of this.buttons) setAttr(button, "aria-pressed", String(!this.fixed && Number(button.dataset.span) === this.span));
    show(this.said, Boolean(this.fixed));
    setText(this.said, this.fixed ? `${moment(this.fixed[0] * 1000)} to ${moment(this.fixed[1] * 1000)}: a time button leads back` : "");
  }
}
