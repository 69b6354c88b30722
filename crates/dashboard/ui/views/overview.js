// All GPUs: totals, what needs somebody, the grid or the same as a table, and MIG instances.

import { h, keyed, setAttr, setText, show } from "../core/dom.js";
import { bytes, celsius, finePercent, megahertz, moment, percent, shortName, watts } from "../core/format.js";
import { reading, share } from "../core/readings.js";
import { showReading } from "../core/value.js";
import { STATES, THROTTLES, spaced } from "../core/words.js";
import { showState, stateBadge } from "../parts/badge.js";
import { HeatGrid } from "../parts/heat.js";
import { METRICS } from "../parts/metrics.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Totals } from "../parts/totals.js";

let chosen = METRICS[0];
let asTable = false;

export function overview(ctx) {
  const { store } = ctx;
  const totals = new Totals();
  const problem = new Problem(ctx);
  const grid = new HeatGrid(store.base);
  const table = gpuTable(ctx);
  const attention = h("ul", { class: "attention" });
  const attentionPart = h("section", { class: "panel", "aria-label": "Needs attention" }, h("h2", { text: "Needs attention" }), attention);
  const mig = migTable(ctx);
  const migPart = h("section", { class: "panel" }, h("h2", { text: "MIG instances" }), mig.element);
  const scale = h("div", { class: "scale", "aria-hidden": "true" },
    h("span", { text: "low" }), ...Array.from({ length: 11 }, (_, place) => h("i", { class: `heat-${place}` })), h("span", { text: "high" }));
  let dirty = true;

  const metricPicker = h("div", { class: "segmented", role: "group", "aria-label": "Colour by" },
    METRICS.map((metric) => h("button", {
      type: "button", text: metric.label, "aria-pressed": String(metric === chosen), data: { metric: metric.id },
      on: { click: () => choose(() => { chosen = metric; }) },
    })));
  const shapePicker = h("div", { class: "segmented", role: "group", "aria-label": "Show as" },
    [["Grid", false], ["Table", true]].map(([label, value]) => h("button", {
      type: "button", text: label, "aria-pressed": String(asTable === value), data: { table: String(value) },
      on: { click: () => choose(() => { asTable = value; }) },
    })));

  function choose(change) {
    change();
    for (const button of metricPicker.children) setAttr(button, "aria-pressed", String(button.dataset.metric === chosen.id));
    for (const button of shapePicker.children) setAttr(button, "aria-pressed", String(button.dataset.table === String(asTable)));
    update();
  }

  const gpuPart = h("section", { class: "panel", "aria-label": "GPUs" },
    h("div", { class: "panel-head" }, h("h2", { text: "GPUs" }), metricPicker, shapePicker), grid.element, table.element, scale);
  const waiting = h("p", { class: "quiet", text: "Waiting for the first data…" });
  const element = h("div", { class: "view" }, h("h1", { class: "sr", text: "Overview" }), problem.element, totals.element, attentionPart, waiting, gpuPart, migPart);
  const end = store.onSnapshot(() => { dirty = true; });

  function update() {
    const gpus = store.gpus();
    problem.update();
    show(waiting, store.snapshot === null && store.connection.kind !== "denied");
    show(totals.element, gpus.length > 0);
    show(gpuPart, gpus.length > 0);
    totals.update(gpus);
    const sick = gpus.flatMap(complaints);
    show(attentionPart, sick.length > 0);
    keyed(attention, sick, ({ key }) => key, () => h("li", {}, stateBadge(), h("a", {}), h("span", {})), (item, { gpu, text, state }) => {
      showState(item.children[0], state);
      setAttr(item.children[1], "href", ctx.link("gpu", { argument: gpu.uuid ?? gpu.index }));
      setText(item.children[1], `GPU ${gpu.index}`);
      setText(item.children[2], text);
    });
    show(grid.element, !asTable);
    show(scale, !asTable);
    show(table.element, asTable);
    if (asTable) table.set(gpus);
    else grid.update(gpus, chosen, Date.parse(store.snapshot?.published_at) / 1000, dirty, store.hello?.interval_seconds);
    const instances = gpus.flatMap((gpu) => (gpu.mig?.instances ?? []).map((instance) => ({ gpu, instance })));
    show(migPart, instances.length > 0);
    mig.set(instances);
    dirty = false;
  }

  return { title: "Overview", element, update, leave: () => { end(); grid.leave(); } };
}

/** What is wrong with a GPU, worst first; nothing if it does well. */
function complaints(gpu) {
  const found = [];
  if (gpu.state !== "ok") {
    const known = STATES[gpu.state] ?? STATES.unavailable;
    const error = gpu.last_error;
    const said = error ? ` At ${moment(error.at)}: ${error.call}: ${error.message}.` : "";
    found.push({ key: `${gpu.index} state`, gpu, state: gpu.state, text: `${known.meaning}${said} ${known.advice ?? ""}`.trim() });
    return found;
  }
  const action = gpu.reliability?.recovery_action;
  if (action && action !== "none") {
    found.push({ key: `${gpu.index} recovery`, gpu, state: "ok", text: `The driver asks for: ${spaced(action)}.` });
  }
  const hot = (gpu.clocks?.event_reasons ?? []).filter((reason) => /thermal|hw_/.test(reason));
  if (hot.length > 0) {
    const text = hot.map((reason) => THROTTLES[reason]?.meaning ?? spaced(reason)).join(" ");
    found.push({ key: `${gpu.index} clocks`, gpu, state: "ok", text: `Clocks are lowered. ${text}` });
  }
  return found;
}

/** A column with a reading. */
export function readingColumn(id, label, read, format) {
  return {
    id, label, numeric: true,
    sort: (gpu) => read(gpu).value ?? null,
    cell: () => h("span", {}),
    fill: (cell, gpu) => showReading(cell, read(gpu), format),
  };
}

function gpuTable(ctx) {
  return new Table({
    label: "GPUs", key: (gpu) => gpu.uuid ?? gpu.index, sortBy: "index", empty: "No GPUs.", mark: ({ state }) => (state === "ok" ? "" : "old"),
    columns: [
      {
        id: "index", label: "GPU", heading: true, sort: (gpu) => gpu.index, cell: () => h("a", {}),
        fill: (anchor, gpu) => {
          setAttr(anchor, "href", ctx.link("gpu", { argument: gpu.uuid ?? gpu.index }));
          setText(anchor, `${gpu.index} ${gpu.identity?.name ? shortName(gpu.identity.name) : ""}`.trim());
        },
      },
      { id: "state", label: "State", sort: (gpu) => gpu.state, cell: stateBadge, fill: (badge, gpu) => showState(badge, gpu.state) },
      readingColumn("load", "Load", (gpu) => reading(gpu, "load.gpu_percent"), percent),
      readingColumn("sm", "SM", (gpu) => reading(gpu, "activity.sm_percent"), percent),
      readingColumn("memory", "Memory", (gpu) => reading(gpu, "memory.used_bytes"), bytes),
      readingColumn("memory-share", "of total", (gpu) => share(gpu, "memory.used_bytes", "memory.total_bytes"), finePercent),
      readingColumn("power", "Power", (gpu) => reading(gpu, "power.draw_watts"), watts),
      readingColumn("limit", "Limit", (gpu) => reading(gpu, "power.enforced_limit_watts"), watts),
      readingColumn("temperature", "Temp.", (gpu) => reading(gpu, "thermal.gpu_celsius"), celsius),
      readingColumn("clock", "SM clock", (gpu) => reading(gpu, "clocks.sm_mhz"), megahertz),
    ],
  });
}

function migTable(ctx) {
  const of = (path) => ({ instance, gpu }) => reading({ ...instance, unavailable: instance.unavailable ?? gpu.unavailable, state: gpu.state }, path);
  return new Table({
    label: "MIG instances", key: ({ gpu, instance }) => `${gpu.index} ${instance.uuid}`, sortBy: "gpu", mark: ({ gpu }) => (gpu.state === "ok" ? "" : "old"),
    columns: [
      {
        id: "gpu", label: "GPU", heading: true, sort: ({ gpu }) => gpu.index, cell: () => h("a", {}),
        fill: (anchor, { gpu }) => {
          setAttr(anchor, "href", ctx.link("gpu", { argument: gpu.uuid ?? gpu.index }));
          setText(anchor, `GPU ${gpu.index}`);
        },
      },
      { id: "profile", label: "Profile", sort: ({ instance }) => instance.profile, cell: () => h("span", {}), fill: (cell, item) => showReading(cell, of("profile")(item), String) },
      readingColumn("load", "Graphics activity", of("activity.graphics_percent"), percent),
      readingColumn("memory", "Memory", of("memory_used_bytes"), bytes),
      readingColumn("total", "of", of("memory_total_bytes"), bytes),
    ],
  });
}
