//! Which key asks for what.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::{
    action::{Action, Choice, Move, Screen},
    app::State,
    table::Column,
};

/// What a key asks for, given what is shown.
pub(crate) fn action(state: &State, key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return with_control(state, key.code);
    }
    if state.dialog.is_some() {
        return in_dialog(key.code);
    }
    if state.table.typing && state.screen == Screen::Processes {
        return while_typing(key.code);
    }
    of_screen(state.screen, key.code).or_else(|| anywhere(key.code))
}

fn with_control(state: &State, code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Char('c') => Some(Action::Quit),
        KeyCode::Char('z') => Some(Action::Suspend),
        KeyCode::Char('l') => Some(Action::Redraw),
        KeyCode::Char('u') if state.table.typing => Some(Action::EraseAll),
        KeyCode::Char('p') => Some(Action::Move(Move::Up)),
        KeyCode::Char('n') => Some(Action::Move(Move::Down)),
        _ => None,
    }
}

fn in_dialog(code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Char('y') => Some(Action::Choose(Choice::Terminate)),
        KeyCode::Char('K') => Some(Action::Choose(Choice::Kill)),
        KeyCode::Char('n' | 'q') | KeyCode::Esc => Some(Action::Choose(Choice::Cancel)),
        KeyCode::Enter => Some(Action::Enter),
        KeyCode::Left | KeyCode::BackTab | KeyCode::Char('h') => Some(Action::Move(Move::Left)),
        KeyCode::Right | KeyCode::Tab | KeyCode::Char('l') => Some(Action::Move(Move::Right)),
        _ => None,
    }
}

fn while_typing(code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Char(character) => Some(Action::Type(character)),
        KeyCode::Backspace => Some(Action::Erase),
        KeyCode::Enter => Some(Action::Enter),
        KeyCode::Esc => Some(Action::Back),
        other => moving(other),
    }
}

fn of_screen(screen: Screen, code: KeyCode) -> Option<Action> {
    if screen != Screen::Processes {
        return None;
    }
    Some(match code {
        KeyCode::Char('k') | KeyCode::F(9) => Action::Kill,
        KeyCode::Char('P') => Action::Sort(Column::Sm),
        KeyCode::Char('M') => Action::Sort(Column::Memory),
        KeyCode::Char('T') => Action::Sort(Column::Time),
        KeyCode::Char('N') => Action::Sort(Column::Pid),
        KeyCode::Char('U') => Action::Sort(Column::User),
        KeyCode::Char('G') => Action::Sort(Column::Gpu),
        KeyCode::Char('s' | '>' | '.') | KeyCode::F(6) => Action::SortBeside(1),
        KeyCode::Char('<' | ',') => Action::SortBeside(-1),
        KeyCode::Char('I' | 'R') => Action::Reverse,
        _ => return None,
    })
}

fn anywhere(code: KeyCode) -> Option<Action> {
    Some(match code {
        KeyCode::Char('q') | KeyCode::F(10) => Action::Quit,
        KeyCode::Char('?') | KeyCode::F(1) | KeyCode::Char('5') => Action::Show(Screen::Help),
        KeyCode::Char('1') => Action::Show(Screen::Overview),
        KeyCode::Char('2') => Action::Show(Screen::Gpu),
        KeyCode::Char('3') => Action::Show(Screen::Processes),
        KeyCode::Char('4') => Action::Show(Screen::Events),
        KeyCode::Tab => Action::NextScreen,
        KeyCode::BackTab => Action::PreviousScreen,
        KeyCode::Esc => Action::Back,
        KeyCode::Enter => Action::Enter,
        KeyCode::Char(' ') => Action::Freeze,
        KeyCode::Char('r') => Action::Refresh,
        KeyCode::Char('/') | KeyCode::F(3 | 4) => Action::Filter,
        KeyCode::Char('t') | KeyCode::F(5) => Action::Tree,
        KeyCode::Char('+' | '=') => Action::Zoom(true),
        KeyCode::Char('-') => Action::Zoom(false),
        other => return moving(other),
    })
}

fn moving(code: KeyCode) -> Option<Action> {
    let by = match code {
        KeyCode::Up | KeyCode::Char('k') => Move::Up,
        KeyCode::Down | KeyCode::Char('j') => Move::Down,
        KeyCode::Left | KeyCode::Char('h') => Move::Left,
        KeyCode::Right | KeyCode::Char('l') => Move::Right,
        KeyCode::PageUp => Move::PageUp,
        KeyCode::PageDown => Move::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Move::First,
        KeyCode::End | KeyCode::Char('G') => Move::Last,
        _ => return None,
    };
    Some(Action::Move(by))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::look::{Colors, Look};

    fn state() -> State {
        let look = Look {
            colors: Colors::None,
            ascii: true,
        };
        State::new(look, String::new(), Duration::from_secs(1), Ok(()))
    }

    fn asked(state: &State, code: KeyCode) -> String {
        format!("{:?}", action(state, KeyEvent::new(code, KeyModifiers::NONE)))
    }

    #[test]
    fn k_ends_a_process_where_processes_are_and_moves_elsewhere() {
        let mut state = state();
        assert_eq!(asked(&state, KeyCode::Char('k')), "Some(Move(Up))");
        state.screen = Screen::Processes;
        assert_eq!(asked(&state, KeyCode::Char('k')), "Some(Kill)");
        state.table.typing = true;
        assert_eq!(asked(&state, KeyCode::Char('k')), "Some(Type('k'))");
    }

    #[test]
    fn control_c_always_ends() {
        let mut state = state();
        (state.screen, state.table.typing) = (Screen::Processes, true);
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert!(matches!(action(&state, key), Some(Action::Quit)));
    }
}
