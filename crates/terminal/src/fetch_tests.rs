//! The fetcher over agents that answer, fail, are started anew, and stand still.

use std::sync::mpsc::channel;

use serde_json::{Value, json};

use super::*;
use crate::fixture;

/// An agent by its answers.
struct Agent<F: FnMut(&str) -> Result<Value, String> + Send>(F);

impl<F: FnMut(&str) -> Result<Value, String> + Send> Source for Agent<F> {
    fn get(&mut self, path: &str) -> Result<Value, String> {
        (self.0)(path)
    }
}

/// What the example of the API answers; it has no history.
fn example(path: &str) -> Result<Value, String> {
    let (route, query) = path.split_once('?').unwrap_or((path, ""));
    match route {
        "/api/v1/host" => Ok(fixture::json(fixture::HOST)),
        "/api/v1/gpus" => Ok(fixture::gpus(3)),
        "/api/v1/processes" => Ok(fixture::processes()),
        "/api/v1/events" if query.ends_with("after=0") => Ok(fixture::json(fixture::EVENTS)),
        "/api/v1/events" => Ok(json!({"events": [], "next": 4})),
        _ => Err("not found".to_owned()),
    }
}

fn asking(agent: impl FnMut(&str) -> Result<Value, String> + Send + 'static) -> Asking {
    Asking::new(Box::new(Agent(agent)), false)
}

#[test]
fn a_look_takes_in_everything_and_does_without_a_history() {
    let (frame, history) = asking(example).look().unwrap();
    assert_eq!((frame.gpus.gpus.len(), frame.processes.processes.len()), (3, 4));
    assert_eq!((frame.events.len(), history), (4, None));
}

#[test]
fn a_history_comes_with_the_first_look_only() {
    let mut asking = asking(|path| match path.split_once('?') {
        Some(("/api/v1/history", query)) => {
            assert!(query.contains("load.gpu_percent"), "{query}");
            Ok(json!({"times": [1.0], "series": []}))
        }
        _ => example(path),
    });
    assert!(asking.look().unwrap().1.is_some());
    assert!(asking.look().unwrap().1.is_none());
}

#[test]
fn the_agent_is_asked_for_what_is_newer() {
    let (ask, asked) = channel();
    let mut generation = 6;
    let mut asking = asking(move |path| {
        let mut answer = example(path)?;
        if let Some((_, newer)) = path.split_once("&wait_for=") {
            ask.send(newer.to_owned()).unwrap();
            generation += 1;
            answer["generation"] = json!(generation);
        }
        Ok(answer)
    });
    for _ in 0..3 {
        asking.look().unwrap();
    }
    let expected = ["0&wait=1s", "7&wait=1s", "8&wait=1s"];
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_host_without_a_driver_is_an_answer() {
    let (frame, _) = asking(|path| match path {
        HOST => Ok(json!({"driver": {"status": "unavailable", "message": "no driver"}})),
        path if path.starts_with("/api/v1/events") => example(path),
        path => Err(format!("{path} is not to be asked for")),
    })
    .look()
    .unwrap();
    assert_eq!(frame.host.driver.message.as_deref(), Some("no driver"));
}

#[test]
fn a_driver_that_goes_between_two_questions_is_an_answer() {
    let mut ready = true;
    let looked = asking(move |path| match path {
        HOST if ready => example(path),
        HOST => Ok(json!({"driver": {"status": "unavailable"}})),
        path if path.starts_with("/api/v1/gpus") => {
            ready = false;
            Err("NVML cannot be used".to_owned())
        }
        path => example(path),
    })
    .look();
    assert!(looked.unwrap().0.gpus.gpus.is_empty());
}

#[test]
fn an_agent_that_was_started_anew_is_asked_for_all_of_its_events() {
    let mut restarted = false;
    let mut asking = asking(move |path| {
        let mut answer = example(path)?;
        if path == HOST {
            answer["agent"]["instance"] = json!(if restarted { "b" } else { "a" });
            restarted = true;
        }
        Ok(answer)
    });
    assert_eq!(asking.look().unwrap().0.events.len(), 4);
    assert_eq!(asking.look().unwrap().0.events.len(), 4);
    assert_eq!(asking.after, 4);
}

#[test]
fn no_more_events_are_kept_than_there_is_room_for() {
    let mut next = 0;
    let mut asking = asking(move |path| {
        if !path.starts_with("/api/v1/events") {
            return example(path);
        }
        let events: Vec<_> = (next + 1..=next + 400)
            .map(|sequence| json!({"sequence": sequence}))
            .collect();
        next += 400;
        Ok(json!({"events": events, "next": next}))
    });
    let (frame, _) = asking.look().unwrap();
    assert_eq!(frame.events.len(), EVENTS_KEPT);
    assert_eq!(frame.events.last().unwrap().sequence, 400 * PAGES as u64);
}

#[test]
fn what_is_no_agent_is_told() {
    let error = asking(|_| Ok(json!("hello"))).look().unwrap_err();
    assert!(error.contains("is that a gpulse agent?"), "{error}");
}

#[test]
fn pauses_double_up_to_the_longest() {
    let second = Duration::from_secs(1);
    let pauses: Vec<_> = [0, 1, 2, 3, 4, 99]
        .map(|failures| pause_after(failures, second).as_secs())
        .into();
    assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
}

#[test]
fn an_agent_that_stands_still_keeps_nobody_waiting() {
    let (go_on, gate) = channel::<()>();
    let agent = Agent(move |path: &str| {
        // Until the test has ended.
        let _ = gate.recv();
        example(path)
    });
    let fetcher = Fetcher::start(Box::new(agent), Duration::from_secs(1), false).unwrap();
    fetcher.hurry();
    fetcher.hurry();
    assert!(matches!(fetcher.take(), Found::Nothing));
    drop(go_on);
}

#[test]
fn a_fetcher_that_panics_says_that_it_has_ended() {
    let agent = Agent(|_: &str| panic!("on purpose"));
    let fetcher = Fetcher::start(Box::new(agent), Duration::from_secs(1), false).unwrap();
    loop {
        match fetcher.take() {
            Found::Ended => return,
            Found::Nothing => thread::yield_now(),
            Found::New(delivery) => panic!("{delivery:?}"),
        }
    }
}

#[test]
fn the_source_is_gone_once_the_fetcher_is() {
    struct Files(SyncSender<()>);
    impl Drop for Files {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (gone, is_gone) = sync_channel(1);
    let files = Files(gone);
    let agent = Agent(move |path: &str| {
        let _kept = &files;
        example(path)
    });
    drop(Fetcher::start(Box::new(agent), Duration::from_secs(1), false).unwrap());
    is_gone.try_recv().unwrap();
}
