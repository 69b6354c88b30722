// What happened, what it means and what to do, the newest first.

import { h, keyed, setText, show } from "../core/dom.js";
import { moment } from "../core/format.js";
import { ACTIONS, EVENTS, STATES, spaced } from "../core/words.js";
import { severityBadge } from "../parts/badge.js";

const SEVERITIES = ["info", "warning", "critical", "fatal"];

/** Entries that are drawn at a time. */
const MOST = 300;

let least = "info";
let sought = "";

export function events(ctx) {
  const { store } = ctx;
  const search = h("input", { type: "search", class: "search", placeholder: "Search ( / )", "aria-label": "Search events", value: sought, on: { input: () => { sought = search.value; update(); } } });
  const picker = h("select", { "aria-label": "Least severity", on: { change: () => { least = picker.value; update(); } } },
    SEVERITIES.map((severity) => h("option", { value: severity, text: severity === "info" ? "all severities" : `${severity} and worse`, selected: severity === least })));
  const summary = h("p", { class: "quiet", role: "status" });
  const list = h("ol", { class: "events", "aria-label": "Events, the newest first" });
  const element = h("div", { class: "view" },
    h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h1", { text: "Events" }), picker, search), summary, list));
  let shown = null;

  function update() {
    const log = store.events;
    const state = `${log.instance} ${log.newest()} ${log.entries.length} ${log.loaded} ${least} ${sought}`;
    if (state === shown) return;
    shown = state;
    const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
    const all = log.entries.map(told).reverse();
    const found = all.filter((event) => SEVERITIES.indexOf(event.severity) >= SEVERITIES.indexOf(least)
      && words.every((word) => event.haystack.includes(word)));
    keyed(list, found.slice(0, MOST), ({ key }) => key, (event) => entry(ctx, event), () => {});
    const lost = log.lost > 0 ? `, ${log.lost} older ones are forgotten` : "";
    const more = found.length > MOST ? `, the newest ${MOST} are shown` : "";
    setText(summary, log.loaded || all.length > 0 ? `${found.length} of ${all.length} events${more}${lost}` : "Waiting for the log…");
    show(list, found.length > 0);
  }

  return { title: "Events", element, update, search, leave: () => {} };
}

/** An entry with what it means. */
function told(entry) {
  const known = EVENTS[entry.kind] ?? { label: spaced(entry.kind), severity: "info", meaning: "" };
  const told = { ...entry, key: `${entry.sequence} ${entry.at}`, label: known.label, severity: known.severity, meaning: known.meaning, advice: known.advice ?? "" };
  if (entry.xid) {
    const { code, name, meaning, severity, action } = entry.xid;
    Object.assign(told, { label: `XID ${code}: ${name}`, severity, meaning, advice: ACTIONS[action] ?? spaced(action) });
  } else if (entry.kind === "gpu_state") {
    const [now, before] = [STATES[entry.state], STATES[entry.state_before]];
    told.label = `${before?.label ?? entry.state_before} → ${now?.label ?? entry.state}`;
    told.severity = now?.severity ?? known.severity;
    told.meaning = now?.meaning ?? known.meaning;
    told.advice = now?.advice ?? "";
  } else if (entry.kind === "driver") {
    told.severity = entry.driver_reason ? "critical" : "info";
    told.meaning = entry.driver_reason ? `NVML cannot be used: ${spaced(entry.driver_reason)}.` : "NVML can be used from now on.";
  }
  told.haystack = [told.label, told.meaning, told.severity, entry.gpu_uuid, entry.pci_bus_id, entry.gpu_id === null ? "" : `gpu ${entry.gpu_id}`].join(" ").toLowerCase();
  return told;
}

function entry(ctx, event) {
  const where = event.gpu_id === null ? event.pci_bus_id ?? "host" : `GPU ${event.gpu_id}`;
  const instance = event.gpu_instance_id === null ? "" : ` / ${event.gpu_instance_id}`;
  return h("li", { class: `event event-${event.severity}` },
    h("div", { class: "event-head" },
      severityBadge(event.severity),
      h("strong", { text: event.label }),
      event.gpu_id === null ? h("span", { text: where }) : h("a", { href: ctx.link("gpu", { argument: event.gpu_uuid ?? event.gpu_id }), text: `${where}${instance}` }),
      h("time", { datetime: event.at, text: moment(event.at) })),
    event.meaning ? h("p", { text: event.meaning }) : null,
    event.advice ? h("p", { class: "advice" }, h("b", { text: "What to do: " }), event.advice) : null);
}
