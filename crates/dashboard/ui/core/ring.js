// Points of several series over time in typed arrays: a ring that never grows.

export class Ring {
  /** Room for `capacity` points of as many series. */
  constructor(capacity, series) {
    this.capacity = capacity;
    this.times = new Float64Array(capacity);
    this.values = Array.from({ length: series }, () => new Float64Array(capacity).fill(NaN));
    this.length = 0;
    this.next = 0;
  }

  /** Adds a point. A time that is not later than the last one replaces nothing and is left out. */
  push(time, values) {
    if (this.length > 0 && time <= this.last()) return false;
    this.times[this.next] = time;
    this.values.forEach((series, place) => {
      series[this.next] = values[place] ?? NaN;
    });
    this.next = (this.next + 1) % this.capacity;
    this.length = Math.min(this.length + 1, this.capacity);
    return true;
  }

  /** The time of the last point. */
  last() {
    return this.length === 0 ? -Infinity : this.times[(this.next + this.capacity - 1) % this.capacity];
  }

  clear() {
    this.length = 0;
    this.next = 0;
  }

  /** The points from `since` on, oldest first, as uPlot takes them: `[times, …series]` with null where nothing was read. */
  columns(since = -Infinity) {
    const columns = [[], ...this.values.map(() => [])];
    const first = (this.next + this.capacity - this.length) % this.capacity;
    for (let step = 0; step < this.length; step += 1) {
      const place = (first + step) % this.capacity;
      if (this.times[place] < since) continue;
      columns[0].push(this.times[place]);
      this.values.forEach((series, number) => {
        const value = series[place];
        columns[number + 1].push(Number.isNaN(value) ? null : value);
      });
    }
    return columns;
  }
}
