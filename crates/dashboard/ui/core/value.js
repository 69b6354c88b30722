// Writes a reading into an element: the value, or a dash with its reason for eyes, pointers and screen readers.

import { h, setAttr, setText, spoken } from "./dom.js";
import { ABSENT } from "./format.js";
import { reasonText } from "./words.js";

/** Shows `reading` in `element`, formatted by `format` if there is a value. */
export function showReading(element, reading, format) {
  if (reading.value !== undefined) {
    const text = format(reading.value);
    if (element.shownReason !== undefined) {
      element.shownReason = undefined;
      element.classList.remove("absent");
      setAttr(element, "title", null);
      element.textContent = text;
    } else {
      setText(element, text);
    }
    return;
  }
  const why = reasonText(reading.reason);
  if (element.shownReason === why) return;
  element.shownReason = why;
  element.classList.add("absent");
  setAttr(element, "title", `not available: ${why}`);
  element.replaceChildren(h("span", { "aria-hidden": "true", text: ABSENT }), spoken(`not available: ${why}`));
}

/** The text of a reading, where there is room for a text only. */
export function textOf(reading, format) {
  return reading.value === undefined ? ABSENT : format(reading.value);
}
