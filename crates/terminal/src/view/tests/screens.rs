//! Every screen, in several sizes, with and without colours, and in the states that matter.

use std::time::Duration;

use ratatui::style::{Color, Modifier};

use super::{drawn, is_as_before, screen};
use crate::{
    action::{Action, Choice, Screen},
    app::{State, update},
    fixture::{empty, frame, show, state},
    frame::Delivery,
    look::Colors,
    question::Dialog,
    signaller::Target,
};

fn on(screen: Screen, count: usize) -> State {
    let mut state = state(count);
    state.screen = screen;
    state
}

/// A minute of ups and downs.
fn with_a_past(screen: Screen) -> State {
    let mut state = empty(Colors::None, false);
    state.screen = screen;
    for second in 0..60 {
        let mut next = frame(4);
        next.gpus.generation = second;
        let at = next.gpus.published_at.unwrap() + Duration::from_secs(second);
        next.gpus.published_at = Some(at);
        let wave = f64::from(i32::try_from(second).unwrap()) / 6.0;
        next.gpus.gpus[0].load.gpu_percent = (second != 40).then_some(50.0 + 50.0 * wave.sin());
        next.gpus.gpus[0].power.draw_watts = Some(350.0 + 350.0 * wave.cos());
        show(&mut state, next);
    }
    state
}

#[test]
fn sizes() {
    for (count, width, height) in [
        (4, 120, 40),
        (4, 80, 24),
        (3, 40, 24),
        (64, 160, 50),
        (64, 40, 20),
    ] {
        for one in Screen::ALL {
            let name = format!("{one:?}-{count}-gpus-{width}x{height}").to_lowercase();
            is_as_before(&name, &screen(&on(one, count), width, height));
        }
    }
}

#[test]
fn simulated_gpus_are_told_at_every_width() {
    for (width, mark) in [(200, " simulated"), (80, "gpulse SIM "), (40, "gpulse SIM ")] {
        let mut state = on(Screen::Overview, 4);
        let shown = |state: &State| screen(state, width, 24).lines().next().unwrap().to_owned();
        assert!(!shown(&state).contains("SIM"), "{}", shown(&state));
        state.frame.as_mut().unwrap().host.driver.simulated = Some(true);
        assert!(shown(&state).contains(mark), "{}", shown(&state));
    }
}

#[test]
fn graphs() {
    is_as_before("graphs-120x40", &screen(&with_a_past(Screen::Gpu), 120, 40));
    let mut ascii = with_a_past(Screen::Gpu);
    ascii.look.ascii = true;
    let shown = screen(&ascii, 120, 40);
    assert!(shown.is_ascii(), "{shown}");
    is_as_before("graphs-ascii-120x40", &shown);
}

#[test]
fn the_title_of_a_graph_is_cut_at_the_first_piece_without_room() {
    let state = with_a_past(Screen::Gpu);
    let whole = ["Temperature 65C of 87C", "  max 65C", " in "];
    let mut seen = [false; 3];
    for width in 20..140 {
        let shown = screen(&state, width, 40);
        let Some((_, rest)) = shown.split_once(whole[0]) else {
            continue;
        };
        let pieces = match rest.strip_prefix(whole[1]) {
            Some(rest) => 1 + usize::from(rest.starts_with(whole[2])),
            None => 0,
        };
        assert!(pieces > 0 || !rest.starts_with(whole[2]), "{width}:\n{shown}");
        seen[pieces] = true;
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn a_warning_stays_where_there_is_no_room_for_the_fan() {
    let mut next = frame(1);
    let gpu = &mut next.gpus.gpus[0];
    gpu.identity.name = Some("NVIDIA RTX 6000 Ada Generation".to_owned());
    gpu.clocks.event_reasons = Some(vec!["hw_thermal_slowdown".to_owned()]);
    gpu.thermal.fans = serde_json::from_str(r#"[{"speed_percent":100}]"#).unwrap();
    let mut state = empty(Colors::None, false);
    show(&mut state, next);
    let mut without_fan = 0;
    for width in 60..120 {
        let shown = screen(&state, width, 24);
        assert!(shown.contains("HW thermal"), "{width}:\n{shown}");
        without_fan += u32::from(!shown.contains("fan 100%"));
    }
    assert_ne!(without_fan, 0);
}

#[test]
fn the_pace_is_not_claimed_of_an_agent_that_is_slower() {
    let mut state = empty(Colors::None, false);
    let at = |state: &mut State, generation: u64, millis: u64| {
        let mut next = frame(1);
        next.gpus.generation = generation;
        next.received = state.fresh_at + Duration::from_millis(millis);
        show(state, next);
        screen(state, 80, 24)
    };
    assert!(at(&mut state, 1, 0).contains("live, every 1s"));
    // Nothing new, for longer than was asked for.
    let shown = at(&mut state, 1, 1_300);
    assert!(shown.contains("● live") && !shown.contains("every"), "{shown}");
    for generation in 2..8 {
        let shown = at(&mut state, generation, 2_000);
        assert!(shown.contains("● live") && !shown.contains("every"), "{shown}");
    }
    let mut shown = String::new();
    for generation in 8..13 {
        shown = at(&mut state, generation, 1_010);
    }
    assert!(shown.contains("live, every 1s"), "{shown}");
}

#[test]
fn ascii_only() {
    for one in Screen::ALL {
        let mut state = on(one, 4);
        state.look.ascii = true;
        let shown = screen(&state, 100, 30);
        assert!(shown.is_ascii(), "{shown}");
    }
}

#[test]
fn a_lost_agent() {
    let mut state = on(Screen::Overview, 3);
    state.now += Duration::from_secs(15);
    let lost = Delivery::Failed {
        why: "http://10.0.0.7:5000: nobody listens there".to_owned(),
        retry_at: state.now + Duration::from_secs(8),
    };
    update(&mut state, Action::Deliver(lost.clone()));
    is_as_before("lost-80x24", &screen(&state, 80, 24));
    let (buffer, _) = drawn(&state, 80, 24);
    assert!(buffer[(4, 2)].modifier.contains(Modifier::DIM));
    let mut never = empty(Colors::None, false);
    (never.now, never.fresh_at) = (state.now, state.now);
    update(&mut never, Action::Deliver(lost));
    is_as_before("never-reached-80x24", &screen(&never, 80, 24));
}

#[test]
fn no_driver() {
    let mut next = frame(0);
    next.host.driver.status = "unavailable".to_owned();
    next.host.driver.message = Some("the driver is not loaded".to_owned());
    next.host.driver.hint = Some("load it with modprobe nvidia".to_owned());
    let mut state = empty(Colors::None, false);
    show(&mut state, next.clone());
    is_as_before("no-driver-80x24", &screen(&state, 80, 24));
    next.host.driver.reason = Some("parked".to_owned());
    show(&mut state, next);
    assert!(!screen(&state, 80, 24).contains("gpulse doctor"));
}

#[test]
fn no_gpu() {
    is_as_before("no-gpu-60x12", &screen(&state(0), 60, 12));
}

#[test]
fn the_tree_and_the_filter() {
    let mut state = on(Screen::Processes, 3);
    update(&mut state, Action::Tree);
    is_as_before("tree-120x20", &screen(&state, 120, 20));
    update(&mut state, Action::Filter);
    for character in "ada".chars() {
        update(&mut state, Action::Type(character));
    }
    is_as_before("filter-120x20", &screen(&state, 120, 20));
}

#[test]
fn the_question_names_pid_user_and_command() {
    let mut state = on(Screen::Processes, 3);
    state.dialog = Some(Dialog {
        target: Target {
            pid: 4242,
            user: "ada".to_owned(),
            command: "python3 train.py \u{1b}[31m--epochs 90".to_owned(),
            started_at: None,
        },
        choice: Choice::Cancel,
    });
    is_as_before("question-80x24", &screen(&state, 80, 24));
}

/// The colours of everything on all screens.
fn colors_of(colors: Colors) -> Vec<Color> {
    let mut found = Vec::new();
    for one in Screen::ALL {
        let mut state = with_a_past(one);
        state.look.colors = colors;
        let (buffer, _) = drawn(&state, 120, 40);
        found.extend(buffer.content.iter().flat_map(|cell| [cell.fg, cell.bg]));
    }
    found.retain(|color| *color != Color::Reset);
    found
}

#[test]
fn no_more_colors_are_used_than_there_are() {
    assert_eq!(colors_of(Colors::None), []);
    let sixteen = colors_of(Colors::Sixteen);
    let is_named = |color: &Color| !matches!(color, Color::Rgb(..) | Color::Indexed(_));
    assert!(!sixteen.is_empty() && sixteen.iter().all(is_named));
    let palette = colors_of(Colors::Palette);
    assert!(!palette.is_empty() && palette.iter().all(|color| matches!(color, Color::Indexed(_))));
    let all = colors_of(Colors::True);
    assert!(!all.is_empty() && all.iter().all(|color| matches!(color, Color::Rgb(..))));
}
