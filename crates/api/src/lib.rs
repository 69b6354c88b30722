//! The HTTP side of the agent: actix-web over the snapshot cache. No other crate knows HTTP.
//!
//! No request reaches the driver or waits for a GPU: a handler loads the latest host snapshot, and that one
//! snapshot decides everything it answers. Bodies of the hot routes are rendered on first read of a generation
//! and shared as bytes from then on.
//!
//! Reading order: [`HttpServer`] starts the workers; `app` is the table of routes; `routes` holds the handlers;
//! `bodies` keeps what was rendered; `respond` and `problem` make responses; `openapi` describes all of it.

mod app;
mod bodies;
mod config;
mod cors;
mod negotiation;
mod openapi;
mod problem;
mod rendered;
mod request_log;
mod respond;
mod routes;
mod server;
mod state;
#[cfg(test)]
mod tests;

pub use config::ApiConfig;
pub use cors::check_origins;
pub use openapi::openapi_json;
pub use server::HttpServer;
