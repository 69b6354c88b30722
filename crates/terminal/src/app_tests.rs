//! The state, changed by what a person does and by what the agent says.

use std::time::Duration;

use super::*;
use crate::{
    fixture::{self, frame, show, state},
    look::Colors,
    table::Column,
};

fn failed(state: &mut State, why: &str) {
    let retry_at = state.now + Duration::from_secs(4);
    let why = why.to_owned();
    update(state, Action::Deliver(Delivery::Failed { why, retry_at }));
}

#[test]
fn a_frame_that_comes_while_it_is_frozen_is_shown_afterwards() {
    let mut state = state(3);
    update(&mut state, Action::Freeze);
    let mut next = frame(4);
    next.gpus.generation = 2;
    show(&mut state, next);
    assert_eq!((state.gpus().len(), state.is_frozen()), (3, true));
    update(&mut state, Action::Freeze);
    assert_eq!((state.gpus().len(), state.is_frozen()), (4, false));
}

#[test]
fn a_lost_agent_keeps_what_was_seen_and_ages_it() {
    let mut state = state(3);
    assert!(!state.is_stale());
    let since = state.now;
    state.now += Duration::from_secs(1);
    failed(&mut state, "nobody listens there");
    let first = state.now;
    state.now += Duration::from_secs(9);
    failed(&mut state, "nobody listens there");
    assert!(state.is_stale());
    assert_eq!(state.gpus().len(), 3);
    assert_eq!(state.silence(), state.now - since);
    assert!(matches!(&state.link, Link::Lost { since, .. } if *since == first));
    let received = state.now;
    let again = Frame { received, ..frame(3) };
    show(&mut state, again);
    assert_eq!(state.link, Link::Live);
}

#[test]
fn an_agent_that_says_nothing_new_is_stale_although_it_answers() {
    let mut state = state(3);
    let received = state.now + Duration::from_secs(20);
    show(&mut state, Frame { received, ..frame(3) });
    assert_eq!(state.link, Link::Live);
    assert!(state.is_stale());
    let mut next = Frame { received, ..frame(3) };
    next.gpus.generation += 1;
    show(&mut state, next);
    assert!(!state.is_stale());
}

#[test]
fn an_age_is_told_by_the_clock_of_the_agent() {
    let mut state = state(3);
    let hung = state.gpus()[1].clone();
    assert_eq!(state.age(&hung), Some(32.0));
    state.now += Duration::from_secs(5);
    assert_eq!(state.age(&hung), Some(37.0));
    let lost = state.gpus()[2].clone();
    assert_eq!(state.age(&lost), None);
}

#[test]
fn the_selection_stays_within_the_gpus() {
    let mut state = state(3);
    for (by, expected) in [
        (Move::Up, 0),
        (Move::Last, 2),
        (Move::Down, 2),
        (Move::PageUp, 0),
        (Move::Right, 1),
    ] {
        update(&mut state, Action::Move(by));
        assert_eq!(state.gpu_at(), expected, "{by:?}");
    }
    update(&mut state, Action::Move(Move::Last));
    let mut fewer = frame(1);
    fewer.gpus.generation = 2;
    show(&mut state, fewer);
    assert_eq!(state.gpu_at(), 0);
}

#[test]
fn a_second_click_on_a_gpu_opens_it() {
    let mut state = state(3);
    update(&mut state, Action::ChooseGpu(2));
    assert_eq!((state.screen, state.gpu_at()), (Screen::Overview, 2));
    update(&mut state, Action::ChooseGpu(2));
    assert_eq!(state.screen, Screen::Gpu);
    update(&mut state, Action::Back);
    assert_eq!(state.screen, Screen::Overview);
}

#[test]
fn a_filter_is_typed_kept_and_dropped() {
    let mut state = state(3);
    update(&mut state, Action::Filter);
    for character in "grace\u{1b}".chars() {
        update(&mut state, Action::Type(character));
    }
    assert_eq!(
        (state.screen, state.table.filter.as_str()),
        (Screen::Processes, "grace")
    );
    update(&mut state, Action::Erase);
    update(&mut state, Action::Enter);
    assert_eq!((state.table.typing, state.table.filter.as_str()), (false, "grac"));
    update(&mut state, Action::Back);
    assert_eq!(
        (state.screen, state.table.filter.as_str()),
        (Screen::Processes, "")
    );
}

#[test]
fn ending_processes_is_off_unless_it_was_allowed() {
    let mut state = state(3);
    state.screen = Screen::Processes;
    assert_eq!(update(&mut state, Action::Kill), Effect::Nothing);
    assert_eq!(state.dialog, None);
    assert!(state.notice().unwrap().contains("off"));
}

#[test]
fn a_process_is_ended_after_a_question_only() {
    let mut state = state(3);
    state.may_kill = Ok(());
    state.screen = Screen::Processes;
    state.table.sort_by(Column::Pid);
    let Effect::Hold(target) = update(&mut state, Action::Kill) else {
        panic!("nothing is held")
    };
    assert_eq!((target.pid, target.user.as_str()), (77, "grace"));
    assert_eq!(target.command, "/usr/bin/ffmpeg -i in.mp4");
    assert!(target.started_at.is_some());
    update(&mut state, Action::Held(Ok(())));
    // What one presses by mistake does nothing.
    assert_eq!(state.dialog.as_ref().unwrap().choice, Choice::Cancel);
    assert_eq!(update(&mut state, Action::Enter), Effect::Nothing);
    assert_eq!(state.dialog, None);
    update(&mut state, Action::Kill);
    update(&mut state, Action::Move(Move::Right));
    assert_eq!(update(&mut state, Action::Enter), Effect::Send { force: false });
    update(&mut state, Action::Sent(Ok(())));
    assert_eq!(state.dialog, None);
    assert!(state.notice().unwrap().contains("77"));
}

#[test]
fn who_may_not_end_a_process_is_told_instead_of_asked() {
    let mut state = state(3);
    state.may_kill = Ok(());
    update(&mut state, Action::Kill);
    update(&mut state, Action::Held(Err("this user may not".to_owned())));
    assert_eq!(state.dialog, None);
    assert_eq!(state.notice(), Some("this user may not"));
    assert_eq!(update(&mut state, Action::Choose(Choice::Kill)), Effect::Nothing);
}

#[test]
fn a_process_that_may_be_another_one_has_no_start() {
    let mut next = frame(3);
    for process in &mut next.processes.processes {
        process.pid_namespace = Some("own".to_owned());
    }
    let mut state = fixture::empty(Colors::None, true);
    state.may_kill = Ok(());
    show(&mut state, next);
    let Effect::Hold(target) = update(&mut state, Action::Kill) else {
        panic!("nothing is held")
    };
    assert_eq!(target.started_at, None);
}

#[test]
fn an_event_that_is_read_stays_where_it_is() {
    let mut state = state(3);
    state.screen = Screen::Events;
    update(&mut state, Action::Move(Move::Down));
    let read = state.events().nth(state.event).unwrap().sequence;
    let mut next = frame(3);
    let mut events = next.events.to_vec();
    events.push(Event {
        sequence: 99,
        ..Event::default()
    });
    next.events = std::sync::Arc::new(events);
    show(&mut state, next);
    assert_eq!(state.events().nth(state.event).unwrap().sequence, read);
}

#[test]
fn graphs_are_as_fine_as_what_is_read() {
    let mut state = state(1);
    update(&mut state, Action::Zoom(true));
    assert!((state.step - 1.0).abs() < f64::EPSILON);
    for _ in 0..20 {
        update(&mut state, Action::Zoom(false));
    }
    assert!((state.step - 60.0).abs() < f64::EPSILON);
}
