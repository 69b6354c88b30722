//! A push actor: a thread with a runtime of its own, so that no receiver, however slow, costs a sampler or an HTTP worker
//! anything.
//!
//! 1. At each interval it encodes the latest snapshot into a batch and puts it into the buffer.
//! 2. Beside that it sends the oldest batch of the buffer, and the next one only when that one is gone.
//! 3. What may be taken later is tried again, after pauses that grow; what will not be taken is dropped and counted.
//! 4. When it is told to end it encodes one last time and sends what waits, until the time for that is over.

use std::{io, sync::Arc, time::Duration};

use gpulse_aggregator::PushCounters;
use gpulse_models::Timestamp;
use tokio::{
    sync::oneshot,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};

use super::{
    backoff::Backoff,
    buffer::Buffer,
    sender::{Encoder, Refusal, Sender},
    subject::{Sign, Subject},
};

/// How an actor works, whatever its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushSettings {
    /// How often a batch is made.
    pub interval: Duration,
    /// How long an attempt to send one may take.
    pub timeout: Duration,
    /// How many bytes may wait.
    pub buffer_bytes: usize,
}

/// An actor that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What it takes to talk to the receiver cannot be used: a file, mostly.
    #[error("{0}")]
    Receiver(String),
    /// There can be no thread or no runtime.
    #[error("no thread can be started to push: {0}")]
    Thread(#[from] io::Error),
}

/// A running push actor.
#[derive(Debug)]
pub struct Pusher {
    exporter: &'static str,
    end: oneshot::Sender<Duration>,
    ended: oneshot::Receiver<()>,
}

impl Pusher {
    /// Starts an actor that tells of `subject`.
    pub(crate) fn start<E, S>(
        exporter: &'static str,
        subject: Subject,
        settings: PushSettings,
        encoder: E,
        sender: S,
    ) -> io::Result<Self>
    where
        E: Encoder + Send + 'static,
        S: Sender + Send + 'static,
    {
        let (end, told) = oneshot::channel();
        let (tell, ended) = oneshot::channel();
        crate::thread::start(&format!("push-{exporter}"), move |runtime| {
            let actor = Actor::new(exporter, subject, settings, encoder, sender);
            runtime.block_on(actor.run(told));
            // Nobody waits for what is still being looked up or connected to.
            runtime.shutdown_background();
            // Nobody listens any more if the time was over.
            let _ = tell.send(());
        })?;
        Ok(Self { exporter, end, ended })
    }

    /// Makes it send what waits, for at most `grace`; it is not waited for any longer.
    pub async fn stop(self, grace: Duration) {
        let told = self.end.send(grace).is_ok();
        if told && timeout(grace, self.ended).await.is_err() {
            tracing::warn!(exporter = self.exporter, "left behind while it still pushes");
        }
    }
}

/// What one thread works with.
pub(super) struct Actor<E, S> {
    collector: Collector<E>,
    courier: Courier<S>,
    buffer: Buffer,
    interval: Duration,
}

/// Makes batches.
struct Collector<E> {
    subject: Subject,
    encoder: E,
    last: Option<Sign>,
}

/// Sends batches.
struct Courier<S> {
    exporter: &'static str,
    sender: S,
    timeout: Duration,
    counters: Arc<PushCounters>,
    backoff: Backoff,
    failing: bool,
}

impl<E: Encoder, S: Sender> Actor<E, S> {
    pub(super) fn new(
        exporter: &'static str,
        subject: Subject,
        settings: PushSettings,
        encoder: E,
        sender: S,
    ) -> Self {
        let counters = subject.cache.counters().push(exporter);
        Self {
            buffer: Buffer::new(settings.buffer_bytes, Arc::clone(&counters)),
            collector: Collector {
                subject,
                encoder,
                last: None,
            },
            courier: Courier {
                exporter,
                sender,
                timeout: settings.timeout,
                counters,
                backoff: Backoff::new(),
                failing: false,
            },
            interval: settings.interval,
        }
    }

    /// Works until it is told to end, or nobody is left who could tell it.
    pub(super) async fn run(mut self, end: oneshot::Receiver<Duration>) {
        let grace = tokio::select! {
            grace = end => grace,
            () = self.collector.go_on(self.interval, &self.buffer) => return,
            () = self.courier.go_on(&self.buffer) => return,
        };
        let Ok(grace) = grace else { return };
        self.buffer.back();
        self.collector.collect(&self.buffer);
        // Cut by the time, the rest is lost: it is told below.
        let _ = timeout(grace, self.courier.flush(&self.buffer)).await;
        let (exporter, batches) = (self.courier.exporter, self.buffer.len());
        if batches > 0 {
            tracing::warn!(exporter, batches, "ended before the receiver took everything");
        }
    }
}

impl<E: Encoder> Collector<E> {
    /// Makes a batch at each interval, the first at a moment that is left to chance: the agents of a cluster are started
    /// together.
    async fn go_on(&mut self, interval: Duration, buffer: &Buffer) {
        let mut ticks = interval_at(Instant::now() + interval.mul_f64(fastrand::f64()), interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.collect(buffer);
        }
    }

    /// Makes a batch, unless nobody has written the cache since the last one: what is in it may not hold any more.
    fn collect(&mut self, buffer: &Buffer) {
        let sign = self.subject.sign();
        if self.last.replace(sign) == Some(sign) {
            return;
        }
        let moment = self.subject.now();
        if let Some(batch) = self.encoder.encode(&moment.view()) {
            buffer.put(batch);
        }
    }
}

impl<S: Sender> Courier<S> {
    /// Sends one batch after the other, in their order.
    async fn go_on(&mut self, buffer: &Buffer) {
        loop {
            let batch = buffer.first().await;
            if let Some(pause) = self.attempt(batch, buffer).await {
                sleep(pause).await;
            }
        }
    }

    /// Sends what waits, without pauses: who does not take it now will not be asked again.
    async fn flush(&mut self, buffer: &Buffer) {
        while let Some(batch) = buffer.try_first() {
            if self.attempt(batch, buffer).await.is_some() {
                return;
            }
        }
    }

    /// Makes one attempt. Returns how long to wait until the next one of the same batch.
    async fn attempt(&mut self, batch: super::Batch, buffer: &Buffer) -> Option<Duration> {
        let sent = timeout(self.timeout, self.sender.send(batch.body)).await;
        let late = |_| Err(Refusal::later(format!("no answer within {:?}", self.timeout)));
        let exporter = self.exporter;
        match sent.unwrap_or_else(late) {
            Ok(accepted) => {
                self.counters.sent(Timestamp::now(), accepted.rejected_samples);
                buffer.done();
                self.backoff.reset();
                let (samples, why) = (accepted.rejected_samples, accepted.why);
                if samples > 0 {
                    self.failed(&format!("{samples} samples were refused: {why}"));
                } else if std::mem::take(&mut self.failing) {
                    tracing::info!(
                        exporter,
                        waiting = buffer.len(),
                        "the receiver takes batches again"
                    );
                }
                None
            }
            Err(Refusal::Never { reason, why }) => {
                self.counters.dropped(reason, batch.samples);
                buffer.done();
                self.backoff.reset();
                self.failed(&format!("dropped ({}): {why}", reason.as_str()));
                None
            }
            Err(Refusal::Later { asked, why }) => {
                self.counters.retried();
                buffer.back();
                let pause = self.backoff.pause(asked);
                self.failed(&format!("tried again in {pause:.1?}: {why}"));
                Some(pause)
            }
        }
    }

    /// Logs what went wrong: the first time for everybody, and then for who looks closer.
    fn failed(&mut self, why: &str) {
        let exporter = self.exporter;
        if std::mem::replace(&mut self.failing, true) {
            tracing::debug!(exporter, "a batch was not taken: {why}");
        } else {
            tracing::warn!(exporter, "a batch was not taken: {why}");
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
