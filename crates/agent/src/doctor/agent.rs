//! The agent itself: its configuration, who may read, where it serves, the service manager, the kubelet.

use std::{
    fs,
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    os::unix::{fs::MetadataExt as _, net::UnixStream},
    path::Path,
};

use super::{
    check::Check,
    host::Host,
    store::{self, Disk},
};
use crate::{
    client::{ClientError, ask},
    config::{Config, ConfigError, is_exposed},
};

/// Where systemd says that it runs the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// Where units lie, those of the administrator first.
const UNITS: [&str; 3] = [
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

const UNIT: &str = "gpulse.service";

/// All of them.
pub(super) fn checks(host: &Host, config: Result<&Config, &ConfigError>) -> Vec<Check> {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            let wrong = Check::fail(
                "configuration",
                "it cannot be used",
                error.to_string(),
                error.remedy(),
            );
            let others = ["access", "port", "history", "kubelet"]
                .map(|name| Check::skipped(name, "the configuration cannot be used"));
            return [wrong].into_iter().chain(others).chain([service(host)]).collect();
        }
    };
    vec![
        Check::ok("configuration", format!("agent_id {}", config.agent_id)),
        access(host, config),
        port(config),
        store::check(host, config, &Disk::here()),
        service(host),
        kubelet(host, config),
    ]
}

/// Who may read, and whether the files that say so can be read by the agent and by nobody else.
fn access(host: &Host, config: &Config) -> Check {
    const NAME: &str = "access";
    let exposed = config.bind.0.iter().copied().find(|address| is_exposed(*address));
    let security = config.security();
    let secrets = [
        ("auth.tokens_file", &config.auth.tokens_file),
        ("auth.users_file", &config.auth.users_file),
        ("tls.key", &config.tls.key),
    ];
    let plain = [
        ("tls.certificate", &config.tls.certificate),
        ("tls.client_ca", &config.tls.client_ca),
    ];
    for (key, path) in secrets.iter().chain(&plain) {
        let Some(path) = path else { continue };
        let Err(error) = host.text(path) else { continue };
        let found = format!("{key} = {}: {error}", path.display());
        return match error.kind() {
            ErrorKind::PermissionDenied => Check::warn(
                NAME,
                found,
                format!(
                    "user {} may not read it; whether the user of the agent may is not known",
                    host.user.id
                ),
                "sudo -u gpulse gpulse doctor",
            ),
            _ => Check::fail(
                NAME,
                found,
                "the agent does not start without it",
                "name a file that is there",
            ),
        };
    }
    for (key, path) in secrets {
        let Some(path) = path else { continue };
        let is_open = fs::metadata(host.path(path)).is_ok_and(|metadata| metadata.mode() & 0o004 != 0);
        if is_open {
            return Check::warn(
                NAME,
                format!("{key} = {}", path.display()),
                "everybody on this machine can read the secrets in it",
                format!("sudo chmod o-r {}", path.display()),
            );
        }
    }
    match exposed {
        Some(address) if !security.is_authenticating() => Check::warn(
            NAME,
            format!("{address}, with http.insecure"),
            "everybody who reaches this address may read, and nobody is asked who they are",
            "gpulse token --name NAME | sudo tee -a /etc/gpulse/tokens, and auth.tokens_file = \"/etc/gpulse/tokens\"",
        ),
        Some(address) if security.tls.is_none() => Check::warn(
            NAME,
            format!("{address}, with credentials and without TLS"),
            "credentials cross the network in the clear",
            "set tls.certificate and tls.key",
        ),
        Some(address) => Check::ok(NAME, format!("{address}, with TLS and credentials")),
        None if config.http.cors_origins.iter().any(|origin| origin == "*") => Check::warn(
            NAME,
            "http.cors_origins = [\"*\"]",
            "every page that a browser on this machine shows may read the agent",
            "name the origins that may",
        ),
        None => Check::ok(NAME, "this machine only"),
    }
}

/// Whether the addresses are free, or an agent serves there already.
fn port(config: &Config) -> Check {
    const NAME: &str = "port";
    let mut free = Vec::new();
    for address in &config.bind.0 {
        match TcpListener::bind(address) {
            Ok(_) => free.push(format!("{address} is free")),
            Err(error) => match error.kind() {
                ErrorKind::AddrInUse => {
                    let served = in_use(*address, config);
                    if let Err(check) = served {
                        return *check;
                    }
                    free.extend(served);
                }
                ErrorKind::PermissionDenied => {
                    return Check::fail(
                        NAME,
                        format!("{address}: {error}"),
                        "ports below 1024 are for root",
                        "choose a higher one: --bind 127.0.0.1:8003",
                    );
                }
                _ => {
                    return Check::fail(
                        NAME,
                        format!("{address}: {error}"),
                        "the agent cannot serve there",
                        "choose an address of this machine (`ip addr` lists them): --bind 127.0.0.1:8003",
                    );
                }
            },
        }
    }
    match free.is_empty() {
        true => Check::skipped(NAME, "no address is configured, only a unix socket"),
        false => Check::ok(NAME, free.join("; ")),
    }
}

/// Who serves at an address in use, if it is an agent.
fn in_use(address: SocketAddr, config: &Config) -> Result<String, Box<Check>> {
    let near = SocketAddr::new(
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        },
        address.port(),
    );
    let find = format!(
        "sudo ss -ltnp 'sport = :{}' says by whom; choose another address: --bind",
        address.port()
    );
    if config.security().tls.is_some() {
        let why = "somebody serves there already; whether that is an agent is not looked at, since it may speak TLS";
        return Err(Box::new(Check::warn(
            "port",
            format!("{address} is in use"),
            why,
            find,
        )));
    }
    match ask(&format!("http://{near}"), "/health/") {
        Ok(answer) if answer.json["agent_type"].is_string() => {
            let text = |key: &str| answer.json[key].as_str().unwrap_or("unknown").to_owned();
            Ok(format!(
                "the agent {} (gpulse {}) serves at {address}",
                text("agent_id"),
                text("version")
            ))
        }
        Err(ClientError::Forbidden { .. }) => {
            let why = "somebody serves there already and asks who we are: that may be an agent";
            Err(Box::new(Check::warn(
                "port",
                format!("{address} is in use"),
                why,
                find,
            )))
        }
        _ => Err(Box::new(Check::fail(
            "port",
            format!("{address} is in use"),
            "somebody else serves there, and the agent cannot",
            find,
        ))),
    }
}

/// Whether the service manager starts the agent.
fn service(host: &Host) -> Check {
    const NAME: &str = "service";
    if !host.exists(SYSTEMD) {
        return Check::skipped(NAME, "systemd does not run this machine");
    }
    let Some(unit) = UNITS
        .iter()
        .map(|place| format!("{place}/{UNIT}"))
        .find(|unit| host.exists(unit))
    else {
        return Check::skipped(
            NAME,
            format!("there is no {UNIT}: the agent is not installed as a service (packaging/README.md)"),
        );
    };
    let wanted = host
        .names("/etc/systemd/system")
        .into_iter()
        .filter(|name| name.ends_with(".wants"));
    let is_enabled = wanted.into_iter().any(|directory| {
        // The link leads to a file by its path on the machine.
        fs::symlink_metadata(host.path(format!("/etc/systemd/system/{directory}/{UNIT}"))).is_ok()
    });
    match is_enabled {
        true => Check::ok(NAME, format!("{unit}, enabled")),
        false => Check::warn(
            NAME,
            format!("{unit}, not enabled"),
            "the agent does not start with the machine",
            "sudo systemctl enable --now gpulse",
        ),
    }
}

/// Whether the kubelet can be asked who holds which GPU.
fn kubelet(host: &Host, config: &Config) -> Check {
    const NAME: &str = "kubelet";
    let Some(pods) = config.kubernetes.pods() else {
        return Check::skipped(NAME, "kubernetes.pod_resources_socket is off");
    };
    let path = pods.socket;
    let why = "without it nobody knows which pod holds which GPU";
    let is_node = host.variable("KUBERNETES_SERVICE_HOST").is_some() || host.exists("/var/lib/kubelet");
    if !host.exists(&path) {
        return match is_node {
            false => Check::skipped(NAME, "no kubelet runs here"),
            true => Check::warn(
                NAME,
                format!("there is no {}", path.display()),
                why,
                "mount the host's directory /var/lib/kubelet/pod-resources into the container (docs/KUBERNETES.md)",
            ),
        };
    }
    connected(&path, UnixStream::connect(host.path(&path)).map(drop), why)
}

fn connected(path: &Path, outcome: io::Result<()>, why: &str) -> Check {
    let path = path.display();
    match outcome {
        Ok(()) => Check::ok("kubelet", format!("{path}")),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Check::warn(
            "kubelet",
            format!("{path}: {error}"),
            format!("{why}; the kubelet speaks to root only"),
            "run the agent as root: runAsUser: 0",
        ),
        Err(error) => Check::warn(
            "kubelet",
            format!("{path}: {error}"),
            why,
            "sudo systemctl status kubelet",
        ),
    }
}

/// Whether the answers of an agent are about this machine.
pub(super) fn is_local(connect: Option<&str>) -> bool {
    let Some(url) = connect else { return true };
    let Some((_, rest)) = url.split_once("://") else {
        return url.starts_with("unix:");
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = host
        .rsplit_once(':')
        .map_or(host, |(host, _)| host)
        .trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The configuration as it holds: a value that the checks need from an agent's answer is not among it.
pub(super) fn library(config: Option<&Config>) -> Option<&Path> {
    config.and_then(|config| config.nvml.library.as_deref())
}

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
