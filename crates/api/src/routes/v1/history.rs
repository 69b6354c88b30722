//! `/api/v1/history`: what the GPUs did lately, in columns over a time axis that all series share.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data},
};
use gpulse_aggregator::{Columns, History, KEPT, KeptMetric, KnownGpu, Query, Tier};
use gpulse_models::{GpuId, GpuSelector, HostSnapshot, Timestamp, catalogue::Unit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    problem::{self, Mistake, Problem, ValidationProblem, clipped},
    respond,
    routes::gpu::place_of,
    state::State,
};

mod wish;

use wish::Wish;

/// What the GPUs did lately.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryOf<'a> {
    /// The configured agent id.
    agent_id: &'a str,
    /// Drawn when the agent started.
    instance: String,
    /// When the first step begins.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When the last step ends.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Seconds from one point to the next: what was asked for, or as much more as the tier needs.
    step_seconds: i64,
    /// Seconds of a slot of the tier that it was taken from.
    tier_seconds: i64,
    /// When each step begins, in seconds since the beginning of 1970.
    times: Vec<i64>,
    /// A series for each GPU and, within it, each metric.
    series: Vec<HistorySeries<'a>>,
}

/// One metric of one GPU.
#[derive(Debug, Serialize, ToSchema)]
struct HistorySeries<'a> {
    /// Of which GPU.
    gpu: HistoryGpu,
    /// The path of the metric.
    metric: &'a str,
    /// Its unit; null for a plain number.
    unit: Option<&'static str>,
    /// The mean within each step, each slot of the tier with a reading weighing the same; null where nothing was read.
    mean: Vec<Option<f64>>,
    /// The lowest within each step.
    min: Vec<Option<f64>>,
    /// The highest within each step; of a counter, where it stood at the end.
    max: Vec<Option<f64>>,
}

/// Which GPU it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct HistoryGpu {
    /// NVML's index; of a GPU that is gone, the one that it had.
    #[schema(maximum = 4294967295i64)]
    index: u32,
    /// NVML UUID; null as long as the GPU has not said it, and then nothing is kept of it.
    uuid: Option<String>,
}

/// What there is a history of.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct HistoryMetrics {
    /// Whether the agent keeps a history, as `history.enabled` says; if not there are no metrics and no tiers.
    enabled: bool,
    /// The metrics that are kept.
    metrics: Vec<HistoryMetric>,
    /// The tiers, the finest first.
    tiers: Vec<HistoryTier>,
    /// Bytes that the history holds in memory.
    bytes: usize,
    /// Bytes that it may hold; beyond that the oldest is forgotten.
    max_bytes: usize,
    /// Samples that were not kept because the history did not keep up.
    dropped: u64,
    /// How often what had changed was written to disk; always 0 where none is used.
    disk_flushes: u64,
    /// How often the disk could not be read or written; always 0 where none is used.
    disk_failures: u64,
}

/// A metric that is kept.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryMetric {
    /// Its path, as `metric` takes it.
    path: &'static str,
    /// Its unit; null for a plain number.
    unit: Option<&'static str>,
    /// `gauge` or `counter`.
    kind: &'static str,
    /// What it means.
    help: &'static str,
}

/// A tier.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryTier {
    /// Seconds of a slot.
    step_seconds: i64,
    /// How long a slot is kept, as long as there is room for it.
    kept_seconds: i64,
    /// When the oldest slot of it begins; null as long as there is none. Later than `kept_seconds` ago where there is no room for all,
    /// or where the agent has not been there for so long.
    #[schema(value_type = Option<String>, format = DateTime)]
    begins: Option<Timestamp>,
}

/// What the GPUs did lately
///
/// Each step has the mean, the lowest and the highest of what was read within it, or null if nothing was: a GPU that hangs has
/// a gap, and so has a metric that is read less often than once a step. Comes from the coarsest tier of which the step is made up
/// and that reaches back to `from`. At most 100,000 points, steps times series, are sent at a time.
#[utoipa::path(
    get,
    path = "/api/v1/history",
    operation_id = "history",
    tag = "history",
    params(
        ("metric" = String, Query, example = "load.gpu_percent,power.draw_watts",
            description = "Which metrics, by comma: paths that `/api/v1/history/metrics` lists"),
        ("gpu" = Option<String>, Query, example = "0",
            description = "Which GPUs, by comma: index, UUID or PCI bus id. By default all, those included that are gone"),
        ("from" = Option<String>, Query, example = "-10m",
            description = "The begin: RFC 3339, seconds since the beginning of 1970, or so long ago (`-10m`, the default)"),
        ("to" = Option<String>, Query, example = "-1m",
            description = "The end, in the same ways; by default now"),
        ("step" = Option<String>, Query, example = "10s",
            description = "From one point to the next, such as `1s` or `5m`; by default so that there are at most 1,000"),
    ),
    responses(
        (status = 200, description = "The history", body = HistoryOf),
        (status = 404, description = "There is no such GPU, or the agent keeps no history", body = Problem),
        (status = 406, description = "The client refuses every encoding", body = Problem),
        (status = 422, description = "A parameter that is not understood, or too many points", body = ValidationProblem),
    ),
)]
pub(crate) async fn history(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let Some(history) = state.cache.history().cloned() else {
        return off();
    };
    let wish = match Wish::parse(request.query_string(), Timestamp::now().as_second()) {
        Ok(wish) => wish,
        Err(mistake) => return problem::bad_parameter(mistake),
    };
    let gpus = match chosen(&state.cache.host(), &history, wish.gpus.as_deref()) {
        Ok(gpus) => gpus,
        Err(answer) => return *answer,
    };
    let query = Query {
        gpus: gpus.iter().map(|(id, _)| id.clone()).collect(),
        metrics: wish.metrics,
        from: wish.from,
        to: wish.to,
        step: wish.step,
    };
    // Unpacking takes longer than a worker may be held up.
    let answered = web::block(move || history.query(&query)).await;
    match answered {
        Err(_) => problem::internal(),
        Ok(Err(too_much)) => problem::bad_parameter(Mistake {
            kind: "too_many_points",
            parameter: "step",
            message: too_much.to_string(),
            input: request.query_string().to_owned(),
        }),
        Ok(Ok(columns)) => respond::once(&request, &HistoryOf::of(columns, &gpus, &state)),
    }
}

/// What there is a history of
///
/// The metrics that are kept, how far back each tier reaches, and what that takes. Always 200: that no history is kept is an
/// answer as well.
#[utoipa::path(
    get,
    path = "/api/v1/history/metrics",
    operation_id = "history_metrics",
    tag = "history",
    responses(
        (status = 200, description = "What there is a history of", body = HistoryMetrics),
        (status = 406, description = "The client refuses every encoding", body = Problem),
    ),
)]
pub(crate) async fn metrics(request: HttpRequest) -> HttpResponse {
    let kept = State::of(&request).cache.history().map(HistoryMetrics::of);
    respond::once(&request, &kept.unwrap_or_default())
}

fn off() -> HttpResponse {
    let detail = "This agent keeps no history: set history.enabled";
    problem::plain(StatusCode::NOT_FOUND, detail.to_owned())
}

/// The GPUs that are asked for, with what clients know them by: of the roster, or gone.
fn chosen(
    host: &HostSnapshot,
    history: &History,
    wanted: Option<&[(String, GpuSelector)]>,
) -> Result<Vec<(GpuId, HistoryGpu)>, Box<HttpResponse>> {
    let of_roster = |place: usize| {
        let gpu = &host.gpus[place];
        let known = HistoryGpu {
            index: gpu.index,
            uuid: gpu.uuid().map(ToString::to_string),
        };
        (gpu.id.clone(), known)
    };
    let of_the_past = |gpu: &KnownGpu| {
        let known = HistoryGpu {
            index: gpu.index,
            uuid: Some(gpu.id.to_string()),
        };
        (gpu.id.clone(), known)
    };
    let is_here = |gpu: &KnownGpu| host.gpus.iter().any(|here| here.id == gpu.id);
    let past: Vec<_> = history.gpus().into_iter().filter(|gpu| !is_here(gpu)).collect();
    let Some(wanted) = wanted else {
        let all = (0..host.gpus.len()).map(of_roster);
        return Ok(all.chain(past.iter().map(of_the_past)).collect());
    };
    let mut found: Vec<(GpuId, HistoryGpu)> = Vec::new();
    for (name, selector) in wanted {
        let gone = || {
            past.iter().find(|gpu| match selector {
                GpuSelector::Uuid(uuid) => gpu.id == *uuid,
                GpuSelector::Index(index) => gpu.index == *index,
                GpuSelector::ImpossibleIndex | GpuSelector::PciBusId(_) => false,
            })
        };
        let place = place_of(host, selector).map(of_roster);
        let Some(gpu) = place.or_else(|| gone().map(of_the_past)) else {
            return Err(Box::new(problem::unknown_gpu(host, &clipped(name))));
        };
        if !found.contains(&gpu) {
            found.push(gpu);
        }
    }
    Ok(found)
}

impl PartialEq for HistoryGpu {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.uuid == other.uuid
    }
}

impl<'a> HistoryOf<'a> {
    fn of(columns: Columns, gpus: &[(GpuId, HistoryGpu)], state: &'a State) -> Self {
        let begin = columns.times.first().copied().unwrap_or(0);
        let end = columns.times.last().map_or(begin, |last| last + columns.step);
        let time = |second| Timestamp::from_second(second).unwrap_or_default();
        let gpus = gpus.iter().map(|(_, gpu)| gpu);
        let per_gpu = columns.series.len().checked_div(gpus.len()).unwrap_or(0);
        let gpus = gpus.flat_map(|gpu| std::iter::repeat_n(gpu, per_gpu));
        let series = columns.series.into_iter().zip(gpus).map(|(series, gpu)| {
            let metric = KEPT.at(series.metric);
            HistorySeries {
                gpu: gpu.clone(),
                metric: &metric.path,
                unit: unit(metric.unit),
                mean: series.mean,
                min: series.min,
                max: series.max,
            }
        });
        Self {
            agent_id: &state.agent_id,
            instance: state.instance(),
            from: time(begin),
            to: time(end),
            step_seconds: columns.step,
            tier_seconds: columns.tier,
            series: series.collect(),
            times: columns.times,
        }
    }
}

impl HistoryMetrics {
    fn of(history: &History) -> Self {
        let metric = |metric: &'static KeptMetric| HistoryMetric {
            path: &metric.path,
            unit: unit(metric.unit),
            kind: metric.kind.as_str(),
            help: metric.help,
        };
        let tier = |(tier, begins): (Tier, Option<i64>)| HistoryTier {
            step_seconds: tier.step,
            kept_seconds: tier.keep,
            begins: begins.and_then(|second| Timestamp::from_second(second).ok()),
        };
        let (bytes, max_bytes) = history.bytes();
        Self {
            enabled: true,
            metrics: KEPT.all().iter().map(metric).collect(),
            tiers: history
                .tiers()
                .into_iter()
                .zip(history.begins())
                .map(tier)
                .collect(),
            bytes,
            max_bytes,
            dropped: history.dropped(),
            disk_flushes: history.disk_flushes(),
            disk_failures: history.disk_failures(),
        }
    }
}

/// The word that keys of this unit end in; none for a plain number.
fn unit(unit: Unit) -> Option<&'static str> {
    match unit.ending().trim_start_matches('_') {
        "" => None,
        word => Some(word),
    }
}
