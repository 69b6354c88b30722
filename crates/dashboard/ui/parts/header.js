// The head of the page: whose data this is, whether it comes, and how old it is.

import { h, setAttr, setClass, setText, show } from "../core/dom.js";
import { duration } from "../core/format.js";
import { link, VIEWS } from "../core/router.js";

const LABELS = { overview: "Overview", gpu: "GPU", processes: "Processes", events: "Events", topology: "Topology", health: "Health", fleet: "Fleet" };

export class Header {
  constructor({ onTheme, onHelp }) {
    this.agent = h("span", { class: "agent" });
    this.state = h("span", { class: "connection", role: "status" });
    this.age = h("span", { class: "age" });
    this.tabs = VIEWS.map((view, place) => h("a", { class: "tab", text: LABELS[view], "aria-keyshortcuts": String(place + 1) }));
    this.nav = h("nav", { "aria-label": "Views", on: { scroll: () => this.fade() } }, this.tabs);
    new ResizeObserver(() => this.fade()).observe(this.nav);
    this.simulated = h("span", { class: "badge warn", text: "SIMULATED", title: "No number here is of real hardware" });
    this.theme = h("button", { type: "button", class: "icon", "aria-label": "Dark or light", title: "Dark or light (t)", text: "◐", on: { click: onTheme } });
    this.help = h("button", { type: "button", class: "icon", "aria-label": "Keys and help", title: "Keys and help (?)", text: "?", on: { click: onHelp } });
    this.element = h("header", { class: "top" },
      h("div", { class: "line" }, h("a", { class: "brand", href: "#/", text: "gpulse" }), this.agent, this.simulated, h("span", { class: "grow" }), this.state, this.age, this.theme, this.help),
      this.nav);
  }

  update(store, route) {
    const { connection, hello } = store;
    setText(this.agent, hello?.agent_id ?? (store.base || ""));
    setAttr(this.agent, "title", store.base ? `at ${store.base}` : "serves this page");
    const [name, text] = said(connection, store);
    setClass(this.state, `connection ${name}`);
    setText(this.state, text);
    setAttr(this.state, "title", connection.error ?? null);
    this.tick(store);
    this.tabs.forEach((tab, place) => {
      const view = VIEWS[place];
      setAttr(tab, "href", link(view, { base: store.base }));
      setAttr(tab, "aria-current", view === route.view ? "page" : null);
    });
    show(this.simulated, store.isSimulated);
    if (route.view !== this.view) {
      this.view = route.view;
      this.reveal();
    }
    const [first] = this.element.querySelectorAll(".brand");
    setAttr(first, "href", link("overview", { base: store.base }));
  }

  /** Brings the current tab into sight, where not all of them have room. */
  reveal() {
    const tab = this.tabs[VIEWS.indexOf(this.view)];
    const [own, whole] = [tab.getBoundingClientRect(), this.nav.getBoundingClientRect()];
    this.nav.scrollLeft += own.left + own.width / 2 - (whole.left + whole.width / 2);
    this.fade();
  }

  /** Fades the edges beyond which there are more tabs. */
  fade() {
    const { scrollLeft, scrollWidth, clientWidth } = this.nav;
    const names = [scrollLeft > 1 ? "more-before" : "", scrollLeft + clientWidth < scrollWidth - 1 ? "more-after" : ""];
    setClass(this.nav, names.filter(Boolean).join(" "));
  }

  /** The age, again and again: it grows when nothing comes. */
  tick(store) {
    const age = store.age();
    show(this.age, age !== null);
    if (age !== null) setText(this.age, age < 1000 ? "now" : `${duration(age / 1000)} old`);
    setAttr(this.age, "title", "Since the data last changed");
  }
}

/** The state of the connection as a class and as words. */
function said(connection, store) {
  if (connection.kind === "denied") return ["bad", "▲ asks for a token"];
  if (connection.kind === "waiting") return ["bad", `✕ ${connection.error}, trying again`];
  if (connection.kind === "resting") return ["warn", "◌ resting: nobody looks"];
  if (connection.kind === "connecting") return ["warn", "◌ connecting"];
  if (store.isStale()) return ["warn", "◷ stale"];
  return ["good", connection.over === "polling" ? "● live, by polling" : "● live"];
}
