//! Who may ask for what: credentials, the scopes that they give, and the scope that each path asks for.
//!
//! Secrets are never kept: of a token there is its hash, of a password its bcrypt hash, of a password that was right
//! once a keyed hash for as long as the process lives. Nothing of them is logged.

mod credentials;
mod limit;
mod pages;
mod scope;
mod tokens;
mod users;
mod watched;

pub(crate) use credentials::Basic;
pub use limit::RateLimit;
pub(crate) use limit::{RateLimiter, client_of};
pub(crate) use pages::{Names, is_from_elsewhere};
pub use scope::{Scope, Scopes};
pub(crate) use scope::{is_admin, needed};
pub use tokens::{FreshToken, fresh_token};
pub use watched::warn_if_open;
pub(crate) use watched::{Look, Watched, Watcher, in_file, read};

use std::{io, net::IpAddr, path::PathBuf, sync::Arc};

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use credentials::Credentials;
use tokens::Tokens;
use users::{Unknown, Users, Verifier};

/// Where credentials are read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialFiles {
    /// Hashes of bearer tokens, a line each.
    pub tokens: Option<PathBuf>,
    /// Users with their bcrypt hashes, a line each.
    pub users: Option<PathBuf>,
}

/// What a request's credentials are good for.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It may do this.
    Scopes(Scopes),
    /// It brought no credentials, or wrong ones.
    Refused,
    /// Too many passwords are being verified.
    Busy,
    /// A password has to be verified first, which takes time.
    Ask(Basic),
}

/// Verifies credentials.
pub(crate) struct Authentication {
    tokens: Option<Arc<Watched<Tokens>>>,
    users: Option<Arc<Watched<Users>>>,
    verifier: Verifier,
    refusals: limit::Refusals,
}

impl Authentication {
    /// Reads the files, and what will look whether they change.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or holds a line that is not understood.
    pub(crate) fn open(files: &CredentialFiles) -> io::Result<(Self, Vec<Arc<dyn Look>>)> {
        let mut looks: Vec<Arc<dyn Look>> = Vec::new();
        let tokens = match &files.tokens {
            None => None,
            Some(path) => {
                let tokens = Watched::of_text("bearer tokens", path, Tokens::parse)?;
                looks.push(Arc::<Watched<Tokens>>::clone(&tokens));
                Some(tokens)
            }
        };
        let users = match &files.users {
            None => None,
            Some(path) => {
                let users = Watched::of_text("users", path, Users::parse)?;
                looks.push(Arc::<Watched<Users>>::clone(&users));
                Some(users)
            }
        };
        let authentication = Self {
            tokens,
            users,
            verifier: Verifier::new(),
            refusals: limit::Refusals::default(),
        };
        Ok((authentication, looks))
    }

    /// What these headers are good for; a password is only looked up here, not verified.
    pub(crate) fn admit(&self, headers: &HeaderMap, client: Option<IpAddr>) -> Admission {
        let Some(credentials) = Credentials::of(headers) else {
            if headers.contains_key(header::AUTHORIZATION) {
                self.refusals.note(client);
            }
            return Admission::Refused;
        };
        match credentials {
            Credentials::Bearer(token) => {
                let scopes = self
                    .tokens
                    .as_ref()
                    .and_then(|tokens| tokens.current().scopes_of(token));
                match scopes {
                    Some(scopes) => Admission::Scopes(scopes),
                    None => {
                        self.refusals.note(client);
                        Admission::Refused
                    }
                }
            }
            Credentials::Basic(basic) => match &self.users {
                Some(users) => match self.verifier.remembered(&users.current(), &basic) {
                    Some(scopes) => Admission::Scopes(scopes),
                    None => Admission::Ask(basic),
                },
                None => {
                    self.refusals.note(client);
                    Admission::Refused
                }
            },
        }
    }

    /// Verifies a password on a thread where that holds up nobody.
    pub(crate) async fn verify(&self, basic: Basic, client: Option<IpAddr>) -> Admission {
        let Some(users) = &self.users else {
            return Admission::Refused;
        };
        let users = users.current_full();
        match self.verifier.verify(&users, basic, client).await {
            Ok(scopes) => Admission::Scopes(scopes),
            Err(Unknown::Busy) => Admission::Busy,
            Err(Unknown::Wrong) => {
                self.refusals.note(client);
                Admission::Refused
            }
        }
    }

    /// What a client is told that brought no valid credentials: the ways there are.
    pub(crate) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let bearer = self.tokens.is_some() || self.users.is_none();
        let basic = self.users.is_some();
        let bearer = bearer.then_some("Bearer realm=\"gpulse\"");
        let basic = basic.then_some("Basic realm=\"gpulse\", charset=\"UTF-8\"");
        bearer.into_iter().chain(basic).map(HeaderValue::from_static)
    }
}
