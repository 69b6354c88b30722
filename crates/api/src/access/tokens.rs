//! Bearer tokens: the file of their hashes, and new ones.

use std::{collections::HashSet, fmt::Write as _, io};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use super::scope::Scopes;

/// Tokens of one agent: one for each client of a large site, and few enough to compare with all of them each time.
const MOST: usize = 1_024;

/// Bytes of a SHA-256 hash.
const HASH: usize = 32;

/// Random bytes of a token: nobody guesses it, so that a fast hash is enough.
const RANDOM: usize = 32;

/// Tells a token from other texts, for people and for programs that look for secrets in the wrong places.
const MARK: &str = "gpulse_";

/// The tokens that are good, by their hashes.
#[derive(Debug)]
pub(super) struct Tokens {
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    hash: [u8; HASH],
    scopes: Scopes,
}

impl Tokens {
    /// Reads lines of `scope[,scope] name sha256:HEX`; empty ones and those that begin with `#` say nothing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut known: Vec<Known> = Vec::new();
        let mut names = HashSet::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line itself is not repeated: somebody may have pasted the token.
            let wrong = |what: &str| {
                format!(
                    "line {number}: {what}; expected is `scope[,scope] name sha256:HEX`, as `gpulse token` prints it"
                )
            };
            let mut words = line.split_ascii_whitespace();
            let (Some(scopes), Some(name), Some(hash), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(wrong("it does not have three words"));
            };
            let scopes = scopes.parse().map_err(|error| wrong(&format!("{error}")))?;
            if !names.insert(name) {
                return Err(wrong("its name is taken by a line above"));
            }
            let hash = hash.strip_prefix("sha256:").and_then(unhex);
            let hash = hash.ok_or_else(|| wrong("its hash is not `sha256:` and 64 hexadecimal digits"))?;
            if known.len() == MOST {
                return Err(wrong(&format!("there are more than {MOST} tokens")));
            }
            known.push(Known { hash, scopes });
        }
        Ok(Self { known })
    }

    /// What `token` is good for; nothing if it is not known. Takes as long whichever it is.
    pub(super) fn scopes_of(&self, token: &[u8]) -> Option<Scopes> {
        let shown = digest(&SHA256, token);
        let mut found = u8::MAX;
        let mut which = 0_u64;
        for (known, place) in self.known.iter().zip(0_u64..) {
            let same = known.hash.ct_eq(shown.as_ref());
            which.conditional_assign(&place, same);
            found.conditional_assign(&0, same);
        }
        if found != 0 {
            return None;
        }
        let place = usize::try_from(which).ok()?;
        self.known.get(place).map(|known| known.scopes)
    }
}

fn unhex(text: &str) -> Option<[u8; HASH]> {
    let digits = text.as_bytes();
    if digits.len() != HASH * 2 {
        return None;
    }
    let mut bytes = [0; HASH];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |place: usize| char::from(pair[place]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

/// A token that nobody had before.
pub struct FreshToken {
    /// What the client sends. It is nowhere kept.
    pub token: String,
    /// The line that makes an agent accept it.
    pub line: String,
}

/// Makes a token.
///
/// # Errors
///
/// If `name` is no single word, or the system has no random bytes.
pub fn fresh_token(scopes: Scopes, name: &str) -> io::Result<FreshToken> {
    if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a token's name is one word",
        ));
    }
    let mut random = [0; RANDOM];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let token = format!("{MARK}{}", URL_SAFE_NO_PAD.encode(random));
    let mut line = format!("{scopes} {name} sha256:");
    for byte in digest(&SHA256, token.as_bytes()).as_ref() {
        let _ = write!(line, "{byte:02x}");
    }
    Ok(FreshToken { token, line })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const READ: &str = "read";

    fn fresh(scopes: &str, name: &str) -> FreshToken {
        fresh_token(scopes.parse().unwrap(), name).unwrap()
    }

    #[test]
    fn a_token_is_good_for_what_its_line_says() {
        let (reader, scraper, stranger) = (
            fresh("read,admin", "ann"),
            fresh("metrics", "prometheus"),
            fresh(READ, "eve"),
        );
        let file = format!("# tokens\n\n  {}  \n{}\n", reader.line, scraper.line);
        let tokens = Tokens::parse(&file).unwrap();
        assert_eq!(
            tokens.scopes_of(reader.token.as_bytes()),
            Some("read,admin".parse().unwrap())
        );
        assert_eq!(
            tokens.scopes_of(scraper.token.as_bytes()),
            Some("metrics".parse().unwrap())
        );
        for other in [stranger.token.as_str(), "", "gpulse_", &reader.token[1..]] {
            assert_eq!(tokens.scopes_of(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn tokens_differ_and_their_lines_do_not_hold_them() {
        let (one, other) = (fresh(READ, "x"), fresh(READ, "x"));
        assert_ne!(one.token, other.token);
        assert!(!one.line.contains(&one.token[MARK.len()..]));
        for name in ["", "two words", "tab\t", "line\n"] {
            assert!(fresh_token(Scopes::READER, name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number_and_not_repeated() {
        let token = fresh(READ, "ann");
        let good = token.line.as_str();
        let short = good[..good.len() - 1].to_owned();
        let cases = [
            (token.token.clone(), "three words"),
            (format!("{good} more"), "three words"),
            (good.replacen("read", "write", 1), "scopes are"),
            (good.replacen("sha256:", "sha1:", 1), "its hash"),
            (short, "its hash"),
            (format!("{good}\n{good}"), "taken"),
        ];
        for (text, part) in cases {
            let error = Tokens::parse(&format!("#\n{text}")).unwrap_err();
            assert!(error.contains("line ") && error.contains(part), "{error}");
            assert!(!error.contains(&token.token), "{error}");
        }
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let hash = "0".repeat(64);
        let lines = |count: usize| {
            (0..count)
                .map(|name| format!("read {name} sha256:{hash}\n"))
                .collect::<String>()
        };
        assert!(Tokens::parse(&lines(MOST)).is_ok());
        assert!(
            Tokens::parse(&lines(MOST + 1))
                .unwrap_err()
                .contains("more than 1024")
        );
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "\\PC{0,200}") {
            let _ = Tokens::parse(&text);
        }

        #[test]
        fn nothing_like_a_line_makes_it_panic(text in "(read|admin|x)?,?(read)? ?[a-z]{0,3} ?(sha256:)?[0-9a-fg]{60,66}\n?") {
            let _ = Tokens::parse(&text);
        }
    }
}
