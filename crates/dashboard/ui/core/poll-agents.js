// Asks several agents how they are, each at its own pace: one that does not answer holds up nobody.

import { sleep } from "./backoff.js";
import { Refusal, getJson } from "./http.js";

/** Between two questions to one agent. */
const EVERY = 5000;

/** What is said of an agent's host in one row; absent numbers stay null. */
export function summary(host) {
  return {
    id: host.agent.id,
    version: host.agent.version,
    driver: host.driver.status,
    reason: host.driver.reason,
    gpus: host.gpus,
    load: host.totals.mean_gpu_percent,
    memoryUsed: host.totals.memory_used_bytes,
    memoryTotal: host.totals.memory_total_bytes,
    power: host.totals.power_draw_watts,
    missing: host.expected?.missing?.length ?? 0,
    xids: Object.values(host.events?.xids ?? {}).reduce((total, number) => total + number, 0),
    unavailable: host.unavailable,
  };
}

export class AgentPolls {
  /** `changed()` after each answer. `rows` has one entry for each base: `{base, state, …summary}`. */
  constructor(changed) {
    this.changed = changed;
    this.rows = new Map();
    this.controllers = new Map();
  }

  /** Asks these from now on, and no others. */
  follow(bases) {
    for (const [base, controller] of this.controllers) {
      if (bases.includes(base)) continue;
      controller.abort();
      this.controllers.delete(base);
      this.rows.delete(base);
    }
    for (const base of bases) {
      if (this.controllers.has(base)) continue;
      const controller = new AbortController();
      this.controllers.set(base, controller);
      this.rows.set(base, { base, state: "asking" });
      this.run(base, controller.signal);
    }
  }

  async run(base, signal) {
    while (!signal.aborted) {
      const row = await ask(base, signal);
      if (signal.aborted) return;
      // What was last known stays, marked by the state.
      this.rows.set(base, { ...this.rows.get(base), ...row });
      this.changed();
      await sleep(EVERY * (0.9 + Math.random() / 5), signal);
    }
  }

  stop() {
    this.follow([]);
  }
}

async function ask(base, signal) {
  try {
    const host = await getJson(base, "/api/v1/host", signal);
    return { ...summary(host), state: "answers", error: null, heardAt: Date.now() };
  } catch (error) {
    if (error instanceof Refusal && (error.status === 401 || error.status === 403)) return { state: "denied", error: error.message };
    if (error instanceof Refusal) return { state: "fails", error: error.message };
    return { state: "silent", error: base ? "no answer: it is down, or its http.cors_origins does not name this page's origin" : "no answer" };
  }
}
