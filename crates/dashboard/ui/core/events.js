// The log of one agent: entries by number, from pages and from the stream, each once.

import { getJson } from "./http.js";

/** Entries that are kept here: as many as a reader looks through. */
const KEPT = 2000;

/** Entries of one page. */
const PAGE = 500;

/** Pages that are asked for at a time: the agent's log has room for fewer. */
const MOST_PAGES = 40;

export class EventLog {
  constructor(base, onChange) {
    this.base = base;
    this.onChange = onChange;
    this.clear(null);
  }

  clear(instance) {
    this.instance = instance;
    this.entries = [];
    this.next = 0;
    this.lost = 0;
    this.loaded = false;
  }

  /** Takes one entry; what is known already is left out. */
  add(entry) {
    if (entry.sequence <= this.newest()) return;
    this.entries.push(entry);
    if (this.entries.length > KEPT) this.entries.splice(0, this.entries.length - KEPT);
    this.onChange();
  }

  newest() {
    return this.entries.length === 0 ? 0 : this.entries[this.entries.length - 1].sequence;
  }

  /** Asks for what came since the last page. One question at a time; a failure is left to the next one. */
  async catchUp() {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let page = 0; page < MOST_PAGES; page += 1) {
        if (!(await this.page())) break;
      }
      this.loaded = true;
      this.onChange();
    } catch {
      // Whoever keeps the connection says what is wrong with it.
    } finally {
      this.busy = false;
    }
  }

  async page() {
    const body = await getJson(this.base, `/api/v1/events?after=${this.next}&limit=${PAGE}`);
    if (this.instance !== null && body.instance !== this.instance) {
      // Another process counts anew.
      this.clear(body.instance);
      return true;
    }
    this.instance = body.instance;
    this.counters = body.counters;
    this.lost += body.lost;
    for (const entry of body.events) this.add(entry);
    this.next = body.next;
    return body.events.length === PAGE;
  }
}
