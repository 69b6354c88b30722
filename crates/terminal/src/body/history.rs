//! `/api/v1/history`, where the agent has it.

use serde::Deserialize;

use super::or_default;

/// What was read before the screens were there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    /// Start of each step, in Unix seconds; shared by all series.
    #[serde(deserialize_with = "or_default")]
    pub(crate) times: Vec<f64>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) series: Vec<Series>,
}

/// A reading of a GPU.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Series {
    #[serde(deserialize_with = "or_default")]
    pub(crate) gpu: SeriesGpu,
    #[serde(deserialize_with = "or_default")]
    pub(crate) metric: String,
    /// A value for each step; null where nothing was read.
    #[serde(deserialize_with = "or_default")]
    pub(crate) mean: Vec<Option<f64>>,
}

/// The GPU that a series is of.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct SeriesGpu {
    pub(crate) uuid: Option<String>,
}
