// One route of the agent, asked again as long as somebody looks at it.

import { duration } from "./format.js";
import { describe, getJson } from "./http.js";

export class Feed {
  /**
   * Asks for `path` every `period` milliseconds while `tick` is called; `changed()` after each answer. One that is about GPUs
   * is not asked while NVML cannot be used: the answer would be an error that the page shows already.
   */
  constructor(store, path, period, changed, { isAboutGpus = true } = {}) {
    this.isAboutGpus = isAboutGpus;
    this.store = store;
    this.path = path;
    this.period = period;
    this.changed = changed;
    this.body = null;
    this.error = null;
    this.answeredAt = null;
    this.askedAt = -Infinity;
    this.controller = new AbortController();
  }

  /** Asks if it is time. The last answer stays until there is a newer one. */
  tick() {
    if (this.isAboutGpus && this.store.problem()) return;
    if (this.busy || performance.now() - this.askedAt < this.period || this.store.connection.kind !== "live") return;
    this.ask();
  }

  async ask() {
    this.busy = true;
    this.askedAt = performance.now();
    try {
      this.body = await getJson(this.store.base, this.path, this.controller.signal);
      this.error = null;
      this.answeredAt = performance.now();
    } catch (error) {
      this.error = error;
    } finally {
      this.busy = false;
      if (!this.controller.signal.aborted) this.changed();
    }
  }

  /** What to say of an answer that is not there or is not the newest: that it is awaited, or why it failed; nothing if all is well. */
  said(what) {
    if (this.error) {
      const age = this.body ? `; what is shown is ${duration((performance.now() - this.answeredAt) / 1000)} old` : "";
      return `${what} cannot be read: ${describe(this.error)}${age}.`;
    }
    return this.body ? "" : "Waiting…";
  }

  stop() {
    this.controller.abort();
  }
}
