// A GPU hangs while the page looks on: it is shown within two snapshots of the agent's knowing, with its reason, and alone.

import { Stage, ask, check } from "../stage.js";

/** Snapshots that may pass between the agent's knowing and the page's showing. */
const MOST = 2;

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  await stage.goto("#/");
  await stage.live();
  await stage.until("all are ok", () => document.querySelectorAll(".cell-ok").length === 8);
  // Notes with each drawing which generation the page has, and whether it shows the GPU as hung.
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const { snapshot } = globalThis.gpulse.store();
      globalThis.seen.push([snapshot.generation, document.querySelectorAll(".cell-hung").length]);
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  await ask("hang");
  // The generation at which the agent itself says so for the first time that anybody can ask.
  const known = Number(await ask("known"));
  await stage.until("the page shows it", () => document.querySelectorAll(".cell-hung").length > 0);
  const seen = await page.evaluate(() => globalThis.seen);
  const late = new Set(seen.filter(([generation, hung]) => generation >= known && hung === 0).map(([generation]) => generation));
  console.log(`the agent knew at generation ${known}; snapshots that were drawn after that without it: ${late.size}`);
  check(late.size <= MOST, `${late.size} snapshots were drawn without it: ${[...late]}`);

  check((await page.locator(".cell-hung").count()) === 1, "another GPU is hung as well");
  check((await page.locator(".cell-ok").count()) === 7, "the others are not ok");
  const cell = await page.locator(".cell-hung").textContent();
  check(cell.includes("3") && cell.includes("hung"), `the cell does not say so: ${cell}`);
  await stage.until("it needs attention", () => document.querySelector(".attention")?.textContent.includes("nvmlDeviceGetPowerUsage"));
  await stage.until("screen readers are told", () => document.querySelector("#announcer").textContent.includes("GPU 3 is hung"));
  check((await page.locator(".tile").nth(1).textContent()).includes("1 of 8 not counted (hung)"), "its load counts as if it were current");
  check(/^GPU 3.*hung, when it was last read: GPU load \d+ %/.test(cell), `its cell is read as: ${cell}`);
  await stage.accessible("a hung GPU");
  await stage.picture("hung");
  await page.locator(".cell-hung").click();
  await stage.until("its own page says why", () => document.querySelector(".problem:not([hidden])")?.textContent.includes("nvmlDeviceGetPowerUsage"));
  await stage.until("its values are marked and dated", () => document.querySelector(".tiles.old")?.textContent.includes("as of "));
  await stage.until("it is said for how long", () => /for \d+ s/.test(document.querySelector(".problem:not([hidden])").textContent));
  check(!(await page.locator("main").textContent()).includes("as high as they can be"), "old clocks are praised");
  await stage.accessible("the page of a hung GPU");
  await stage.picture("hung-gpu");
  await stage.goto("#/processes");
  await stage.until("its processes are marked", () => /hung, \d+ s old/.test(document.querySelector("tr.old")?.textContent));
  await stage.goto("#/events");
  await stage.until("the log has it", () => document.querySelector(".event-critical")?.textContent.includes("hung"));
  await stage.picture("hung-events");
  await stage.goto("#/health");
  await stage.until("health says why", () => [...document.querySelectorAll("td")].some((cell) => cell.textContent.includes("nvmlDeviceGetPowerUsage")));

  await ask("recover");
  await stage.goto("#/");
  await stage.until("it is ok again", () => document.querySelectorAll(".cell-ok").length === 8);
  await stage.close();
}
