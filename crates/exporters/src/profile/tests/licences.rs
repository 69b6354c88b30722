//! Licences of vGPU software, which most GPUs need none of.

use gpulse_models::LicenseFeature;

use super::*;

/// A GPU that says so much of its licences.
fn licensing(supported: Reading<bool>, licensed: Reading<bool>) -> GpuSnapshot {
    let mut gpu = example::gpu(0);
    let mut sample = example::sample();
    let modes = &mut Arc::make_mut(&mut sample.modes).readings;
    modes.license_features = Reading::Value(Vec::new());
    if let Reading::Value(licensed) = licensed {
        modes.license_features = Reading::Value(vec![LicenseFeature {
            feature: Reading::Value("vgpu".into()),
            product: Reading::Value("vCS".to_owned()),
            enabled: Reading::Value(true),
            licensed: Reading::Value(licensed),
            expiry: Reading::Value("valid".into()),
            expires_at: Reading::Value("2030-01-01T00:00:00Z".parse().unwrap()),
        }]);
    }
    modes.vgpu_license_supported = supported;
    modes.vgpu_licensed = licensed;
    gpu.sample = Some(sample.into());
    gpu
}

#[test]
fn no_licence_is_0_for_dcgm_and_absent_where_none_is_taken() {
    const NATIVE: &str = "gpulse_modes_vgpu_licensed";
    const DCGM: &str = "DCGM_FI_DEV_VGPU_LICENSE_STATUS";
    let none = || Reading::Unavailable(Reason::NotSupported);
    let refused = || Reading::Unavailable(Reason::NoPermission);
    for (supported, licensed, native, dcgm) in [
        (Reading::Value(true), Reading::Value(true), Some(1.0), Some(1.0)),
        (Reading::Value(true), Reading::Value(false), Some(0.0), Some(0.0)),
        (Reading::Value(false), none(), None, Some(0.0)),
        // Licences for other things than vGPUs.
        (Reading::Value(true), none(), None, None),
        (refused(), refused(), None, None),
    ] {
        let host = example::host([licensing(supported, licensed)]);
        let kept = shown(&host, &quiet(), Profile::ALL.into_iter().collect());
        let one = |name| kept.has(name).then(|| kept.one(name));
        assert_eq!(
            (one(NATIVE), one(DCGM)),
            (native, dcgm),
            "{supported:?}, {licensed:?}"
        );
        let of_feature = "gpulse_modes_license_feature_licensed";
        assert_eq!(one(of_feature), native, "{supported:?}, {licensed:?}");
        let end = "gpulse_modes_license_feature_expires_timestamp_seconds";
        assert_eq!(
            one(end),
            native.map(|_| 1_893_456_000.0),
            "{supported:?}, {licensed:?}"
        );
        if native.is_some() {
            let labels = kept.of(of_feature).keys().next().unwrap();
            assert!(labels.ends_with("feature=vgpu"), "{labels}");
            let info = kept
                .of("gpulse_modes_license_feature_info")
                .keys()
                .next()
                .unwrap();
            assert!(info.ends_with("feature=vgpu,product=vCS,expiry=valid"), "{info}");
        }
    }
}
