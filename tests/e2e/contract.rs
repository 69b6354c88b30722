//! The REST contract, row by row, on a host with GPUs.

use serde_json::Value;

use crate::support::{Agent, AgentBuilder, simulator};

/// Keys that are never null, by the object they stand in.
const REQUIRED: [(&str, &[&str]); 6] = [
    (
        "",
        &[
            "gpu_id",
            "gpu_name",
            "gpu_uuid",
            "driver_version",
            "processes",
            "performance_state",
        ],
    ),
    ("/utilization", &["gpu_percent", "memory_percent"]),
    (
        "/memory",
        &["total_mb", "used_mb", "free_mb", "utilization_percent"],
    ),
    ("/temperature", &["current_celsius"]),
    (
        "/power",
        &["power_draw_watts", "power_limit_watts", "power_usage_percent"],
    ),
    (
        "/clocks",
        &["graphics_clock_mhz", "sm_clock_mhz", "memory_clock_mhz"],
    ),
];

/// Keys that may be null and are sent all the same.
const OPTIONAL: [(&str, &[&str]); 3] = [
    ("", &["fan_speed_percent"]),
    ("/utilization", &["encoder_percent", "decoder_percent"]),
    (
        "/temperature",
        &["slowdown_threshold_celsius", "shutdown_threshold_celsius"],
    ),
];

/// Profiles with GPUs, and how many each has.
pub(crate) const PROFILES_WITH_GPUS: [(&str, usize); 13] = [
    ("h200-8", 8),
    ("b200-8", 8),
    ("l40s-4", 4),
    ("a100-nvlink-2", 2),
    ("h100-mig", 1),
    ("h100-sxm-8", 8),
    ("a100-pcie-4", 4),
    ("rtx-4090", 1),
    ("t4", 1),
    ("a100-mig", 1),
    ("a100-vgpu", 1),
    ("gb10", 1),
    ("h100-16", 16),
];

#[test]
fn every_profile_is_served_with_every_key_and_true_sums() {
    for (profile, count) in PROFILES_WITH_GPUS {
        let simulator = simulator(profile);
        let agent = Agent::ready(simulator.library_path());
        let body = agent.json("/gpu/metrics");
        assert_eq!(body["gpu_count"], count, "{profile}");
        let gpus = body["gpus"].as_array().unwrap();
        assert_eq!(gpus.len(), count, "{profile}");
        assert_eq!(body["missing_gpus"], serde_json::json!([]), "{profile}");
        assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(body["instance_id"], "resource-agent-001");
        for gpu in gpus {
            check_keys(profile, gpu);
        }
        check_sums(profile, &body, gpus);
        let single = agent.json("/gpu/metrics/0");
        assert_eq!(
            single["gpu_uuid"], gpus[0]["gpu_uuid"],
            "{profile}: the single body is the bare object"
        );
    }
}

fn check_keys(profile: &str, gpu: &Value) {
    for (place, keys) in REQUIRED {
        for key in keys {
            let value = gpu.pointer(&format!("{place}/{key}"));
            assert!(
                value.is_some_and(|value| !value.is_null()),
                "{profile}: {place}/{key} is {value:?}"
            );
        }
    }
    for (place, keys) in OPTIONAL {
        for key in keys {
            assert!(
                gpu.pointer(&format!("{place}/{key}")).is_some(),
                "{profile}: {place}/{key} was not sent"
            );
        }
    }
    for key in [
        "/utilization/gpu_percent",
        "/memory/utilization_percent",
        "/power/power_usage_percent",
    ] {
        let percent = number(gpu, key);
        assert!((0.0..=100.0).contains(&percent), "{profile}: {key} is {percent}");
    }
    assert_eq!(gpu["state"], "ok", "{profile}");
}

fn check_sums(profile: &str, body: &Value, gpus: &[Value]) {
    let sum = |place: &str| gpus.iter().map(|gpu| number(gpu, place)).sum::<f64>();
    let expected = [
        ("/total_memory_used_mb", sum("/memory/used_mb")),
        ("/total_memory_total_mb", sum("/memory/total_mb")),
        ("/total_power_draw_watts", sum("/power/power_draw_watts")),
        (
            "/average_gpu_utilization",
            sum("/utilization/gpu_percent") / gpus.len() as f64,
        ),
        (
            "/average_memory_utilization",
            sum("/utilization/memory_percent") / gpus.len() as f64,
        ),
        (
            "/average_temperature",
            sum("/temperature/current_celsius") / gpus.len() as f64,
        ),
    ];
    for (key, expected) in expected {
        assert!(
            (number(body, key) - expected).abs() < 1e-6,
            "{profile}: {key} is not {expected}"
        );
    }
}

fn number(value: &Value, place: &str) -> f64 {
    value
        .pointer(place)
        .and_then(Value::as_f64)
        .unwrap_or_else(|| panic!("{place} is no number in {value}"))
}

#[test]
fn a_gpu_is_found_by_index_uuid_and_bus_id() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    let gpu = agent.json("/gpu/metrics/2");
    let uuid = gpu["gpu_uuid"].as_str().unwrap();
    let bus_id = gpu["pci_bus_id"].as_str().unwrap();
    let short = bus_id.to_lowercase().replacen("0000", "", 1);
    for name in [uuid, bus_id, short.as_str()] {
        let found = agent.get(&format!("/gpu/metrics/{name}"));
        assert_eq!(
            (found.status, &found.json()["gpu_id"]),
            (200, &Value::from(2)),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_gpu_is_answered_with_the_right_error() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    for gone in ["999", "-1", "4", "99999999999999999999"] {
        let reply = agent.get(&format!("/gpu/metrics/{gone}"));
        assert_eq!(reply.status, 404, "{gone}");
        assert_eq!(
            reply.json()["detail"],
            format!("GPU {gone} not found (available: 0-3)")
        );
    }
    for malformed in ["abc", "1.5", "%20", "0x1", "1e3", "%F0%9F%92%A9", "%00", "a%2Fb"] {
        let reply = agent.get(&format!("/gpu/metrics/{malformed}"));
        assert_eq!(reply.status, 422, "{malformed}");
        let problem = &reply.json()["detail"][0];
        assert_eq!(
            problem["loc"],
            serde_json::json!(["path", "gpu_id"]),
            "{malformed}"
        );
        assert!(problem["msg"].is_string() && problem["type"].is_string() && problem["input"].is_string());
    }
    let reply = agent.get("/gpu/metrics/GPU-00000000-dead-beef-0000-000000000000");
    assert_eq!(reply.status, 404);
}

#[test]
fn unknown_paths_and_methods_are_answered_in_the_same_shape() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    for path in ["/no/such/path", "/gpu", "/gpu/metrics/0/more", "/metrics2"] {
        let reply = agent.get(path);
        assert_eq!(
            (reply.status, &reply.json()["detail"]),
            (404, &Value::from("Not Found")),
            "{path}"
        );
    }
    for path in [
        "/gpu/metrics",
        "/gpu/metrics/0",
        "/gpu/info",
        "/health/",
        "/health/live",
    ] {
        for method in ["POST", "PUT", "DELETE"] {
            let reply = agent.request(method, path, &[]);
            assert_eq!(reply.status, 405, "{method} {path}");
            assert!(reply.header("allow").contains("GET"), "{method} {path}");
            assert!(reply.json()["detail"].is_string());
        }
    }
}

#[test]
fn head_is_get_without_a_body() {
    let simulator = simulator("t4");
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("1h")
        .start();
    agent.wait_until_ready();
    for path in [
        "/gpu/metrics",
        "/gpu/metrics/0",
        "/gpu/info",
        "/health/live",
        "/health/ready",
        "/openapi.json",
    ] {
        let (get, head) = (agent.get(path), agent.request("HEAD", path, &[]));
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}

#[test]
fn health_says_how_the_agent_is() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    let health = agent.json("/health/");
    for key in ["status", "timestamp", "agent_id", "agent_type", "version"] {
        assert!(health[key].is_string(), "{key} in {health}");
    }
    assert!(health["uptime_seconds"].is_number());
    assert_eq!(health["status"], "healthy");
    let detailed = agent.json("/health/detailed");
    assert!(
        detailed["components"].is_object() && detailed["metrics"].is_object(),
        "{detailed}"
    );
    assert_eq!(agent.json("/health/live"), serde_json::json!({"alive": true}));
    assert_eq!(agent.json("/health/ready"), serde_json::json!({"ready": true}));
    let root = agent.json("/");
    for key in ["agent", "version", "status", "agent_id"] {
        assert!(root[key].is_string(), "{key} in {root}");
    }
}

#[test]
fn the_documentation_needs_no_internet() {
    let simulator = simulator("t4");
    let agent = Agent::ready(simulator.library_path());
    let document = agent.json("/openapi.json");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/gpu/metrics",
        "/gpu/metrics/{gpu_id}",
        "/gpu/info",
        "/health/",
        "/health/ready",
    ] {
        assert!(document["paths"][path].is_object(), "{path} is not documented");
    }
    let page = agent.get("/docs");
    assert_eq!(page.status, 200);
    let html = String::from_utf8_lossy(&page.body).into_owned();
    for (position, _) in html.match_indices("src=\"").chain(html.match_indices("href=\"")) {
        let target = html[position..].split('"').nth(1).unwrap_or_default();
        assert!(
            !target.starts_with("http") && !target.starts_with("//"),
            "{target} is outside"
        );
        let target = target.strip_prefix('.').unwrap_or(target);
        if target.starts_with('/') {
            assert_eq!(agent.get(target).status, 200, "{target}");
        }
    }
}

#[test]
fn a_node_without_gpus_is_an_empty_list() {
    let simulator = simulator("no-gpu");
    let agent = Agent::ready(simulator.library_path());
    let reply = agent.get("/gpu/metrics");
    assert_eq!(
        (reply.status, &reply.json()["gpus"]),
        (200, &serde_json::json!([]))
    );
    let info = agent.json("/gpu/info");
    assert_eq!(
        (&info["available"], &info["reason"]),
        (&Value::from(true), &Value::from("no_gpus"))
    );
    assert!(info["hint"].is_string());
    assert_eq!(
        agent.get("/gpu/metrics/0").json()["detail"],
        "GPU 0 not found (available: none)"
    );
}
