// The history that an agent keeps, as columns for charts. An agent without one says so, and nothing else is lost.

import { Refusal, getJson } from "./http.js";
import { FEW, breaks, joined, spacing } from "./series.js";

/** Seconds between two values of a series that has fewer than two: as by default for what an agent reads seldom. */
const SELDOM = 5;

export class History {
  /** Of the GPU `uuid`, or of all. */
  constructor(base, uuid = null) {
    this.base = base;
    this.uuid = uuid;
    this.controller = new AbortController();
  }

  /** What is kept: `{paths, longest}` in seconds; null where nothing is. */
  async kept() {
    if (this.known !== undefined) return this.known;
    try {
      const body = await getJson(this.base, "/api/v1/history/metrics", this.controller.signal);
      this.known = body.enabled === false ? null : {
        paths: new Set(body.metrics.map(({ path }) => path)),
        longest: Math.max(0, ...body.tiers.map((tier) => tier.kept_seconds)),
      };
    } catch (error) {
      // An agent that does not know the route keeps none.
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
      this.known = null;
    }
    return this.known;
  }

  /**
   * The points of `paths` between two moments: `{times, series: Map path → {mean, min, max}, limits: Map path → seconds}`, where
   * values up to so many seconds apart are joined; null where nothing is kept.
   */
  async load(paths, from, to) {
    const kept = await this.kept();
    const wanted = kept ? paths.filter((path) => kept.paths.has(path)) : [];
    if (wanted.length === 0) return null;
    const query = new URLSearchParams({ metric: wanted.join(","), gpu: this.uuid, from: moment(from), to: moment(to) });
    const body = await getJson(this.base, `/api/v1/history?${query}`, this.controller.signal);
    return drawable(body);
  }

  /** What `path` was in the last `seconds`, of every GPU: `Map uuid → [[time, value], …]`, where the line is broken at null. */
  async lately(path, seconds) {
    const kept = await this.kept();
    if (!kept?.paths.has(path)) return new Map();
    const query = new URLSearchParams({ metric: path, from: moment(-seconds) });
    const { series, ...axis } = await getJson(this.base, `/api/v1/history?${query}`, this.controller.signal);
    return new Map(series.map((one) => {
      const { mean } = drawable({ ...axis, series: [one] }).series.get(path);
      const points = axis.times.map((time, place) => [time, mean[place]]);
      return [one.gpu.uuid, points.filter(([, value]) => value !== undefined)];
    }));
  }

  stop() {
    this.controller.abort();
  }
}

/** The answer with each series' own gaps: what is read every five seconds has none because the steps are of one. */
function drawable({ times, step_seconds: step, series }) {
  const limits = new Map(series.map(({ metric, mean }) => [metric, FEW * Math.max(step, spacing(times, mean) ?? SELDOM)]));
  const broken = breaks(times, series.map(({ mean }) => mean), Math.min(...limits.values()));
  const lines = series.map(({ metric, mean, min, max }) => {
    const line = (values) => joined(times, values, limits.get(metric), broken);
    return [metric, { mean: line(mean), min: line(min), max: line(max) }];
  });
  return { times, step, series: new Map(lines), limits };
}

/** A moment as the route takes it: relative where it is negative, unix seconds otherwise. */
function moment(at) {
  return at <= 0 ? `-${Math.round(-at)}s` : String(at);
}
