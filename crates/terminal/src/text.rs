//! Numbers and times as they are shown: short, with their unit, and `n/a` where there is nothing.

use jiff::Timestamp;

/// What is shown where there is no value.
pub(crate) const NOTHING: &str = "n/a";

const KIB: f64 = 1024.0;

/// A value by its format, or that there is none.
pub(crate) fn or_nothing<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), show)
}

/// `1 GPU`, `8 GPUs`
pub(crate) fn gpus(count: usize) -> String {
    format!("{count} GPU{}", if count == 1 { "" } else { "s" })
}

/// `1 process`, `3 processes`
pub(crate) fn processes(count: usize) -> String {
    format!("{count} process{}", if count == 1 { "" } else { "es" })
}

/// `75%`
pub(crate) fn percent(value: f64) -> String {
    format!("{value:.0}%")
}

/// `350W`
pub(crate) fn watts(value: f64) -> String {
    format!("{value:.0}W")
}

/// `65C`, with the sign of a degree where there is one.
pub(crate) fn celsius(value: f64, degree: &str) -> String {
    format!("{value:.0}{degree}C")
}

/// `1980MHz`
pub(crate) fn megahertz(value: f64) -> String {
    format!("{value:.0}MHz")
}

/// Bytes: `512MiB`, `40.2GiB`.
pub(crate) fn bytes(value: f64) -> String {
    scaled(value, KIB, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// A rate: `480MB/s`, `9.5GB/s`.
pub(crate) fn rate(value: f64) -> String {
    scaled(value, 1_000.0, ["B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"])
}

fn scaled(value: f64, base: f64, units: [&str; 6]) -> String {
    let (mut value, mut place) = (value, 0);
    while value.abs() >= base && place + 1 < units.len() {
        value /= base;
        place += 1;
    }
    let digits = usize::from(place > 0 && value.abs() < 100.0);
    format!("{value:.digits$}{}", units[place])
}

/// A time span: `3s`, `4m05s`, `2h10m`, `3d04h`.
pub(crate) fn span(seconds: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h{:02}m", whole / 3_600, whole / 60 % 60),
        _ => format!("{}d{:02}h", whole / 86_400, whole / 3_600 % 24),
    }
}

/// An interval, which may be shorter than a second: `250ms`, `1s`.
pub(crate) fn short_span(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0}ms", seconds * 1_000.0)
    } else {
        span(seconds)
    }
}

/// Seconds from one moment to another.
pub(crate) fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.duration_since(earlier).as_secs_f64()
}

/// A name that is fit to be shown: what is no printable character, and could command the terminal, is a `?`.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { '?' } else { character })
        .collect()
}

/// The first `width` characters; one that was cut off at its end says so.
pub(crate) fn cut(text: &str, width: usize, ellipsis: &str) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(ellipsis.chars().count());
    let mut cut: String = text.chars().take(room).collect();
    cut.extend(ellipsis.chars().take(width));
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(bytes(40_802_189_312.0), "38.0GiB");
        assert_eq!(bytes(85_899_345_920.0 * 4.0), "320GiB");
        assert_eq!(bytes(512.0), "512B");
        assert_eq!(rate(9_500_000_000.0), "9.5GB/s");
        assert_eq!(rate(480_000_000.0), "480MB/s");
        assert_eq!(
            (percent(74.6), watts(350.2)),
            ("75%".to_owned(), "350W".to_owned())
        );
    }

    #[test]
    fn spans_have_two_parts() {
        let shown = [0.4, 59.9, 245.0, 7_800.0, 270_000.0, -1.0, f64::NAN].map(span);
        assert_eq!(shown, ["0s", "59s", "4m05s", "2h10m", "3d03h", "0s", "0s"]);
    }

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n\u{9b}c"), "a?[2Jb??c");
    }

    #[test]
    fn what_is_cut_off_says_so() {
        assert_eq!(cut("python train.py", 8, "…"), "python …");
        assert_eq!(cut("python", 6, "…"), "python");
        assert_eq!(cut("python", 0, "…"), "");
        assert_eq!(cut("python", 2, "..."), "..");
    }
}
