//! A sampler against readers that the test plays itself, under paused time.

use std::sync::Mutex;

use actix::{Addr, Handler};
use gpulse_models::SamplerStats;
use tokio::{task::LocalSet, time::sleep};

use super::*;

mod lateness;

const INTERVAL: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(2);
const SETTINGS: SamplerSettings = SamplerSettings {
    interval: INTERVAL,
    schedule: Schedule::usual(INTERVAL, INTERVAL),
    deadline: DEADLINE,
    processes: ProcessSettings {
        command_lines: gpulse_models::CommandLines::Executable,
        max_processes: 64,
    },
};

type Ports = Arc<Mutex<Vec<ReaderPort>>>;
type Records = Arc<Mutex<Vec<Record>>>;

/// Stands where the aggregator does.
struct Collector(Records);

impl Actor for Collector {
    type Context = Context<Self>;
}

impl Handler<Record> for Collector {
    type Result = ();

    fn handle(&mut self, record: Record, _: &mut Self::Context) {
        self.0.lock().unwrap().push(record);
    }
}

struct Bench {
    sampler: Addr<Sampler>,
    collector: Addr<Collector>,
    records: Records,
    ports: Ports,
    counters: Arc<Counters>,
}

impl Bench {
    /// Starts a sampler and waits until its first tick is past.
    async fn start() -> Self {
        let (records, ports) = (Records::default(), Ports::default());
        let collector = Collector(Arc::clone(&records)).start();
        let spawned = Arc::clone(&ports);
        let spawn = Box::new(move |port| {
            spawned.lock().unwrap().push(port);
            Ok(())
        });
        let place = Place { epoch: 1, index: 0 };
        let counters = Arc::<Counters>::default();
        let records_go_to = collector.clone().recipient();
        let sampler = Sampler::new(place, SETTINGS, records_go_to, spawn, Arc::clone(&counters)).start();
        // Timers go by whole milliseconds: one more, lest the last possible first tick comes at this very one.
        sleep(START_SPREAD + Duration::from_millis(1)).await;
        Self {
            sampler,
            collector,
            records,
            ports,
            counters,
        }
    }

    fn counted(&self) -> SamplerStats {
        self.counters.read().samplers[0]
    }

    /// Whether reader `number` (from 1) was asked since this was asked last.
    fn was_asked(&self, number: usize) -> bool {
        self.ports.lock().unwrap()[number - 1].requests.try_recv().is_ok()
    }

    /// Lets reader `number` answer; false if nobody listens to it any more.
    fn answer(&self, number: usize) -> bool {
        let port = &self.ports.lock().unwrap()[number - 1];
        let outcome = Ok(Arc::new(gpulse_models::example::sample()));
        let facts = Some(Arc::new(gpulse_models::example::facts(0)));
        port.answers
            .try_send(Answer {
                reader: port.reader,
                facts,
                outcome,
            })
            .is_ok()
    }

    fn readers(&self) -> usize {
        self.ports.lock().unwrap().len()
    }

    fn records(&self) -> Vec<Record> {
        std::mem::take(&mut self.records.lock().unwrap())
    }
}

/// Runs `test` with paused time in a place where actors can be started.
fn paused<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test());
}

#[test]
fn an_answer_becomes_a_record() {
    paused(|| async {
        let bench = Bench::start().await;
        assert!(bench.was_asked(1));
        assert!(bench.answer(1));
        sleep(INTERVAL / 10).await;
        let records = bench.records();
        assert_eq!(records.len(), 1);
        assert!(records[0].outcome.is_ok() && records[0].facts.is_some());
        assert_eq!(
            (records[0].epoch, records[0].overruns, records[0].dropped),
            (1, 0, 0)
        );
    });
}

#[test]
fn a_gpu_is_asked_once_per_interval() {
    paused(|| async {
        let bench = Bench::start().await;
        for _ in 0..100 {
            assert!(bench.was_asked(1));
            assert!(!bench.was_asked(1), "asked twice in one interval");
            assert!(bench.answer(1));
            sleep(INTERVAL).await;
        }
        assert_eq!((bench.records().len(), bench.readers()), (100, 1));
        let expected = SamplerStats {
            // The hundredth pause ended with a tick that nobody has answered yet.
            ticks: 101,
            samples: 100,
            ..SamplerStats::default()
        };
        assert_eq!(bench.counted(), expected);
    });
}

#[test]
fn a_busy_reader_is_an_overrun_and_not_asked_again() {
    paused(|| async {
        let bench = Bench::start().await;
        assert!(bench.was_asked(1));
        sleep(INTERVAL + INTERVAL / 2).await;
        assert!(!bench.was_asked(1));
        assert!(bench.answer(1));
        sleep(INTERVAL / 10).await;
        assert_eq!(bench.records()[0].overruns, 1);
        assert_eq!(bench.counted().overruns, 1);
    });
}

#[test]
fn a_read_past_its_deadline_is_reported_with_its_call() {
    paused(|| async {
        let bench = Bench::start().await;
        bench.ports.lock().unwrap()[0].call.set("nvmlDeviceGetPowerUsage");
        sleep(DEADLINE).await;
        let records = bench.records();
        let failure = records[0].outcome.as_ref().unwrap_err();
        assert_eq!(
            (failure.reason, failure.call.as_ref()),
            (Reason::Timeout, "nvmlDeviceGetPowerUsage")
        );
        assert!(
            failure.message.contains("has not returned for 2s"),
            "{}",
            failure.message
        );
        let stats = bench.counters.read();
        let hung = stats
            .calls
            .iter()
            .find(|call| call.call == "nvmlDeviceGetPowerUsage");
        assert_eq!(hung.map(|call| call.hangs), Some(1));
        assert_eq!(stats.samplers[0].hangs, 1);
        assert_eq!(stats.samplers[0].failures, records.len() as u64);
        assert_eq!(stats.samplers[0].readers_replaced, 0);
    });
}

#[test]
fn the_late_answer_of_an_abandoned_reader_is_dropped() {
    paused(|| async {
        let bench = Bench::start().await;
        sleep(DEADLINE).await;
        assert!(!bench.answer(1), "somebody still listens to the abandoned reader");
        assert!(bench.records().iter().all(|record| record.outcome.is_err()));
    });
}

#[test]
fn a_replacement_that_answers_ends_the_hang() {
    paused(|| async {
        let bench = Bench::start().await;
        sleep(DEADLINE * 2 + INTERVAL).await;
        assert_eq!(bench.readers(), 2);
        bench.records();
        assert!(bench.was_asked(2) && bench.answer(2));
        sleep(INTERVAL / 10).await;
        assert!(bench.records()[0].outcome.is_ok());
    });
}

#[test]
fn readers_are_few_however_long_the_hang_lasts_and_every_tick_reports_it() {
    paused(|| async {
        let bench = Bench::start().await;
        sleep(INTERVAL * 1_000).await;
        assert_eq!(bench.readers(), MAX_READERS);
        let records = bench.records();
        assert!(records.len() > 900, "{} records in 1000 ticks", records.len());
        let hung = |record: &Record| {
            record
                .outcome
                .as_ref()
                .is_err_and(|failure| failure.reason == Reason::Timeout)
        };
        assert!(records.iter().all(hung));
    });
}

#[test]
fn a_reader_that_returned_at_last_makes_room_for_a_new_one() {
    paused(|| async {
        let bench = Bench::start().await;
        sleep(INTERVAL * 100).await;
        assert_eq!(bench.readers(), MAX_READERS);
        // Its thread notices that nobody listens, and ends.
        drop(bench.ports.lock().unwrap().remove(0));
        sleep(INTERVAL * 2).await;
        assert_eq!(bench.readers(), MAX_READERS, "no new reader was started");
        assert!(bench.was_asked(MAX_READERS) && bench.answer(MAX_READERS));
        bench.records();
        sleep(INTERVAL / 10).await;
        assert!(bench.records()[0].outcome.is_ok());
    });
}

#[test]
fn a_reader_that_returned_early_is_replaced_without_waiting_out_the_pause() {
    paused(|| async {
        let bench = Bench::start().await;
        for hang in 1..20 {
            sleep(DEADLINE + INTERVAL).await;
            // Slow, not stuck: each abandoned reader returns soon afterwards.
            bench.ports.lock().unwrap().clear();
            sleep(INTERVAL + INTERVAL / 2).await;
            assert_eq!(bench.readers(), 1, "no new reader after hang {hang}");
        }
    });
}

#[test]
fn a_reader_that_died_is_reported_and_started_again() {
    paused(|| async {
        let bench = Bench::start().await;
        bench.ports.lock().unwrap().clear();
        sleep(INTERVAL / 10).await;
        assert_eq!(
            bench.records()[0].outcome.as_ref().unwrap_err().reason,
            Reason::Error
        );
        sleep(INTERVAL).await;
        assert!(bench.was_asked(1) && bench.answer(1));
        sleep(INTERVAL / 10).await;
        assert!(bench.records()[0].outcome.is_ok());
        assert_eq!(bench.counted().readers_replaced, 1);
    });
}

#[test]
fn ticks_that_were_missed_are_not_caught_up() {
    paused(|| async {
        let bench = Bench::start().await;
        assert!(bench.was_asked(1) && bench.answer(1));
        tokio::time::advance(INTERVAL * 50).await;
        sleep(INTERVAL / 10).await;
        assert!(bench.was_asked(1) && bench.answer(1));
        sleep(INTERVAL / 10).await;
        assert!(!bench.was_asked(1), "missed ticks came in a burst");
    });
}

#[test]
fn a_full_mailbox_is_counted_and_a_closed_one_ends_the_sampler() {
    /// Handles nothing: its mailbox fills.
    struct Deaf;
    impl Actor for Deaf {
        type Context = Context<Self>;
        fn started(&mut self, ctx: &mut Self::Context) {
            ctx.set_mailbox_capacity(1);
            ctx.wait(actix::fut::wrap_future(std::future::pending()));
        }
    }
    impl Handler<Record> for Deaf {
        type Result = ();
        fn handle(&mut self, _: Record, _: &mut Self::Context) {}
    }

    paused(|| async {
        let deaf = Deaf.start();
        sleep(Duration::from_millis(1)).await;
        let dropped = Arc::new(AtomicUsize::new(0));
        let counters = Arc::<Counters>::default();
        let failing = Box::new(|_| Err(io::Error::other("no thread")));
        let sampler = Sampler::new(
            Place { epoch: 1, index: 0 },
            SETTINGS,
            deaf.recipient(),
            failing,
            Arc::clone(&counters),
        );
        let seen = Arc::clone(&dropped);
        let _sampler = Sampler::create(move |ctx| {
            ctx.run_later(INTERVAL * 20, move |sampler: &mut Sampler, _| {
                seen.store(
                    usize::try_from(sampler.dropped).unwrap_or(usize::MAX),
                    Ordering::Relaxed,
                );
            });
            sampler
        });
        sleep(INTERVAL * 21).await;
        assert!(
            dropped.load(Ordering::Relaxed) >= 10,
            "{dropped:?} refused records were counted"
        );
        assert!(
            counters.read().samplers[0].dropped >= 10,
            "{:?}",
            counters.read().samplers
        );

        let bench = Bench::start().await;
        let Bench {
            collector, sampler, ..
        } = &bench;
        stop(collector).await;
        assert!(bench.answer(1));
        sleep(INTERVAL * 3).await;
        assert!(!sampler.connected(), "the sampler outlived its aggregator");
    });
}

/// Ends an actor from outside.
async fn stop(collector: &Addr<Collector>) {
    #[derive(actix::Message)]
    #[rtype(result = "()")]
    struct End;
    impl Handler<End> for Collector {
        type Result = ();
        fn handle(&mut self, _: End, ctx: &mut Self::Context) {
            ctx.stop();
        }
    }
    collector.send(End).await.unwrap();
}
