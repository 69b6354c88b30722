//! What of the vGPU software takes a licence, as a C program reads it.

use std::sync::Arc;

use super::ffi::Out;
use super::field_tests::{AGE, node};
use super::handle::{Handle, Target};
use super::layout::{LicensableFeature, LicensableFeatures, LicenseExpiry};
use super::raw_tests::{gpu, within};
use super::vgpu;
use crate::faults::{Fault, Values};
use crate::profile::Profile;
use crate::world::World;

const CALL: &str = "nvmlDeviceGetGridLicensableFeatures_v4";

/// What is in the place before the call, so that a part that is left out shows.
const JUNK: LicensableFeatures = LicensableFeatures {
    supported: -1,
    count: 99,
    features: [LicensableFeature {
        code: 99,
        state: 99,
        info: [b'x'; 128],
        product: [b'x'; 128],
        enabled: 99,
        expiry: LicenseExpiry {
            year: 99,
            month: 99,
            day: 99,
            hour: 99,
            minute: 99,
            second: 99,
            status: 99,
            padding: 99,
        },
    }; 3],
};

/// The code of the call on a handle, and what it wrote.
fn ask(world: &Arc<World>, handle: Handle) -> (u32, LicensableFeatures) {
    let mut place = JUNK;
    let code = within(world, || {
        vgpu::nvmlDeviceGetGridLicensableFeatures_v4(handle, Out::from(&mut place))
    });
    (code, place)
}

/// Code, whether there is a licence and whether one is wanted, product, and the end of the licence.
fn told(feature: &LicensableFeature) -> (u32, u32, u32, String, [u32; 7]) {
    let end = feature.product.iter().position(|byte| *byte == 0).unwrap();
    let product = String::from_utf8(feature.product[..end].to_vec()).unwrap();
    let at = &feature.expiry;
    let [month, day, hour, minute, second] = [at.month, at.day, at.hour, at.minute, at.second].map(u32::from);
    let expiry = [u32::from(at.status), at.year, month, day, hour, minute, second];
    (feature.code, feature.state, feature.enabled, product, expiry)
}

#[test]
fn a_vgpu_has_the_licence_that_its_profile_says() {
    let world = node("a100-vgpu", &[]);
    let (code, features) = ask(&world, gpu(0));
    assert_eq!((code, features.supported, features.count), (0, 1, 1));
    let product = || "NVIDIA Virtual Compute Server".to_owned();
    assert_eq!(
        told(&features.features[0]),
        (1, 1, 1, product(), [2, 2030, 1, 31, 11, 32, 22])
    );
    assert_eq!(told(&features.features[1]), (0, 0, 0, String::new(), [0; 7]));
    let mut mode = 99;
    within(&world, || {
        assert_eq!(
            vgpu::nvmlDeviceGetVirtualizationMode(gpu(0), Out::from(&mut mode)),
            0
        );
    });
    assert_eq!(mode, 2, "a vGPU of a virtual machine");
    let lost = Values {
        licensed: Some(false),
        ..Values::default()
    };
    let world = node("a100-vgpu", &[Fault::on(CALL).values(lost)]);
    let (code, features) = ask(&world, gpu(0));
    assert_eq!((code, features.supported), (0, 1));
    assert_eq!(told(&features.features[0]), (1, 0, 1, product(), [0; 7]));
}

#[test]
fn a_whole_board_of_a_virtual_machine_can_have_several_features() {
    let text = "extends = \"l40s-4\"\n[gpu]\nvirtualization = \"passthrough\"\n\
        [[gpu.licensable]]\ncode = \"nvidia-rtx\"\nproduct = \"NVIDIA RTX Virtual Workstation\"\n\
        enabled = true\nlicensed = true\n\
        [[gpu.licensable]]\ncode = \"compute\"\nproduct = \"NVIDIA Virtual Compute Server\"";
    let world = World::of(Profile::parse("own", text).unwrap(), AGE, &[]);
    let (code, features) = ask(&world, gpu(3));
    assert_eq!((code, features.supported, features.count), (0, 1, 2));
    let product = |name: &str| name.to_owned();
    let permanent = [4, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        told(&features.features[0]),
        (2, 1, 1, product("NVIDIA RTX Virtual Workstation"), permanent)
    );
    assert_eq!(
        told(&features.features[1]),
        (4, 0, 0, product("NVIDIA Virtual Compute Server"), [0; 7])
    );
    let mut mode = 99;
    within(&world, || {
        assert_eq!(
            vgpu::nvmlDeviceGetVirtualizationMode(gpu(3), Out::from(&mut mode)),
            0
        );
    });
    assert_eq!(mode, 1);
}

#[test]
fn boards_say_that_there_is_no_licensing() {
    for profile in ["h100-sxm-8", "h100-mig", "t4", "rtx-4090", "gb10"] {
        let (code, features) = ask(&node(profile, &[]), gpu(0));
        assert_eq!((code, features.supported, features.count), (0, 0, 0), "{profile}");
        assert_eq!(
            told(&features.features[0]),
            (0, 0, 0, String::new(), [0; 7]),
            "{profile}"
        );
    }
}

#[test]
fn the_call_is_refused_as_others_are() {
    let world = node("h100-mig", &[]);
    let untouched = |features: &LicensableFeatures| (features.supported, features.count) == (-1, 99);
    for (handle, expected) in [
        (Handle::new(Target::MigDevice(0, 0)), 3),
        (Handle::new(Target::GpuInstance(0, 1)), 2),
        (gpu(7), 2),
    ] {
        let (code, features) = ask(&world, handle);
        assert_eq!(code, expected, "{handle:?}");
        assert!(untouched(&features), "{handle:?}");
    }
    within(&world, || {
        assert_eq!(
            vgpu::nvmlDeviceGetGridLicensableFeatures_v4(
                gpu(0),
                super::ffi::Pointer::to(std::ptr::null_mut())
            ),
            2
        );
    });
    let unsupported =
        "extends = \"a100-vgpu\"\n[gpu]\nunsupported = [\"nvmlDeviceGetGridLicensableFeatures*\"]";
    let unsupported = World::of(Profile::parse("own", unsupported).unwrap(), AGE, &[]);
    for (world, expected) in [
        (unsupported, 3),
        (node("a100-vgpu", &[Fault::on(CALL).returns(4)]), 4),
        (node("a100-vgpu", &[Fault::on(CALL).missing_symbol()]), 13),
        (node("a100-vgpu", &[Fault::everywhere().gpu(0).lost()]), 15),
    ] {
        let (code, features) = ask(&world, gpu(0));
        assert_eq!(code, expected);
        assert!(untouched(&features), "{expected}");
    }
}
