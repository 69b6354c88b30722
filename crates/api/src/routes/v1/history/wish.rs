//! What a client asks of the history: metrics, GPUs, times and a step, each checked.

use gpulse_aggregator::{KEPT, MetricId};
use gpulse_models::{GpuSelector, Timestamp};

use crate::{
    problem::{Mistake, clipped},
    routes::v1::{nearest::nearest, query},
};

/// How long ago the history begins unless the client says otherwise.
const USUAL_SECONDS: i64 = 600;

/// Points of a series unless the client asks for a step.
const USUAL_POINTS: i64 = 1_000;

/// Steps that are easy to read, in seconds.
const EASY: [i64; 18] = [
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];

/// The longest step: more is a mistake.
const LONGEST_STEP: i64 = 366 * 86_400;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) metrics: Vec<MetricId>,
    /// The GPUs as they were named; all if none was.
    pub(super) gpus: Option<Vec<(String, GpuSelector)>>,
    /// The begin, in seconds since the beginning of 1970.
    pub(super) from: i64,
    pub(super) to: i64,
    /// In seconds.
    pub(super) step: i64,
}

impl Wish {
    pub(super) fn parse(query: &str, now: i64) -> Result<Self, Mistake> {
        let (mut metrics, mut gpus, mut from, mut to, mut step) = (None, None, None, None, None);
        for (name, value) in query::pairs(query, &["metric", "gpu", "from", "to", "step"])? {
            match name.as_str() {
                "metric" => metrics = Some(self::metrics(&value)?),
                "gpu" => gpus = Some(self::gpus(&value)?),
                "from" => from = Some(time("from", &value, now)?),
                "to" => to = Some(time("to", &value, now)?),
                _ => step = Some(self::step(&value)?),
            }
        }
        let Some(metrics) = metrics else {
            return Err(Mistake {
                kind: "missing",
                parameter: "metric",
                message: "`metric` says which metrics: /api/v1/history/metrics lists them".to_owned(),
                input: query.to_owned(),
            });
        };
        // The second that is not over yet is left out.
        let to = to.unwrap_or(now);
        let from = from.unwrap_or(to.saturating_sub(USUAL_SECONDS));
        if from >= to {
            return Err(Mistake {
                kind: "empty_range",
                parameter: "from",
                message: "`from` is not before `to`".to_owned(),
                input: query.to_owned(),
            });
        }
        Ok(Self {
            metrics,
            gpus,
            from,
            to,
            step: step.unwrap_or_else(|| easy_step(to - from)),
        })
    }
}

/// The shortest easy step with which there are not too many points.
fn easy_step(seconds: i64) -> i64 {
    let fits = |step: &i64| seconds / step < USUAL_POINTS;
    let day = 86_400;
    EASY.into_iter()
        .find(fits)
        .unwrap_or_else(|| (seconds / USUAL_POINTS / day + 1) * day)
}

fn metrics(text: &str) -> Result<Vec<MetricId>, Mistake> {
    let mut found = Vec::new();
    for path in text.split(',').map(str::trim_ascii) {
        let metric = KEPT.find(path).ok_or_else(|| {
            let known = KEPT.all().iter().map(|metric| metric.path.as_str());
            let near: Vec<_> = nearest(path, known)
                .iter()
                .map(|path| format!("`{path}`"))
                .collect();
            Mistake {
                kind: "unknown_metric",
                parameter: "metric",
                message: format!(
                    "there is no history of `{}`; the nearest are {}, and /api/v1/history/metrics lists all",
                    clipped(path),
                    near.join(", ")
                ),
                input: text.to_owned(),
            }
        })?;
        if !found.contains(&metric) {
            found.push(metric);
        }
    }
    Ok(found)
}

fn gpus(text: &str) -> Result<Vec<(String, GpuSelector)>, Mistake> {
    let parse = |name: &str| match name.parse() {
        Ok(selector) => Ok((name.to_owned(), selector)),
        Err(error) => Err(Mistake {
            kind: "gpu_parsing",
            parameter: "gpu",
            message: format!("{error}"),
            input: name.to_owned(),
        }),
    };
    text.split(',').map(str::trim_ascii).map(parse).collect()
}

/// A point in time, in seconds since the beginning of 1970.
fn time(parameter: &'static str, text: &str, now: i64) -> Result<i64, Mistake> {
    let ago = || seconds(text.strip_prefix('-')?).map(|seconds| now.saturating_sub(seconds));
    let unix = || {
        let number: f64 = text.parse().ok()?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let at = Timestamp::from_second(number as i64).ok()?;
        is_plain.then_some(at.as_second())
    };
    let rfc3339 = || Some(text.parse::<Timestamp>().ok()?.as_second());
    let this = || (text == "now").then_some(now);
    this().or_else(ago).or_else(unix).or_else(rfc3339).ok_or_else(|| Mistake {
        kind: "time_parsing",
        parameter,
        message: format!(
            "`{parameter}` is a time (2026-01-31T12:00:00Z), seconds since the beginning of 1970, so long ago (-10m, -2h), \
             or `now`"
        ),
        input: text.to_owned(),
    })
}

fn step(text: &str) -> Result<i64, Mistake> {
    let fits = |step: &i64| (1..=LONGEST_STEP).contains(step);
    seconds(text).filter(fits).ok_or_else(|| Mistake {
        kind: "duration_parsing",
        parameter: "step",
        message: "`step` is a whole number of seconds, minutes, hours or days: `1s`, `5m`, `1h`, `1d`"
            .to_owned(),
        input: text.to_owned(),
    })
}

/// Whole seconds: a number with `s`, `m`, `h` or `d`.
fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = number.parse().ok().filter(|_| is_plain)?;
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn wish(query: &str) -> Wish {
        Wish::parse(&format!("metric=load.gpu_percent&{query}"), NOW).unwrap()
    }

    #[test]
    fn times_are_taken_in_four_ways() {
        for (text, second) in [
            ("1799990000", 1_799_990_000),
            ("1799990000.75", 1_799_990_000),
            ("-90s", NOW - 90),
            ("-10m", NOW - 600),
            ("-2h", NOW - 7_200),
            ("-1d", NOW - 86_400),
            ("2027-01-15T07:00:00Z", 1_799_996_400),
            ("2027-01-15T08:00:00%2B01:00", 1_799_996_400),
        ] {
            assert_eq!(wish(&format!("from={text}")).from, second, "{text}");
        }
        assert_eq!((wish("").from, wish("").to), (NOW - 600, NOW));
        assert_eq!(
            (wish("to=-1h").from, wish("to=-1h").to),
            (NOW - 4_200, NOW - 3_600)
        );
        assert_eq!(wish("from=-1m&to=now").to, NOW);
    }

    #[test]
    fn the_usual_step_gives_at_most_a_thousand_points() {
        assert_eq!(wish("").step, 1);
        assert_eq!(wish("from=-1h").step, 5);
        assert_eq!(wish("from=-1d").step, 120);
        for seconds in [1, 999, 1_000, 1_001, 86_400, 100 * 86_400, NOW] {
            let step = easy_step(seconds);
            assert!(seconds / step <= USUAL_POINTS, "{seconds} {step}");
        }
        assert_eq!(wish("step=5m").step, 300);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (query, parameter, word) in [
            ("", "metric", "lists them"),
            ("metric=load.gpu", "metric", "`load.gpu_percent`"),
            ("metric=", "metric", "there is no history of ``"),
            ("metric=load.gpu_percent&gpu=x", "gpu", "index"),
            ("metric=load.gpu_percent&gpu=", "gpu", "index"),
            ("metric=load.gpu_percent&from=yesterday", "from", "-10m"),
            ("metric=load.gpu_percent&from=1e9", "from", "-10m"),
            ("metric=load.gpu_percent&from=-5", "from", "-10m"),
            ("metric=load.gpu_percent&to=99999999999999999999", "to", "-10m"),
            ("metric=load.gpu_percent&from=now", "from", "not before"),
            ("metric=load.gpu_percent&from=-1m&to=-2m", "from", "not before"),
            ("metric=load.gpu_percent&step=0s", "step", "whole number"),
            ("metric=load.gpu_percent&step=250ms", "step", "whole number"),
            ("metric=load.gpu_percent&step=1", "step", "whole number"),
            ("metric=load.gpu_percent&step=é", "step", "whole number"),
            (
                "metric=load.gpu_percent&step=9999999999999999d",
                "step",
                "whole number",
            ),
            ("metrics=load.gpu_percent", "query", "no such parameter"),
        ] {
            let mistake = Wish::parse(query, NOW).unwrap_err();
            assert_eq!(mistake.parameter, parameter, "{query}");
            assert!(mistake.message.contains(word), "{query}: {}", mistake.message);
        }
    }
}
