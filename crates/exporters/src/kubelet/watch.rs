//! Asks the kubelet again and again, and says what is known from its answers.

use std::{convert::Infallible, io, ops::ControlFlow, path::PathBuf, sync::Arc, time::Duration};

use gpulse_models::{Absence, PodAssignments, PodHolders, Reason, Timestamp, microseconds};
use tokio::{sync::oneshot, time::Instant};

use super::{client, resources::ResourceNames};

/// Where the kubelet listens, unless its configuration says otherwise.
pub const KUBELET_SOCKET: &str = "/var/lib/kubelet/pod-resources/kubelet.sock";

/// What an answer may take at least and at most: an interval within these bounds.
const DEADLINE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// The longest pause after failures, unless the interval is longer: one look at a file costs nothing, and a kubelet that
/// comes later is found within that time.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// For so many intervals the last answer is believed while there is none: assignments outlive a kubelet that is started
/// anew, which takes seconds.
const BELIEVED_INTERVALS: u32 = 6;

/// The share of a pause by which it is longer or shorter at random, so that the agents of a cluster do not ask in step.
const JITTER: f64 = 0.1;

/// How the kubelet is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSettings {
    /// Its socket.
    pub socket: PathBuf,
    /// From one question to the next.
    pub interval: Duration,
    /// Names of resources that are GPUs, beside NVIDIA's own; one that ends in `*` is what a name begins with.
    pub resource_names: Vec<String>,
}

/// Asks the kubelet for as long as it is kept.
#[derive(Debug)]
pub struct PodWatch {
    _ends_when_dropped: oneshot::Sender<Infallible>,
}

/// Asks the kubelet in a thread of its own, and tells after each question what is known from then on, until nobody
/// listens.
///
/// # Errors
///
/// If no thread can be started.
pub fn watch_pods(
    settings: PodSettings,
    tell: impl FnMut(Arc<PodAssignments>) -> ControlFlow<()> + Send + 'static,
) -> io::Result<PodWatch> {
    let (keep, dropped) = oneshot::channel();
    crate::thread::start("kubelet", move |runtime| {
        runtime.block_on(async {
            tokio::select! {
                _ = dropped => {}
                () = ask_again_and_again(settings, tell) => {}
            }
        });
    })?;
    Ok(PodWatch {
        _ends_when_dropped: keep,
    })
}

async fn ask_again_and_again(
    settings: PodSettings,
    mut tell: impl FnMut(Arc<PodAssignments>) -> ControlFlow<()>,
) {
    let names = ResourceNames {
        others: settings.resource_names,
    };
    let deadline = settings.interval.clamp(DEADLINE.0, DEADLINE.1);
    let mut memory = Memory::new(settings.interval);
    loop {
        let answer = client::list(&settings.socket, deadline).await;
        let answer = answer.map(|response| names.holders(&response));
        memory.log(&answer);
        let pods = memory.take(answer, Instant::now(), microseconds(Timestamp::now()));
        if tell(Arc::new(pods)).is_break() {
            return;
        }
        let share = 1.0 + JITTER * (2.0 * fastrand::f64() - 1.0);
        tokio::time::sleep(memory.pause(Instant::now()).mul_f64(share)).await;
    }
}

/// More of them would overflow, and are beyond the longest pause.
const MOST_DOUBLINGS: u32 = 12;

/// What the kubelet said.
#[derive(Debug)]
struct Memory {
    interval: Duration,
    /// The last answer, while it is believed.
    last: Option<(Arc<PodHolders>, Timestamp)>,
    believed_until: Option<Instant>,
    /// Failures since.
    failures: u32,
    /// What the log says: an answer, or a failure for this reason.
    logged: Option<Option<Reason>>,
    /// Whether the log says that assignments were left out.
    logged_omitted: bool,
}

impl Memory {
    fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: None,
            believed_until: None,
            failures: 0,
            logged: None,
            logged_omitted: false,
        }
    }

    /// What is known from `answer` on.
    fn take(&mut self, answer: Result<PodHolders, Absence>, now: Instant, wall: Timestamp) -> PodAssignments {
        let error = match answer {
            Ok(holders) => {
                let known = PodAssignments::known(holders, wall);
                self.last = known.holders.clone().ok().map(|holders| (holders, wall));
                self.believed_until = Some(now + self.interval * BELIEVED_INTERVALS);
                self.failures = 0;
                return known;
            }
            Err(error) => error,
        };
        self.failures = self.failures.saturating_add(1);
        if self.believed_until.is_some_and(|until| until <= now) {
            (self.last, self.believed_until) = (None, None);
        }
        match &self.last {
            None => PodAssignments::unknown(error),
            Some((holders, read_at)) => PodAssignments {
                holders: Ok(Arc::clone(holders)),
                read_at: Some(*read_at),
                last_error: Some(error),
            },
        }
    }

    /// How long to wait before the next question. It doubles with each failure, but there is a question when the last
    /// answer ceases to be believed, a little later so that jitter does not make it two.
    fn pause(&self, now: Instant) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(MOST_DOUBLINGS);
        let pause = self.interval * 2_u32.pow(doublings);
        let pause = pause.min(LONGEST_PAUSE.max(self.interval));
        match self.believed_until {
            Some(until) if self.failures > 0 => {
                let left = until.saturating_duration_since(now);
                pause.min(left.mul_f64(1.0 + 2.0 * JITTER))
            }
            _ => pause,
        }
    }

    /// A line when it becomes another story, and no line for a machine without a kubelet.
    fn log(&mut self, answer: &Result<PodHolders, Absence>) {
        let story = answer.as_ref().err().map(|absence| absence.reason);
        let before = self.logged.replace(story);
        if before != Some(story) {
            match answer {
                Ok(_) => tracing::info!("the kubelet says which pods hold which GPUs"),
                Err(absence) if before.is_none() && absence.reason == Reason::NotSupported => {
                    tracing::debug!(message = absence.message);
                }
                Err(absence) => tracing::warn!(
                    reason = absence.reason.as_str(),
                    error = absence.message,
                    "the kubelet does not say which pods hold which GPUs"
                ),
            }
        }
        if let Ok(holders) = answer {
            let omitted = holders.omitted();
            if omitted > 0 && !self.logged_omitted {
                tracing::warn!(omitted, "the kubelet named more holders of GPUs than are kept");
            }
            self.logged_omitted = omitted > 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn failure() -> Result<PodHolders, Absence> {
        Err(Absence::new(Reason::Timeout, "words"))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn the_last_answer_is_believed_for_a_while_and_then_no_longer() {
        let mut memory = Memory::new(INTERVAL);
        let start = Instant::now();
        let known = memory.take(Ok(PodHolders::default()), start, at(1));
        assert_eq!((known.read_at, &known.last_error), (Some(at(1)), &None));
        let mut now = start + INTERVAL;
        let mut asked = 0;
        while now < start + INTERVAL * BELIEVED_INTERVALS {
            let pods = memory.take(failure(), now, at(2));
            assert_eq!((pods.holders, pods.read_at), (known.holders.clone(), Some(at(1))));
            assert_eq!(pods.last_error.unwrap().reason, Reason::Timeout);
            now += memory.pause(now);
            asked += 1;
        }
        assert!((2..10).contains(&asked), "{asked}");
        assert!(
            now < start + INTERVAL * (BELIEVED_INTERVALS + 2),
            "it is asked when belief ends"
        );
        let pods = memory.take(failure(), now, at(3));
        assert_eq!(pods, PodAssignments::unknown(failure().unwrap_err()));
        let again = memory.take(Ok(PodHolders::default()), now, at(4));
        assert_eq!((again.read_at, again.last_error), (Some(at(4)), None));
        assert_eq!(memory.pause(now), INTERVAL);
    }

    #[test]
    fn pauses_grow_with_failures_and_are_bounded() {
        for interval in [Duration::from_millis(100), INTERVAL, Duration::from_secs(3_600)] {
            let mut memory = Memory::new(interval);
            let now = Instant::now();
            let mut last = Duration::ZERO;
            for _ in 0..40 {
                memory.take(failure(), now, at(1));
                let pause = memory.pause(now);
                assert!(pause >= last && pause >= interval && pause <= LONGEST_PAUSE.max(interval));
                last = pause;
            }
            assert_eq!(last, LONGEST_PAUSE.max(interval));
        }
    }
}
