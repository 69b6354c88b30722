// Several agents at once: those of the configuration and those that were added, or what a Prometheus knows of them.

import { h, keyed, setText, show } from "../core/dom.js";
import { bytes, count, percent, watts } from "../core/format.js";
import { add, added, configured, prometheus, remove } from "../core/fleet.js";
import { AgentPolls } from "../core/poll-agents.js";
import { rows as ofPrometheus } from "../core/prometheus.js";
import { showReading } from "../core/value.js";
import { spaced } from "../core/words.js";
import { Table } from "../parts/table.js";
import { readingColumn } from "./overview.js";

const PROMETHEUS_EVERY = 10_000;

/** How an agent answers, with a sign beside the colour. */
const ANSWERS = {
  asking: ["◌", "asking", "neutral"],
  answers: ["●", "answers", "good"],
  denied: ["▲", "asks for a token", "warn"],
  fails: ["▲", "answers with an error", "warn"],
  silent: ["✕", "silent", "bad"],
};

export function fleet(ctx) {
  const polls = new AgentPolls(ctx.changed);
  const table = agentTable(ctx, () => follow());
  const input = h("input", { type: "text", inputmode: "url", placeholder: "https://gpu-2.example:8003", "aria-label": "Address of an agent" });
  const refused = h("p", { class: "error", role: "alert" });
  const form = h("form", { class: "adding", on: { submit: (event) => {
    event.preventDefault();
    const why = add(input.value.trim());
    setText(refused, why ?? "");
    if (!why) input.value = "";
    follow();
  } } }, input, h("button", { type: "submit", text: "Add agent" }));
  const source = prometheus();
  const scraped = scrapedTable();
  const scrapedError = h("p", { class: "error", role: "status" });
  const controller = new AbortController();
  let askedAt = -Infinity;
  const summary = h("p", { class: "quiet", role: "status" });
  const element = h("div", { class: "view" },
    h("section", { class: "panel" }, h("h1", { text: "Fleet" }), summary, table.element, form, refused,
      h("p", { class: "quiet", text: `An agent lets this page read when its http.cors_origins names ${location.origin}. Agents that are added here are kept in this browser.` })),
    source ? h("section", { class: "panel" }, h("h2", { text: `From Prometheus at ${source}` }), scrapedError, scraped.element) : null);

  function follow() {
    polls.follow(["", ...new Set([...configured(), ...added()].filter((base) => base !== location.origin))]);
    update();
  }

  async function askPrometheus() {
    askedAt = performance.now();
    try {
      scraped.set(await ofPrometheus(source, controller.signal));
      setText(scrapedError, "");
    } catch (error) {
      if (!controller.signal.aborted) setText(scrapedError, `Prometheus cannot be asked: ${error.message}`);
    }
  }

  function update() {
    const rows = [...polls.rows.values()];
    table.set(rows);
    const known = rows.filter(({ gpus }) => gpus);
    const total = known.reduce((sum, { gpus }) => sum + gpus.total, 0);
    const ok = known.reduce((sum, { gpus }) => sum + gpus.ok, 0);
    setText(summary, `${rows.filter(({ state }) => state === "answers").length} of ${rows.length} agents answer, ${ok} of ${total} GPUs are ok`);
    if (source && performance.now() - askedAt > PROMETHEUS_EVERY) askPrometheus();
  }

  follow();
  return { title: "Fleet", element, update, leave: () => { polls.stop(); controller.abort(); } };
}

const value = (read) => (row) => {
  const found = read(row);
  return found === null || found === undefined ? { reason: row.reason ?? "not_ready" } : { value: found };
};

function agentTable(ctx, changed) {
  return new Table({
    label: "Agents", key: ({ base }) => base, sortBy: "agent", empty: "No agents.",
    columns: [
      {
        id: "agent", label: "Agent", heading: true, sort: ({ base, id }) => id ?? base, cell: () => h("span", {}, h("a", {}), h("span", { class: "quiet below" })),
        fill: (cell, { base, id }) => {
          cell.firstChild.href = ctx.linkTo(base, "overview");
          setText(cell.firstChild, id ?? (base || "this agent"));
          setText(cell.lastChild, base || "serves this page");
        },
      },
      {
        id: "state", label: "Answer", sort: ({ state }) => state, cell: () => h("span", {}, h("span", { class: "badge" }), h("span", { class: "quiet below" })),
        fill: (cell, { state, error }) => {
          const [sign, label, name] = ANSWERS[state];
          cell.firstChild.className = `badge ${name}`;
          setText(cell.firstChild, `${sign} ${label}`);
          setText(cell.lastChild, error ?? "");
        },
      },
      {
        id: "gpus", label: "GPUs ok", numeric: true, sort: ({ gpus }) => gpus?.ok ?? null, cell: () => h("span", {}),
        fill: (cell, row) => showReading(cell, value(({ gpus }) => gpus)(row), (gpus) => `${gpus.ok} / ${gpus.total}`),
      },
      readingColumn("load", "Mean load", value(({ load }) => load), percent),
      readingColumn("memory", "Memory", value(({ memoryUsed }) => memoryUsed), bytes),
      readingColumn("power", "Power", value(({ power }) => power), watts),
      {
        id: "alerts", label: "Alerts", cell: () => h("ul", { class: "tags" }),
        fill: (list, row) => keyed(list, alerts(row), (text) => text, (text) => h("li", { class: "bad", text }), () => {}),
      },
      {
        id: "remove", label: "", cell: ({ base }) => h("button", { type: "button", class: "plain", text: "Remove", "aria-label": `Remove ${base}`, on: { click: () => { remove(base); changed(); } } }),
        fill: (button, { base }) => show(button, added().includes(base)),
      },
    ],
  });
}

/** What of an agent needs somebody. */
function alerts({ gpus, missing, xids, driver, reason }) {
  const found = [];
  if (driver && driver !== "ready") found.push(`driver: ${spaced(reason ?? driver)}`);
  for (const state of ["hung", "lost", "stale", "unavailable"]) if (gpus?.[state] > 0) found.push(`${gpus[state]} ${state}`);
  if (missing > 0) found.push(`${missing} missing`);
  if (xids > 0) found.push(`${count(xids)} XIDs`);
  return found;
}

function scrapedTable() {
  const absent = (read) => (row) => (read(row) === null ? { reason: "not_ready" } : { value: read(row) });
  return new Table({
    label: "Agents that Prometheus scrapes", key: ({ instance }) => instance, sortBy: "instance", empty: "Prometheus has no series of agents.",
    columns: [
      { id: "instance", label: "Instance", heading: true, sort: ({ instance }) => instance, fill: (cell, { instance }) => setText(cell, instance) },
      { id: "up", label: "Scrape", sort: ({ up }) => up, fill: (cell, { up }) => setText(cell, up === 0 ? "✕ fails" : "● works") },
      readingColumn("gpus", "GPUs", absent(({ gpus }) => gpus), count),
      readingColumn("not-ok", "not ok", absent(({ notOk }) => notOk), count),
      readingColumn("load", "Mean load", absent(({ load }) => load), percent),
      readingColumn("memory", "Memory", absent(({ memoryUsed }) => memoryUsed), bytes),
      readingColumn("power", "Power", absent(({ power }) => power), watts),
    ],
  });
}
