//! A client of an agent: what every command that shows GPUs is made of. There is one way to data, the REST interface.
//!
//! `--connect` names the agent ([`Link`] speaks to it). Without it the command starts one in this process
//! ([`OwnAgent`]), on a socket that nobody else can reach, and is its client: what is shown is the same either way.

mod connect;
mod end;
mod link;
mod own_agent;
mod refusal;

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

pub(crate) use connect::{Connect, Source};
pub(crate) use refusal::ClientError;

use crate::{cli::Settings, config};
use end::End;
use link::Link;
use own_agent::OwnAgent;

/// From one look at whether an own agent has heard of its GPUs to the next.
const LOOK: Duration = Duration::from_millis(20);

/// What an own agent is given to load the driver and find its GPUs, beside the time after which a GPU counts as hung: without
/// persistence the driver takes most of a second for each GPU. What is there by then is shown.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// An answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// The HTTP status. Those that say who may ask are errors of [`Client::get`] instead.
    pub(crate) status: u16,
    /// The body.
    pub(crate) json: Value,
    /// The body as it came.
    pub(crate) text: String,
}

/// Asks whoever serves at `url` once, showing no token.
pub(crate) fn ask(url: &str, path: &str) -> Result<Answer, ClientError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ClientError::Access(error.to_string()))?;
    runtime.block_on(Link::anonymous(url)?.get(path))
}

/// A client of one agent.
pub(crate) struct Client {
    runtime: Runtime,
    end: RefCell<End>,
    link: Link,
    /// Ends with the client.
    _agent: Option<OwnAgent>,
}

impl Client {
    /// Connects to the agent that `connect` names, or starts one with `settings` and waits until it has heard of each GPU, for
    /// a bounded time. An own agent logs errors only, unless `settings.log_level` says otherwise.
    ///
    /// From here on SIGINT, SIGTERM and SIGHUP do not end the process: [`Client::get`] and [`Client::pause`] return, and go on
    /// saying so ([`Client::ended`]). An own agent's files are removed when the client is dropped.
    pub(crate) fn open(connect: &Connect, settings: &Settings) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let end = {
            let _inside = runtime.enter();
            RefCell::new(End::catch().context("signals cannot be caught")?)
        };
        if connect.connect.is_some() {
            let link = Link::open(connect)?;
            return Ok(Self {
                runtime,
                end,
                link,
                _agent: None,
            });
        }
        let config = config::load(settings)?.config;
        let patience = FIRST_LOOK + config.sampler.effective_deadline();
        let agent = OwnAgent::start(config, settings)?;
        let link = Link::to_socket(agent.socket())?;
        let client = Self {
            runtime,
            end,
            link,
            _agent: Some(agent),
        };
        client.wait_until_ready(patience)?;
        Ok(client)
    }

    /// Gets `path`, with its query. Every status is an answer but for 401 and 403.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, ClientError> {
        let mut end = self.end.borrow_mut();
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                signal = end.wait() => Err(ClientError::Ended(signal)),
                answer = self.link.get(path) => answer,
            }
        })
    }

    /// Waits. Returns whether all of the time passed; no signal asked for the end then.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let mut end = self.end.borrow_mut();
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                _ = end.wait() => false,
                () = tokio::time::sleep(time) => true,
            }
        })
    }

    /// The signal that asked for the end, as far as [`Client::get`] or [`Client::pause`] have noticed one.
    pub(crate) fn ended(&self) -> Option<&'static str> {
        self.end.borrow().seen()
    }

    /// Where the agent is, for a person.
    pub(crate) fn place(&self) -> &str {
        self.link.place()
    }

    fn wait_until_ready(&self, patience: Duration) -> Result<(), ClientError> {
        let start = Instant::now();
        while self.get("/health/ready")?.status != 200 && start.elapsed() < patience {
            self.pause(LOOK);
        }
        Ok(())
    }
}
