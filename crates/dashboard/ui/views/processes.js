// Who is on the GPUs: sortable, searchable, with user, container and pod.

import { Feed } from "../core/feed.js";
import { h, setAttr, setClass, setText, show } from "../core/dom.js";
import { bytes, duration, moment, percent } from "../core/format.js";
import { reading } from "../core/readings.js";
import { showReading } from "../core/value.js";
import { spaced } from "../core/words.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { readingColumn } from "./overview.js";

/** Windows in which a table shows its first columns only, until it is scrolled. */
const NARROW = matchMedia("(max-width: 640px)");

/** Columns that come before the name there: how much a process takes is what they are opened for. */
const FIRST = ["gpu", "pid", "memory", "sm"];

let sought = "";

export function processes(ctx) {
  const { store } = ctx;
  const problem = new Problem(ctx);
  const search = h("input", { type: "search", class: "search", placeholder: "Search ( / )", "aria-label": "Search processes by name, user, pid, container or pod", value: sought, on: { input: () => { sought = search.value; update(); } } });
  const summary = h("p", { class: "quiet", role: "status" });
  let table = processTable(ctx, NARROW.matches);
  const feed = new Feed(store, "/api/v1/processes", 2000, ctx.changed);
  const element = h("div", { class: "view" },
    h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h1", { text: "Processes" }), search), problem.element, summary, table.element));

  function update() {
    problem.update();
    feed.tick();
    const body = feed.body;
    const unread = feed.said("The list");
    setClass(summary, feed.error ? "error" : "quiet");
    show(summary, !store.problem());
    if (!body) {
      setText(summary, unread);
      return;
    }
    const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
    const gpus = new Map(store.gpus().map((gpu) => [gpu.uuid, gpu]));
    const all = body.processes.map((process) => ({ ...process, holder: holder(gpus, process), old: age(store, gpus.get(process.gpu_uuid)) }));
    const found = all.filter((process) => words.every((word) => haystack(process).includes(word)));
    table.says(all.length > 0 ? "No process fits the search." : "No process is on a GPU.");
    table.set(found);
    setText(summary, unread || `${found.length} of ${all.length} processes${untold(body)}`);
  }

  /** The columns in the order for the window as it is now. */
  function arrange() {
    const other = processTable(ctx, NARROW.matches);
    table.element.replaceWith(other.element);
    table = other;
    update();
  }

  NARROW.addEventListener("change", arrange);
  const leave = () => {
    NARROW.removeEventListener("change", arrange);
    feed.stop();
  };
  return { title: "Processes", element, update, search, leave };
}

/** How many there are beside those that are listed, and which GPUs do not say. */
function untold(body) {
  const others = body.gpus.reduce((total, gpu) => total + (gpu.other?.count ?? 0), 0);
  const silent = body.gpus.filter((gpu) => gpu.count === null).map((gpu) => gpu.index);
  return `${others > 0 ? `, ${others} more are summed only` : ""}${silent.length > 0 ? `; GPU ${silent.join(", ")} cannot say` : ""}`;
}

function haystack(process) {
  return [process.pid, process.name, process.user, process.container_id, process.container_runtime, process.pod_uid, process.holder,
    process.slurm_job_id, process.executable, ...(process.command ?? []), `gpu ${process.gpu_index}`].filter((part) => part !== null && part !== undefined).join(" ").toLowerCase();
}

/** How old a list of a GPU that is not ok is; nothing where it is current. */
function age(store, gpu) {
  if (!gpu || gpu.state === "ok") return null;
  const seconds = store.gpuAge(gpu);
  return `${gpu.state}${seconds === null ? "" : `, ${duration(seconds)} old`}`;
}

/** The pod's name, where Kubernetes gave the GPU to one pod only. */
function holder(gpus, process) {
  if (!process.pod_uid) return null;
  const pods = gpus.get(process.gpu_uuid)?.pods;
  return pods?.length === 1 ? `${pods[0].namespace}/${pods[0].pod}` : null;
}

const textColumn = (id, label, path) => ({
  id, label, sort: (process) => process[path], cell: () => h("span", {}),
  fill: (cell, process) => showReading(cell, ofProcess(process, path), String),
});

/** What `/proc` says of a process. One that cannot be looked up has nothing, and no reason of its own. */
function ofProcess(process, path) {
  const found = reading(process, path);
  if (found.value !== undefined || process.unavailable?.[path]) return found;
  return { reason: process.identity === "not_here" ? "not_here" : found.reason };
}

function processTable(ctx, isNarrow) {
  const columns = processColumns(ctx);
  const rank = ({ id }) => (FIRST.includes(id) ? FIRST.indexOf(id) : FIRST.length);
  return new Table({
    label: "Processes on GPUs", key: (process) => `${process.gpu_uuid} ${process.gpu_instance_id} ${process.pid}`, sortBy: "memory", descending: true,
    empty: "No process is on a GPU.", mark: ({ old }) => (old ? "old" : ""),
    columns: isNarrow ? columns.sort((one, other) => rank(one) - rank(other)) : columns,
  });
}

function processColumns(ctx) {
  return [
    {
      id: "gpu", label: "GPU", sort: (process) => process.gpu_index, cell: () => h("span", {}, h("a", {}), h("span", { class: "quiet below age-of" })),
      fill: (cell, process) => {
        const anchor = cell.firstChild;
        setText(cell.lastChild, process.old ?? "");
        setAttr(anchor, "href", ctx.link("gpu", { argument: process.gpu_uuid ?? process.gpu_index }));
        setText(anchor, process.gpu_instance_id === null ? `GPU ${process.gpu_index}` : `GPU ${process.gpu_index} / ${process.gpu_instance_id}`);
      },
    },
    { id: "pid", label: "PID", numeric: true, sort: (process) => process.pid, fill: (cell, process) => setText(cell, String(process.pid)) },
    {
      id: "name", label: "Name", heading: true, class: "wide", sort: (process) => process.name, cell: () => h("span", {}),
      fill: (cell, process) => {
        showReading(cell, reading(process, "name"), String);
        if (process.command?.length) setAttr(cell, "title", process.command.join(" "));
      },
    },
    textColumn("user", "User", "user"),
    {
      id: "container", label: "Container / pod", sort: (process) => process.holder ?? process.pod_uid ?? process.container_id, cell: () => h("span", {}),
      fill: (cell, process) => showReading(cell, container(process), String),
    },
    readingColumn("memory", "Memory", (process) => reading(process, "memory_used_bytes"), bytes),
    readingColumn("sm", "SM", (process) => reading(process, "sm_percent"), percent),
    { id: "kinds", label: "Kind", sort: (process) => (process.kinds ?? []).join(), fill: (cell, process) => setText(cell, (process.kinds ?? []).map(spaced).join(", ")) },
    { id: "started", label: "Started", sort: (process) => process.started_at, cell: () => h("span", {}), fill: (cell, process) => showReading(cell, ofProcess(process, "started_at"), (at) => moment(at)) },
  ];
}

function container(process) {
  const parts = [];
  if (process.holder) parts.push(process.holder);
  else if (process.pod_uid) parts.push(`pod ${process.pod_uid.slice(0, 13)}`);
  if (process.container_id) parts.push(`${process.container_runtime ?? "container"} ${process.container_id.slice(0, 12)}`);
  if (process.slurm_job_id) parts.push(`slurm ${process.slurm_job_id}`);
  if (parts.length > 0) return { value: parts.join(" · ") };
  // Absent without a reason: it was looked for.
  return process.identity === "found" && !process.unavailable?.container_id ? { reason: "no_container" } : ofProcess(process, "container_id");
}
