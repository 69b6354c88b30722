// Several agents: those of the configuration, one that is down, one that is added, one that the policy forbids; and any of
// them in all views.

import { Stage, check } from "../stage.js";

export async function play({ other, down, added, ...world }) {
  const stage = await Stage.open({ ...world, others: [other, down, added] });
  const { page } = stage;
  stage.expect(/ERR_CONNECTION_REFUSED/);
  await stage.goto("#/fleet");
  await stage.until("the two answer and the third does not", () => document.querySelectorAll("tbody .badge.good").length === 2 && document.querySelectorAll("tbody .badge.bad").length === 1);
  const row = (base) => page.locator("tbody tr").filter({ hasText: base });
  check((await row(other).textContent()).includes("4 / 4"), `the other's GPUs: ${await row(other).textContent()}`);
  check((await row(down).textContent()).includes("http.cors_origins"), "what may be the cause is not said");

  const field = page.getByLabel("Address of an agent");
  await field.fill("https://elsewhere.example:8003");
  await page.keyboard.press("Enter");
  await stage.until("what the policy forbids is refused", () => document.querySelector('.view [role="alert"]')?.textContent.includes("dashboard.allowed_agents"));
  await field.fill(added);
  await page.keyboard.press("Enter");
  await stage.until("the added one answers", () => document.querySelectorAll("tbody .badge.good").length === 3);
  await stage.accessible("the fleet");
  await stage.picture("fleet");
  await page.reload();
  await stage.until("it is still known", () => document.querySelectorAll("tbody .badge.good").length === 3);
  await row(added).getByRole("button", { name: /Remove/ }).click();
  await stage.until("it is gone", () => document.querySelectorAll("tbody .badge.good").length === 2);

  await row(other).getByRole("link").click();
  await stage.until("the other agent's GPUs are shown", () => document.querySelectorAll(".cell").length === 4);
  await stage.live();
  for (const [key, sign] of [["2", ".charts canvas"], ["3", "tbody tr"], ["4", ".event"], ["5", ".matrix"], ["6", ".components > div"]]) {
    await page.keyboard.press(key);
    await stage.until(`view ${key} of the other agent`, (selector) => document.querySelector(selector) !== null, sign);
    check(page.url().includes(encodeURIComponent(other)), `the address forgets the agent: ${page.url()}`);
  }
  await stage.picture("remote");
  await stage.close();
}
