// The keys, in a dialog.

import { h } from "../core/dom.js";

const KEYS = [
  ["1 – 7", "Overview, GPU, processes, events, topology, health, fleet"],
  ["/", "Search"],
  ["← → ↑ ↓", "Move in the grid of GPUs; Enter opens one"],
  ["Esc", "Back to all GPUs, or close this"],
  ["t", "Dark or light"],
  ["?", "This help"],
];

export class Help {
  constructor() {
    this.element = h("dialog", { "aria-labelledby": "help-heading" },
      h("h2", { id: "help-heading", text: "Keys" }),
      h("dl", { class: "keys" }, KEYS.map(([key, meaning]) => h("div", {}, h("dt", {}, h("kbd", { text: key })), h("dd", { text: meaning })))),
      h("p", { class: "quiet", text: "A dash stands for what is not known; point at it, or let it be read, for the reason." }),
      h("button", { type: "button", text: "Close", on: { click: () => this.element.close() } }));
  }

  toggle() {
    if (this.element.open) this.element.close();
    else this.element.showModal();
  }
}
