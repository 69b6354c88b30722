//! What goes to the terminal, frame by frame; for one of sixteen colours in the sequences that it knows.

use std::io::{self, Write};

/// How ratatui's backend names a colour of the palette: as foreground, as background. Terminals that have no palette take the
/// 5 for "blink".
const PALETTE: [(&[u8], u8, u8); 2] = [(b"38;5;", 30, 90), (b"48;5;", 40, 100)];

/// Collects what is written until it is flushed, so that a frame goes out at once.
#[derive(Debug)]
pub(crate) struct Output<W> {
    to: W,
    frame: Vec<u8>,
    has_palette: bool,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(to: W, has_palette: bool) -> Self {
        Self {
            to,
            frame: Vec::new(),
            has_palette,
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.frame);
        if self.has_palette {
            self.to.write_all(&frame)?;
        } else {
            self.to.write_all(&in_sixteen(&frame))?;
        }
        self.to.flush()
    }
}

/// The same frame with the first sixteen colours of the palette by their own numbers: 30 to 37 and 90 to 97, 40 to 47 and 100
/// to 107. What is no such sequence stays as it is.
fn in_sixteen(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    let mut rest = frame;
    while let Some(start) = rest.windows(2).position(|pair| pair == b"\x1b[") {
        let (before, sequence) = rest.split_at(start + 2);
        out.extend_from_slice(before);
        let length = sequence
            .iter()
            .position(|byte| !byte.is_ascii_digit() && *byte != b';')
            .unwrap_or(sequence.len());
        let (parameters, after) = sequence.split_at(length);
        if after.first() == Some(&b'm') {
            translate(parameters, &mut out);
        } else {
            out.extend_from_slice(parameters);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

fn translate(parameters: &[u8], out: &mut Vec<u8>) {
    let mut rest = parameters;
    while !rest.is_empty() {
        let found = PALETTE.iter().find_map(|(prefix, dark, bright)| {
            let number = rest.strip_prefix(*prefix)?;
            let length = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let color: u8 = std::str::from_utf8(&number[..length]).ok()?.parse().ok()?;
            let code = match color {
                0..8 => dark + color,
                8..16 => bright + (color - 8),
                _ => return None,
            };
            Some((code, prefix.len() + length))
        });
        let taken = match found {
            Some((code, length)) => {
                out.extend_from_slice(code.to_string().as_bytes());
                length
            }
            None => {
                let length = rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len());
                out.extend_from_slice(&rest[..length]);
                length
            }
        };
        rest = &rest[taken..];
        if let Some(after) = rest.strip_prefix(b";") {
            out.push(b';');
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(written: &[&str], has_palette: bool) -> String {
        let mut terminal = Vec::new();
        let mut output = Output::new(&mut terminal, has_palette);
        for part in written {
            output.write_all(part.as_bytes()).unwrap();
        }
        output.flush().unwrap();
        String::from_utf8(terminal).unwrap()
    }

    #[test]
    fn sixteen_colors_have_numbers_of_their_own() {
        let written = [
            "\u{1b}[1;38;5;",
            "6",
            "m x \u{1b}[38;5;9;48;5;0m38;5;1m\u{1b}[2;3H\u{1b}[0m",
        ];
        assert_eq!(
            sent(&written, false),
            "\u{1b}[1;36m x \u{1b}[91;40m38;5;1m\u{1b}[2;3H\u{1b}[0m"
        );
        assert_eq!(sent(&written, true), written.concat());
    }

    #[test]
    fn what_is_no_such_sequence_stays() {
        for same in [
            "",
            "\u{1b}[",
            "\u{1b}[38;5;200m",
            "\u{1b}[38;5;m",
            "\u{1b}[?25l",
            "\u{1b}[38;5;1",
            "\u{1b}[;;m",
        ] {
            assert_eq!(sent(&[same], false), same);
        }
    }
}
