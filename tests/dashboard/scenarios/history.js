// The past of one GPU: ranges, the brush, a drag over a chart.

import { Stage, check } from "../stage.js";

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  await stage.goto("#/gpu/0");
  await stage.live();
  await stage.until("the brush is there", () => document.querySelector(".brush:not([hidden]) canvas") !== null);
  await stage.picture("history-live");
  const brush = page.locator(".brush .u-over");
  const box = await brush.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.99, box.y + box.height / 2, { steps: 8 });
  await page.mouse.up();
  await stage.until("a piece of the past is chosen", () => document.querySelector(".range .quiet:not([hidden])")?.textContent.includes(" to "));
  await stage.until("its points are drawn", () => /GPU \d+ %/.test(document.querySelector('[data-chart="load"] .legend').textContent));
  await stage.accessible("history");
  await stage.picture("history-brushed");
  await page.getByRole("button", { name: "5 min", exact: true }).click();
  await stage.until("it is live again", () => document.querySelector(".range .quiet").hidden);
  check((await page.locator('[data-span="300"]').getAttribute("aria-pressed")) === "true", "the button does not show it");
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await stage.until("an hour is shown", () => /GPU \d+ %/.test(document.querySelector('[data-chart="load"] .legend').textContent));
  await stage.picture("history-hour");
  await stage.close();
}
