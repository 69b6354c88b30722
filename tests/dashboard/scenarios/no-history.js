// An agent that keeps no history: the page says so and how to change it, draws what comes in, and nothing is an error.

import { Stage, check } from "../stage.js";

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  await stage.goto("#/gpu/0");
  await stage.live();
  await stage.until("it says so", () => /keeps no history \(history\.enabled /.test(document.querySelector('[aria-label="Charts"] > .quiet:not([hidden])')?.textContent));
  await stage.until("what comes in is drawn", () => /GPU \d+ %/.test(document.querySelector('[data-chart="load"] .legend').textContent));
  check(await page.locator(".brush").isHidden(), "there is a brush without a past");
  await stage.accessible("no history");
  await stage.picture("no-history");
  await stage.close();
}
