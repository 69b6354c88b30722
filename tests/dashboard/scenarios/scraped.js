// The fleet as a Prometheus knows it: two agents that it scrapes, and one that it cannot.

import { Stage, check } from "../stage.js";

export async function play({ prometheus, four, one, down, ...world }) {
  const stage = await Stage.open({ ...world, others: [prometheus] });
  const { page } = stage;
  await stage.goto("#/fleet");
  const table = page.getByRole("region", { name: "Agents that Prometheus scrapes" });
  await stage.until("three instances are there", () => document.querySelectorAll('[aria-label="Agents that Prometheus scrapes"] tbody tr').length === 3);
  const cells = async (instance) => table.locator("tbody tr").filter({ hasText: instance }).locator("th, td").allTextContents();
  for (const [instance, gpus] of [[four, "4"], [one, "1"]]) {
    const [, scrape, total, notOk, load, memory, power] = await cells(instance);
    check(scrape.includes("works") && total === gpus && notOk === "0", `${instance}: ${await cells(instance)}`);
    check(/^\d.*%$/.test(load) && /^\d.*iB/.test(memory) && /^\d.* W$/.test(power), `${instance} has its numbers: ${await cells(instance)}`);
  }
  const [, scrape, total] = await cells(down);
  check(scrape.includes("fails") && !/\d/.test(total), `the one that is down: ${await cells(down)}`);
  check((await page.locator('.view .error[role="status"]').textContent()) === "", "Prometheus answers");
  await stage.accessible("the fleet as Prometheus knows it");
  await stage.picture("scraped");
  await stage.close();
}
