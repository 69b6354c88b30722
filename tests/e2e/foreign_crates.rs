//! Foreign programs in Rust and C run unchanged on the simulator, and what they print equals what the agent serves.
//!
//! The world stands still in these tests: every process sees the same values, whenever it looks.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use nvml_sim::testing::Simulator;
use serde_json::Value;

use crate::support::{Agent, eventually, python::over, request, skipped};

/// Profiles whose GPUs differ most in what they have.
const PROFILES: [&str; 7] = [
    "h100-sxm-8",
    "a100-pcie-4",
    "rtx-4090",
    "t4",
    "l40s-4",
    "gb10",
    "a100-mig",
];

/// An age of the world at which its GPUs are at work.
const AGE: Duration = Duration::from_secs(600);

/// What nvidia-gpu-exporter calls a value, where the agent has it, and by how much its number is larger.
const EXPORTED: [(&str, &str, f64); 20] = [
    ("nvidia_temperatures", "thermal.gpu_celsius", 1.0),
    ("nvidia_fanspeed", "thermal.fans.0.speed_percent", 1.0),
    ("nvidia_power_usage", "power.draw_watts", 1_000.0),
    (
        "nvidia_power_limit_milliwatts",
        "power.management_limit_watts",
        1_000.0,
    ),
    (
        "nvidia_power_limit_default_milliwatts",
        "limits.power_default_watts",
        1_000.0,
    ),
    ("nvidia_memory_total", "memory.total_bytes", 1.0),
    ("nvidia_utilization_gpu", "load.gpu_percent", 1.0),
    ("nvidia_utilization_memory", "load.memory_percent", 1.0),
    ("nvidia_encoder_utilization", "load.encoder_percent", 1.0),
    ("nvidia_decoder_utilization", "load.decoder_percent", 1.0),
    ("nvidia_clock_graphics_mhz", "clocks.graphics_mhz", 1.0),
    ("nvidia_clock_sm_mhz", "clocks.sm_mhz", 1.0),
    ("nvidia_clock_memory_mhz", "clocks.memory_mhz", 1.0),
    ("nvidia_clock_graphics_max_mhz", "limits.graphics_max_mhz", 1.0),
    ("nvidia_clock_sm_max_mhz", "limits.sm_max_mhz", 1.0),
    ("nvidia_clock_memory_max_mhz", "limits.memory_max_mhz", 1.0),
    ("nvidia_pcie_link_generation", "pcie.generation", 1.0),
    ("nvidia_pcie_link_width", "pcie.width", 1.0),
    (
        "nvidia_ecc_errors_corrected_total",
        "reliability.corrected_aggregate",
        1.0,
    ),
    (
        "nvidia_ecc_errors_uncorrected_total",
        "reliability.uncorrected_aggregate",
        1.0,
    ),
];

/// Without one of these nvidia-gpu-exporter shows nothing of any GPU.
const REQUIRED: [&str; 4] = [
    "thermal.gpu_celsius",
    "power.draw_watts",
    "memory.total_bytes",
    "load.gpu_percent",
];

/// A program of a crate that `cargo xtask test` installs. Without it its test is skipped, except in CI.
fn installed(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("GPULSE_TEST_CRATES");
    assert!(
        home.is_some() || std::env::var_os("CI").is_none(),
        "GPULSE_TEST_CRATES is not set: run `cargo xtask test`"
    );
    if home.is_none() {
        skipped(&format!(
            "{name} needs GPULSE_TEST_CRATES, which `cargo xtask test` sets up"
        ));
    }
    Some(Path::new(&home?).join("bin").join(name))
}

/// A world that stands still, and the agent's view of it.
fn still_world(profile: &str) -> (Simulator, Vec<Value>) {
    let simulator = Simulator::builder(profile).frozen_at(AGE).start().unwrap();
    let agent = Agent::ready(simulator.library_path());
    let gpus = agent.json("/api/v1/gpus")["gpus"].as_array().unwrap().clone();
    (simulator, gpus)
}

/// The number at a path such as `thermal.fans.0.speed_percent`; nothing if it is absent.
fn number(gpu: &Value, path: &str) -> Option<f64> {
    gpu.pointer(&format!("/{}", path.replace('.', "/")))?.as_f64()
}

/// A program that runs beside the test, and what it says. Ended with the test.
struct Server {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (stdout, lines) = (child.stdout.take().unwrap(), Arc::clone(&said));
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, said }
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// nvidia-gpu-exporter, and where it serves. It does not say which port the system gave it, so that one is looked for: where
/// another program is quicker, again.
fn exporter(program: &Path, simulator: &Simulator) -> (Server, String) {
    let started = |()| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = port.to_string();
        let mut server = Server::start(over(simulator, program).args(["--web-listen-address", &address]));
        let serves = eventually(
            "nvidia-gpu-exporter serves or ends",
            || (server.child.try_wait().unwrap(), TcpStream::connect(port).is_ok()),
            |(ended, serves)| ended.is_some() || *serves,
        );
        (serves.0.is_none()).then_some((server, address))
    };
    let found = (0..3).find_map(|_| started(()));
    found.expect("nvidia-gpu-exporter ends at once")
}

/// The samples of a text in Prometheus' format, each a name with its labels and a number.
fn samples(text: &str) -> impl Iterator<Item = (&str, &str, f64)> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| {
        let (series, number) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        (name, labels, number.parse().unwrap())
    })
}

#[test]
fn nvidia_gpu_exporter_agrees() {
    let Some(program) = installed("nvidia-gpu-exporter") else {
        return;
    };
    let mut compared = 0;
    for profile in PROFILES {
        let (simulator, gpus) = still_world(profile);
        let (_server, address) = exporter(&program, &simulator);
        let body = request("GET", &format!("http://{address}/metrics"), &[]).body;
        let text = String::from_utf8(body).unwrap();
        let find = |wanted: &str, label: &str| {
            let mut found =
                samples(&text).filter(|(name, labels, _)| *name == wanted && labels.contains(label));
            found.next().map(|(.., number)| number)
        };
        let complete = gpus
            .iter()
            .all(|gpu| REQUIRED.iter().all(|path| number(gpu, path).is_some()));
        let up = f64::from(u8::from(complete));
        assert_eq!(
            find("nvidia_up", ""),
            Some(up),
            "{profile}: it shows all or nothing:\n{text}"
        );
        for gpu in gpus.iter().filter(|_| complete) {
            let minor = format!("minor=\"{}\"", gpu["identity"]["minor_number"]);
            let uuid = format!("uuid={}", gpu["uuid"]);
            assert_eq!(find("nvidia_info", &uuid), Some(1.0), "{profile}: {uuid}");
            for (name, path, factor) in EXPORTED {
                let theirs =
                    find(name, &minor).unwrap_or_else(|| panic!("{profile}: no {name} of {minor}:\n{text}"));
                // It shows zero for what it could not read.
                let ours = number(gpu, path).unwrap_or(0.0) * factor;
                assert!(
                    (theirs - ours).abs() < 0.5,
                    "{profile} {minor}: {path} is {ours} here and {theirs} as {name}"
                );
                compared += 1;
            }
            // It makes the call of old drivers, which count the reserved part in.
            let used = number(gpu, "memory.used_bytes").zip(number(gpu, "memory.reserved_bytes"));
            let used = used.map(|(used, reserved)| used + reserved);
            assert_eq!(find("nvidia_memory_used", &minor), used, "{profile} {minor}");
        }
    }
    assert!(compared > 300, "only {compared} values were compared");
}

#[test]
fn zeusd_agrees() {
    let Some(program) = installed("zeusd") else { return };
    let mut compared = 0;
    for profile in PROFILES {
        let (simulator, gpus) = still_world(profile);
        let serve = ["serve", "--mode", "tcp", "--tcp-bind-address", "127.0.0.1:0"];
        // Reading GPUs needs no privileges; setting them, and reading processors, does.
        let unprivileged = ["--enable", "gpu-read", "--num-workers", "1"];
        let server = Server::start(over(&simulator, &program).args(serve).args(unprivileged));
        let address = eventually(
            "zeusd says where it listens",
            || {
                let said = server.said();
                let line = said.iter().find_map(|line| line.split_once("Listening on "));
                line.map(|(_, address)| address.trim().to_owned())
            },
            Option::is_some,
        );
        let base = format!("http://{}", address.unwrap());
        let get = |path: &str| request("GET", &format!("{base}{path}"), &[]).json();
        let (found, power, energy) = (
            get("/discover"),
            get("/gpu/get_power"),
            get("/gpu/get_cumulative_energy"),
        );
        assert_eq!(
            found["gpus"].as_array().map(Vec::len),
            Some(gpus.len()),
            "{profile}"
        );
        for (index, gpu) in gpus.iter().enumerate() {
            assert_eq!(
                found["gpus"][index]["name"], gpu["identity"]["name"],
                "{profile} GPU {index}"
            );
            let key = index.to_string();
            for (path, theirs) in [
                ("power.instant_watts", &power["power_mw"][&key]),
                ("power.driver_energy_joules", &energy[&key]["energy_mj"]),
            ] {
                let (ours, theirs) = (
                    number(gpu, path),
                    theirs.as_f64().map(|thousandths| thousandths / 1_000.0),
                );
                let agree = match (ours, theirs) {
                    (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-3,
                    (ours, theirs) => ours == theirs,
                };
                assert!(
                    agree,
                    "{profile} GPU {index}: {path} is {ours:?} here and {theirs:?} for zeusd"
                );
                compared += usize::from(ours.is_some());
            }
        }
    }
    assert!(compared > 30, "only {compared} values were compared");
}

/// nvtop, if there is one that can print without drawing (3.2 and later). It is no crate and is not installed for the tests.
fn nvtop() -> Option<String> {
    let program = std::env::var("GPULSE_TEST_NVTOP").unwrap_or_else(|_| "nvtop".to_owned());
    let help = Command::new(&program).arg("--help").output();
    let can = help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--snapshot"));
    if !can {
        skipped("no nvtop of version 3.2 or later is installed, nor named by GPULSE_TEST_NVTOP");
    }
    can.then_some(program)
}

#[test]
fn nvtop_agrees() {
    let Some(program) = nvtop() else { return };
    for profile in PROFILES {
        let (simulator, gpus) = still_world(profile);
        let output = over(&simulator, &program).arg("--snapshot").output().unwrap();
        assert!(output.status.success(), "{profile}: {output:?}");
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        let read = read.as_array().unwrap();
        assert_eq!(read.len(), gpus.len(), "{profile}");
        for (theirs, gpu) in read.iter().zip(&gpus) {
            assert_eq!(theirs["device_name"], gpu["identity"]["name"], "{profile}");
            for (key, unit, path) in [
                ("temp", "C", "thermal.gpu_celsius"),
                ("power_draw", "W", "power.draw_watts"),
                ("gpu_util", "%", "load.gpu_percent"),
                ("gpu_clock", "MHz", "clocks.graphics_mhz"),
                ("mem_clock", "MHz", "clocks.memory_mhz"),
            ] {
                let shown = theirs[key].as_str().map(|text| text.trim_end_matches(unit));
                let (ours, theirs) = (number(gpu, path), shown.and_then(|text| text.parse::<f64>().ok()));
                let agree = match (ours, theirs) {
                    // It shows whole units.
                    (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1.0,
                    (ours, theirs) => ours == theirs,
                };
                assert!(
                    agree,
                    "{profile}: {path} is {ours:?} here and {theirs:?} for nvtop: {theirs:?}"
                );
            }
        }
    }
}
