//! What becomes of a driver that is in use: it is asked whether it still is what it was, and let go where it is not.

use std::{sync::Arc, thread, time::Duration};

use actix::{ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, WrapFuture};
use gpulse_models::DriverReason;
use tokio::sync::oneshot;

use super::{Discovery, Phase, panicked, session::Session};
use crate::{
    driver::{self, Refusal},
    library::LetGo,
};

/// The driver is asked how many GPUs it knows this often.
pub(super) const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A driver that has not answered so many times in a row is gone: a single refusal may be that of one call.
const REFUSALS: u32 = 2;

/// Threads come back from the library within this time, or are stuck in it.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether they have.
const LET_GO_CHECK: Duration = Duration::from_millis(50);

/// The same while the GPUs are parked and threads are stuck.
const PARKED_CHECK: Duration = Duration::from_secs(1);

/// Threads that may be stuck inside libraries that were let go, beyond which NVML is not initialised anew until some come back:
/// each time, a GPU that hangs keeps a few more. It is what three times keep on a node whose eight GPUs all hang, and some 25
/// times with one that does; a quarter of what the unit permits (`TasksMax`).
const MOST_STUCK: usize = 128;

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
        let (known, moved) = (session.driver.gpus, session.names.have_moved());
        match answer {
            // A driver without GPUs may see new ones only when it is initialised anew.
            Ok(0) if known == 0 => return self.begin_anew(ctx),
            Ok(count) if count == known && !moved => self.refusals = 0,
            // The GPUs that are read are worth more than the new number.
            Ok(_) if self.stuck() >= MOST_STUCK => {}
            Ok(count) => {
                tracing::warn!(
                    known,
                    count,
                    moved,
                    "the driver knows another number of GPUs, or has them at other indices; it is initialised anew"
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
    fn await_let_go(&mut self, library: LetGo, left: Duration, ctx: &mut Context<Self>) {
        let inside = library.inside();
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
            self.left.push(library);
        }
        if self.parked {
            return self.park(ctx);
        }
        self.wait(ctx);
    }

    pub(super) fn wait(&mut self, ctx: &mut Context<Self>) {
        self.phase = Phase::Waiting(ctx.run_later(self.pause(), Self::attempt));
    }

    /// How many threads are stuck inside libraries that were let go.
    pub(super) fn stuck(&mut self) -> usize {
        self.left.retain(|library| library.inside() > 0);
        self.left.iter().map(LetGo::inside).sum()
    }

    /// Why NVML is not initialised anew, if too many threads are stuck inside of it.
    pub(super) fn too_many_stuck(&mut self) -> Option<Refusal> {
        let stuck = self.stuck();
        (stuck >= MOST_STUCK).then(|| Refusal {
            reason: DriverReason::Timeout,
            message: format!(
                "{stuck} threads are stuck inside the driver: it is not initialised anew until some of them come back"
            ),
            library_loaded: true,
        })
    }

    /// Says that the GPUs are let go, or how many threads still hold them, until none does.
    pub(super) fn park(&mut self, ctx: &mut Context<Self>) {
        self.phase = Phase::Parked;
        let stuck = self.stuck();
        tracing::info!(stuck, "parked");
        self.report_parked(stuck, ctx);
        self.watch_parked(stuck, ctx);
    }

    fn watch_parked(&mut self, told: usize, ctx: &mut Context<Self>) {
        if told == 0 {
            return;
        }
        ctx.run_later(PARKED_CHECK, move |discovery, ctx| {
            if !matches!(discovery.phase, Phase::Parked) {
                return;
            }
            let stuck = discovery.stuck();
            if stuck != told {
                discovery.report_parked(stuck, ctx);
            }
            discovery.watch_parked(stuck, ctx);
        });
    }

    fn report_parked(&mut self, stuck: usize, ctx: &mut Context<Self>) {
        let message = match stuck {
            0 => "the GPUs are let go: the agent holds no device and no library".to_owned(),
            1 => "the GPUs are let go but for one thread that is stuck inside the driver".to_owned(),
            _ => format!("the GPUs are let go but for {stuck} threads that are stuck inside the driver"),
        };
        self.report(
            Refusal {
                reason: DriverReason::Parked,
                message,
                library_loaded: stuck > 0,
            },
            ctx,
        );
    }
}
