// Where a line is drawn and where it is broken: what is read every few seconds has no value in most of the seconds between.

/** Points that are no further apart than this many of their usual distances are joined: one may be late, or missing. */
export const FEW = 3;

/** The usual distance between values, in the unit of `times`; nothing where there are fewer than two. */
export function spacing(times, values) {
  const distances = [];
  let last = null;
  times.forEach((time, place) => {
    if (isAbsent(values[place])) return;
    if (last !== null) distances.push(time - last);
    last = time;
  });
  if (distances.length === 0) return null;
  return distances.sort((one, other) => one - other)[Math.floor(distances.length / 2)];
}

/** Places at which no series had a value for more than `most`: nothing was read then, and no line goes over them. */
export function breaks(times, series, most) {
  const found = new Set();
  let last = null;
  times.forEach((time, place) => {
    if (series.every((values) => isAbsent(values[place]))) return;
    if (last !== null && time - times[last] > most) for (let between = last + 1; between < place; between += 1) found.add(between);
    last = place;
  });
  return found;
}

/**
 * The values with `undefined` for what is absent between two that are at most `limit` apart and have no break between them: the
 * chart draws over that, and not over null.
 */
export function joined(times, values, limit, broken = new Set()) {
  const line = [...values];
  let last = null;
  let isBroken = false;
  times.forEach((time, place) => {
    isBroken ||= broken.has(place);
    if (isAbsent(values[place])) return;
    if (last !== null && !isBroken && time - times[last] <= limit) line.fill(undefined, last + 1, place);
    last = place;
    isBroken = false;
  });
  return line;
}

/** How many of the times count: those after the last value of any series are of a step that is not over. */
export function told(times, series) {
  let length = times.length;
  while (length > 0 && series.every((values) => isAbsent(values[length - 1]))) length -= 1;
  return length;
}

const isAbsent = (value) => value === null || value === undefined || Number.isNaN(value);
