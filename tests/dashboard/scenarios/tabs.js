// Eight tabs of one agent in one browser, which opens six connections to it: those that nobody sees give theirs back.

import { Stage, check } from "../stage.js";

const TABS = 8;

const isLive = () => document.querySelector(".connection.good") !== null;

export async function play(world) {
  const stage = await Stage.open(world);
  const pages = [];
  for (let tab = 0; tab < TABS; tab += 1) {
    const page = tab === 0 ? stage.page : await stage.context.newPage();
    if (tab > 0) stage.watch(page);
    pages.push(page);
    stage.page = page;
    // Without a window a browser takes every tab for seen: the page is told what it would be told by one with a window.
    await page.addInitScript(() => {
      globalThis.seen = true;
      Object.defineProperty(document, "visibilityState", { get: () => (globalThis.seen ? "visible" : "hidden") });
    });
    await stage.goto("#/");
    await stage.live();
    if (tab < TABS - 1) await turn(page, false);
  }
  const first = pages[0];
  stage.page = first;
  await stage.until("the hidden tab rests", () => globalThis.gpulse.store().connection.kind === "resting");
  check(await first.evaluate(() => document.querySelectorAll(".cell").length === 8), "what was known is gone");
  await stage.until("its age grows and is shown", () => document.querySelector("#app").classList.contains("is-stale") && /\d+ s old/.test(document.querySelector(".age").textContent));
  const before = await first.evaluate(() => globalThis.gpulse.store().snapshot.generation);
  await turn(pages[TABS - 1], false);
  await turn(first, true);
  await stage.until("it is live again", isLive);
  await stage.until("with newer data", (generation) => globalThis.gpulse.store().snapshot.generation > generation, before);
  await stage.until("that is not old", () => !document.querySelector("#app").classList.contains("is-stale"));
  await stage.close();
}

async function turn(page, seen) {
  if (seen) await page.bringToFront();
  await page.evaluate((seen) => {
    globalThis.seen = seen;
    document.dispatchEvent(new Event("visibilitychange"));
  }, seen);
}
