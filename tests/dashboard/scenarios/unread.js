// A list that is awaited, or that cannot be read, is not an empty one.

import { Stage, check } from "../stage.js";

const ROUTE = "**/api/v1/processes";
const EMPTY = "No process is on a GPU";

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  const held = [];
  await page.route(ROUTE, (route) => held.push(route));
  await stage.goto("#/processes");
  await stage.live();
  await stage.until("the list is awaited", () => document.querySelector("main").innerText.includes("Waiting"));
  check(!(await page.locator("main").innerText()).includes(EMPTY), "an awaited list is shown as an empty one");

  stage.expect(/Failed to load resource: the server responded with a status of 500/);
  const refuse = (route) => route.fulfill({ status: 500, json: { detail: "out of order" } });
  await page.route(ROUTE, refuse);
  for (const route of held) await refuse(route);
  await stage.until("the reason is shown", () => document.querySelector(".view .error")?.textContent.includes("out of order"));
  check(!(await page.locator("main").innerText()).includes(EMPTY), "a failed list is shown as an empty one");
  await stage.accessible("an unread list");

  await page.unrouteAll();
  await stage.until("the list comes", () => document.querySelectorAll("tbody tr").length > 0);
  await page.route(ROUTE, refuse);
  await stage.until("its age is shown", () => /what is shown is \d+ s old/.test(document.querySelector(".view .error")?.textContent));
  check((await page.locator("tbody tr").count()) > 0, "what was known is gone");
  await stage.close();
}
