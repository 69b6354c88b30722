//! An exposition: all that is said of one host snapshot, in the profiles and the format that were asked for.

use crate::{Format, Profile, Profiles, View, family::Sink, seen::Seen, text::Text};

/// Shows `sink` all families of `profiles`, one profile after the other.
pub fn expose(view: &View<'_>, profiles: Profiles, sink: &mut dyn Sink) {
    let seen: Vec<_> = view.host.gpus.iter().map(|gpu| Seen::of(gpu)).collect();
    for profile in profiles.iter() {
        Profile::expose(profile, view, &seen, sink);
    }
}

/// The exposition as text. With `created`, counters say since when they count where the format can.
pub fn to_text(view: &View<'_>, profiles: Profiles, format: Format, created: bool) -> String {
    let mut text = Text::new(format, created);
    expose(view, profiles, &mut text);
    text.finish()
}
