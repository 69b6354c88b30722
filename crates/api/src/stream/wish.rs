//! What a client asks a stream for.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderName},
};
use gpulse_models::{EventGpu, GpuSelector, HostSnapshot};

use crate::{
    problem::Mistake,
    routes::{
        gpu::place_of,
        v1::{query, selection::Selection, vocabulary},
    },
};

/// The last generation that a client has, as browsers send it.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Names of GPUs that a client may give: more than any host has GPUs and instances of them.
const MOST_GPUS: usize = 256;

/// Whoever wants less than a snapshot an hour does not want a stream.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);

/// What a client asks for.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) what: What,
    /// As it was asked for; the stream is not faster than GPUs are read.
    pub(crate) interval: Option<Duration>,
    pub(crate) without_events: bool,
    /// The last generation that the client has.
    pub(crate) after: Option<u64>,
}

/// What snapshots hold. Streams of which it is the same share what they are sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct What {
    /// All if not given.
    pub(super) fields: Option<Selection>,
    /// All if there are none.
    pub(super) gpus: Vec<(String, GpuSelector)>,
}

impl Wish {
    /// What `request` asks for. A `Last-Event-ID` that is no generation is none of this agent's, and is passed over: clients send
    /// back what they have, and cannot mend it.
    ///
    /// # Errors
    ///
    /// If a parameter is not understood.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Mistake> {
        let mut wish = Self {
            after: last_event_id(request.headers()),
            ..Self::default()
        };
        let known = ["interval", "gpu", "fields", "events", "after"];
        for (name, value) in query::pairs_with(request.query_string(), &known, &["gpu"])? {
            match name.as_str() {
                "interval" => {
                    wish.interval = Some(query::duration("interval", &value, LONGEST_INTERVAL)?);
                }
                "gpu" => wish.what.add_gpus(&value)?,
                "fields" => wish.what.fields = Some(Selection::parse(&value, &vocabulary::GPU)?),
                "events" => wish.without_events = !query::boolean("events", &value)?,
                "after" => wish.after = Some(query::number("after", &value, 0, u64::MAX)?),
                _ => {}
            }
        }
        Ok(wish)
    }
}

/// The generation that the client says it has.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

impl What {
    fn add_gpus(&mut self, text: &str) -> Result<(), Mistake> {
        for name in text.split(',').map(str::trim_ascii) {
            let mistake = |message: String| Mistake {
                kind: "gpu_parsing",
                parameter: "gpu",
                message,
                input: name.to_owned(),
            };
            let selector = name.parse().map_err(|error| mistake(format!("{error}")))?;
            if self.gpus.len() == MOST_GPUS {
                return Err(mistake(format!("more than {MOST_GPUS} GPUs are named")));
            }
            self.gpus.push((name.to_owned(), selector));
        }
        Ok(())
    }

    /// The first name by which no GPU of the roster goes.
    pub(crate) fn unknown(&self, host: &HostSnapshot) -> Option<&str> {
        let unknown = self.gpus.iter().find(|(_, gpu)| place_of(host, gpu).is_none());
        unknown.map(|(name, _)| name.as_str())
    }

    /// Whether the GPU at `place` of the roster is wanted.
    pub(super) fn is_wanted(&self, host: &HostSnapshot, place: usize) -> bool {
        self.gpus.is_empty()
            || self
                .gpus
                .iter()
                .any(|(_, gpu)| place_of(host, gpu) == Some(place))
    }

    /// Whether what happened to this GPU is wanted; what happened to none of them, but to the driver or the host, always is.
    pub(super) fn is_told_of(&self, host: &HostSnapshot, happened_to: Option<&EventGpu>) -> bool {
        let Some(event) = happened_to else { return true };
        self.gpus.is_empty()
            || self.gpus.iter().any(|(_, gpu)| {
                let index = place_of(host, gpu).map(|place| host.gpus[place].index);
                match gpu {
                    GpuSelector::Uuid(uuid) if *uuid == event.id => true,
                    GpuSelector::Index(wanted) if *wanted == event.index => true,
                    _ => index == Some(event.index),
                }
            })
    }
}
