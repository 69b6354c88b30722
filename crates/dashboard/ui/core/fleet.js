// Which agents the fleet view knows: those of the configuration, and those that somebody added in this browser.

import { origin } from "./router.js";

const KEY = "gpulse.agents";

/** More than anybody types in. */
const MOST_ADDED = 200;

const metas = (name) => [...document.querySelectorAll(`meta[name="${name}"]`)].map((meta) => meta.content);

/** Origins from the configuration. */
export const configured = () => metas("gpulse-agent").map(origin).filter(Boolean);

/** The Prometheus of the configuration, or nothing. */
export const prometheus = () => origin(metas("gpulse-prometheus")[0] ?? "");

/** Sources that the page's policy allows for agents that are added. */
export const allowedSources = () => metas("gpulse-allowed");

/** Origins that were added in this browser. */
export function added() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.map(origin).filter(Boolean).slice(0, MOST_ADDED) : [];
  } catch {
    return [];
  }
}

/** Adds an origin; returns why not, or nothing. */
export function add(text) {
  const wanted = origin(/^https?:\/\//.test(text) ? text : `${location.protocol}//${text}`);
  if (!wanted) return "That is no address: write scheme, host and port, such as https://gpu-2.example:8003";
  if (!mayAsk(wanted)) {
    return `The policy of this page does not allow ${wanted}: name it in dashboard.agents or dashboard.allowed_agents of the agent that serves this page.`;
  }
  const all = [...new Set([...added(), wanted])];
  if (all.length > MOST_ADDED) return "There are too many; remove some.";
  keep(all);
  return null;
}

/** Forgets an origin that was added. */
export function remove(base) {
  keep(added().filter((known) => known !== base));
}

/** Whether the policy lets the page ask there: the browser decides, this only says it before. */
export function mayAsk(base) {
  if (base === location.origin || configured().includes(base)) return true;
  return allowedSources().some((source) => matches(source, base));
}

/** Whether a source of a policy, such as `https://*.example:8003`, fits an origin. */
export function matches(source, base) {
  const pattern = /^(https?):\/\/([^:/]+|\[[^\]]+\])(?::(\d+|\*))?$/.exec(source);
  const url = new URL(base);
  if (!pattern) return false;
  const [, scheme, host, port] = pattern;
  if (url.protocol !== `${scheme}:` && !(scheme === "http" && url.protocol === "https:")) return false;
  const fits = host.startsWith("*.") ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
  return fits && (port === "*" || url.port === (port ?? ""));
}

function keep(list) {
  try {
    localStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}
