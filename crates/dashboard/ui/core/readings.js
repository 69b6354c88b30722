// Readings of a GPU's body: a value, or the reason why there is none.

/** The reading at a dotted path: `{value}` or `{reason}`, never both. */
export function reading(body, path) {
  let value = body;
  for (const key of path.split(".")) {
    value = value === null || value === undefined ? undefined : value[key];
  }
  if (value !== null && value !== undefined) return { value };
  return { reason: reasonFor(body, path) };
}

/** The value at a path, or null: for what is drawn and not written. */
export function number(body, path) {
  const { value } = reading(body, path);
  return typeof value === "number" ? value : null;
}

/** Why the value at `path` is absent: said of itself, or of what it is a part of. */
export function reasonFor(body, path) {
  const unavailable = body?.unavailable;
  if (!unavailable) return "not_ready";
  const keys = path.split(".");
  for (let length = keys.length; length > 0; length -= 1) {
    const reason = unavailable[keys.slice(0, length).join(".")];
    if (reason) return reason;
  }
  return body.state && body.state !== "ok" ? "not_ready" : "error";
}

/** A path without the places in lists, so that the same reading of each entry is one. */
export function general(path) {
  return path.replace(/\.\d+(?=\.|$)/g, "[]");
}

/** What of `part` is in `whole`, in percent; the reason of whichever is absent. */
export function share(body, part, whole) {
  const one = reading(body, part);
  if (one.value === undefined) return one;
  const other = reading(body, whole);
  if (other.value === undefined) return other;
  if (!(other.value > 0)) return { reason: "error" };
  return { value: (one.value / other.value) * 100 };
}
