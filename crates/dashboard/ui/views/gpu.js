// One GPU: its state, what it reads now, charts, MIG instances, why it is slow, errors, facts, and what it does not say.

import { Feed } from "../core/feed.js";
import { h, keyed, setAttr, setClass, setText, show } from "../core/dom.js";
import { duration, moment } from "../core/format.js";
import { general } from "../core/readings.js";
import { showReading } from "../core/value.js";
import { STATES, THROTTLES, reasonText, spaced } from "../core/words.js";
import { showState, stateBadge } from "../parts/badge.js";
import { Problem } from "../parts/problem.js";
import { GpuHistory } from "./gpu-history.js";
import { FACTS, TILES } from "./gpu-facts.js";
import { MigPart } from "./gpu-mig.js";

export function gpu(ctx) {
  const { store } = ctx;
  const problem = new Problem(ctx);
  const picker = h("select", { "aria-label": "GPU", on: { change: () => ctx.go(ctx.link("gpu", { argument: picker.value })) } });
  const heading = h("h1", {});
  const badge = stateBadge();
  const subtitle = h("p", { class: "quiet" });
  const trouble = h("div", { class: "panel problem", role: "status" }, h("p", {}), h("p", {}));
  const tiles = TILES.map((tile) => ({ ...tile, value: h("dd", {}), note: h("dd", { class: "note" }) }));
  const tilesPart = h("dl", { class: "tiles" }, tiles.map(({ label, value, note }) => h("div", { class: "tile" }, h("dt", { text: label }), value, note)));
  const throttles = h("ul", { class: "tags", "aria-label": "Why clocks are lower than they could be" });
  const throttlesHeading = h("h2", {});
  const mig = new MigPart();
  const facts = FACTS.map(({ title, rows }) => {
    const cells = rows.map((row) => ({ ...row, value: h("dd", {}) }));
    return { cells, element: h("section", { class: "panel" }, h("h2", { text: title }), h("dl", { class: "facts" }, cells.map(({ label, value }) => h("div", {}, h("dt", { text: label }), value)))) };
  });
  const factsPart = h("div", { class: "columns" }, facts.map((part) => part.element));
  const absent = h("ul", { class: "absences" });
  const absentPart = h("section", { class: "panel" }, h("h2", { text: "What this GPU does not say, and why" }), absent);
  const body = h("div", { class: "view" });
  const gone = h("p", { class: "panel", text: "This agent knows no such GPU." });
  const element = h("div", { class: "view" }, problem.element, h("header", { class: "title" }, heading, badge, picker, subtitle), gone, body);
  let { argument } = ctx.route;
  let wanted = null;
  let history = null;
  let feed = null;
  let taken = null;

  /** The GPU that is asked for, by UUID or index; the first where none is. */
  function chosen() {
    const all = store.gpus();
    if (argument === null) return all[0];
    return all.find((one) => one.uuid === argument || String(one.index) === argument);
  }

  function begin(one) {
    feed?.stop();
    history?.stop();
    wanted = one.uuid ?? String(one.index);
    taken = null;
    feed = new Feed(store, `/api/v1/gpus/${encodeURIComponent(wanted)}`, 900, ctx.changed);
    // The time that was chosen for one GPU is of interest for the next one as well.
    history = new GpuHistory(ctx, wanted, history?.range);
    body.replaceChildren(trouble, tilesPart, h("section", { class: "panel" }, throttlesHeading, throttles),
      history.element, mig.element, factsPart, absentPart);
  }

  function update() {
    problem.update();
    const all = store.gpus();
    const one = chosen();
    show(gone, store.snapshot !== null && !one && all.length > 0);
    show(picker, all.length > 1);
    show(badge, Boolean(one));
    setText(heading, one ? `GPU ${one.index}` : "GPU");
    fillPicker(picker, all, one);
    if (!one) return;
    if (wanted !== (one.uuid ?? String(one.index))) begin(one);
    feed.tick();
    showState(badge, one.state);
    const current = feed.body ?? one;
    const age = store.gpuAge(one);
    setText(subtitle, [current.identity?.name, current.uuid, current.identity?.pci_bus_id, age === null ? "never sampled" : `sampled ${duration(age)} ago`].filter(Boolean).join(" · "));
    const isOld = one.state !== "ok";
    const since = isOld && one.sampled_at ? `as of ${moment(one.sampled_at)}` : "";
    fillTrouble(trouble, one, store.agentNow());
    setClass(tilesPart, isOld ? "tiles old" : "tiles");
    for (const { value, note, read, format, under } of tiles) {
      showReading(value, read(current), format);
      setText(note, since || (under?.(current) ?? ""));
    }
    setText(throttlesHeading, since ? `Clocks were lowered by, ${since}` : "Clocks are lowered by");
    setClass(throttles, isOld ? "tags old" : "tags");
    fillThrottles(throttles, current);
    setClass(factsPart, isOld ? "columns old" : "columns");
    for (const part of [history.element, mig.element]) setClass(part, isOld ? "panel old" : "panel");
    if (feed.body && feed.body !== taken) {
      taken = feed.body;
      history.push(taken);
      mig.update(taken);
      for (const { cells } of facts) for (const { value, read, format } of cells) showReading(value, read(taken), format);
      fillAbsent(absent, taken);
      show(absentPart, Object.keys(taken.unavailable ?? {}).length > 0);
    }
    history.tick();
  }

  return {
    element, update,
    get title() {
      const one = chosen();
      return one ? `GPU ${one.index}` : "GPU";
    },
    /** Shows another GPU in the same place, so that focus and the chosen time stay. */
    move: (route) => {
      ({ argument } = route);
      const one = chosen();
      if (one) picker.value = String(one.uuid ?? one.index);
    },
    leave: () => { feed?.stop(); history?.stop(); },
    recolour: () => history?.recolour(),
  };
}

function fillPicker(picker, all, one) {
  keyed(picker, all, (gpu) => gpu.uuid ?? gpu.index, (gpu) => h("option", { value: gpu.uuid ?? gpu.index }), (option, gpu) => setText(option, `GPU ${gpu.index}${gpu.state === "ok" ? "" : ` (${gpu.state})`}`));
  const value = String(one?.uuid ?? one?.index ?? "");
  if (picker.value !== value && document.activeElement !== picker) picker.value = value;
}

/** Why a GPU is not ok: for how long by now, and what was said at the time. */
function fillTrouble(trouble, gpu, now) {
  show(trouble, gpu.state !== "ok");
  if (gpu.state === "ok") return;
  const known = STATES[gpu.state] ?? STATES.unavailable;
  const error = gpu.last_error;
  const said = error ? ` At ${moment(error.at)}: ${error.call}: ${error.message} (${reasonText(error.reason)}).` : "";
  const lasts = now === null ? NaN : now - Date.parse(gpu.state_since) / 1000;
  setText(trouble.firstChild, `Since ${moment(gpu.state_since)}${lasts >= 0 ? `, for ${duration(lasts)}` : ""}: ${known.meaning}${said}`);
  setText(trouble.lastChild, known.advice ? `What to do: ${known.advice}` : "");
}

function fillThrottles(list, gpu) {
  const reasons = gpu.clocks?.event_reasons;
  const items = reasons === null || reasons === undefined
    ? [{ key: "absent", label: "not known", title: "" }]
    : reasons.length === 0 ? [{ key: "none", label: "nothing", title: gpu.state === "ok" ? "The clocks are as high as they can be." : "" }]
      : reasons.map((reason) => ({ key: reason, label: THROTTLES[reason]?.label ?? spaced(reason), title: THROTTLES[reason]?.meaning ?? "", bad: THROTTLES[reason]?.bad ?? true }));
  keyed(list, items, ({ key }) => key, () => h("li", {}, h("b", {}), h("span", {})), (item, { label, title, bad }) => {
    setText(item.firstChild, label);
    setText(item.lastChild, title ? ` ${title}` : "");
    setAttr(item, "class", bad ? "bad" : null);
  });
}

/** Reasons, each with the readings that are absent for it. */
function fillAbsent(list, gpu) {
  const byReason = new Map();
  for (const [path, reason] of Object.entries(gpu.unavailable ?? {})) byReason.set(reason, (byReason.get(reason) ?? new Set()).add(general(path)));
  keyed(list, [...byReason], ([reason]) => reason, () => h("li", {}, h("b", {}), h("span", { class: "paths" })), (item, [reason, paths]) => {
    setText(item.firstChild, `${reasonText(reason)}: `);
    setText(item.lastChild, [...paths].join(", "));
  });
}
