// When a page counts as away, and when it is back. Its visibility and the timers are the test's own.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { GRACE, followVisibility } from "../../../crates/dashboard/ui/core/visibility.js";

function fixture(visibilityState) {
  const page = Object.assign(new EventTarget(), { visibilityState });
  const said = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  followVisibility({ away: () => said.push("away"), back: () => said.push("back") }, { page });
  const turn = (state) => {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  return { said, turn };
}

test("a page is away when it was hidden for a while, and back at once", (t) => {
  t.after(() => mock.timers.reset());
  const { said, turn } = fixture("visible");
  turn("hidden");
  mock.timers.tick(GRACE - 1);
  assert.deepEqual(said, []);
  mock.timers.tick(1);
  assert.deepEqual(said, ["away"]);
  turn("visible");
  assert.deepEqual(said, ["away", "back"]);
});

test("a glance at another page is none", (t) => {
  t.after(() => mock.timers.reset());
  const { said, turn } = fixture("visible");
  turn("hidden");
  mock.timers.tick(GRACE - 1);
  turn("visible");
  mock.timers.tick(GRACE);
  assert.deepEqual(said, []);
});

test("a page that opens hidden is away until it is seen", (t) => {
  t.after(() => mock.timers.reset());
  const { said, turn } = fixture("hidden");
  assert.deepEqual(said, ["away"]);
  turn("visible");
  assert.deepEqual(said, ["away", "back"]);
});
