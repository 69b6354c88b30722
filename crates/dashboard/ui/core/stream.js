// Keeps one agent's data coming: over its stream, or by polling where it has none. Comes back by itself after every failure
// but a refusal, which somebody has to do something about.

import { Backoff, sleep } from "./backoff.js";
import { Refusal, address, describe, getJson, settings } from "./http.js";
import { EventParser } from "./sse.js";

/** An agent sends a comment every 15 s at the latest: a stream that is silent for longer than two of these is dead. */
const SILENCE = 40_000;

/** A connection that nobody answers is given up after this. */
const CONNECTING = 10_000;

/** Between two polls, where there is no stream. */
const POLL = 1000;

export class Live {
  /**
   * Data of the agent at `base`, with these `fields`. `on` has the listeners: `state({kind, …})`, `hello(body)`,
   * `snapshot(body)`, `event(entry)`.
   */
  constructor({ base, fields, interval = "1s", on }) {
    this.base = base;
    this.fields = fields;
    this.interval = interval;
    this.on = on;
    this.backoff = new Backoff();
    this.hasStream = true;
  }

  /** Begins, or begins again after a `stop`: the first snapshot is the newest one, whatever was missed. */
  start() {
    this.controller?.abort();
    this.controller = new AbortController();
    this.backoff.reset();
    this.run(this.controller.signal);
  }

  stop() {
    this.controller?.abort();
  }

  async run(signal) {
    while (!signal.aborted) {
      let failure = null;
      try {
        if (this.hasStream) await this.stream(signal);
        else await this.poll(signal);
      } catch (error) {
        failure = error;
      }
      if (signal.aborted) return;
      if (failure instanceof Refusal && this.isFinal(failure)) return;
      if (failure instanceof NoStream) continue;
      const pause = this.backoff.next();
      this.on.state({ kind: "waiting", until: performance.now() + pause, error: describe(failure) });
      await sleep(pause, signal);
      // After a restart it may be another version, which has a stream.
      this.hasStream = true;
    }
  }

  /** Whether nothing comes of asking again. */
  isFinal(refusal) {
    if (refusal.status !== 401 && refusal.status !== 403) return false;
    this.on.state({ kind: "denied", status: refusal.status, error: refusal.message });
    return true;
  }

  async stream(signal) {
    this.on.state({ kind: "connecting" });
    const own = new AbortController();
    const end = () => own.abort();
    signal.addEventListener("abort", end, { once: true });
    let watch = setTimeout(end, CONNECTING);
    try {
      const query = `interval=${this.interval}&fields=${this.fields}`;
      const answer = await fetch(address(this.base, `/api/v1/stream?${query}`), {
        ...settings(this.base, own.signal),
        cache: "no-store",
      });
      if (answer.status === 404) {
        this.hasStream = false;
        throw new NoStream();
      }
      if (!answer.ok || !answer.body) throw new Refusal(answer.status, await answer.json().catch(() => null));
      const parser = new EventParser({ onEvent: (event) => this.take(event) });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        clearTimeout(watch);
        watch = setTimeout(end, SILENCE);
        const { value, done } = await reader.read();
        if (signal.aborted) return;
        if (done) throw new Error("the agent ended the stream");
        parser.push(value);
      }
    } finally {
      clearTimeout(watch);
      signal.removeEventListener("abort", end);
      own.abort();
    }
  }

  take({ event, data }) {
    const body = JSON.parse(data);
    if (event === "hello") {
      this.on.hello(body);
    } else if (event === "snapshot") {
      this.backoff.reset();
      this.on.state({ kind: "live", over: "stream" });
      this.on.snapshot(body);
    } else if (event === "event") {
      this.on.event(body);
    }
  }

  async poll(signal) {
    const { agent } = await getJson(this.base, "/api/v1/host", signal);
    this.on.hello({ agent_id: agent.id, version: agent.version, instance: agent.instance });
    while (!signal.aborted) {
      const body = await this.snapshot(signal);
      if (signal.aborted) return;
      this.backoff.reset();
      this.on.state({ kind: "live", over: "polling" });
      this.on.snapshot(body);
      await sleep(POLL, signal);
    }
  }

  /** The GPUs; where NVML cannot be used, none of them and why, as the stream says it. */
  async snapshot(signal) {
    try {
      return await getJson(this.base, `/api/v1/gpus?fields=${this.fields}`, signal);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 503 || !error.body?.reason) throw error;
      const { reason, message, hint } = error.body;
      return { generation: null, driver: { status: "unavailable", reason, message, hint }, gpus: [] };
    }
  }
}

class NoStream extends Error {}
