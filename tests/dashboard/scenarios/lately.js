// A page that was just opened shows what the GPUs did before: its sparklines begin with what the agent kept.

import { Stage, check } from "../stage.js";

/** Seconds of history that the agent answers with, and those in the middle in which nothing was read. */
const KEPT = 115;
const [FROM, TO] = [36, 90];

/** In which of five equal parts of a GPU's sparkline something is drawn; or whether it is in those that are `expected`. */
const drawn = ({ gpu, expected }) => {
  const canvas = document.querySelectorAll(".cell canvas")[gpu];
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const parts = [false, false, false, false, false];
  for (let at = 3; at < data.length; at += 4) if (data[at] > 0) parts[Math.floor(((((at - 3) / 4) % width) / width) * 5)] = true;
  const found = parts.map((part) => (part ? "#" : ".")).join("");
  return expected ? found === expected : found;
};

export async function play(world) {
  const stage = await Stage.open(world);
  // The test reads pictures, the page does not.
  stage.expect(/willReadFrequently/);
  const asked = [];
  // The agent has just begun, so it is given a past.
  await stage.page.route("**/api/v1/history?*", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const end = Math.floor(Date.now() / 1000) - 3;
    asked.push(body.series[0].metric);
    body.times = Array.from({ length: KEPT }, (_, place) => end - KEPT + place);
    for (const series of body.series) {
      const half = series.unit === "bytes" ? 2 ** 34 : 50;
      const past = body.times.map((_, place) => (series.gpu.index === 1 && place >= FROM && place < TO ? null : half));
      Object.assign(series, { mean: past, min: past, max: past });
    }
    await route.fulfill({ response: answer, json: body });
  });
  await stage.goto("#/");
  await stage.live();
  await stage.until("the past is drawn", drawn, { gpu: 0, expected: "#####" });
  const broken = await stage.page.evaluate(drawn, { gpu: 1 });
  check(broken === "##.##", `what was not read is not left out: ${broken}`);
  check(asked.join() === "load.gpu_percent", `asked for ${asked}`);
  await stage.page.click('[data-metric="memory"]');
  await stage.until("the past of another reading is drawn", drawn, { gpu: 0, expected: "#####" });
  check(asked.join() === "load.gpu_percent,memory.used_bytes", `asked for ${asked}`);
  await stage.close();
}
