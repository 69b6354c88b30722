// An agent that asks who reads: the page loads, asks for a token, and keeps it in the tab and nowhere else.

import { Stage, check } from "../stage.js";

export async function play({ token, ...world }) {
  const stage = await Stage.open(world);
  const { page } = stage;
  // The browser reports each refusal by itself.
  stage.expect(/status of 401/);
  await stage.goto("#/");
  await stage.until("a token is asked for", () => document.querySelector(".login:not([hidden]) input") === document.activeElement);
  check((await page.locator(".cell").count()) === 0, "there is data without a token");
  await stage.accessible("the question for a token");
  await stage.picture("token");
  await page.keyboard.type("gpulse_wrong");
  await page.keyboard.press("Enter");
  await stage.until("a wrong one is refused", () => document.querySelector(".login .error").textContent.includes("not accepted"));
  await page.locator("#token").fill(token);
  await page.keyboard.press("Enter");
  await stage.live();
  await stage.until("there is data", () => document.querySelectorAll(".cell").length === 8);
  for (const fragment of ["#/processes", "#/health", "#/events", "#/topology"]) {
    await stage.goto(fragment);
    await stage.until(`${fragment} has data`, () => document.querySelectorAll("tbody tr, .event").length > 0);
  }
  await page.reload();
  await stage.live();
  const kept = await page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie, location.href]);
  check(kept[0].includes(token), "the tab does not keep it");
  check(!kept.slice(1).some((place) => place.includes(token)), "it is kept where it should not be");

  const other = await stage.context.newPage();
  await other.goto(`${stage.url}/`);
  await other.locator(".login input").waitFor();
  await other.close();
  await stage.close();
}
