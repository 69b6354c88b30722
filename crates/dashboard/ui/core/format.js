// Numbers as people read them. Nothing here ever makes a zero of what is absent: callers ask only with a value.

const KILO = 1024;
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DECIMAL = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];

/** What is shown for a value that is absent. */
export const ABSENT = "–";

function scaled(value, step, units) {
  let unit = 0;
  let rest = Math.abs(value);
  while (rest >= step && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : 1;
  return `${value < 0 ? "-" : ""}${rest.toFixed(digits)} ${units[unit]}`;
}

export const bytes = (value) => scaled(value, KILO, BINARY);
export const rate = (value) => scaled(value, 1000, DECIMAL);
export const percent = (value) => `${value.toFixed(0)} %`;
export const finePercent = (value) => `${value.toFixed(1)} %`;
export const watts = (value) => (value >= 10_000 ? `${(value / 1000).toFixed(1)} kW` : `${value.toFixed(0)} W`);
export const celsius = (value) => `${value.toFixed(0)} °C`;
export const megahertz = (value) => `${value.toFixed(0)} MHz`;
export const count = (value) => value.toLocaleString("en-US");
export const text = (value) => String(value);
export const yesNo = (value) => (value ? "yes" : "no");

/** Seconds as `4 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return pair(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  return pair(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3600), "h");
}

function pair(large, unit, small, below) {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${below}`;
}

/** A point in time, in the reader's own zone: `14:05:09`, with the day where it is not today. */
export function moment(iso, now = new Date()) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso);
  const two = (number) => String(number).padStart(2, "0");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === now.toDateString()) return clock;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
}

/** Seconds between two points in time of one clock. */
export function secondsBetween(from, to) {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** A model's name without what all of them have in common. */
export function shortName(name) {
  return name.replace(/^NVIDIA\s+/, "").replace(/^GeForce\s+/, "");
}
