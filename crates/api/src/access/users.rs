//! Users and passwords: the file of their hashes, and how a password is verified.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::web;
use bcrypt::HashParts;
use ring::{hmac, rand::SystemRandom};
use tokio::sync::Semaphore;

use super::{credentials::Basic, scope::Scopes};
use crate::listen::Places;

/// Users of one agent.
const MOST: usize = 1_024;

/// Costs of bcrypt that a file may ask for. Below it is no defence, above one verification takes seconds, and anybody
/// may ask for one. `htpasswd -B` writes 5.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// Bytes of a password that bcrypt looks at. A longer one is refused, rather than taken for what it begins with. So is one with a
/// zero in it: bcrypt repeats a password with a zero between, and takes what is typed in twice for the same.
const LONGEST_PASSWORD: usize = 72;

/// Passwords that are verified at a time: each takes a core for as long as it takes, and the GPUs' readers want some.
const AT_ONCE: usize = 2;

/// Passwords that wait to be verified. Further ones are told to come again.
const WAITING: usize = 16;

/// Of these, how many may be of one client: whoever guesses keeps nobody else out.
const OF_ONE_CLIENT: usize = 4;

/// Passwords that were right and are remembered: more than there are clients that show one with every request.
const REMEMBERED: usize = 256;

/// The users, by name.
#[derive(Debug)]
pub(super) struct Users {
    known: HashMap<String, User>,
    /// Verified for names that are not known, so that these cost the same.
    nobody: String,
}

#[derive(Clone, Debug)]
struct User {
    hash: String,
    scopes: Scopes,
}

impl Users {
    /// Reads lines of `user:bcrypt-hash[:scopes]`, as `htpasswd -B` writes them; without scopes a user may `read`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut known = HashMap::new();
        let mut dearest = *COSTS.start();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line itself is not repeated: somebody may have written the password.
            let wrong = |what: &str| {
                format!(
                    "line {number}: {what}; expected is `user:bcrypt-hash:scopes`, the first two as `htpasswd -nB user` prints them"
                )
            };
            let mut parts = line.split(':');
            let (Some(name), Some(hash), scopes, None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(wrong("it does not have two or three parts"));
            };
            if name.is_empty() {
                return Err(wrong("the user has no name"));
            }
            let parsed: HashParts = hash.parse().map_err(|_| wrong("this is no bcrypt hash"))?;
            let cost = parsed.get_cost();
            if !COSTS.contains(&cost) {
                return Err(wrong(&format!(
                    "its cost {cost} is not from {} to {}",
                    COSTS.start(),
                    COSTS.end()
                )));
            }
            let scopes = scopes
                .unwrap_or("read")
                .parse()
                .map_err(|error| wrong(&format!("{error}")))?;
            dearest = dearest.max(cost);
            if known.len() == MOST {
                return Err(wrong(&format!("there are more than {MOST} users")));
            }
            let user = User {
                hash: hash.to_owned(),
                scopes,
            };
            if known.insert(name.to_owned(), user).is_some() {
                return Err(wrong("the user has a line above"));
            }
        }
        // Of this form, and of no password: 53 zeros in bcrypt's alphabet.
        let nobody = format!("$2b${dearest:02}${}", ".".repeat(53));
        Ok(Self { known, nobody })
    }

    fn user(&self, basic: &Basic) -> Option<&User> {
        self.known
            .get(&basic.user)
            .filter(|_| basic.password.len() <= LONGEST_PASSWORD && !basic.password.contains(&0))
    }
}

/// Why a password was not found to be right.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It is wrong, or there is no such user.
    Wrong,
    /// Too many are being verified to find out.
    Busy,
}

/// Verifies passwords, and remembers for a while which were right.
pub(super) struct Verifier {
    /// Drawn at start; what is remembered is of no use to anybody who has not got it.
    key: Option<hmac::Key>,
    right: Mutex<HashMap<[u8; 32], u64>>,
    turn: Semaphore,
    waiting: AtomicUsize,
    of_clients: Arc<Places>,
}

impl Verifier {
    pub(super) fn new() -> Self {
        Self {
            // Without random bytes nothing is remembered: every request then costs what the first one costs.
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            right: Mutex::new(HashMap::new()),
            turn: Semaphore::new(AT_ONCE),
            waiting: AtomicUsize::new(0),
            of_clients: Places::new(OF_ONE_CLIENT),
        }
    }

    /// The scopes of a user whose password is known to be right.
    pub(super) fn remembered(&self, users: &Users, basic: &Basic) -> Option<Scopes> {
        let user = users.user(basic)?;
        let mark = self.mark(basic, &user.hash)?;
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.contains_key(&mark).then_some(user.scopes)
    }

    /// The scopes of a user if the password is right. A name that is not known takes as long as one that is.
    /// Over a unix socket nobody is told from others.
    pub(super) async fn verify(
        &self,
        users: &Users,
        basic: Basic,
        client: Option<IpAddr>,
    ) -> Result<Scopes, Unknown> {
        let _of_client = match client {
            None => None,
            Some(address) => Some(self.of_clients.take(address).ok_or(Unknown::Busy)?),
        };
        let place = Waiting::enter(&self.waiting).ok_or(Unknown::Busy)?;
        let turn = self.turn.acquire().await.map_err(|_| Unknown::Busy)?;
        drop(place);
        let user = users.user(&basic).cloned();
        let hash = user
            .as_ref()
            .map_or_else(|| users.nobody.clone(), |user| user.hash.clone());
        let mark = self.mark(&basic, &hash);
        let verified = web::block(move || bcrypt::verify(&basic.password, &hash)).await;
        drop(turn);
        match (verified, user) {
            (Ok(Ok(true)), Some(user)) => {
                self.remember(mark);
                Ok(user.scopes)
            }
            (Err(_), _) => Err(Unknown::Busy),
            _ => Err(Unknown::Wrong),
        }
    }

    /// Names a password and the hash that it was found to be right for: once the file says otherwise it is forgotten.
    fn mark(&self, basic: &Basic, hash: &str) -> Option<[u8; 32]> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        for part in [basic.user.as_bytes(), hash.as_bytes(), &basic.password] {
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
        context.sign().as_ref().try_into().ok()
    }

    fn remember(&self, mark: Option<[u8; 32]>) {
        let Some(mark) = mark else { return };
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED
            && let Some(oldest) = right
                .iter()
                .min_by_key(|(_, since)| **since)
                .map(|(mark, _)| *mark)
        {
            right.remove(&oldest);
        }
        let newest = right.values().max().map_or(0, |newest| newest + 1);
        right.insert(mark, newest);
    }
}

/// A place among those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < WAITING).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
