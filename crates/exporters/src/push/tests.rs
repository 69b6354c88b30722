//! What a receiver may do, and what is pushed all the same: order, pauses, what is dropped, and the end. The time is that
//! of the tests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use gpulse_aggregator::SnapshotCache;
use gpulse_models::{DropReason, PushStats, example};
use tokio::time::Instant;

use super::*;
use crate::{
    View,
    push::{Accepted, Batch},
};

const INTERVAL: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(5);
const SAMPLES: u64 = 7;

/// What the receiver does with the next attempt.
#[derive(Clone, Debug)]
enum Does {
    Refuse(Refusal),
    Hang,
    Take(u64),
}

/// Plays a receiver by a script; what comes behind its end is taken.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Played>>);

#[derive(Default)]
struct Played {
    script: VecDeque<Does>,
    /// For ever, once the script is over.
    then: Option<Does>,
    attempts: Vec<(u8, Instant)>,
    taken: Vec<u8>,
}

impl Sender for Receiver {
    async fn send(&mut self, body: Bytes) -> Result<Accepted, Refusal> {
        let does = {
            let mut played = self.0.lock().unwrap();
            played.attempts.push((body[0], Instant::now()));
            let then = played.then.clone().unwrap_or(Does::Take(0));
            played.script.pop_front().unwrap_or(then)
        };
        match does {
            Does::Refuse(refusal) => Err(refusal),
            Does::Hang => std::future::pending().await,
            Does::Take(rejected_samples) => {
                self.0.lock().unwrap().taken.push(body[0]);
                Ok(Accepted {
                    rejected_samples,
                    why: String::new(),
                })
            }
        }
    }
}

/// Numbers its batches, and publishes a new generation with each unless the aggregator is to stand still.
struct Numbered {
    cache: Arc<SnapshotCache>,
    number: u8,
    stands_still: bool,
}

impl Encoder for Numbered {
    fn encode(&mut self, view: &View<'_>) -> Option<Batch> {
        self.number += 1;
        if !self.stands_still {
            let mut host = view.host.clone();
            host.generation += 1;
            self.cache.replace(host);
        }
        Some(Batch::new(vec![self.number; 10], SAMPLES))
    }
}

/// What came of it.
struct Outcome {
    attempts: Vec<(u8, Duration)>,
    taken: Vec<u8>,
    stats: PushStats,
    /// How long the end took.
    ending: Duration,
}

/// How an actor is run.
struct Play {
    script: Vec<Does>,
    then: Option<Does>,
    buffer_bytes: usize,
    lasts: Duration,
    grace: Duration,
    stands_still: bool,
}

impl Default for Play {
    fn default() -> Self {
        Self {
            script: Vec::new(),
            then: None,
            buffer_bytes: 1_000,
            lasts: Duration::from_secs(100),
            grace: Duration::ZERO,
            stands_still: false,
        }
    }
}

impl Play {
    async fn run(self) -> Outcome {
        let receiver = Receiver::default();
        {
            let mut played = receiver.0.lock().unwrap();
            played.script = self.script.into();
            played.then = self.then;
        }
        let cache = Arc::new(SnapshotCache::holding(example::host([example::gpu(0)])));
        let subject = Subject {
            cache: Arc::clone(&cache),
            instance: "a".to_owned(),
            node: "n".to_owned(),
            version: "0",
            started_at: example::at(),
            per_process: false,
        };
        let settings = PushSettings {
            interval: INTERVAL,
            timeout: TIMEOUT,
            buffer_bytes: self.buffer_bytes,
        };
        let encoder = Numbered {
            cache: Arc::clone(&cache),
            number: 0,
            stands_still: self.stands_still,
        };
        let (end, told) = oneshot::channel();
        let start = Instant::now();
        let actor = Actor::new("otlp", subject, settings, encoder, receiver.clone());
        let tell = async {
            sleep(self.lasts).await;
            end.send(self.grace).unwrap();
            Instant::now()
        };
        let ((), told_at) = tokio::join!(actor.run(told), tell);
        let played = receiver.0.lock().unwrap();
        let attempts = played.attempts.iter();
        Outcome {
            attempts: attempts.map(|(number, at)| (*number, *at - start)).collect(),
            taken: played.taken.clone(),
            stats: cache.counters().push("otlp").read(),
            ending: told_at.elapsed(),
        }
    }
}

impl Outcome {
    fn dropped(&self, reason: DropReason) -> u64 {
        self.stats.dropped_samples[reason as usize].1
    }

    fn is_in_order(&self) -> bool {
        self.taken.is_sorted_by(|a, b| a < b)
    }
}

fn later() -> Does {
    Does::Refuse(Refusal::later("down"))
}

#[tokio::test(start_paused = true)]
async fn each_interval_has_one_batch() {
    let outcome = Play::default().run().await;
    // Ten within the time, and the last one at the end.
    assert_eq!(outcome.taken, (1..=11).collect::<Vec<_>>());
    assert_eq!(outcome.stats.sent, 11);
    assert_eq!(outcome.stats.buffered_bytes, 0);
    assert!(outcome.stats.last_success.is_some());
    for pair in outcome.attempts[..10].windows(2) {
        assert!(pair[1].1 - pair[0].1 >= INTERVAL, "{:?}", outcome.attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_missed_arrives_in_order_when_it_is_back() {
    let script = vec![later(); 5];
    let outcome = Play {
        script,
        ..Play::default()
    }
    .run()
    .await;
    assert_eq!(outcome.taken, (1..=11).collect::<Vec<_>>());
    assert_eq!(outcome.stats.retried, 5);
    assert_eq!(outcome.stats.dropped, 0);
    assert!(outcome.attempts[..6].iter().all(|(number, _)| *number == 1));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_are_dropped_when_the_buffer_is_full() {
    let outcome = Play {
        then: Some(later()),
        buffer_bytes: 30,
        ..Play::default()
    }
    .run()
    .await;
    assert!(outcome.taken.is_empty(), "{:?}", outcome.taken);
    assert_eq!(outcome.dropped(DropReason::BufferFull), 8 * SAMPLES);
    assert_eq!(outcome.stats.dropped, 8);
    assert_eq!(outcome.stats.buffered_bytes, 30);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_is_given_up_attempt_by_attempt() {
    let outcome = Play {
        script: vec![Does::Hang; 3],
        ..Play::default()
    }
    .run()
    .await;
    assert_eq!(outcome.stats.retried, 3);
    assert_eq!(outcome.taken, (1..=11).collect::<Vec<_>>());
    for pair in outcome.attempts[..4].windows(2) {
        assert!(pair[1].1 - pair[0].1 >= TIMEOUT, "{:?}", outcome.attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_be_taken_is_dropped_and_the_next_one_sent() {
    let never = |reason| {
        Does::Refuse(Refusal::Never {
            reason,
            why: "no".to_owned(),
        })
    };
    let outcome = Play {
        script: vec![
            never(DropReason::Rejected),
            Does::Take(2),
            never(DropReason::Unauthorized),
        ],
        ..Play::default()
    }
    .run()
    .await;
    assert_eq!(outcome.taken, [2, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(outcome.dropped(DropReason::Rejected), SAMPLES + 2);
    assert_eq!(outcome.dropped(DropReason::Unauthorized), SAMPLES);
    assert_eq!((outcome.stats.dropped, outcome.stats.retried), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_receiver_says_how_long_it_wants_to_be_left_alone() {
    let asked = Duration::from_secs(33);
    let outcome = Play {
        script: vec![Does::Refuse(Refusal::Later {
            asked: Some(asked),
            why: "busy".to_owned(),
        })],
        ..Play::default()
    }
    .run()
    .await;
    let waited = outcome.attempts[1].1 - outcome.attempts[0].1;
    assert!(waited >= asked && waited < asked * 2, "{waited:?}");
    assert!(outcome.is_in_order());
    assert_eq!(outcome.taken.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_when_nobody_writes_the_cache_any_more() {
    let outcome = Play {
        stands_still: true,
        ..Play::default()
    }
    .run()
    .await;
    assert_eq!(outcome.taken, [1]);
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_waits_and_takes_no_longer_than_it_may() {
    let busy = Play {
        script: vec![Does::Refuse(Refusal::Later {
            asked: Some(Duration::from_secs(60)),
            why: "busy".to_owned(),
        })],
        lasts: Duration::from_secs(30),
        grace: Duration::from_secs(5),
        ..Play::default()
    };
    assert_eq!(busy.run().await.taken, [1, 2, 3, 4]);
    let hangs = Play {
        then: Some(Does::Hang),
        grace: Duration::from_secs(3),
        ..Play::default()
    };
    let outcome = hangs.run().await;
    assert!(outcome.taken.is_empty(), "{:?}", outcome.taken);
    assert!(outcome.ending <= Duration::from_secs(3), "{:?}", outcome.ending);
    let down = Play {
        then: Some(later()),
        grace: Duration::from_secs(3),
        ..Play::default()
    };
    // One attempt is enough to see that it is down.
    assert_eq!(down.run().await.ending, Duration::ZERO);
}
