// Numbers as they are written, and readings that are absent.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../../crates/dashboard/ui/core/format.js";
import { general, number, reading, reasonFor, share } from "../../../crates/dashboard/ui/core/readings.js";
import { textOf } from "../../../crates/dashboard/ui/core/value.js";
import { reasonText } from "../../../crates/dashboard/ui/core/words.js";

test("units are those of the readings", () => {
  for (const [text, expected] of [
    [format.bytes(0), "0 B"],
    [format.bytes(1536), "1.5 KiB"],
    [format.bytes(85_520_809_984), "79.6 GiB"],
    [format.bytes(2 ** 60), "1024 PiB"],
    [format.rate(151_063_029_610), "151 GB/s"],
    [format.rate(999), "999 B/s"],
    [format.watts(683.856), "684 W"],
    [format.watts(40_300), "40.3 kW"],
    [format.percent(99.6), "100 %"],
    [format.celsius(63), "63 °C"],
  ]) assert.equal(text, expected);
});

test("times are as long as they have to be", () => {
  for (const [seconds, expected] of [[0, "0 s"], [59.9, "59 s"], [60, "1 min"], [3599, "59 min"], [3600, "1 h"], [7500, "2 h 5 min"], [90_000, "1 d 1 h"], [-3, "0 s"]]) {
    assert.equal(format.duration(seconds), expected);
  }
  assert.equal(format.secondsBetween("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z"), 1.5);
  assert.equal(format.secondsBetween("nonsense", "2026-01-01T00:00:00Z"), null);
  assert.equal(format.moment("nonsense"), "nonsense");
});

const GPU = {
  state: "ok",
  load: { gpu_percent: null, memory_percent: 0 },
  memory: { used_bytes: 1, total_bytes: 4 },
  power: { draw_watts: null },
  unavailable: { load: "not_supported", "power.draw_watts": "no_permission" },
};

test("absent is never zero, and zero is never absent", () => {
  assert.deepEqual(reading(GPU, "load.memory_percent"), { value: 0 });
  assert.deepEqual(reading(GPU, "load.gpu_percent"), { reason: "not_supported" });
  assert.equal(number(GPU, "load.gpu_percent"), null);
  assert.equal(textOf(reading(GPU, "load.gpu_percent"), format.percent), "–");
  assert.equal(textOf(reading(GPU, "load.memory_percent"), format.percent), "0 %");
});

test("a reason is that of the reading, or of what it is part of", () => {
  assert.equal(reasonFor(GPU, "power.draw_watts"), "no_permission");
  assert.equal(reasonFor(GPU, "load.interval.gpu.mean_percent"), "not_supported");
  assert.equal(reasonFor(GPU, "nothing.known"), "error");
  assert.equal(reasonFor({ state: "hung", unavailable: {} }, "load.gpu_percent"), "not_ready");
  assert.equal(reasonFor(undefined, "load"), "not_ready");
  assert.equal(reasonText("not_supported"), "this GPU does not have it");
  assert.equal(reasonText("a_word_of_tomorrow"), "a word of tomorrow");
});

test("a share needs both of its parts", () => {
  assert.deepEqual(share(GPU, "memory.used_bytes", "memory.total_bytes"), { value: 25 });
  assert.deepEqual(share(GPU, "power.draw_watts", "memory.total_bytes"), { reason: "no_permission" });
  assert.deepEqual(share({ memory: { used_bytes: 0, total_bytes: 0 } }, "memory.used_bytes", "memory.total_bytes"), { reason: "error" });
});

test("readings of list entries are one", () => {
  assert.equal(general("mig.instances.10.activity.sm_percent"), "mig.instances[].activity.sm_percent");
  assert.equal(general("identity.numa_node"), "identity.numa_node");
});
