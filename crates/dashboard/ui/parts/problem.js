// Why there is nothing to show: no driver, no GPUs, nobody who answers.

import { h, setText, show } from "../core/dom.js";
import { spaced } from "../core/words.js";

/** While these are the reason there is nothing to look for: it passes, or somebody wants it so. */
const NOT_FOR_THE_DOCTOR = ["starting", "parked"];

export class Problem {
  constructor(ctx) {
    this.ctx = ctx;
    this.heading = h("h2", {});
    this.message = h("p", {});
    this.hint = h("p", {});
    this.doctor = h("p", {}, "Run ", h("code", { text: "gpulse doctor" }), " on the agent's machine: it says what is wrong there, and the command that mends it.");
    this.where = h("a", { href: ctx.link("health"), text: "What the agent says of itself" });
    this.element = h("section", { class: "panel problem", role: "status" }, this.heading, this.message, this.hint, this.doctor, h("p", {}, this.where));
    this.element.hidden = true;
  }

  update() {
    const { store } = this.ctx;
    const driver = store.problem();
    const none = !driver && store.snapshot !== null && store.gpus().length === 0;
    show(this.element, Boolean(driver) || none);
    show(this.doctor, none || !NOT_FOR_THE_DOCTOR.includes(driver?.reason));
    if (driver) {
      setText(this.heading, `GPUs cannot be read: ${spaced(driver.reason ?? "the reason is not known")}`);
      setText(this.message, driver.message ?? "");
      setText(this.hint, driver.hint ? `What to do: ${driver.hint}.` : "");
    } else if (none) {
      setText(this.heading, "There are no GPUs here");
      setText(this.message, "The driver is loaded and knows none.");
      setText(this.hint, "");
    }
  }
}
