// How GPUs are joined: a matrix of NVLinks and PCIe, and where each of them is seen from the processors.

import { Feed } from "../core/feed.js";
import { h, setClass, setText, show } from "../core/dom.js";
import { reading } from "../core/readings.js";
import { showReading } from "../core/value.js";
import { ANCESTORS, reasonText, spaced } from "../core/words.js";
import { Problem } from "../parts/problem.js";

export function topology(ctx) {
  const { store } = ctx;
  const problem = new Problem(ctx);
  const feed = new Feed(store, "/api/v1/topology", 15_000, ctx.changed);
  const matrix = h("div", { class: "scroll matrix-scroll", role: "region", tabindex: "0", "aria-label": "Topology matrix" });
  const places = h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Affinity of GPUs" });
  const waiting = h("p", { class: "quiet", role: "status" });
  const element = h("div", { class: "view" },
    h("section", { class: "panel" }, h("h1", { text: "Topology" }), problem.element, waiting, matrix, legend()),
    h("section", { class: "panel" }, h("h2", { text: "Affinity" }), places));
  let shown = null;

  function update() {
    problem.update();
    feed.tick();
    const body = feed.body;
    const unread = feed.said("The topology");
    setText(waiting, unread);
    setClass(waiting, feed.error ? "error" : "quiet");
    show(waiting, unread !== "" && !store.problem());
    if (!body) return;
    const state = JSON.stringify([body.gpus, body.pairs, body.unavailable]);
    if (state === shown) return;
    shown = state;
    matrix.replaceChildren(matrixTable(body));
    places.replaceChildren(placesTable(body));
  }

  return { title: "Topology", element, update, leave: () => feed.stop() };
}

function matrixTable(body) {
  const pairs = new Map();
  (body.pairs ?? []).forEach((pair, place) => {
    const withReasons = { ...pair, place };
    pairs.set(`${pair.first} ${pair.second}`, withReasons);
    pairs.set(`${pair.second} ${pair.first}`, withReasons);
  });
  const heading = (gpu, scope) => h("th", { scope, text: `GPU ${gpu.index}` });
  const row = (gpu) => h("tr", {}, heading(gpu, "row"), body.gpus.map((other) => cell(body, gpu, other, pairs.get(`${gpu.index} ${other.index}`))));
  return h("table", { class: "matrix" },
    h("caption", { class: "sr", text: "How each two GPUs are joined" }),
    h("thead", {}, h("tr", {}, h("td", {}), body.gpus.map((gpu) => heading(gpu, "col")))),
    h("tbody", {}, body.gpus.map(row)));
}

function cell(body, gpu, other, pair) {
  if (gpu.index === other.index) return h("td", { class: "self" }, h("span", { "aria-hidden": "true", text: "×" }), h("span", { class: "sr", text: "itself" }));
  const element = h("td", {});
  if (!pair) {
    showReading(element, { reason: body.unavailable?.pairs ?? "not_ready" }, String);
    return element;
  }
  const why = (key) => body.unavailable?.[`pairs.${pair.place}.${key}`] ?? "error";
  const ancestor = ANCESTORS[pair.common_ancestor];
  const p2p = (key) => (pair[key] === null ? `not known: ${reasonText(why(key))}` : spaced(pair[key]));
  const way = ancestor ? `PCIe ${ancestor.meaning}` : pair.common_ancestor ? spaced(pair.common_ancestor) : `PCIe not known: ${reasonText(why("common_ancestor"))}`;
  const links = pair.nvlinks === null ? `NVLinks not known: ${reasonText(why("nvlinks"))}` : `${pair.nvlinks} NVLinks`;
  const title = `GPU ${gpu.index} and ${other.index}: ${links}; ${way}; peer to peer read ${p2p("p2p_read")}, write ${p2p("p2p_write")}, NVLink ${p2p("p2p_nvlink")}`;
  element.title = title;
  if (pair.nvlinks > 0) {
    element.className = "join-nvlink";
    element.textContent = `NV${pair.nvlinks}`;
  } else if (ancestor) {
    element.className = `join-${ancestor.rank}`;
    element.textContent = ancestor.short;
  } else {
    showReading(element, { reason: why("common_ancestor") }, String);
  }
  return element;
}

function placesTable(body) {
  const absent = (gpu, place, path, format = String) => {
    const element = h("td", {});
    showReading(element, gpu[path] !== null ? { value: gpu[path] } : { reason: body.unavailable?.[`gpus.${place}.${path}`] ?? reading(gpu, path).reason }, format);
    return element;
  };
  return h("table", {},
    h("caption", { class: "sr", text: "Where each GPU is, seen from the processors" }),
    h("thead", {}, h("tr", {}, ["GPU", "PCI", "NUMA node", "CPUs", "Memory nodes"].map((text) => h("th", { scope: "col", text })))),
    h("tbody", {}, body.gpus.map((gpu, place) => h("tr", {}, h("th", { scope: "row", text: `GPU ${gpu.index}` }),
      absent(gpu, place, "pci_bus_id"), absent(gpu, place, "numa_node"), absent(gpu, place, "cpu_affinity"), absent(gpu, place, "memory_affinity")))));
}

function legend() {
  const items = [["NV#", "join-nvlink", "joined by so many NVLinks"],
    ...Object.values(ANCESTORS).map(({ short, rank, meaning }) => [short, `join-${rank}`, meaning])];
  return h("ul", { class: "key", "aria-label": "What the marks mean" }, items.map(([short, name, meaning]) => h("li", {}, h("span", { class: `mark ${name}`, text: short }), ` ${meaning}`)));
}
