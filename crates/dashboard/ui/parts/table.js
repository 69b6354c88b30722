// A table whose columns sort: headings are buttons, rows are kept by key.

import { h, keyed, setAttr, setClass, setText, show } from "../core/dom.js";

/** Rows beyond these are counted and not drawn: no reader scrolls through more, and the browser stays quick. */
const MOST_ROWS = 500;

/**
 * `columns`: `{id, label, sort(item), cell(item) → element, fill(element, item), numeric}`; without `sort` it does not sort.
 * `label` says what the table shows. `mark(item)` is the class of its row. Until `set` is called nothing is said of what is not there.
 */
export class Table {
  constructor({ label, columns, key, sortBy = null, descending = false, empty = "Nothing here.", mark = () => "" }) {
    this.columns = columns;
    this.rowClass = mark;
    this.key = key;
    this.sortBy = sortBy;
    this.descending = descending;
    this.items = [];
    this.body = h("tbody", {});
    this.headings = columns.map((column) => this.heading(column));
    this.nothing = h("p", { class: "quiet", text: empty });
    this.more = h("p", { class: "quiet" });
    this.element = h("div", {},
      h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label },
        h("table", {}, h("caption", { class: "sr", text: label }), h("thead", {}, h("tr", {}, this.headings)), this.body)),
      this.nothing, this.more);
    show(this.nothing, false);
    this.mark();
  }

  heading(column) {
    const props = { scope: "col", class: column.numeric ? "numeric" : "" };
    if (!column.sort) return h("th", props, column.label);
    const sign = h("span", { class: "sort", "aria-hidden": "true" });
    return h("th", props, h("button", { type: "button", class: "plain", on: { click: () => this.sort(column) } }, column.label, sign));
  }

  sort(column) {
    this.descending = this.sortBy === column.id ? !this.descending : Boolean(column.numeric);
    this.sortBy = column.id;
    this.mark();
    this.draw();
  }

  mark() {
    this.columns.forEach((column, place) => {
      if (!column.sort) return;
      const heading = this.headings[place];
      const sorted = column.id === this.sortBy;
      setAttr(heading, "aria-sort", sorted ? (this.descending ? "descending" : "ascending") : null);
      setText(heading.querySelector(".sort"), sorted ? (this.descending ? " ▾" : " ▴") : "");
    });
  }

  /** Says this where there are no items. */
  says(empty) {
    setText(this.nothing, empty);
  }

  /** Shows these items. */
  set(items) {
    this.items = items;
    this.isSet = true;
    this.draw();
  }

  draw() {
    if (!this.isSet) return;
    const column = this.columns.find(({ id }) => id === this.sortBy);
    const sorted = column ? [...this.items].sort(by(column.sort, this.descending)) : this.items;
    const shown = sorted.slice(0, MOST_ROWS);
    keyed(this.body, shown, this.key, (item) => this.row(item), (row, item) => this.fill(row, item));
    show(this.nothing, sorted.length === 0);
    show(this.more, sorted.length > MOST_ROWS);
    setText(this.more, sorted.length > MOST_ROWS ? `${sorted.length - MOST_ROWS} more are not shown: search to narrow them down.` : "");
  }

  row(item) {
    return h("tr", {}, this.columns.map((column) => {
      const content = column.cell ? column.cell(item) : null;
      return h(column.heading ? "th" : "td", { class: column.numeric ? "numeric" : column.class ?? "", scope: column.heading ? "row" : null }, content);
    }));
  }

  fill(row, item) {
    setClass(row, this.rowClass(item));
    this.columns.forEach((column, place) => {
      const cell = row.children[place];
      column.fill(column.cell ? cell.firstChild : cell, item);
    });
  }
}

/** Compares by a value; what is absent comes last, whichever way is sorted. */
export function by(value, descending) {
  return (one, other) => {
    const [first, second] = [value(one), value(other)];
    const [none, noOther] = [first === null || first === undefined, second === null || second === undefined];
    if (none || noOther) return Number(none) - Number(noOther);
    const order = typeof first === "number" && typeof second === "number" ? first - second : String(first).localeCompare(String(second), "en", { numeric: true });
    return descending ? -order : order;
  };
}
