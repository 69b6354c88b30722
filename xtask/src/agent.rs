//! Builds the agent and the simulator, starts the one over the other and waits until it answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use xshell::cmd;

use crate::http;
use crate::project::Project;

/// The agent samples every GPU within a second or two; half a minute leaves room for a machine under load.
pub(crate) const READY_PATIENCE: Duration = Duration::from_secs(30);

/// The agent's own grace time for a shutdown is shorter; after this it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

const POLL: Duration = Duration::from_millis(100);

/// How far a started agent got.
pub(crate) enum Readiness {
    /// `/health/ready` answered 200.
    Ready,
    /// The agent ended before it was ready.
    Exited(ExitStatus),
    /// The agent runs, but was not ready in time; the last thing heard from it.
    Late(String),
}

/// A running agent over the simulated driver; stopped when dropped.
pub(crate) struct Agent {
    child: Child,
    address: SocketAddr,
}

impl Agent {
    /// Builds agent and simulator with cargo's progress on the terminal and returns the path of the agent.
    /// The simulator's library lies beside it, which is where `--simulate` looks for it.
    pub(crate) fn build(project: &Project, release: bool) -> Result<PathBuf> {
        let sh = &project.sh;
        let flag = release.then_some("--release");
        cmd!(sh, "cargo build {flag...} -p gpulse -p nvml-sim").run()?;
        Ok(project.built(if release { "release/gpulse" } else { "debug/gpulse" }))
    }

    /// Starts `command`, an agent that will listen on `address`.
    pub(crate) fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Self {
            child,
            address: reachable(address),
        })
    }

    /// The command that serves the GPUs of a simulator profile.
    pub(crate) fn serve(binary: &Path, profile: &str) -> Command {
        let mut command = Command::new(binary);
        command.args(["serve", "--simulate", profile]);
        command
    }

    /// Where the agent can be asked.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The agent's process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until every GPU has been sampled once.
    pub(crate) fn wait_until_ready(&mut self) -> Result<Readiness> {
        let deadline = Instant::now() + READY_PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Readiness::Exited(status));
            }
            let heard = match http::get(self.address, "/health/ready") {
                Ok(answer) if answer.status == 200 => return Ok(Readiness::Ready),
                Ok(answer) => format!("/health/ready answers {} {}", answer.status, answer.body.trim()),
                Err(error) => format!("/health/ready cannot be asked: {error:#}"),
            };
            if Instant::now() >= deadline {
                return Ok(Readiness::Late(heard));
            }
            thread::sleep(POLL);
        }
    }

    /// Waits for the agent's end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let deadline = Instant::now() + STOP_PATIENCE;
        if matches!(self.child.try_wait(), Ok(None)) {
            // A failure means that the agent is gone already.
            let _ = kill_process(self.pid(), Signal::TERM);
        }
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                let _ = self.child.kill();
            }
            thread::sleep(POLL);
        }
    }
}

/// An address of this machine on which nothing listens at the moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Parses what `--bind` takes and makes sure that nothing listens there.
pub(crate) fn unused(bind: &str) -> Result<SocketAddr> {
    let address = bind
        .to_socket_addrs()
        .with_context(|| format!("{bind} is no address and port"))?
        .next()
        .with_context(|| format!("{bind} resolves to no address"))?;
    if address.port() == 0 {
        bail!("port 0 means any free port, and then nobody knows which: name one, as in 127.0.0.1:8004");
    }
    if let Err(error) = TcpListener::bind(address) {
        bail!(
            "cannot listen on {bind}: {error}\nchoose another address: cargo xtask demo -- --bind 127.0.0.1:8004"
        );
    }
    Ok(address)
}

/// The address at which a listener on all interfaces can be asked.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{reachable, unused};

    #[test]
    fn a_taken_port_names_the_way_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = unused(&taken.local_addr().unwrap().to_string()).unwrap_err();
        assert!(
            format!("{error:#}").contains("--bind 127.0.0.1:8004"),
            "{error:#}"
        );
    }

    #[test]
    fn what_cannot_be_probed_is_refused() {
        assert!(unused("127.0.0.1:0").is_err());
        assert!(unused("here").is_err());
    }

    #[test]
    fn all_interfaces_are_asked_over_the_loopback() {
        assert_eq!(
            reachable("0.0.0.0:80".parse().unwrap()),
            "127.0.0.1:80".parse().unwrap()
        );
        assert_eq!(reachable("[::]:80".parse().unwrap()), "[::1]:80".parse().unwrap());
        assert_eq!(
            reachable("10.0.0.1:80".parse().unwrap()),
            "10.0.0.1:80".parse().unwrap()
        );
    }
}
