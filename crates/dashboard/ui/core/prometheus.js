// The fleet as a Prometheus knows it: one row for each scraped agent, from the series that agents export.

/** What is asked, each as one number per instance. */
const QUERIES = {
  gpus: "sum by (instance) (gpulse_gpus)",
  notOk: 'sum by (instance) (gpulse_gpu_state{state!="ok"})',
  load: "100 * avg by (instance) (gpulse_load_gpu_ratio)",
  memoryUsed: "sum by (instance) (gpulse_memory_used_bytes)",
  memoryTotal: "sum by (instance) (gpulse_memory_total_bytes)",
  power: "sum by (instance) (gpulse_power_draw_watts)",
  up: "up and on (instance) (gpulse_gpus or up == 0)",
};

const PATIENCE = 10_000;

/** Rows `{instance, gpus, notOk, load, …}`; a number that Prometheus does not have is null. Throws where it does not answer. */
export async function rows(base, signal) {
  const names = Object.keys(QUERIES);
  const answers = await Promise.all(names.map((name) => query(base, QUERIES[name], signal)));
  const found = new Map();
  answers.forEach((series, place) => {
    for (const [instance, value] of series) {
      const row = found.get(instance) ?? Object.fromEntries([["instance", instance], ...names.map((name) => [name, null])]);
      row[names[place]] = value;
      found.set(instance, row);
    }
  });
  return [...found.values()].filter((row) => row.gpus !== null || row.up === 0);
}

async function query(base, expression, signal) {
  const timeout = AbortSignal.timeout(PATIENCE);
  const answer = await fetch(`${base}/api/v1/query?${new URLSearchParams({ query: expression })}`, {
    signal: AbortSignal.any ? AbortSignal.any([signal, timeout]) : timeout, credentials: "omit", referrerPolicy: "no-referrer",
  });
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body?.status !== "success") throw new Error(body?.error ?? `Prometheus answers ${answer.status}`);
  return vector(body.data.result);
}

/** Values by instance; what is no number is left out. */
export function vector(result) {
  return result
    .filter(({ metric }) => metric.instance)
    .map(({ metric, value }) => [metric.instance, Number(value[1])])
    .filter(([, value]) => Number.isFinite(value));
}
