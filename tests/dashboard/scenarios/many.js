// 64 GPUs: all of them are there, on a wide window and on a phone; how long drawing takes is measured and printed.

import { Stage, check } from "../stage.js";
import { VIEWS } from "./views.js";

const SNAPSHOTS = 5;

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  await stage.goto("#/");
  await stage.live();
  await stage.until("all are there", () => document.querySelectorAll(".cell").length === 64);
  const from = await page.evaluate(() => {
    const { drawings, store } = globalThis.gpulse;
    drawings.length = 0;
    globalThis.frames = [];
    let last = performance.now();
    const frame = (now) => {
      globalThis.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    return store().snapshots;
  });
  await stage.until("some snapshots are drawn", ([before, more]) => globalThis.gpulse.store().snapshots >= before + more, [from, SNAPSHOTS]);
  const { drawings, frames } = await page.evaluate(() => ({ drawings: [...globalThis.gpulse.drawings], frames: globalThis.frames }));
  const at = (values, share) => [...values].sort((one, other) => one - other)[Math.floor((values.length - 1) * share)].toFixed(1);
  console.log(`64 GPUs, ${drawings.length} drawings: median ${at(drawings, 0.5)} ms, longest ${at(drawings, 1)} ms; ${frames.length} frames: median ${at(frames, 0.5)} ms, 95 % within ${at(frames, 0.95)} ms, longest ${at(frames, 1)} ms (software rendering)`);
  await stage.accessible("64 GPUs");
  await stage.picture("64-gpus");
  await stage.goto("#/topology");
  await stage.until("the matrix is complete", () => document.querySelectorAll(".matrix tbody td").length === 64 * 64);
  await stage.fits("topology of 64 GPUs");
  await stage.picture("64-topology");

  await page.setViewportSize({ width: 360, height: 740 });
  for (const [name, [fragment, sign]] of Object.entries(VIEWS)) {
    await stage.goto(fragment);
    await stage.until(`${name} is shown`, (selector) => document.querySelector(selector) !== null, sign);
    await stage.fits(`${name} on a phone`);
    const isSeen = await page.evaluate(() => {
      const [nav, tab] = ["nav", ".tab[aria-current]"].map((one) => document.querySelector(one).getBoundingClientRect());
      return tab.left >= nav.left && tab.right <= nav.right;
    });
    check(isSeen, `the tab of ${name} is out of sight on a phone`);
    await stage.picture(`phone-${name}`);
  }
  check((await page.locator("nav a").count()) === 7, "a view cannot be reached on a phone");
  await stage.close();
}
