//! The file of NVML: where it lies, and whether it can be the right one.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{check::Check, driver::usual_library, host::Host};

const NAME: &str = "library";

/// The name by which clients load it.
const FILE: &str = "libnvidia-ml.so.1";

/// Where drivers, container toolkits, WSL, NixOS and GKE put it; after `LD_LIBRARY_PATH`.
const PLACES: [&str; 10] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/lib/x86_64-linux-gnu",
    "/usr/local/nvidia/lib64",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
    "/home/kubernetes/bin/nvidia/lib64",
    "/usr/local/lib",
];

/// The one call without which there is no NVML of any use.
const NEEDED: &[u8] = b"nvmlInit_v2";

/// The most that is read of a file: NVML has some 2 MiB.
const LONGEST: u64 = 64 << 20;

/// Machines of ELF, by the names of Rust.
const MACHINES: [(u16, &str); 4] = [(62, "x86_64"), (183, "aarch64"), (3, "x86"), (40, "arm")];

/// The paths where it may lie, in the order in which they are looked at.
pub(super) fn places(host: &Host) -> Vec<PathBuf> {
    let named = host.variable("LD_LIBRARY_PATH").unwrap_or_default();
    let named = named.split(':').filter(|place| !place.is_empty());
    named
        .chain(PLACES)
        .map(|place| Path::new(place).join(FILE))
        .collect()
}

/// Whether there is a library that can be loaded here.
pub(super) fn check(host: &Host, info: Result<&Value, &str>, configured: Option<&Path>) -> Check {
    if let Ok(info) = info
        && info["pynvml_installed"] == true
    {
        let text = |key: &str| info[key].as_str().unwrap_or("unknown");
        return Check::ok(
            NAME,
            format!("{}, NVML {}", text("library"), text("nvml_version")),
        );
    }
    let fix = "install NVIDIA's driver, of which it is a part; in a container `--gpus all` brings it; or say where it lies: --nvml-library PATH";
    let Some(path) = usual_library(host, configured) else {
        return Check::fail(
            NAME,
            format!("no {FILE}"),
            "it is in none of the places where it is looked for",
            fix,
        );
    };
    match trouble(host, &path) {
        Some(why) => Check::fail(NAME, path.display().to_string(), why, fix),
        None => match info {
            Ok(info) => {
                let why = info["message"].as_str().unwrap_or("it could not be loaded");
                Check::fail(
                    NAME,
                    path.display().to_string(),
                    why,
                    format!("ldd {} shows what it lacks", path.display()),
                )
            }
            Err(why) => Check::skipped(
                NAME,
                format!("{} is there; it was not loaded: {why}", path.display()),
            ),
        },
    }
}

/// The version that the name of the library's file ends in, behind all links: `libnvidia-ml.so.580.95.05`.
pub(super) fn version(host: &Host, configured: Option<&Path>) -> Option<String> {
    let path = fs::canonicalize(host.path(usual_library(host, configured)?)).ok()?;
    let (_, version) = path.file_name()?.to_str()?.split_once(".so.")?;
    version.contains('.').then(|| version.to_owned())
}

/// What rules the file out, if something does.
fn trouble(host: &Host, path: &Path) -> Option<String> {
    let file = host.path(path);
    let bytes = match read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&file).is_ok() => {
            return Some("it is a link to a file that is not there".to_owned());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some("there is no such file".to_owned());
        }
        Err(error) => return Some(format!("it cannot be read: {error}")),
    };
    if bytes.is_empty() {
        return Some(
            "it is empty: a container toolkit mounts such a file where the host has no driver".to_owned(),
        );
    }
    let Some(machine) = machine(&bytes) else {
        return Some("it is no library (no ELF)".to_owned());
    };
    let name = MACHINES
        .iter()
        .find(|(number, _)| *number == machine)
        .map(|(_, name)| *name);
    if name != Some(host.architecture) {
        let (name, here) = (name.unwrap_or("another machine"), host.architecture);
        return Some(format!("it is a library for {name}, and this is {here}"));
    }
    if !bytes.windows(NEEDED.len()).any(|window| window == NEEDED) {
        return Some(format!(
            "it has no symbol {}: it is no NVML, or older than any driver of use",
            String::from_utf8_lossy(NEEDED)
        ));
    }
    None
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The machine in an ELF header; nothing if it is none.
fn machine(bytes: &[u8]) -> Option<u16> {
    let header = bytes.get(..20).filter(|header| header.starts_with(b"\x7fELF"))?;
    let number = [header[18], header[19]];
    // Byte 5 says the order of bytes.
    Some(if header[5] == 2 {
        u16::from_be_bytes(number)
    } else {
        u16::from_le_bytes(number)
    })
}
