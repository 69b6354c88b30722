//! What clicks do, found by where things are drawn.

use super::{drawn, screen};
use crate::{
    action::{Action, Screen},
    app::{State, update},
    fixture::state,
    table::Column,
    view::clicked,
};

/// Clicks on the first place where `text` stands.
#[track_caller]
fn click(state: &mut State, text: &str) {
    let shown = screen(state, 120, 40);
    let (_, spots) = drawn(state, 120, 40);
    let found = shown.lines().enumerate().find_map(|(row, line)| {
        let bytes = line.find(text)?;
        Some((line[..bytes].chars().count(), row))
    });
    let (column, row) = found.unwrap_or_else(|| panic!("{text} is not shown:\n{shown}"));
    let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
    let action = clicked(&spots, column, row).unwrap_or_else(|| panic!("{text} does nothing"));
    update(state, action);
}

#[test]
fn tabs_gpus_headings_rows_and_keys() {
    let mut state = state(4);
    click(&mut state, "lost for");
    assert_eq!(state.gpu_at(), 2);
    click(&mut state, "lost for");
    assert_eq!(state.screen, Screen::Gpu);
    click(&mut state, "◀");
    assert_eq!(state.gpu_at(), 1);
    click(&mut state, "▶");
    assert_eq!(state.gpu_at(), 2);
    click(&mut state, "3 Processes");
    assert_eq!(state.screen, Screen::Processes);
    click(&mut state, "USER");
    assert_eq!((state.table.sort, state.table.descending), (Column::User, false));
    click(&mut state, "USER");
    assert!(state.table.descending);
    click(&mut state, "ffmpeg");
    assert_eq!(
        state.table.process(state.frame.as_ref().unwrap()).unwrap().pid,
        77
    );
    click(&mut state, "tree");
    assert!(state.table.tree);
    click(&mut state, "4 Events");
    click(&mut state, "XID 31");
    assert_eq!(state.event, 2);
    click(&mut state, "Space freeze");
    assert!(state.is_frozen());
}

#[test]
fn a_click_on_nothing_does_nothing() {
    let state = state(1);
    let (_, spots) = drawn(&state, 120, 40);
    assert!(clicked(&spots, 119, 30).is_none());
    assert!(clicked(&spots, u16::MAX, u16::MAX).is_none());
    assert!(matches!(clicked(&spots, 1, 39), Some(Action::Quit)));
}
