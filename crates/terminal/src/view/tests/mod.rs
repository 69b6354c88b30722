//! Screens as text, compared with files that lie beside this one.

mod clicks;
mod nonsense;
mod screens;

use std::{env, fs, path::Path};

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Spot, draw};
use crate::app::State;

/// Set to write the files anew instead of comparing with them.
const UPDATE: &str = "GPULSE_UPDATE_SCREENS";

/// A screen of this size, and what can be clicked on it.
fn drawn(state: &State, width: u16, height: u16) -> (Buffer, Vec<Spot>) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let spots = draw(state, area, &mut buffer);
    (buffer, spots)
}

/// The characters of a screen.
fn screen(state: &State, width: u16, height: u16) -> String {
    let (buffer, _) = drawn(state, width, height);
    let line = |row: u16| {
        let cells = (0..width).map(|column| buffer[(column, row)].symbol());
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    (0..height).map(line).collect()
}

/// Compares a screen with its file.
#[track_caller]
fn is_as_before(name: &str, shown: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/view/tests/screens/{name}.txt"));
    if env::var_os(UPDATE).is_some() {
        fs::write(&file, shown).unwrap();
    }
    let before = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        shown == before,
        "{name} is another screen than before; {UPDATE}=1 keeps it. It is now:\n{shown}"
    );
}
