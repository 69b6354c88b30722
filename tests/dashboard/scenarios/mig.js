// A GPU that is cut into instances has no load as a whole: its brush draws what there is. Choosing works by finger.

import { Stage, check } from "../stage.js";

export async function play(world) {
  const stage = await Stage.open(world, { hasTouch: true });
  const { page } = stage;
  await stage.goto("#/gpu/0");
  await stage.live();
  await stage.until("there is a brush", () => document.querySelector(".brush canvas") !== null);
  check((await page.locator(".brush .legend").innerText()).includes("SM"), "the brush draws something else");
  await page.locator(".brush .u-over").scrollIntoViewIfNeeded();
  const box = await page.locator(".brush .u-over").boundingBox();
  const touch = await stage.context.newCDPSession(page);
  const at = (share) => [{ x: box.x + box.width * share, y: box.y + box.height / 2 }];
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0.4) });
  for (const share of [0.5, 0.6, 0.8]) await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(share) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await stage.until("a finger chooses a time", () => document.querySelector(".range .quiet:not([hidden])")?.textContent.includes(" to "));
  await stage.close();
}
