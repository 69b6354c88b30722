// Every view in both themes: it shows what it is for, a screen reader can use it, and the keyboard reaches all of it.

import { Stage, check } from "../stage.js";

/** The fragment of each view, and what has to be there before it counts as shown. */
export const VIEWS = {
  overview: ["#/", ".cell"],
  gpu: ["#/gpu", ".charts canvas"],
  processes: ["#/processes", "tbody tr"],
  events: ["#/events", ".event"],
  topology: ["#/topology", ".matrix tbody tr"],
  health: ["#/health", ".components > div"],
  fleet: ["#/fleet", "tbody .badge.good"],
};

export async function play(world) {
  const stage = await Stage.open(world);
  for (const theme of ["dark", "light"]) {
    await stage.page.emulateMedia({ colorScheme: theme });
    for (const [name, [fragment, sign]] of Object.entries(VIEWS)) {
      await stage.goto(fragment);
      await stage.live();
      await stage.until(`${name} is shown`, (selector) => document.querySelector(selector) !== null, sign);
      await stage.until(`${name} is ${theme}`, (theme) => document.documentElement.dataset.theme === theme, theme);
      await stage.accessible(`${name}, ${theme}`);
      await stage.fits(name);
      await stage.picture(`${name}-${theme}`);
    }
  }
  check(await stage.page.getByText("SIMULATED", { exact: true }).isVisible(), "that these GPUs are simulated is not said");
  await table(stage);
  await keys(stage);
  await themes(stage);
  await stage.close();
}

/** The grid as a table, sorting, searching. */
async function table(stage) {
  const { page } = stage;
  await stage.goto("#/");
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByRole("button", { name: "Power" }).last().click();
  await stage.until("the table sorts by power", () => document.querySelector('th[aria-sort="descending"]')?.textContent.startsWith("Power"));
  const draws = await page.evaluate(() => [...document.querySelectorAll("tbody tr")].map((row) => parseFloat(row.children[6].textContent)));
  check(draws.length === 8 && draws.every((draw, place) => place === 0 || draws[place - 1] >= draw), `not sorted: ${draws}`);
  await page.getByRole("button", { name: "Grid" }).click();
  await stage.goto("#/processes");
  await stage.until("processes are listed", () => document.querySelectorAll("tbody tr").length > 1);
  const pid = await page.locator("tbody tr").first().locator("td").nth(1).textContent();
  await page.keyboard.press("/");
  await page.keyboard.type(pid);
  await stage.until("the search finds one", () => document.querySelectorAll("tbody tr").length === 1);
  await page.keyboard.press("Control+A");
  await page.keyboard.type("no such process");
  await stage.until("the search finds none", () => document.querySelectorAll("tbody tr").length === 0);
}

/** Everything by keys alone. */
async function keys(stage) {
  const { page } = stage;
  await stage.goto("#/");
  await stage.until("cells are there", () => document.querySelectorAll(".cell").length === 8);
  const name = await page.locator(".cell").first().textContent();
  check(/^GPU 0.*, ok, GPU load \d+ %/.test(name), `a cell is read as: ${name}`);
  for (const [place, name] of Object.keys(VIEWS).entries()) {
    await page.keyboard.press(String(place + 1));
    await stage.until(`key ${place + 1} leads to ${name}`, (view) => document.querySelector(".tab[aria-current]").textContent.toLowerCase() === view, name);
  }
  await page.keyboard.press("1");
  await page.locator('.cell[tabindex="0"]').focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  check((await page.evaluate(() => document.activeElement.querySelector(".index").textContent)) === "1", "arrows do not move");
  check((await page.locator('.cell[tabindex="0"]').count()) === 1, "more than one cell is reached by Tab");
  await page.keyboard.press("Enter");
  await stage.until("Enter opens the GPU", () => document.querySelector(".title h1")?.textContent === "GPU 1");
  await page.keyboard.press("Escape");
  await stage.until("Escape leads back", () => document.querySelector(".heat .cell") !== null);
  await page.keyboard.press("?");
  await stage.until("help is open", () => document.querySelector("dialog").open);
  await stage.accessible("help");
  await stage.picture("help");
  await page.keyboard.press("Escape");
  await stage.until("help is closed", () => !document.querySelector("dialog").open);
  await page.keyboard.press("Tab");
}

/** The choice of a theme outlives the page. */
async function themes(stage) {
  const before = await stage.page.getAttribute("html", "data-theme");
  await stage.page.keyboard.press("t");
  const after = await stage.page.getAttribute("html", "data-theme");
  check(before !== after, "t does not change the theme");
  await stage.page.reload();
  await stage.live();
  check((await stage.page.getAttribute("html", "data-theme")) === after, "the theme is forgotten");
}
