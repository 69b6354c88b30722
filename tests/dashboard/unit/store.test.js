// What the page knows of an agent: ages, restarts, events, problems. Time and connection are the test's own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../crates/dashboard/ui/core/backoff.js";
import { EventLog } from "../../../crates/dashboard/ui/core/events.js";
import { Ring } from "../../../crates/dashboard/ui/core/ring.js";
import { STALE_AFTER, Store } from "../../../crates/dashboard/ui/core/store.js";

function fixture() {
  const clock = { now: 1000, notified: 0, connections: 0, asked: [] };
  class Idle {
    constructor({ on }) { clock.on = on; }
    start() { clock.connections += 1; }
    stop() { clock.connections -= 1; }
  }
  const store = new Store("", () => { clock.notified += 1; }, {
    live: Idle,
    now: () => clock.now,
    ask: async (path) => {
      clock.asked.push(path);
      return { driver: { simulated: true } };
    },
  });
  store.events.catchUp = () => {};
  return { store, clock, on: clock.on };
}

const snapshot = (generation, more = {}) => ({
  generation, published_at: `2026-01-01T00:00:0${generation % 10}Z`,
  gpus: [{ index: 0, uuid: "GPU-1", state: "ok", sampled_at: `2026-01-01T00:00:0${generation % 10}Z`, ...more }],
});

test("age begins with data and grows by the page's clock", () => {
  const { store, clock, on } = fixture();
  assert.equal(store.age(), null);
  assert.equal(store.isStale(), false);
  on.snapshot(snapshot(1));
  assert.equal(store.age(), 0);
  clock.now += STALE_AFTER;
  assert.equal(store.isStale(), false);
  clock.now += 1;
  assert.equal(store.isStale(), true);
  on.snapshot(snapshot(2));
  assert.equal(store.isStale(), false);
});

test("the same snapshot again is no news: it goes on ageing", () => {
  const { store, clock, on } = fixture();
  on.snapshot(snapshot(1));
  clock.now += STALE_AFTER + 1;
  on.snapshot(snapshot(1));
  assert.equal(store.isStale(), true);
});

test("an agent that reads seldom is not stale between two reads", () => {
  const { store, clock, on } = fixture();
  on.hello({ instance: "a", interval_seconds: 60 });
  on.snapshot(snapshot(1));
  clock.now += 120_000;
  assert.equal(store.isStale(), false);
  clock.now += 61_000;
  assert.equal(store.isStale(), true);
});

test("without GPUs nothing is published, and nothing is old", () => {
  const { store, clock, on } = fixture();
  on.state({ kind: "live", over: "stream" });
  on.snapshot({ generation: 1, driver: { reason: "library_not_found" }, gpus: [] });
  clock.now += 60_000;
  assert.equal(store.isStale(), false);
  assert.equal(store.problem().reason, "library_not_found");
  on.state({ kind: "waiting" });
  assert.equal(store.isStale(), true);
});

test("a GPU's age is the agent's up to the snapshot and the page's from there", () => {
  const { store, clock, on } = fixture();
  on.snapshot({ ...snapshot(5), published_at: "2026-01-01T00:00:08Z" });
  clock.now += 2000;
  assert.equal(store.gpuAge(store.gpus()[0]), 5);
  assert.equal(store.gpuAge({ sampled_at: null }), null);
});

test("another instance is a restart, whose events count anew", () => {
  const { store, on } = fixture();
  on.hello({ instance: "a" });
  on.event({ sequence: 7 });
  assert.equal(store.events.newest(), 7);
  on.hello({ instance: "a" });
  assert.equal(store.restarts, 0);
  on.hello({ instance: "b" });
  assert.equal(store.restarts, 1);
  on.event({ sequence: 1 });
  assert.equal(store.events.newest(), 1);
});

test("each event is there once, and the oldest go first", () => {
  let changes = 0;
  const log = new EventLog("", () => { changes += 1; });
  for (const sequence of [1, 2, 2, 1, 3]) log.add({ sequence });
  assert.deepEqual(log.entries.map(({ sequence }) => sequence), [1, 2, 3]);
  assert.equal(changes, 3);
  for (let sequence = 4; sequence < 5000; sequence += 1) log.add({ sequence });
  assert.equal(log.entries.length, 2000);
  assert.equal(log.newest(), 4999);
});

test("a ring keeps the last points, oldest first, with gaps", () => {
  const ring = new Ring(3, 1);
  assert.deepEqual(ring.columns(), [[], []]);
  for (const time of [1, 2, 3, 4]) ring.push(time, [time === 3 ? NaN : time * 10]);
  assert.deepEqual(ring.columns(), [[2, 3, 4], [20, null, 40]]);
  assert.deepEqual(ring.columns(4), [[4], [40]]);
  assert.equal(ring.push(4, [0]), false);
  assert.equal(ring.push(3.5, [0]), false);
});

test("pauses double up to a bound and begin anew after a success", () => {
  const backoff = new Backoff(() => 0.5);
  const pauses = Array.from({ length: 7 }, () => backoff.next());
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("a store that rests has no connection, and ages", () => {
  const { store, clock, on } = fixture();
  store.start();
  on.state({ kind: "live", over: "stream" });
  on.snapshot(snapshot(1));
  store.rest();
  store.rest();
  assert.equal(clock.connections, 0);
  assert.equal(store.connection.kind, "resting");
  clock.now += STALE_AFTER + 1;
  assert.equal(store.isStale(), true);
  store.wake();
  store.wake();
  assert.equal(clock.connections, 1);
});

test("what was refused does not become a rest", () => {
  const { store, on } = fixture();
  on.state({ kind: "denied", status: 401 });
  store.rest();
  assert.equal(store.connection.kind, "denied");
});

test("the agent's time goes on between snapshots", () => {
  const { store, clock, on } = fixture();
  assert.equal(store.agentNow(), null);
  on.snapshot(snapshot(1));
  const published = Date.parse("2026-01-01T00:00:01Z") / 1000;
  clock.now += 2500;
  assert.equal(store.agentNow(), published + 2.5);
});

test("whether GPUs are simulated is asked once of each process of the agent", async () => {
  const { store, clock, on } = fixture();
  on.hello({ instance: "a" });
  on.snapshot(snapshot(1));
  on.snapshot(snapshot(2));
  await Promise.resolve();
  assert.equal(store.isSimulated, true);
  assert.deepEqual(clock.asked, ["/api/v1/host"]);
  on.hello({ instance: "b" });
  on.snapshot(snapshot(1));
  assert.equal(clock.asked.length, 2);
});
