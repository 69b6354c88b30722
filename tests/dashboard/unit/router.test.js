// Addresses of views and agents, and what the fleet view may ask.

import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "../../../crates/dashboard/ui/core/fleet.js";
import { summary } from "../../../crates/dashboard/ui/core/poll-agents.js";
import { vector } from "../../../crates/dashboard/ui/core/prometheus.js";
import { link, origin, parse } from "../../../crates/dashboard/ui/core/router.js";
import { piece } from "../../../crates/dashboard/ui/parts/range.js";
import { by } from "../../../crates/dashboard/ui/parts/table.js";

test("a link leads to where it was made", () => {
  for (const [view, argument, base] of [["overview", null, ""], ["gpu", "GPU-1/2", ""], ["gpu", "a?b#c%", "https://b.example:8003"], ["fleet", null, "http://[::1]:8003"]]) {
    const found = parse(link(view, { argument, base }));
    assert.deepEqual([found.view, found.argument, found.agent], [view, argument, base]);
  }
});

test("what is not known is the overview of the agent that serves the page", () => {
  for (const fragment of ["", "#", "#/", "#/nothing", "#main", "#/%", "#/gpu/%E0%A4%A?agent=javascript:alert(1)"]) {
    assert.equal(parse(fragment).agent, "", fragment);
  }
  assert.equal(parse("#/nothing").view, "overview");
});

test("only web origins are agents", () => {
  assert.equal(origin("https://a.example:443/path?x"), "https://a.example");
  for (const wrong of ["", null, "a.example", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://a"]) assert.equal(origin(wrong), "", String(wrong));
});

test("sources fit as a browser's policy has it", () => {
  for (const [source, base, expected] of [
    ["https://*.example:8003", "https://gpu-2.example:8003", true],
    ["https://*.example:8003", "https://a.b.example:8003", true],
    ["https://*.example:8003", "https://example:8003", false],
    ["https://*.example:8003", "https://gpu-2.example:8004", false],
    ["https://*.example:8003", "http://gpu-2.example:8003", false],
    ["http://10.0.0.1:*", "http://10.0.0.1:8003", true],
    ["https://a.example", "https://a.example", true],
    ["https://a.example", "https://a.example.evil", false],
    ["nonsense", "https://a.example", false],
  ]) assert.equal(matches(source, base), expected, `${source} ${base}`);
});

test("a piece of the past is whole seconds, and never empty", () => {
  assert.deepEqual(piece(100.2, 200.7), [100, 201]);
  for (const [from, to] of [[100, 100], [100.4, 100.6], [100.9, 101.1]]) {
    const [begin, end] = piece(from, to);
    assert.ok(end - begin >= 10 && begin <= from && end >= to && Number.isInteger(begin) && Number.isInteger(end), `${begin} ${end}`);
  }
});

test("rows sort by number or by text, and what is absent comes last both ways", () => {
  const rows = [{ value: 10 }, { value: null }, { value: 9 }, { value: 0 }];
  const sorted = (descending) => [...rows].sort(by(({ value }) => value, descending)).map(({ value }) => value);
  assert.deepEqual(sorted(false), [0, 9, 10, null]);
  assert.deepEqual(sorted(true), [10, 9, 0, null]);
  assert.deepEqual(["GPU 10", "GPU 9"].sort(by((text) => text, false)), ["GPU 9", "GPU 10"]);
});

test("a summary keeps what is absent absent", () => {
  const host = {
    agent: { id: "a", version: "1" }, driver: { status: "ready", reason: null }, gpus: { total: 1, ok: 1 },
    totals: { mean_gpu_percent: null, memory_used_bytes: 0, memory_total_bytes: 5, power_draw_watts: null },
    expected: null, events: { xids: { 79: 1, 31: 2 } }, unavailable: {},
  };
  const row = summary(host);
  assert.deepEqual([row.load, row.memoryUsed, row.power, row.xids, row.missing], [null, 0, null, 3, 0]);
});

test("of Prometheus only numbers of instances are taken", () => {
  const result = [{ metric: { instance: "a:1" }, value: [0, "2.5"] }, { metric: {}, value: [0, "1"] }, { metric: { instance: "b:1" }, value: [0, "NaN"] }];
  assert.deepEqual(vector(result), [["a:1", 2.5]]);
});
