//! How things look: as many colours as the terminal has, and no character that it cannot show.

use std::env;

use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// None, or none are wanted: bold, dim and reverse say it.
    None,
    /// The sixteen that every terminal has.
    Sixteen,
    /// A palette of 256.
    Palette,
    /// All of them, 24 bit.
    True,
}

/// Terminals that have none.
const WITHOUT_COLORS: [&str; 6] = ["", "dumb", "vt52", "vt100", "vt102", "vt220"];

impl Colors {
    /// What the environment says: `NO_COLOR`, `COLORTERM`, `TERM`.
    pub fn detect() -> Self {
        let variable = |name: &str| env::var(name).unwrap_or_default();
        Self::of(&variable("NO_COLOR"), &variable("COLORTERM"), &variable("TERM"))
    }

    fn of(no_color: &str, colorterm: &str, term: &str) -> Self {
        if !no_color.is_empty() || WITHOUT_COLORS.contains(&term) {
            Self::None
        } else if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }
}

/// Whether the locale is one of UTF-8: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that says something counts.
pub fn is_utf8() -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    said.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// What something is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Names and headings.
    Title,
    /// What belongs to the frame, and what matters less.
    Quiet,
    /// Where the cursor is.
    Selected,
    /// In order.
    Good,
    /// Worth a look.
    Warning,
    /// Something has to be done.
    Bad,
    /// What can be pressed, and the second of two series.
    Key,
}

/// Colours and characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) colors: Colors,
    pub(crate) ascii: bool,
}

impl Look {
    /// The style of a role.
    pub(crate) fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        if self.colors == Colors::None {
            return match role {
                Role::Title | Role::Key | Role::Warning => bold,
                Role::Quiet => plain.add_modifier(Modifier::DIM),
                Role::Selected => plain.add_modifier(Modifier::REVERSED),
                Role::Good => plain,
                Role::Bad => bold.add_modifier(Modifier::UNDERLINED),
            };
        }
        match role {
            Role::Title => bold.fg(self.color(Color::White, 255, (230, 237, 243))),
            Role::Quiet => plain.fg(self.color(Color::DarkGray, 245, (125, 133, 144))),
            Role::Selected => plain
                .fg(self.color(Color::Black, 16, (13, 17, 23)))
                .bg(self.color(Color::Cyan, 80, (86, 196, 215))),
            Role::Good => plain.fg(self.color(Color::Green, 71, (87, 171, 90))),
            Role::Warning => plain.fg(self.color(Color::Yellow, 178, (218, 170, 63))),
            Role::Bad => bold.fg(self.color(Color::Red, 203, (244, 112, 103))),
            Role::Key => plain.fg(self.color(Color::Cyan, 80, (86, 196, 215))),
        }
    }

    /// The style of a share of what is possible, 0 to 1: green, yellow, red; in all shades between where there are.
    pub(crate) fn heat(self, share: f64) -> Style {
        match self.colors {
            Colors::True => {
                let stops = [(87.0, 171.0, 90.0), (218.0, 170.0, 63.0), (244.0, 112.0, 103.0)];
                let share = if share.is_nan() {
                    0.0
                } else {
                    share.clamp(0.0, 1.0)
                };
                let (from, to, within) = if share < 0.5 {
                    (stops[0], stops[1], share * 2.0)
                } else {
                    (stops[1], stops[2], share * 2.0 - 1.0)
                };
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between two u8"
                )]
                let mix = |from: f64, to: f64| (from + (to - from) * within).round() as u8;
                Style::new().fg(Color::Rgb(
                    mix(from.0, to.0),
                    mix(from.1, to.1),
                    mix(from.2, to.2),
                ))
            }
            _ if share >= 0.9 => self.style(Role::Bad),
            _ if share >= 0.6 => self.style(Role::Warning),
            _ => self.style(Role::Good),
        }
    }

    /// The style of a GPU's state.
    pub(crate) fn state(self, state: &str) -> Style {
        self.style(match state {
            "ok" => Role::Good,
            "stale" => Role::Warning,
            _ => Role::Bad,
        })
    }

    fn color(self, named: Color, indexed: u8, (red, green, blue): (u8, u8, u8)) -> Color {
        match self.colors {
            Colors::None => Color::Reset,
            Colors::Sixteen => named,
            Colors::Palette => Color::Indexed(indexed),
            Colors::True => Color::Rgb(red, green, blue),
        }
    }

    /// One of two texts, by what can be shown.
    pub(crate) fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { unicode }
    }

    /// The sign of a degree.
    pub(crate) fn degree(self) -> &'static str {
        self.pick("°", "")
    }

    /// What stands for what was cut off.
    pub(crate) fn ellipsis(self) -> &'static str {
        self.pick("…", "~")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colors_there_are() {
        assert_eq!(Colors::of("", "truecolor", "xterm-256color"), Colors::True);
        assert_eq!(Colors::of("", "", "tmux-256color"), Colors::Palette);
        assert_eq!(Colors::of("", "", "xterm"), Colors::Sixteen);
        assert_eq!(Colors::of("", "", "linux"), Colors::Sixteen);
        assert_eq!(Colors::of("1", "truecolor", "xterm-256color"), Colors::None);
        assert_eq!(Colors::of("", "", "dumb"), Colors::None);
        assert_eq!(Colors::of("", "", "vt100"), Colors::None);
    }

    #[test]
    fn without_colors_nothing_has_one() {
        let look = Look {
            colors: Colors::None,
            ascii: false,
        };
        for share in [0.0, 0.7, 1.0, f64::NAN] {
            assert_eq!(look.heat(share).fg, None);
        }
        assert_eq!(look.style(Role::Selected).bg, None);
    }

    #[test]
    fn a_share_goes_from_green_to_red() {
        let look = Look {
            colors: Colors::True,
            ascii: false,
        };
        assert_eq!(look.heat(0.0).fg, Some(Color::Rgb(87, 171, 90)));
        assert_eq!(look.heat(0.5).fg, Some(Color::Rgb(218, 170, 63)));
        assert_eq!(look.heat(7.0).fg, Some(Color::Rgb(244, 112, 103)));
    }
}
