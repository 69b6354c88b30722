//! The question before a process is ended.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::{
    action::{Action, Choice},
    app::State,
    look::Role,
    question::Dialog,
    text,
};

/// Columns and rows of the box.
const WIDTH: u16 = 64;
const HEIGHT: u16 = 8;

/// Draws the box in the middle of `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, dialog: &Dialog, area: Rect) {
    let (width, height) = (WIDTH.min(area.width), HEIGHT.min(area.height));
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    canvas.clear(place);
    frame(canvas, place);
    let inner = canvas.within(Rect {
        x: place.x + 2.min(place.width),
        width: place.width.saturating_sub(4),
        y: place.y + 1.min(place.height),
        height: place.height.saturating_sub(2),
    });
    let target = &dialog.target;
    let room = usize::from(inner.width);
    let command = text::cut(&text::printable(&target.command), room, canvas.look.ellipsis());
    canvas.text(
        inner,
        0,
        &format!("End process {} of {}?", target.pid, target.user),
        Role::Bad,
    );
    canvas.text(inner, 1, &command, Role::Title);
    let simulated = state.frame.as_ref().and_then(|frame| frame.host.driver.simulated) == Some(true);
    let warning = if simulated {
        "The GPUs are simulated; a process of this number is not."
    } else {
        "SIGTERM asks it to end; SIGKILL gives it no time to save."
    };
    canvas.text(inner, 3, warning, Role::Quiet);
    buttons(canvas, dialog, inner);
}

fn buttons(canvas: &mut Canvas<'_>, dialog: &Dialog, inner: Rect) {
    let line = canvas.row(inner, inner.height.saturating_sub(1));
    let mut x = line.x;
    for choice in Choice::ALL {
        let role = if choice == dialog.choice {
            Role::Selected
        } else {
            Role::Key
        };
        let rest = Rect {
            x,
            width: line.right().saturating_sub(x),
            ..line
        };
        let width = canvas.line(rest, 0, vec![canvas.span(format!(" {} ", choice.label()), role)]);
        canvas.spot(Rect { width, ..rest }, Action::Choose(choice));
        x = x.saturating_add(width + 1);
    }
}

fn frame(canvas: &mut Canvas<'_>, place: Rect) {
    let look = canvas.look;
    let inner = usize::from(place.width.saturating_sub(2));
    let line = |left: &str, middle: &str, right: &str| format!("{left}{}{right}", middle.repeat(inner));
    let rule = look.pick("─", "-");
    let side = look.pick("│", "|");
    let top = line(look.pick("┌", "+"), rule, look.pick("┐", "+"));
    let bottom = line(look.pick("└", "+"), rule, look.pick("┘", "+"));
    let last = place.height.saturating_sub(1);
    canvas.text(place, 0, &top, Role::Bad);
    for row in 1..last {
        canvas.text(place, row, &line(side, " ", side), Role::Bad);
    }
    canvas.text(place, last, &bottom, Role::Bad);
}
