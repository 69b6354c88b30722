//! Agents that are made up, each with one thing wrong.

use std::{
    fs, io,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
};

use tempfile::TempDir;

use super::*;
use crate::{
    cli::Settings,
    config::{self},
    doctor::{check::Status, host::User},
};

fn machine(files: &[&str]) -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let host = Host {
        environment: Default::default(),
        user: User {
            id: 1000,
            groups: vec![1000],
        },
        ..Host::here(Some(root.path()))
    };
    for path in files {
        let path = host.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    (root, host)
}

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

#[track_caller]
fn assert_says(check: &Check, status: Status, word: &str) {
    let text = format!("{:?} {:?} {:?}", check.found, check.why, check.fix);
    assert!(check.status == status && text.contains(word), "{check:#?}");
}

/// Why `settings` cannot be used, whatever the environment says.
#[allow(clippy::result_large_err)]
fn refused(settings: &Settings) -> ConfigError {
    let mut refused = None;
    figment::Jail::expect_with(|jail| {
        jail.clear_env();
        refused = config::load(settings).err();
        Ok(())
    });
    refused.unwrap()
}

#[test]
fn a_configuration_that_cannot_be_used_is_passed_on() {
    let settings = Settings {
        interval: Some("soon".to_owned()),
        ..Settings::default()
    };
    let error = refused(&settings);
    let checks = checks(&machine(&[]).1, Err(&error));
    assert_says(&checks[0], Status::Fail, "sampler.interval");
    assert_says(
        &checks[0],
        Status::Fail,
        "`sampler.interval` in flag --interval to what is permitted",
    );
    let settings = Settings {
        bind: vec!["0.0.0.0:8003".to_owned()],
        ..Settings::default()
    };
    let exposed = refused(&settings);
    assert!(exposed.remedy().contains("gpulse token"), "{}", exposed.remedy());
    assert!(
        checks[1..].iter().all(|check| check.status == Status::Skipped),
        "{checks:#?}"
    );
}

#[test]
fn who_may_read_is_looked_at() {
    let (_root, host) = machine(&["/etc/gpulse/tokens"]);
    let open: SocketAddr = "0.0.0.0:8003".parse().unwrap();
    assert_says(&access(&host, &config(|_| {})), Status::Ok, "this machine only");
    let insecure = config(|config| config.bind.0 = vec![open]);
    assert_says(&access(&host, &insecure), Status::Warn, "gpulse token");
    let with_tokens = |path: &str| {
        config(|config| {
            config.bind.0 = vec![open];
            config.auth.tokens_file = Some(path.into());
        })
    };
    let mode = |mode| {
        fs::set_permissions(host.path("/etc/gpulse/tokens"), fs::Permissions::from_mode(mode)).unwrap()
    };
    mode(0o600);
    assert_says(
        &access(&host, &with_tokens("/etc/gpulse/tokens")),
        Status::Warn,
        "in the clear",
    );
    mode(0o644);
    assert_says(
        &access(&host, &with_tokens("/etc/gpulse/tokens")),
        Status::Warn,
        "chmod o-r",
    );
    assert_says(
        &access(&host, &with_tokens("/nowhere")),
        Status::Fail,
        "auth.tokens_file = /nowhere",
    );
    let any = config(|config| config.http.cors_origins = vec!["*".to_owned()]);
    assert_says(&access(&host, &any), Status::Warn, "cors_origins");
}

#[test]
fn a_port_is_free_or_used_by_somebody_else() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let with = |address: SocketAddr| config(|config| config.bind.0 = vec![address]);
    // It accepts and answers with what is no HTTP.
    std::thread::spawn(move || {
        for stream in taken.incoming().flatten() {
            let _ = io::Write::write_all(&mut &stream, b"SSH-2.0-x\r\n\r\n");
        }
    });
    assert_says(&port(&with(address)), Status::Fail, "ss -ltnp");
    assert_says(&port(&with("127.0.0.1:0".parse().unwrap())), Status::Ok, "free");
    assert_says(
        &port(&with("192.0.2.1:8003".parse().unwrap())),
        Status::Fail,
        "ip addr",
    );
    assert_says(
        &port(&config(|config| config.bind.0.clear())),
        Status::Skipped,
        "unix socket",
    );
}

#[test]
fn a_unit_is_installed_and_enabled() {
    assert_says(&service(&machine(&[]).1), Status::Skipped, "systemd does not run");
    let (_root, host) = machine(&["/run/systemd/system/x"]);
    assert_says(&service(&host), Status::Skipped, "not installed");
    let (_root, host) = machine(&[
        "/run/systemd/system/x",
        "/usr/lib/systemd/system/gpulse.service",
        "/etc/systemd/system/multi-user.target.wants/x",
    ]);
    assert_says(&service(&host), Status::Warn, "enable --now");
    let link = host.path("/etc/systemd/system/multi-user.target.wants/gpulse.service");
    symlink("/usr/lib/systemd/system/gpulse.service", link).unwrap();
    assert_says(&service(&host), Status::Ok, "enabled");
}

#[test]
fn a_kubelet_can_be_asked() {
    let with =
        |path: &Path| config(|config| config.kubernetes.pod_resources_socket.0 = Some(path.to_owned()));
    let socket = Path::new("/var/lib/kubelet/pod-resources/kubelet.sock");
    assert_says(
        &kubelet(&machine(&[]).1, &with(socket)),
        Status::Skipped,
        "no kubelet",
    );
    let off = config(|config| config.kubernetes.pod_resources_socket.0 = None);
    assert_says(&kubelet(&machine(&[]).1, &off), Status::Skipped, "off");
    let (_root, host) = machine(&["/var/lib/kubelet/pod-resources/x"]);
    assert_says(
        &kubelet(&host, &with(socket)),
        Status::Warn,
        "mount the host's directory",
    );
    let listener = UnixListener::bind(host.path(socket)).unwrap();
    assert_says(&kubelet(&host, &with(socket)), Status::Ok, "kubelet.sock");
    drop(listener);
    assert_says(&kubelet(&host, &with(socket)), Status::Warn, "status kubelet");
    let denied = Err(io::Error::from(ErrorKind::PermissionDenied));
    assert_says(&connected(socket, denied, "why"), Status::Warn, "runAsUser: 0");
}

#[test]
fn an_agent_is_here_or_elsewhere() {
    for here in [
        None,
        Some("unix:/run/x"),
        Some("http://localhost:1"),
        Some("https://127.0.0.1:1"),
        Some("http://[::1]:1"),
    ] {
        assert!(is_local(here), "{here:?}");
    }
    for elsewhere in ["http://10.0.0.1:8003", "https://node-7.example:8003"] {
        assert!(!is_local(Some(elsewhere)), "{elsewhere}");
    }
}
