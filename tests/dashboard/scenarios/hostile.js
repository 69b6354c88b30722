// Names that a tenant chooses are text wherever they are shown.

import { Stage, check } from "../stage.js";

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  page.on("dialog", (dialog) => stage.note(`a dialog: ${dialog.message()}`));
  for (const [fragment, name] of [["#/processes", "processes"], ["#/", "overview"], ["#/gpu", "gpu"]]) {
    await stage.goto(fragment);
    await stage.live();
    await stage.until(`${name} shows the name as it is`, () => document.querySelector("main").textContent.includes("<img src=x onerror="));
    check((await page.locator("main img, main script, main iframe").count()) === 0, `${name} made an element of it`);
    await stage.picture(`hostile-${name}`);
  }
  check((await page.evaluate(() => globalThis.injected)) === undefined, "it ran");
  // The policy holds even where the page would not.
  stage.expect(/Content Security Policy/);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.injected = 1";
    document.body.append(script);
    const image = document.createElement("img");
    image.setAttribute("onerror", "globalThis.injected = 2");
    image.src = "data:,";
    document.body.append(image);
  });
  await page.evaluate(() => fetch("http://192.0.2.1/").catch(() => {}));
  check((await page.evaluate(() => globalThis.injected)) === undefined, "the policy lets inline scripts run");
  await stage.close();
}
