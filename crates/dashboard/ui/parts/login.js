// Asks for a token when the agent does not answer without one.

import { h, setText, show } from "../core/dom.js";
import { keepToken, tokenFor } from "../core/auth.js";

export class Login {
  /** `again()` connects anew. */
  constructor(store, again) {
    this.store = store;
    this.field = h("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", required: true });
    this.why = h("p", { class: "error", role: "alert" });
    this.form = h("form", { on: { submit: (event) => {
      event.preventDefault();
      keepToken(store.base, this.field.value.trim());
      this.field.value = "";
      again();
    } } },
    h("label", { for: "token", text: "Token" }), this.field, h("button", { type: "submit", text: "Use this token" }));
    this.element = h("section", { class: "panel login", "aria-labelledby": "login-heading" },
      h("h1", { id: "login-heading", text: "This agent asks who reads" }),
      h("p", { text: "Give a token with the scope read. It is kept in this tab until it is closed, and sent to this agent only." }),
      this.why, this.form,
      h("p", { class: "quiet" }, "With a name and a password instead, ",
        h("button", { type: "button", class: "plain link", text: "let the browser ask for them", on: { click: () => { keepToken(store.base, null); again(); } } }),
        ". A token is made on the host with gpulse token."));
    this.element.hidden = true;
  }

  update() {
    const { connection } = this.store;
    const denied = connection.kind === "denied";
    if (denied && this.element.hidden) {
      setText(this.why, connection.status === 403 ? "This token may not read: it lacks the scope read." : tokenFor(this.store.base) ? "This token is not accepted." : "");
      show(this.element, true);
      this.field.focus();
    }
    show(this.element, denied);
  }
}
