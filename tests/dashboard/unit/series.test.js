// Where lines go on and where they break.

import assert from "node:assert/strict";
import { test } from "node:test";
import { breaks, joined, spacing, told } from "../../../crates/dashboard/ui/core/series.js";

const seconds = (number) => Array.from({ length: number }, (_, second) => 1000 + second);

/** A value every `every` seconds and nothing between. */
const seldom = (number, every) => seconds(number).map((_, second) => (second % every === 0 ? second : null));

test("the spacing is the usual one, whatever gaps there are", () => {
  assert.equal(spacing(seconds(30), seldom(30, 5)), 5);
  const gap = seldom(60, 5).map((value, second) => (second > 20 && second < 50 ? null : value));
  assert.equal(spacing(seconds(60), gap), 5);
  assert.equal(spacing(seconds(3), [null, 1, null]), null);
  assert.equal(spacing([], []), null);
});

test("what is read seldom is joined", () => {
  assert.deepEqual(joined(seconds(6), seldom(6, 5), 15), [0, undefined, undefined, undefined, undefined, 5]);
});

test("a gap that is longer than the limit stays one", () => {
  const values = [1, null, null, null, 2, null, 3];
  assert.deepEqual(joined(seconds(7), values, 3), [1, null, null, null, 2, undefined, 3]);
});

test("no line goes over a time in which nothing at all was read", () => {
  const often = [1, null, 1, 1, null, null, null, 1];
  const seldomRead = [5, null, null, null, null, null, null, 5];
  const broken = breaks(seconds(8), [often, seldomRead], 3);
  assert.deepEqual([...broken], [4, 5, 6]);
  assert.deepEqual(joined(seconds(8), seldomRead, 15, broken), seldomRead);
  assert.deepEqual(joined(seconds(8), often, 15, broken), [1, undefined, 1, 1, null, null, null, 1]);
});

test("what is absent at the ends stays absent", () => {
  assert.deepEqual(joined(seconds(4), [null, 1, NaN, null], 10), [null, 1, NaN, null]);
});

test("steps that are not over are left out", () => {
  assert.equal(told(seconds(4), [[1, 2, null, null], [1, null, null, null]]), 2);
  assert.equal(told(seconds(2), [[null, null]]), 0);
  assert.equal(told(seconds(2), [[1, 2]]), 2);
});
