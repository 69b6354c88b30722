//! One stream: what its client is sent next, and when.

use std::{convert::Infallible, rc::Rc, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    body::{BodyStream, BoxBody},
    http::header::HeaderValue,
    web::Data,
};
use bytes::Bytes;
use futures_util::stream::unfold;
use gpulse_aggregator::OpenStream;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::{
    feed::{Feed, frame},
    hub::Follower,
    pace::Pace,
    replay::Replay,
    wish::Wish,
};
use crate::{large, listen::Connection, rendered::to_json, state::State};

/// A client hears something at least that often: proxies give a connection up after a minute, or half of one.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// When a client that was cut off is to come back, in milliseconds.
const RETRY: u64 = 2_000;

/// What is sent as long as nothing happens.
const BEAT: &[u8] = b": beat\n\n";

/// One stream.
pub(crate) struct Subscription {
    state: Data<State>,
    connection: Option<Rc<Connection>>,
    feed: Arc<Feed>,
    follower: Follower,
    open: OpenStream,
    began: Instant,
    pace: Pace,
    hello: Option<Bytes>,
    replay: Option<Replay>,
    /// The generation that was sent last.
    sent: Option<u64>,
    /// The number of the event that was sent last; nothing if none are wanted.
    event: Option<u64>,
    /// Whether the last thing sent was an event: then it is a snapshot's turn.
    was_event: bool,
    /// When something was sent last.
    heard: Instant,
    /// What of it is still to go out.
    rest: Bytes,
}

/// The type of what is sent.
pub(crate) fn content_type() -> HeaderValue {
    HeaderValue::from_static("text/event-stream")
}

/// Who sends.
#[derive(Serialize)]
struct Hello<'a> {
    agent_id: &'a str,
    version: &'a str,
    instance: String,
    interval_seconds: f64,
    /// Whether what the client missed follows; left out if it did not say what it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
}

impl Subscription {
    pub(crate) fn new(request: &HttpRequest, state: Data<State>, follower: Follower, wish: Wish) -> Self {
        let interval = wish.interval.unwrap_or_default().max(state.sampling_interval);
        let after = wish.after;
        let open = state.cache.open_stream();
        let seen = wish
            .after
            .and_then(|generation| state.cache.recent().at(generation));
        let event = seen
            .as_ref()
            .map_or_else(|| state.cache.events().newest(), |seen| seen.event);
        let now = Instant::now();
        Self {
            hello: Some(hello(&state, interval, after.map(|_| seen.is_some()))),
            connection: request.conn_data().cloned(),
            feed: state.feeds.of(wish.what),
            follower,
            open,
            began: now,
            pace: Pace::new(interval),
            replay: seen.as_ref().map(|seen| Replay::after(seen, interval)),
            sent: seen.map(|seen| seen.host.generation),
            event: (!wish.without_events).then_some(event),
            was_event: false,
            heard: now,
            rest: Bytes::new(),
            state,
        }
    }

    /// As the body of an answer.
    pub(crate) fn into_body(self) -> BoxBody {
        BoxBody::new(BodyStream::new(unfold(self, |mut stream| async move {
            let piece = stream.next().await?;
            Some((Ok::<_, Infallible>(piece), stream))
        })))
    }

    /// What is to be sent next, once there is something; nothing once the server ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.rest.is_empty() {
                return Some(large::piece(self.connection.as_ref(), &mut self.rest));
            }
            if self.follower.is_ending() {
                return None;
            }
            match self.ready() {
                Some(bytes) => {
                    self.heard = Instant::now();
                    self.rest = bytes;
                }
                None => self.wait().await,
            }
        }
    }

    /// What there is to be sent at this moment.
    fn ready(&mut self) -> Option<Bytes> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        if self.replay.is_some() {
            if let Some(missed) = self.missed() {
                return Some(missed);
            }
            self.replay = None;
        }
        // A snapshot first of all, and between events however many there are.
        let is_turn_of_snapshot = self.sent.is_none() || self.was_event;
        let found = if is_turn_of_snapshot {
            self.snapshot().or_else(|| self.events())
        } else {
            self.events().or_else(|| self.snapshot())
        };
        if found.is_some() {
            return found;
        }
        (Instant::now() >= self.heard + HEARTBEAT).then(|| Bytes::from_static(BEAT))
    }

    /// Until there may be something.
    async fn wait(&mut self) {
        let (opens, beat) = (self.began + self.pace.next(), self.heard + HEARTBEAT);
        let is_open = opens <= Instant::now();
        // Until a snapshot is due it does not matter how many there are: the stream sleeps through them.
        let until = if is_open { beat } else { beat.min(opens) };
        tokio::select! {
            () = sleep_until(until) => {}
            () = self.follower.wait(is_open) => {}
        }
    }

    /// The snapshot of now, if it is due and new.
    fn snapshot(&mut self) -> Option<Bytes> {
        let now = self.began.elapsed();
        if now < self.pace.next() {
            return None;
        }
        let set = self.state.bodies.latest(&self.state.cache);
        let generation = set.host.generation;
        if self.sent == Some(generation) {
            return None;
        }
        let bytes = self.feed.snapshot(&set);
        drop(set);
        let between = self.sent.map_or(0, |sent| generation.saturating_sub(sent + 1));
        self.open.sent(self.pace.missed(now).min(between));
        self.pace.sent(now);
        self.sent = Some(generation);
        self.was_event = false;
        Some(bytes)
    }

    /// The events since the last one.
    fn events(&mut self) -> Option<Bytes> {
        let newest = self.state.cache.events().newest();
        while let Some(after) = self.event.filter(|after| *after < newest) {
            let events = self.feed.events(&self.state, after);
            self.event = Some(events.next);
            if !events.bytes.is_empty() {
                self.was_event = true;
                return Some(events.bytes);
            }
        }
        None
    }

    /// The next snapshot that was missed, after the events before it.
    fn missed(&mut self) -> Option<Bytes> {
        let missed = self.replay.as_ref()?.next(self.state.cache.recent())?;
        if self.event.is_some_and(|event| event < missed.event)
            && let Some(events) = self.events()
        {
            return Some(events);
        }
        self.replay.as_mut()?.sent(&missed);
        self.pace.sent(self.began.elapsed());
        self.sent = Some(missed.host.generation);
        self.open.sent(0);
        let set = self.state.bodies.of(&self.state.cache, missed.host);
        Some(self.feed.snapshot(&set))
    }
}

/// What a stream begins with.
fn hello(state: &State, interval: Duration, resumed: Option<bool>) -> Bytes {
    let body = Hello {
        agent_id: &state.agent_id,
        version: state.version,
        instance: state.instance(),
        interval_seconds: interval.as_secs_f64(),
        resumed,
    };
    let mut text = format!("retry: {RETRY}\n\n").into_bytes();
    frame(&mut text, "hello", None, &to_json(&body));
    text.into()
}
