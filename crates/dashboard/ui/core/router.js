// Which view is asked for: `#/gpu/GPU-…?agent=https://…`. The agent stands in the address, so that a link leads to the same.

/** The views, in the order of the navigation and of the keys 1 to 7. */
export const VIEWS = ["overview", "gpu", "processes", "events", "topology", "health", "fleet"];

/** What a fragment asks for. What is not known is the overview. */
export function parse(fragment) {
  const [path, query = ""] = fragment.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  const parameters = new URLSearchParams(query);
  return {
    view: VIEWS.includes(name) ? name : "overview",
    argument: rest.length > 0 ? decode(rest.join("/")) : null,
    agent: origin(parameters.get("agent")),
    parameters,
  };
}

/** The fragment of a view of the agent at `base`. */
export function link(view, { argument = null, base = "", parameters = {} } = {}) {
  const path = view === "overview" ? "" : view;
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  if (base) query.set("agent", base);
  const asked = query.toString();
  return `#/${path}${argument === null ? "" : `/${encodeURIComponent(argument)}`}${asked ? `?${asked}` : ""}`;
}

/** An origin in the one way that it is written; nothing for what is none, or is no web address. */
export function origin(text) {
  if (!text) return "";
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.origin : "";
  } catch {
    return "";
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
