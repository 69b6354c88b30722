//! Notices that nothing moves where something should.

use std::{future::Future as _, pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep, sleep};

/// Notices that a number has stood still for a time, at the latest after twice that time.
///
/// Its timer is set when there is first something to wait for, and then left alone: what moves on costs nothing.
#[derive(Debug, Default)]
pub(super) struct Stall {
    timer: Option<Pin<Box<Sleep>>>,
    seen: u64,
}

impl Stall {
    /// Whether `progress` has been the same for `limit`. Called when there is nothing to do but to wait for the peer;
    /// the task of `context` is woken to look again.
    pub(super) fn is_over(&mut self, context: &mut Context<'_>, progress: u64, limit: Duration) -> bool {
        loop {
            let timer = match &mut self.timer {
                Some(timer) => timer,
                None => {
                    self.seen = progress;
                    self.timer.insert(Box::pin(sleep(limit)))
                }
            };
            if timer.as_mut().poll(context).is_pending() {
                return false;
            }
            if self.seen == progress {
                return true;
            }
            self.seen = progress;
            timer.as_mut().reset(Instant::now() + limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Poll};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// How long it takes until a number that is `progress` by then is found to stand still.
    async fn until_over(stall: &mut Stall, progress: u64) -> Duration {
        let start = Instant::now();
        poll_fn(|context| {
            if stall.is_over(context, progress, LIMIT) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        start.elapsed()
    }

    async fn is_over(stall: &mut Stall, progress: u64) -> bool {
        poll_fn(|context| Poll::Ready(stall.is_over(context, progress, LIMIT))).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_still_is_noticed_after_once_to_twice_the_time() {
        let mut stall = Stall::default();
        assert_eq!(until_over(&mut stall, 1).await.as_secs(), 10);

        let mut stall = Stall::default();
        assert!(!is_over(&mut stall, 1).await);
        sleep(LIMIT / 2).await;
        // It has moved on, and stands still from here: half of the first time, and then a whole one.
        assert_eq!(until_over(&mut stall, 2).await.as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_left_alone() {
        let mut stall = Stall::default();
        for progress in 0..20 {
            sleep(LIMIT * 2 / 3).await;
            assert!(!is_over(&mut stall, progress).await);
        }
    }
}
