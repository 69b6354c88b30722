// The agent goes and comes again at the same address: the page says so, dims, and goes on by itself.

import { Stage, ask, check } from "../stage.js";

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  await stage.goto("#/");
  await stage.live();
  await page.evaluate(() => { globalThis.marker = "the same page"; });
  const before = await page.evaluate(() => globalThis.gpulse.store().hello.instance);
  // Nobody answers for a while, which browsers report by themselves.
  stage.expect(/Failed to load resource: net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)/);
  stage.expect(/net::ERR_INCOMPLETE_CHUNKED_ENCODING/);
  await ask("stop");
  await stage.until("the page says that the agent is gone", () => document.querySelector(".connection.bad")?.textContent.includes("trying again"));
  await stage.until("the data becomes old", () => document.querySelector("#app").classList.contains("is-stale"));
  const shown = await page.locator(".cell").count();
  check(shown === 8, `what was known is gone: ${shown} cells`);
  check(/\d+ s old/.test(await page.locator(".age").textContent()), "the age is not shown");
  await stage.accessible("stale data");
  await stage.picture("stale");
  await ask("start");
  await stage.live();
  await stage.until("another process is known", (instance) => globalThis.gpulse.store().hello?.instance !== instance, before);
  await stage.until("the data is fresh", () => !document.querySelector("#app").classList.contains("is-stale"));
  check((await page.evaluate(() => globalThis.marker)) === "the same page", "the page was loaded anew");
  check((await page.evaluate(() => globalThis.gpulse.store().restarts)) === 1, "the restart was not noticed");
  await stage.picture("after-restart");
  await stage.close();
}
