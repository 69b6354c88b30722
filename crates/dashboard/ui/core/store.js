// What the page knows of the agent that it shows, and whom it tells.

import { EventLog } from "./events.js";
import { getJson } from "./http.js";
import { Live } from "./stream.js";

/** What of each GPU is always kept current; the page of one GPU asks for more. */
export const FIELDS = [
  "state_since", "sampled_at", "last_error", "pods", "identity.name", "identity.pci_bus_id",
  "load.gpu_percent", "load.memory_percent", "activity.sm_percent",
  "memory.used_bytes", "memory.total_bytes", "power.draw_watts", "power.enforced_limit_watts",
  "thermal.gpu_celsius", "thermal.memory_celsius", "limits.slowdown_celsius", "clocks.sm_mhz", "clocks.event_reasons",
  "mig.enabled", "mig.instances.uuid", "mig.instances.profile", "mig.instances.memory_used_bytes",
  "mig.instances.memory_total_bytes", "mig.instances.activity.graphics_percent", "reliability.recovery_action",
].join(",");

/** Data that is older than this, and than three of the agent's intervals, is shown as old. */
export const STALE_AFTER = 5000;

/** Between two looks at the log where events do not come by themselves. */
const EVENTS_EVERY = 2000;

export class Store {
  /** `notify()` is called after each change. */
  constructor(base, notify, { live = Live, now = () => performance.now(), ask = (path) => getJson(base, path) } = {}) {
    this.ask = ask;
    this.base = base;
    this.notify = notify;
    this.now = now;
    this.connection = { kind: "connecting" };
    this.snapshot = null;
    this.hello = null;
    this.changedAt = null;
    this.heardAt = null;
    this.isResting = false;
    this.isSimulated = false;
    this.restarts = 0;
    this.snapshots = 0;
    this.lookedForEvents = -Infinity;
    this.listeners = new Set();
    this.events = new EventLog(base, notify);
    this.live = new live({
      base,
      fields: FIELDS,
      on: {
        state: (state) => this.connected(state),
        hello: (body) => this.greeted(body),
        snapshot: (body) => this.taken(body),
        event: (entry) => this.events.add(entry),
      },
    });
  }

  start() {
    this.live.start();
  }

  stop() {
    this.live.stop();
    this.listeners.clear();
  }

  /** Gives the connection back while nobody looks; what is known stays and ages. A refusal stays one. */
  rest() {
    if (this.isResting || this.connection.kind === "denied") return;
    this.isResting = true;
    this.live.stop();
    this.connected({ kind: "resting" });
  }

  /** Connects again after a rest. */
  wake() {
    if (!this.isResting) return;
    this.isResting = false;
    this.connected({ kind: "connecting" });
    this.live.start();
  }

  /** Calls `listener(snapshot)` for each new one; returns what ends that. */
  onSnapshot(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  connected(state) {
    if (state.kind === "live" && this.connection.kind !== "live") this.lookedForEvents = -Infinity;
    this.connection = state;
    this.notify();
  }

  greeted(body) {
    if (this.hello?.instance && body.instance !== this.hello.instance) {
      this.restarts += 1;
      this.events.clear(body.instance);
    }
    this.hello = { ...this.hello, ...body };
    this.askedFor = null;
    this.notify();
  }

  /** Whether the GPUs are real: asked once of each process of the agent that has a driver. */
  async lookAtDriver() {
    const { instance } = this.hello ?? {};
    if (!instance || this.askedFor === instance || this.problem()) return;
    this.askedFor = instance;
    try {
      const { driver } = await this.ask("/api/v1/host");
      this.isSimulated = driver?.simulated === true;
      this.notify();
    } catch {
      // The next snapshot asks again.
      this.askedFor = null;
    }
  }

  taken(body) {
    this.heardAt = this.now();
    const isNew = !this.snapshot || body.generation !== this.snapshot.generation || body.published_at !== this.snapshot.published_at;
    // Without a driver nothing is published any more: then what counts is that the agent answers.
    if (isNew || body.driver) this.changedAt = this.heardAt;
    this.snapshot = body;
    this.snapshots += 1;
    for (const listener of this.listeners) listener(body);
    this.lookForEvents();
    this.lookAtDriver();
    this.notify();
  }

  /** Once after each connecting, and again and again where the stream does not bring them. */
  lookForEvents() {
    const due = this.connection.over === "stream" ? this.lookedForEvents === -Infinity : this.now() - this.lookedForEvents > EVENTS_EVERY;
    if (!due) return;
    this.lookedForEvents = this.now();
    this.events.catchUp();
  }

  /** The GPUs of the last snapshot. */
  gpus() {
    return this.snapshot?.gpus ?? [];
  }

  /** Why NVML cannot be used, if so. */
  problem() {
    return this.snapshot?.driver ?? null;
  }

  /**
   * Milliseconds since the data last changed; nothing before there was any, and where nothing is published as long as there
   * are no GPUs to read. By this page's clock alone.
   */
  age() {
    if (this.changedAt === null || (this.gpus().length === 0 && this.connection.kind === "live")) return null;
    return Math.max(0, this.now() - this.changedAt);
  }

  /** Whether what is shown is old. */
  isStale() {
    const age = this.age();
    return age !== null && age > Math.max(STALE_AFTER, 3000 * (this.hello?.interval_seconds ?? 0));
  }

  /** The time of the agent's clock in unix seconds: as its last snapshot says it, and by this page's clock from there; null before one. */
  agentNow() {
    const published = Date.parse(this.snapshot?.published_at) / 1000;
    return Number.isFinite(published) ? published + (this.now() - this.changedAt) / 1000 : null;
  }

  /** Seconds since a GPU was last sampled: by the agent's clock up to the snapshot, by this page's from there. */
  gpuAge(gpu) {
    if (!gpu.sampled_at || !this.snapshot?.published_at || this.heardAt === null) return null;
    const before = (Date.parse(this.snapshot.published_at) - Date.parse(gpu.sampled_at)) / 1000;
    return Math.max(0, before) + (this.now() - this.changedAt) / 1000;
  }
}
