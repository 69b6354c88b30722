// A word with a sign and a colour: states of GPUs, severities, kinds of connection.

import { h, setAttr, setClass, setText } from "../core/dom.js";
import { STATES } from "../core/words.js";

/** A badge of a GPU's state, to be filled by `showState`. */
export function stateBadge() {
  return h("span", { class: "badge" }, h("span", { class: "sign", "aria-hidden": "true" }), h("span", {}));
}

/** Puts a state into a badge. */
export function showState(badge, state) {
  const known = STATES[state] ?? { sign: "?", label: state, meaning: "" };
  setClass(badge, `badge state-${STATES[state] ? state : "unavailable"}`);
  setAttr(badge, "title", known.meaning);
  setText(badge.firstChild, known.sign);
  setText(badge.lastChild, known.label);
}

const SEVERITIES = { info: "i", warning: "▲", critical: "◆", fatal: "✕" };

/** A badge of a severity. */
export function severityBadge(severity) {
  const known = severity in SEVERITIES ? severity : "info";
  return h("span", { class: `badge severity-${known}` },
    h("span", { class: "sign", "aria-hidden": "true", text: SEVERITIES[known] }), severity);
}
