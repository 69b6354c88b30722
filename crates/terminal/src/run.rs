//! The loop: wait for a key, the mouse, a signal or a frame; change what is known; draw.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event, MouseButton, MouseEventKind};

use crate::{
    action::{Action, Effect, Move},
    app::{State, update},
    fetch::{Fetcher, Found},
    input::{Came, Input},
    keys,
    look::Look,
    options::{Error, Options},
    signaller::Signaller,
    signals::Signals,
    source::Source,
    terminal::Screen,
    view::{self, Spot},
};

/// How long a frame or a signal may lie before it is seen. Keys are seen at once.
const LOOK: Duration = Duration::from_millis(50);

/// How often ages are drawn anew while nothing else happens.
const AGES: Duration = Duration::from_secs(1);

/// Keys that are taken in before the screen is drawn: pasted text does not cost a drawing for each character.
const AT_ONCE: usize = 64;

/// Shows the screens until somebody quits them.
///
/// # Errors
///
/// If there is no terminal, or it fails.
pub fn run(source: Box<dyn Source>, options: Options) -> Result<(), Error> {
    let look = Look {
        colors: options.colors,
        ascii: options.ascii,
    };
    let (signaller, may_kill) = match options.signaller {
        Ok(signaller) => (Some(signaller), Ok(())),
        Err(why) => (None, Err(why)),
    };
    let signals = Signals::catch()?;
    let screen = Screen::take(options.mouse, options.colors)?;
    let fetcher = Fetcher::start(source, options.interval, options.local)?;
    let mut shown = Shown {
        state: State::new(look, options.place, options.interval, may_kill),
        spots: Vec::new(),
        screen,
        input: Input::start()?,
        fetcher,
        signals,
        signaller,
    };
    while shown.draw_and_wait()? == Next::GoOn {}
    Ok(())
}

/// Whether it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Quit,
}

/// All that the loop holds.
struct Shown {
    state: State,
    /// What clicks mean on what was drawn last.
    spots: Vec<Spot>,
    screen: Screen,
    input: Input,
    fetcher: Fetcher,
    signals: Signals,
    signaller: Option<Box<dyn Signaller>>,
}

impl Shown {
    /// Draws, and waits until something has changed.
    fn draw_and_wait(&mut self) -> Result<Next, Error> {
        self.state.now = Instant::now();
        let (state, spots) = (&mut self.state, &mut self.spots);
        self.screen.draw(|frame| {
            let area = frame.area();
            state.width = area.width;
            *spots = view::draw(state, area, frame.buffer_mut());
        })?;
        let next_ages = Instant::now() + AGES;
        while Instant::now() < next_ages {
            if self.signals.asked_to_end() {
                return Ok(Next::Quit);
            }
            if self.signals.asked_to_stop() {
                return self.carry_out(Effect::Suspend);
            }
            if self.signals.goes_on() {
                self.screen.take_again()?;
                return Ok(Next::GoOn);
            }
            match self.fetcher.take() {
                Found::New(delivery) => return self.change(Action::Deliver(delivery)),
                Found::Ended => return Err(Error::FetcherEnded),
                Found::Nothing => {}
            }
            match self.input.wait(LOOK) {
                Came::Event(event) => return self.take_in(event),
                Came::Gone => return Err(Error::TerminalGone),
                Came::Nothing if self.screen.is_resized() => return Ok(Next::GoOn),
                Came::Nothing => {}
            }
        }
        Ok(Next::GoOn)
    }

    /// Takes in what was pressed. A click means what was drawn, so that nothing is taken in after it.
    fn take_in(&mut self, event: Event) -> Result<Next, Error> {
        let mut came = Came::Event(event);
        for _ in 0..AT_ONCE {
            let Came::Event(event) = came else { break };
            if let Some(action) = understood(&self.state, &self.spots, &event)
                && self.change(action)? == Next::Quit
            {
                return Ok(Next::Quit);
            }
            if matches!(&event, Event::Mouse(mouse) if matches!(mouse.kind, MouseEventKind::Down(_))) {
                break;
            }
            came = self.input.wait(Duration::ZERO);
        }
        Ok(Next::GoOn)
    }

    fn change(&mut self, action: Action) -> Result<Next, Error> {
        self.state.now = Instant::now();
        let effect = update(&mut self.state, action);
        self.carry_out(effect)
    }

    fn carry_out(&mut self, effect: Effect) -> Result<Next, Error> {
        match effect {
            Effect::Nothing => {}
            Effect::Quit => return Ok(Next::Quit),
            Effect::Suspend => self.screen.leave_for(|| self.signals.stop())?,
            Effect::Redraw => self.screen.forget()?,
            Effect::Refresh => self.fetcher.hurry(),
            Effect::Hold(target) => {
                let held = self.with_signaller(|signaller| signaller.hold(&target));
                update(&mut self.state, Action::Held(held));
            }
            Effect::Send { force } => {
                let sent = self.with_signaller(|signaller| signaller.send(force));
                update(&mut self.state, Action::Sent(sent));
                self.fetcher.hurry();
            }
        }
        Ok(Next::GoOn)
    }

    fn with_signaller(
        &mut self,
        ask: impl FnOnce(&mut dyn Signaller) -> Result<(), String>,
    ) -> Result<(), String> {
        match &mut self.signaller {
            Some(signaller) => ask(signaller.as_mut()),
            None => Err("ending processes is off".to_owned()),
        }
    }
}

/// What an event asks for.
fn understood(state: &State, spots: &[Spot], event: &Event) -> Option<Action> {
    match event {
        Event::Key(key) => keys::action(state, *key),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                let clicked = view::clicked(spots, mouse.column, mouse.row)?;
                // While there is a question nothing else can be clicked.
                (state.dialog.is_none() || matches!(clicked, Action::Choose(_))).then_some(clicked)
            }
            MouseEventKind::ScrollUp => Some(Action::Move(Move::Up)),
            MouseEventKind::ScrollDown => Some(Action::Move(Move::Down)),
            _ => None,
        },
        _ => None,
    }
}
