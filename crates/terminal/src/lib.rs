//! The screens of `gpulse top`: what an agent's REST routes say, in a terminal.
//!
//! The crate knows the bodies of the routes and nothing else of the agent: whoever calls [`run`] gives it a [`Source`] that
//! gets them. A thread asks the source (`fetch`), so that a slow agent never keeps a key waiting; the calling
//! thread changes the state with what comes (`app`) and draws it (`view`). State and views are pure.

mod action;
mod app;
mod body;
mod fetch;
#[cfg(test)]
mod fixture;
mod frame;
mod input;
mod keys;
mod look;
mod options;
mod output;
mod pace;
mod parents;
mod question;
mod run;
mod seen;
mod signaller;
mod signals;
mod source;
mod table;
mod terminal;
mod text;
mod tree;
mod view;

pub use look::{Colors, is_utf8};
pub use options::{Error, Options};
pub use run::run;
pub use signaller::{LocalSignaller, Signaller, Target};
pub use source::Source;
pub use terminal::check;
