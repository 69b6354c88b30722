//! Confidential computing, on and off.

use super::confidential as cc;
use super::ffi::{Out, Tagged, Versioned};
use super::field_tests::{AGE, node};
use super::layout::{
    ConfComputeCapabilities, ConfComputeMemory, ConfComputeSettings, ConfComputeSettingsV2, ConfComputeState,
    Memory,
};
use super::raw_tests::{Zeros, blank, gpu, within};
use crate::profile::Profile;
use crate::world::World;

impl Zeros for ConfComputeSettings {
    fn zeros(version: u32) -> Self {
        Self {
            version,
            environment: 9,
            feature: 9,
            dev_tools: 9,
            multi_gpu: 9,
        }
    }
}

impl Zeros for ConfComputeSettingsV2 {
    fn zeros(version: u32) -> Self {
        Self {
            version,
            environment: 9,
            feature: 9,
            dev_tools: 9,
            multi_gpu: 9,
            tdisp: 9,
        }
    }
}

/// What a node says about confidential computing: state, capabilities, readiness.
fn confidential() -> ([u32; 3], [u32; 2], (u32, u32)) {
    let mut state = ConfComputeState {
        environment: 9,
        feature: 9,
        dev_tools: 9,
    };
    assert_eq!(cc::nvmlSystemGetConfComputeState(Out::from(&mut state)), 0);
    let mut can = ConfComputeCapabilities { cpu: 9, gpus: 9 };
    assert_eq!(cc::nvmlSystemGetConfComputeCapabilities(Out::from(&mut can)), 0);
    let (mut first, mut second) = (blank::<ConfComputeSettings>(), blank::<ConfComputeSettingsV2>());
    assert_eq!(cc::nvmlSystemGetConfComputeSettings(Tagged::from(&mut first)), 0);
    assert_eq!(
        cc::nvmlSystemGetConfComputeSettings_v2(Tagged::from(&mut second)),
        0
    );
    assert_eq!(first.version, ConfComputeSettings::TAG);
    assert_eq!(
        [first.environment, first.feature, first.dev_tools, first.multi_gpu],
        [
            second.environment,
            second.feature,
            second.dev_tools,
            second.multi_gpu
        ]
    );
    let mut ready = 0;
    let code = cc::nvmlSystemGetConfComputeGpusReadyState(Out::from(&mut ready));
    let state = [state.environment, state.feature, first.multi_gpu];
    (state, [can.cpu, can.gpus], (code, ready))
}

#[test]
fn confidential_computing_is_on_where_the_profile_says_so() {
    let text = "extends = \"h100-sxm-8\"\n[driver]\nconfidential_compute = true";
    let on = World::of(Profile::parse("own", text).unwrap(), AGE, &[]);
    let truth = on.engine.truth(3, AGE).unwrap();
    let sizes =
        |memory: &mut ConfComputeMemory| cc::nvmlDeviceGetConfComputeMemSizeInfo(gpu(3), Out::from(memory));
    let usage =
        |memory: &mut Memory| cc::nvmlDeviceGetConfComputeProtectedMemoryUsage(gpu(3), Out::from(memory));
    let mut size = ConfComputeMemory {
        protected_kib: 9,
        unprotected_kib: 9,
    };
    let mut used = Memory {
        total: 0,
        free: 0,
        used: 0,
    };
    within(&on, || {
        assert_eq!(confidential(), ([2, 1, 1], [3, 1], (0, 1)));
        assert_eq!((sizes(&mut size), usage(&mut used)), (0, 0));
        assert_eq!(
            (size.protected_kib, size.unprotected_kib),
            (truth.memory_total >> 10, 0)
        );
        assert_eq!((used.total, used.free), (truth.memory_total, truth.memory_free));
        assert_eq!(used.used, truth.memory_used + truth.memory_reserved);
    });
    within(&node("h100-sxm-8", &[]), || {
        assert_eq!(confidential(), ([0, 0, 0], [0, 1], (3, 0)));
        assert_eq!((sizes(&mut size), usage(&mut used)), (0, 3));
        assert_eq!(
            (size.protected_kib, size.unprotected_kib),
            (0, truth.memory_total >> 10)
        );
    });
    within(&node("t4", &[]), || assert_eq!(confidential().1, [0, 0]));
    let text = text.replace("h100-sxm-8", "l40s-4");
    assert!(
        Profile::parse("own", &text).is_err(),
        "an L40S is not capable of it"
    );
}
