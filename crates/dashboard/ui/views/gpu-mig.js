// The MIG instances of one GPU: their share of it, and what each does.

import { h, keyed, setText, show } from "../core/dom.js";
import { bytes, finePercent, percent, text } from "../core/format.js";
import { reading, share } from "../core/readings.js";
import { showReading } from "../core/value.js";

const ROWS = [
  { label: "Graphics activity", read: (one) => reading(one, "activity.graphics_percent"), format: percent },
  { label: "SM activity", read: (one) => reading(one, "activity.sm_percent"), format: percent },
  { label: "Memory", read: (one) => reading(one, "memory_used_bytes"), format: bytes },
  { label: "of its own", read: (one) => share(one, "memory_used_bytes", "memory_total_bytes"), format: finePercent },
  { label: "Multiprocessors", read: (one) => reading(one, "multiprocessors"), format: text },
  { label: "Processes", read: (one) => (one.process_ids ? { value: one.process_ids.length } : reading(one, "process_ids")), format: text },
];

export class MigPart {
  constructor() {
    this.list = h("ul", { class: "instances" });
    this.nothing = h("p", { class: "quiet", text: "MIG is on, and the GPU is not cut into instances." });
    this.element = h("section", { class: "panel" }, h("h2", { text: "MIG instances" }), this.nothing, this.list);
    this.element.hidden = true;
  }

  update(gpu) {
    const instances = gpu.mig?.instances ?? [];
    show(this.element, gpu.mig?.enabled === true || instances.length > 0);
    show(this.nothing, instances.length === 0);
    // Reasons of an instance stand in the GPU's list, by its place.
    const own = instances.map((instance, place) => ({ ...instance, state: gpu.state, unavailable: below(gpu.unavailable, `mig.instances.${place}.`) }));
    keyed(this.list, own, ({ uuid, index }) => uuid ?? index, () => this.create(), (item, instance) => this.fill(item, instance, gpu));
  }

  create() {
    const values = ROWS.map(({ label }) => {
      const value = h("dd", {});
      return { value, element: h("div", {}, h("dt", { text: label }), value) };
    });
    const item = h("li", {}, h("h3", {}), h("progress", { max: "8", "aria-label": "Slices of the GPU" }), h("dl", { class: "facts" }, values.map(({ element }) => element)));
    item.values = values.map(({ value }) => value);
    return item;
  }

  fill(item, instance, gpu) {
    setText(item.firstChild, `${instance.profile ?? "instance"} · GI ${instance.gpu_instance_id ?? "?"} / CI ${instance.compute_instance_id ?? "?"}`);
    const progress = item.children[1];
    progress.max = gpu.mig.max_instances ?? 7;
    progress.value = instance.gpu_slices ?? 0;
    show(progress, instance.gpu_slices !== null);
    ROWS.forEach(({ read, format }, place) => showReading(item.values[place], read(instance), format));
  }
}

function below(unavailable, prefix) {
  return Object.fromEntries(Object.entries(unavailable ?? {}).filter(([path]) => path.startsWith(prefix)).map(([path, reason]) => [path.slice(prefix.length), reason]));
}
