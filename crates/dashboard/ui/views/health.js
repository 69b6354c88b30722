// How agent, driver and GPUs are, with the reason for everything that is not as it should be.

import { Feed } from "../core/feed.js";
import { h, keyed, setAttr, setText, show } from "../core/dom.js";
import { ABSENT, count, duration, moment } from "../core/format.js";
import { general } from "../core/readings.js";
import { STATES, reasonText, spaced } from "../core/words.js";
import { showState, stateBadge } from "../parts/badge.js";
import { Table } from "../parts/table.js";

export function health(ctx) {
  const detailed = new Feed(ctx.store, "/health/detailed", 2000, ctx.changed, { isAboutGpus: false });
  const host = new Feed(ctx.store, "/api/v1/host", 5000, ctx.changed, { isAboutGpus: false });
  // Every reading of every GPU: seldom, and only while this view is open.
  const all = new Feed(ctx.store, "/api/v1/gpus", 20_000, ctx.changed);
  const verdict = h("p", { class: "verdict", role: "status" });
  const unread = h("p", { class: "quiet", role: "status" });
  const parts = h("dl", { class: "components" });
  const missing = h("ul", { class: "attention" });
  const gpus = gpuTable(ctx);
  const absences = h("ul", { class: "absences" });
  const element = h("div", { class: "view" },
    h("section", { class: "panel" }, h("h1", { text: "Health" }), unread, verdict, parts, missing),
    h("section", { class: "panel" }, h("h2", { text: "GPUs" }), gpus.element),
    h("section", { class: "panel" }, h("h2", { text: "Readings that are absent, and why" }), absences));

  function update() {
    for (const feed of [detailed, host, all]) feed.tick();
    const text = detailed.said("The agent's health");
    setText(unread, text);
    setAttr(unread, "class", detailed.error ? "error" : "quiet");
    show(unread, text !== "");
    if (detailed.body) {
      const { status, components } = detailed.body;
      setText(verdict, status === "healthy" || status === "ok" ? "● Everything is as it should be." : `▲ The agent says: ${spaced(status)}.`);
      setAttr(verdict, "class", status === "healthy" || status === "ok" ? "verdict good" : "verdict bad");
      keyed(parts, rows(detailed.body, host.body), ({ label }) => label, () => h("div", {}, h("dt", {}), h("dd", {}), h("dd", { class: "quiet" })), (item, { label, value, note, bad }) => {
        setText(item.children[0], label);
        setText(item.children[1], value);
        setText(item.children[2], note ?? "");
        setAttr(item, "class", bad ? "bad" : null);
      });
      const absent = components.inventory?.missing ?? [];
      show(missing, absent.length > 0);
      keyed(missing, absent, (gpu) => gpu.pci_bus_id ?? JSON.stringify(gpu), () => h("li", {}), (item, gpu) => setText(item, `A GPU is missing: ${gpu.pci_bus_id ?? ""} ${gpu.message ?? gpu.reason ?? ""}`.trim()));
      gpus.set(components.gpus);
    }
    if (all.body) fillAbsences(absences, all.body.gpus);
  }

  return { title: "Health", element, update, leave: () => [detailed, host, all].forEach((feed) => feed.stop()) };
}

/** What the agent consists of, and how each part is. */
function rows(detailed, host) {
  const { nvml, inventory, aggregator } = detailed.components;
  const list = [
    { label: "Agent", value: `${detailed.agent_id}, version ${detailed.version}`, note: `up for ${duration(detailed.uptime_seconds)}, ${count(detailed.metrics.requests_total)} requests` },
    { label: "NVML", value: nvml.status === "ok" ? `driver ${nvml.driver_version ?? ABSENT}` : spaced(nvml.reason ?? nvml.status), note: [nvml.message, nvml.hint ? `What to do: ${nvml.hint}.` : ""].filter(Boolean).join(" "), bad: nvml.status !== "ok" },
    { label: "Inventory", value: inventory.gpus_expected === null ? "not known" : `${inventory.gpus_found ?? ABSENT} of ${inventory.gpus_expected} GPUs`, note: inventory.message ?? (inventory.reason ? reasonText(inventory.reason) : ""), bad: inventory.gpus_missing > 0 },
    { label: "Aggregator", value: `generation ${aggregator.generation}`, note: `published ${moment(aggregator.published_at)}` },
  ];
  if (host) {
    const { kubernetes, driver, events } = host;
    if (driver.cuda_driver_version) list.push({ label: "CUDA", value: driver.cuda_driver_version, note: driver.simulated ? "simulated GPUs" : `NVML ${driver.nvml_version}` });
    list.push({ label: "Kubernetes", value: kubernetes.reason ? reasonText(kubernetes.reason === "not_supported" ? "no_kubelet" : kubernetes.reason) : `${kubernetes.held_devices} devices held`, note: kubernetes.message ?? "" });
    list.push({ label: "Events", value: `${Object.values(events.kinds).reduce((total, number) => total + number, 0)} since the start`, note: events.dropped > 0 ? `${events.dropped} were dropped` : "", bad: events.dropped > 0 });
  }
  return list;
}

function gpuTable(ctx) {
  return new Table({
    label: "Health of GPUs", key: (gpu) => gpu.gpu_id, sortBy: "gpu", empty: "The agent knows no GPUs.",
    columns: [
      {
        id: "gpu", label: "GPU", heading: true, sort: (gpu) => gpu.gpu_id, cell: () => h("a", {}),
        fill: (anchor, gpu) => {
          setAttr(anchor, "href", ctx.link("gpu", { argument: gpu.gpu_uuid ?? gpu.gpu_id }));
          setText(anchor, `GPU ${gpu.gpu_id}`);
        },
      },
      { id: "state", label: "State", sort: (gpu) => gpu.state, cell: stateBadge, fill: (badge, gpu) => showState(badge, gpu.state) },
      { id: "since", label: "Since", sort: (gpu) => gpu.since, fill: (cell, gpu) => setText(cell, gpu.since ? moment(gpu.since) : ABSENT) },
      { id: "age", label: "Age", numeric: true, sort: (gpu) => gpu.age_seconds, fill: (cell, gpu) => setText(cell, gpu.age_seconds === null ? ABSENT : duration(gpu.age_seconds)) },
      { id: "failures", label: "Failures in a row", numeric: true, sort: (gpu) => gpu.failures, fill: (cell, gpu) => setText(cell, count(gpu.failures)) },
      { id: "overruns", label: "Overruns", numeric: true, sort: (gpu) => gpu.overruns, fill: (cell, gpu) => setText(cell, count(gpu.overruns)) },
      { id: "error", label: "Why", class: "wide", fill: (cell, gpu) => setText(cell, why(gpu)) },
    ],
  });
}

function why(gpu) {
  const known = STATES[gpu.state];
  const error = gpu.last_error;
  const said = error ? `${error.call}: ${error.message} (${moment(error.at)}).` : "";
  return gpu.state === "ok" ? (said ? `Before: ${said}` : "") : [known?.meaning, said, known?.advice ? `What to do: ${known.advice}` : ""].filter(Boolean).join(" ");
}

/** Reasons, with the readings that are absent for them and on how many GPUs. */
function fillAbsences(list, gpus) {
  const found = new Map();
  for (const gpu of gpus) {
    // Each reading once for each GPU, of however many processes or links it is.
    const own = new Map(Object.entries(gpu.unavailable ?? {}).map(([path, reason]) => [`${reason} ${general(path)}`, [general(path), reason]]));
    for (const [path, reason] of own.values()) {
      const paths = found.get(reason) ?? new Map();
      found.set(reason, paths.set(path, (paths.get(path) ?? 0) + 1));
    }
  }
  const described = ([path, number]) => (number === gpus.length ? path : `${path} (${number} of ${gpus.length} GPUs)`);
  keyed(list, [...found], ([reason]) => reason, () => h("li", {}, h("b", {}), h("span", { class: "paths" })), (item, [reason, paths]) => {
    setText(item.firstChild, `${reasonText(reason)}: `);
    setText(item.lastChild, [...paths].map(described).join(", "));
  });
}
