// Asks an agent. Every failure says what kind it is, so that whoever asked knows what to do next.

import { tokenFor } from "./auth.js";

/** What an agent answered instead of what was asked for. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body?.detail && typeof body.detail === "string" ? body.detail : `the agent answers ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** The address of `path` at the agent of `base`; that of the page itself is relative, so that it holds behind a proxy. */
export function address(base, path) {
  return base ? `${base}${path}` : path.replace(/^\//, "");
}

/** Headers and settings of a request to the agent of `base`. */
export function settings(base, signal) {
  const token = tokenFor(base);
  return {
    signal,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    // The browser's own credentials (a user's name and password, a client certificate) go to where the page is from only.
    credentials: base ? "omit" : "same-origin",
    cache: "no-cache",
    redirect: "error",
    referrerPolicy: "no-referrer",
  };
}

/** Longer than an agent takes for anything: it answers from memory. */
const PATIENCE = 20_000;

/** The JSON at `path`. Throws a `Refusal` for an error status, and what `fetch` throws where nobody answers. */
export async function getJson(base, path, signal) {
  const own = AbortSignal.timeout(PATIENCE);
  const both = signal ? anyOf([signal, own]) : own;
  const answer = await fetch(address(base, path), settings(base, both));
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(answer.status, body);
  if (body === null) throw new Refusal(answer.status, { detail: "the answer is no JSON" });
  return body;
}

function anyOf(signals) {
  if (AbortSignal.any) return AbortSignal.any(signals);
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
}

/** What to say of a failure. */
export function describe(error) {
  if (error instanceof Refusal) return error.message;
  if (error?.name === "TypeError") return "nobody answers";
  if (error?.name === "AbortError" || error?.name === "TimeoutError") return "it did not answer in time";
  return error?.message ?? "the connection ended";
}
