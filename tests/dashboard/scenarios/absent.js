// What is not there is said with its reason: no driver, no GPUs, readings that a GPU does not have.

import { Stage, check } from "../stage.js";

export async function play({ driverless, empty, unified, mig, ...world }) {
  const stage = await Stage.open({ ...world, url: driverless, others: [empty, unified, mig] });
  const { page } = stage;
  await stage.goto("#/");
  await stage.until("the reason is shown", () => document.querySelector(".problem:not([hidden])")?.textContent.includes("GPUs cannot be read"));
  check((await page.locator(".problem").first().textContent()).includes("What to do:"), "there is no advice");
  const doctor = '.problem:not([hidden]) p:not([hidden]) code';
  check((await page.locator(doctor).first().textContent()) === "gpulse doctor", "the command that helps is not named");
  await stage.accessible("no driver");
  await stage.picture("no-driver");
  for (const view of ["gpu", "processes", "topology", "events", "health"]) {
    await stage.goto(`#/${view}`);
    await stage.until(`${view} is shown`, () => document.querySelector("main .view")?.textContent.length > 0);
    check(!/\b0 (%|W|°C)/.test(await page.locator("main").textContent()), `${view} shows zeros`);
  }
  await stage.until("health says it, too", () => document.querySelector(".components .bad") !== null);
  await stage.picture("no-driver-health");

  stage.url = empty;
  await stage.goto("#/");
  await stage.until("no GPUs", () => document.querySelector(".problem:not([hidden])")?.textContent.includes("There are no GPUs here"));
  check((await page.locator(doctor).first().textContent()) === "gpulse doctor", "the command that helps is not named where there are no GPUs");

  stage.url = unified;
  await stage.goto("#/gpu");
  await stage.until("there is data", () => document.querySelectorAll(".facts dd").length > 0 && document.querySelector(".tile dd").textContent !== "");
  const memory = page.locator(".tile").filter({ hasText: "Memory" }).first().locator("dd").first();
  check((await memory.textContent()).includes("not available: this GPU does not have it"), `memory: ${await memory.textContent()}`);
  check((await memory.getAttribute("title")) === "not available: this GPU does not have it", "the reason is not under the pointer");
  await stage.accessible("absent readings");
  await stage.picture("absent");

  stage.url = mig;
  await stage.goto("#/");
  await stage.until("instances are listed", () => [...document.querySelectorAll("tbody tr")].length === 3);
  check((await page.locator(".cell .value").textContent()).startsWith("–"), "the load of a GPU that is cut is not a dash");
  await stage.accessible("MIG");
  await stage.picture("mig");
  await stage.goto("#/gpu");
  await stage.until("each instance is shown", () => document.querySelectorAll(".instances li").length === 3);
  await page.locator(".instances").scrollIntoViewIfNeeded();
  await stage.accessible("MIG instances");
  await stage.picture("mig-gpu");
  await stage.close();
}
