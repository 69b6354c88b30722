//! Licences of vGPUs: had, lost and not needed, natively and under the names that dashboards ask for.

use nvml_sim::{
    faults::{Fault, Values},
    testing::Simulator,
};
use serde_json::{Value, json};

use super::{absences, gpu, quick, until};
use crate::support::{Agent, eventually, simulator};

const CALL: &str = "nvmlDeviceGetGridLicensableFeatures_v4";

/// What dcgm-exporter calls it.
const DCGM: &str = "DCGM_FI_DEV_VGPU_LICENSE_STATUS";

/// The value of each series of a family, over all GPUs.
fn values(agent: &Agent, family: &str) -> Vec<String> {
    let reply = agent.get("/metrics?profile=native,dcgm");
    let text = String::from_utf8(reply.body).unwrap();
    let own = |line: &&str| line.split(['{', ' ']).next() == Some(family);
    let value = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
    text.lines().filter(own).map(value).collect()
}

/// What is said of licences: of the GPU, and of each feature.
fn said(gpu: &Value) -> [&Value; 3] {
    let modes = &gpu["modes"];
    [
        &modes["vgpu_license_supported"],
        &modes["vgpu_licensed"],
        &modes["license_features"],
    ]
}

fn feature(licensed: bool, expiry: &str, expires_at: Option<&str>) -> Value {
    json!([{
        "feature": "vgpu",
        "product": "NVIDIA Virtual Compute Server",
        "enabled": true,
        "licensed": licensed,
        "expiry": expiry,
        "expires_at": expires_at,
    }])
}

#[test]
fn a_licence_that_is_lost_is_noticed_and_one_that_comes_as_well() {
    let simulator = simulator("a100-vgpu");
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let licensed = feature(true, "valid", Some("2030-01-31T11:32:22Z"));
    let has = |body: &Value| said(body) == [&json!(true), &json!(true), &licensed];
    let body = until(&agent, 0, "it has its licence", has);
    assert_eq!(body["modes"]["virtualization"], "vgpu");
    let series = |value: &str| {
        let families = [
            DCGM,
            "gpulse_modes_vgpu_licensed",
            "gpulse_modes_license_feature_licensed",
        ];
        eventually(
            "the series say so",
            || families.map(|family| values(&agent, family)),
            |seen| seen.iter().all(|of| of == &[value]),
        );
    };
    series("1");

    let lost = Values {
        licensed: Some(false),
        ..Values::default()
    };
    simulator.set_faults(&[Fault::on(CALL).values(lost)]).unwrap();
    let unlicensed = feature(false, "not_available", None);
    let body = until(&agent, 0, "the licence is lost", |body| {
        said(body) == [&json!(true), &json!(false), &unlicensed]
    });
    assert_eq!(
        absences(&body)["modes.license_features.0.expires_at"],
        "not_supported"
    );
    series("0");

    simulator.clear_faults().unwrap();
    until(&agent, 0, "the licence is back", has);
    series("1");
}

#[test]
fn boards_need_none_which_is_0_for_dcgm_and_absent_here() {
    let simulator = simulator("a100-pcie-4");
    let agent = Agent::ready(simulator.library_path());
    for index in 0..4 {
        let body = gpu(&agent, index);
        assert_eq!(said(&body), [&json!(false), &Value::Null, &json!([])]);
        assert_eq!(absences(&body)["modes.vgpu_licensed"], "not_supported");
    }
    assert_eq!(values(&agent, DCGM), ["0"; 4]);
    assert_eq!(values(&agent, "gpulse_modes_vgpu_license_supported"), ["0"; 4]);
    assert!(values(&agent, "gpulse_modes_vgpu_licensed").is_empty());
    assert!(values(&agent, "gpulse_modes_license_feature_licensed").is_empty());
}

#[test]
fn a_driver_that_does_not_tell_has_no_series_but_a_reason() {
    let old = "gpu.unsupported = [\"nvmlDeviceGetGridLicensableFeatures*\"]";
    let refused: [(&str, &[Fault], &str); 3] = [
        (old, &[], "not_supported"),
        ("", &[Fault::on(CALL).missing_symbol()], "function_not_found"),
        ("", &[Fault::on(CALL).returns(4)], "no_permission"),
    ];
    for (overrides, faults, reason) in refused {
        let builder = Simulator::builder("a100-vgpu").overrides(overrides).unwrap();
        let simulator = builder.faults(faults).start().unwrap();
        let agent = Agent::ready(simulator.library_path());
        let body = gpu(&agent, 0);
        assert_eq!(said(&body), [&Value::Null; 3], "{reason}");
        for path in ["vgpu_license_supported", "vgpu_licensed", "license_features"] {
            assert_eq!(absences(&body)[&format!("modes.{path}")], reason, "{path}");
        }
        for family in [
            DCGM,
            "gpulse_modes_vgpu_license_supported",
            "gpulse_modes_vgpu_licensed",
            "gpulse_modes_license_features",
        ] {
            assert!(values(&agent, family).is_empty(), "{family}: {reason}");
        }
        assert!(!values(&agent, "gpulse_modes_persistence").is_empty(), "{reason}");
    }
}
