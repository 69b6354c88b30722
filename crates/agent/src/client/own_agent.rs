//! An agent of the command's own, in this process: wired like every other, and served to nobody but this command.

use std::{
    fmt,
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use actix::System;
use anyhow::Context as _;
use gpulse_aggregator::SnapshotCache;
use gpulse_api::{ApiConfig, HttpServer, Listeners, Security, UnixSocket, UnixSocketSettings};
use gpulse_models::{Timestamp, microseconds};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::{
    cli::Settings,
    config::{Config, LogFormat, LogLevel},
    logging::{self, Log},
    simulator::Simulator,
    wiring::{api_config, simulator, start_sampling},
};

/// The socket's name in its directory.
const SOCKET: &str = "agent.sock";

/// Nobody but this user may enter the directory or open the socket.
const DIRECTORY_MODE: u32 = 0o700;
const SOCKET_MODE: u32 = 0o600;

/// How long the end of the command waits for that of the server: there is no other client.
const GRACE: Duration = Duration::from_millis(500);

/// A running agent. It ends when it is dropped, but for threads that are stuck inside the driver.
pub(super) struct OwnAgent {
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    socket: PathBuf,
    _directory: TempDir,
    _simulator: Option<Simulator>,
    _log: Log,
}

impl OwnAgent {
    /// Starts the agent that `config` describes, but for where it serves and to whom it pushes.
    pub(super) fn start(config: Config, settings: &Settings) -> anyhow::Result<Self> {
        let log = start_log(&config, settings);
        let simulator = simulator(&config)?;
        let library = simulator
            .as_ref()
            .map(Simulator::library)
            .or_else(|| config.nvml.library.clone());
        let directory = tempfile::Builder::new()
            .prefix("gpulse-")
            .permissions(Permissions::from_mode(DIRECTORY_MODE))
            .tempdir()
            .context(
                "no directory can be made for the socket of the agent; TMPDIR names another place for it",
            )?;
        let socket = directory.path().join(SOCKET);
        let unix = UnixSocket::bind(&UnixSocketSettings {
            path: socket.clone(),
            mode: SOCKET_MODE,
            group: None,
        })?;
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::sync_channel(1);
        let (end, ended) = mpsc::sync_channel(1);
        thread::Builder::new().name("agent".to_owned()).spawn(move || {
            let system = System::new();
            system.block_on(run(&config, library, unix, stopped, &tell));
            // Nobody waits any more if that took long.
            let _ = end.try_send(());
        })?;
        // The thread says how it went, or ends, which closes the channel.
        told.recv().context("the agent ended at once")??;
        Ok(Self {
            stop: Some(stop),
            ended,
            socket,
            _directory: directory,
            _simulator: simulator,
            _log: log,
        })
    }

    /// Where it listens.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for OwnAgent {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            let _ = stop.send(());
            let _ = self.ended.recv_timeout(GRACE * 2);
        }
    }
}

impl fmt::Debug for OwnAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnAgent")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// Serves until it is told to stop. Says first whether it serves.
async fn run(
    config: &Config,
    library: Option<PathBuf>,
    unix: UnixSocket,
    stopped: oneshot::Receiver<()>,
    tell: &mpsc::SyncSender<anyhow::Result<()>>,
) {
    let cache = Arc::new(SnapshotCache::new(microseconds(Timestamp::now())));
    let listeners = Listeners {
        unix: Some(unix),
        ..Listeners::default()
    };
    let api = ApiConfig {
        workers: 1,
        cors_origins: Vec::new(),
        // The socket's directory is what keeps others out.
        security: Security::default(),
        ..api_config(config, &[])
    };
    let server = match HttpServer::start(listeners, Arc::clone(&cache), api) {
        Ok(server) => server,
        Err(error) => {
            let _ = tell.try_send(Err(error).context("the agent cannot serve"));
            return;
        }
    };
    let _sources = match start_sampling(config, library, &cache) {
        Ok(sources) => sources,
        Err(error) => {
            let _ = tell.try_send(Err(error));
            return;
        }
    };
    let _ = tell.try_send(Ok(()));
    // Also when the command is gone without a word.
    let _ = stopped.await;
    server.stop(GRACE).await;
}

/// Errors, in lines for a person, unless the flags ask for something else: what else an agent warns of, that there are no GPUs
/// or that one is sick, the command says itself.
fn start_log(config: &Config, settings: &Settings) -> Log {
    let level = match config.log.level {
        level if settings.log_level.is_some() => level,
        LogLevel::Off => LogLevel::Off,
        _ => LogLevel::Error,
    };
    let format = match settings.log_format {
        None => LogFormat::Human,
        Some(_) => config.log.format,
    };
    logging::start(level, format)
}
