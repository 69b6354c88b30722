//! What becomes of a driver that is in use: it is asked whether it still is what it was, and let go where it is not.

use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use actix::{ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, WrapFuture};
use gpulse_models::DriverReason;
use nvml_wrapper::Nvml;
use tokio::sync::oneshot;

use super::{Discovery, Phase, panicked, session::Session};
use crate::driver::{self, Refusal};

/// The driver is asked how many GPUs it knows this often.
pub(super) const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A driver that has not answered so many times in a row is gone: a single refusal may be that of one call.
const REFUSALS: u32 = 2;

/// Threads come back from the library within this time, or are stuck in it.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether they have.
const LET_GO_CHECK: Duration = Duration::from_millis(50);

impl Discovery {
    /// Asks the driver of this initialisation how many GPUs it knows, on a thread that may get stuck.
    pub(super) fn check(&mut self, epoch: u64, ctx: &mut Context<Self>) {
        let Some(session) = self.running(epoch) else {
            return;
        };
        let (nvml, library, counters) = (
            Arc::clone(&session.driver.nvml),
            session.driver.info.library.clone(),
            Arc::clone(&self.settings.counters),
        );
        let (tell, told) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("nvml-check".to_owned())
            .spawn(move || {
                let _ = tell.send(driver::count(&nvml, &library, counters.calls()));
            });
        if thread.is_err() {
            ctx.run_later(CHECK_EVERY, move |discovery, ctx| discovery.check(epoch, ctx));
            return;
        }
        told.into_actor(self)
            .map(move |answer, discovery, ctx| {
                discovery.checked(epoch, answer.unwrap_or_else(|_| Err(panicked())), ctx)
            })
            .spawn(ctx);
    }

    fn checked(&mut self, epoch: u64, answer: Result<u32, Refusal>, ctx: &mut Context<Self>) {
        let Some(session) = self.running(epoch) else {
            return;
        };
        let known = session.driver.gpus;
        match answer {
            // A driver without GPUs may see new ones only when it is initialised anew.
            Ok(0) if known == 0 => return self.begin_anew(ctx),
            Ok(count) if count == known => self.refusals = 0,
            Ok(count) => {
                tracing::warn!(
                    known,
                    count,
                    "the driver knows another number of GPUs; it is initialised anew"
                );
                return self.begin_anew(ctx);
            }
            Err(refusal) => {
                self.refusals += 1;
                if self.refusals >= REFUSALS {
                    return self.lost(refusal, ctx);
                }
            }
        }
        ctx.run_later(CHECK_EVERY, move |discovery, ctx| discovery.check(epoch, ctx));
    }

    fn running(&self, epoch: u64) -> Option<&Session> {
        match &self.phase {
            Phase::Running(session) if session.epoch() == epoch => Some(session),
            _ => None,
        }
    }

    /// The driver no longer answers.
    fn lost(&mut self, refusal: Refusal, ctx: &mut Context<Self>) {
        tracing::warn!(
            reason = refusal.reason.as_str(),
            error = refusal.message,
            "the driver is gone; it is loaded again as soon as it can be"
        );
        self.report(refusal, ctx);
        self.begin_anew(ctx);
    }

    /// Lets the driver in use go, and then tries again.
    fn begin_anew(&mut self, ctx: &mut Context<Self>) {
        if let Phase::Running(session) = std::mem::replace(&mut self.phase, Phase::LettingGo) {
            self.let_go(session, ctx);
        }
    }

    pub(super) fn let_go(&mut self, session: Session, ctx: &mut Context<Self>) {
        self.phase = Phase::LettingGo;
        let left = session.end();
        self.await_let_go(left, LET_GO_WITHIN, ctx);
    }

    /// Goes on once no thread is inside the library any more, or once it is clear that one is stuck.
    fn await_let_go(&mut self, library: Weak<Nvml>, left: Duration, ctx: &mut Context<Self>) {
        let inside = library.strong_count();
        if inside > 0 && !left.is_zero() {
            let left = left.saturating_sub(LET_GO_CHECK);
            ctx.run_later(LET_GO_CHECK, move |discovery, ctx| {
                discovery.await_let_go(library, left, ctx)
            });
            return;
        }
        if inside > 0 {
            tracing::warn!(
                inside,
                "threads are stuck inside NVML: it stays loaded until they come back"
            );
        }
        if self.parked {
            return self.park(inside, ctx);
        }
        self.wait(ctx);
    }

    pub(super) fn wait(&mut self, ctx: &mut Context<Self>) {
        self.phase = Phase::Waiting(ctx.run_later(self.pause(), Self::attempt));
    }

    /// Says that the GPUs are let go, or how many threads still hold them.
    pub(super) fn park(&mut self, inside: usize, ctx: &mut Context<Self>) {
        self.phase = Phase::Parked;
        let message = if inside == 0 {
            "the GPUs are let go: the agent holds no device and no library".to_owned()
        } else {
            format!("the GPUs are let go but for {inside} threads that are stuck inside the driver")
        };
        tracing::info!(inside, "parked");
        self.report(
            Refusal {
                reason: DriverReason::Parked,
                message,
                library_loaded: inside > 0,
            },
            ctx,
        );
    }
}
