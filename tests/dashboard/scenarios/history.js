// The past of one GPU: ranges, the brush, a drag over a chart.

import { Stage, check } from "../stage.js";

export async function play(world) {
  const stage = await Stage.open(world);
  const { page } = stage;
  await stage.goto("#/gpu/0");
  await stage.live();
  await stage.until("the brush is there", () => document.querySelector(".brush:not([hidden]) canvas") !== null);
  await stage.picture("history-live");
  const brush = page.locator(".brush .u-over");
  const box = await brush.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.99, box.y + box.height / 2, { steps: 8 });
  await page.mouse.up();
  await stage.until("a piece of the past is chosen", () => document.querySelector(".range .quiet:not([hidden])")?.textContent.includes(" to "));
  await stage.until("its points are drawn", () => /GPU \d+ %/.test(document.querySelector('[data-chart="load"] .legend').textContent));
  await stage.accessible("history");
  await stage.picture("history-brushed");
  await page.getByRole("button", { name: "5 min", exact: true }).click();
  await stage.until("it is live again", () => document.querySelector(".range .quiet").hidden);
  check((await page.locator('[data-span="300"]').getAttribute("aria-pressed")) === "true", "the button does not show it");
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await stage.until("an hour is shown", () => /GPU \d+ %/.test(document.querySelector('[data-chart="load"] .legend').textContent));
  await stage.picture("history-hour");
  await keys(stage);
  await joins(stage);
  await stage.close();
}

/** A time is chosen, and another GPU, by keys alone; the focus stays where it is, and so does the time. */
async function keys(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "5 min", exact: true }).click();
  await page.getByRole("slider", { name: "From" }).focus();
  for (let times = 0; times < 3; times += 1) await page.keyboard.press("ArrowRight");
  await stage.until("a slider chooses a time", () => document.querySelector(".range .quiet:not([hidden])")?.textContent.includes(" to "));
  check((await page.evaluate(() => document.activeElement.getAttribute("aria-valuetext"))).includes(":"), "the slider says no moment");
  await page.getByRole("button", { name: "15 min", exact: true }).click();
  await page.getByRole("combobox", { name: "GPU" }).focus();
  for (const index of [1, 2]) {
    await page.keyboard.press("ArrowDown");
    await stage.until(`GPU ${index} is shown`, (index) => document.querySelector(".title h1").textContent === `GPU ${index}` && document.title === `GPU ${index} · gpulse`, index);
    check((await page.evaluate(() => document.activeElement.tagName)) === "SELECT", "the focus is lost");
    check((await page.locator('[data-span="900"]').getAttribute("aria-pressed")) === "true", "the time is forgotten");
  }
}

/** What is read every few seconds is drawn as a line from the past on, and the second that is not over is no gap. */
async function joins(stage) {
  const { page } = stage;
  await page.reload();
  await stage.live();
  await stage.until("the past is drawn", () => document.querySelector('[data-chart="pcie"] canvas') !== null && document.querySelector('[data-chart="pcie"] .chart-empty').hidden);
  // Of the past, as the agent has it: seconds from its first point until now, and how wide that has to be.
  const wide = await page.evaluate(async () => {
    const body = await (await fetch("api/v1/history?metric=pcie.received_bytes_per_second&gpu=2&from=-5m&step=1s")).json();
    const first = body.times[body.series[0].mean.findIndex((value) => value !== null)];
    const { clientWidth } = document.querySelector('[data-chart="pcie"] .u-over');
    return ((globalThis.gpulse.store().agentNow() - first) / 300) * clientWidth;
  });
  await page.getByRole("button", { name: "5 min", exact: true }).click();
  // Pixels of the line, in each column of the picture: a line has no holes.
  const columns = await stage.until("PCIe is a line", (wide) => {
    const canvas = document.querySelector('[data-chart="pcie"] canvas');
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--line-2").trim();
    const wanted = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
    const drawn = [];
    for (let x = 0; x < width; x += 1) {
      for (let y = 0; y < height; y += 1) {
        const at = (y * width + x) * 4;
        if (wanted.every((part, place) => Math.abs(data[at + place] - part) < 24)) {
          drawn.push(x);
          break;
        }
      }
    }
    return drawn.length >= wide * 0.8 ? drawn : null;
  }, wide);
  const drawn = await columns.jsonValue();
  // A column in which the line is thin may be taken for none; from one reading to the next there are ten.
  const widest = Math.max(...drawn.slice(1).map((x, place) => x - drawn[place] - 1));
  check(widest <= 2, `the line of PCIe has a hole of ${widest} columns, it is drawn in ${drawn}`);
}
