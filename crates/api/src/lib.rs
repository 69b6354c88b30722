//! The HTTP side of the agent: actix-web over the snapshot cache. No other crate knows HTTP.
//!
//! No request reaches the driver or waits for a GPU: a handler loads the latest host snapshot, and that one
//! snapshot decides everything it answers. Bodies of the hot routes are rendered on first read of a generation
//! and shared as bytes from then on.
//!
//! Reading order: [`HttpServer`] starts the workers; `listen` holds connections until they are ready for HTTP, and
//! watches them from then on; `gate` and `access` decide which requests are answered; `app` is the table of routes; `routes` holds the handlers;
//! `stream` is what goes on without end; `bodies` keeps what was rendered; `respond` and `problem` make responses; `openapi` describes all of it.

mod access;
mod app;
mod bodies;
mod config;
mod cors;
mod drain;
mod exposition;
mod gate;
mod guard;
mod large;
mod listen;
mod negotiation;
mod openapi;
mod problem;
mod refusal;
mod rendered;
mod request_log;
mod respond;
mod routes;
mod server;
mod state;
mod stream;
mod target;
mod template;
#[cfg(test)]
mod tests;

pub use access::{CredentialFiles, FreshToken, RateLimit, Scope, Scopes, fresh_token, warn_if_open};
pub use config::{ApiConfig, Metrics, Security};
pub use cors::check_origins;
pub use gpulse_dashboard::{Links as DashboardLinks, is_source};
pub use listen::{Listeners, TlsFiles, UnixSocket, UnixSocketSettings};
pub use openapi::openapi_json;
pub use routes::v1::nearest::nearest;
pub use server::HttpServer;
pub use target::ScrapeTarget;
