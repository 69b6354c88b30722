//! Licences of the vGPU software.

use nvml_wrapper::{Device, error::NvmlError};

use super::characters;
use crate::ffi;

/// `NVML_GRID_LICENSE_FEATURE_CODE_VGPU`
pub(crate) const VGPU: u32 = 1;

/// What takes a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Licensing {
    /// Whether anything does.
    pub(crate) supported: bool,
    pub(crate) features: Vec<LicensableFeature>,
}

/// A feature that takes a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LicensableFeature {
    /// `nvmlGridLicenseFeatureCode_t`
    pub(crate) code: u32,
    pub(crate) product: String,
    pub(crate) enabled: bool,
    pub(crate) licensed: bool,
    pub(crate) expiry: LicenseExpiry,
}

/// When a licence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LicenseExpiry {
    /// `NVML_GRID_LICENSE_EXPIRY_…`
    pub(crate) status: u32,
    /// Year, month and day.
    pub(crate) date: [u32; 3],
    /// Hour, minute and second, GMT.
    pub(crate) time: [u32; 3],
}

/// `nvmlDeviceGetGridLicensableFeatures_v4`
pub(crate) fn licensing(device: &Device<'_>) -> Result<Licensing, NvmlError> {
    let answer = ffi::licensable_features(device)?;
    let supported = answer.isGridLicenseSupported != 0;
    // Where there is no licensing, nothing else is said.
    let count = if supported {
        answer.licensableFeaturesCount
    } else {
        0
    };
    let listed = answer.gridLicensableFeatures.iter().take(count as usize);
    let features = listed.map(|feature| {
        let end = &feature.licenseExpiry;
        LicensableFeature {
            code: feature.featureCode,
            product: characters(&feature.productName),
            enabled: feature.featureEnabled != 0,
            licensed: feature.featureState != 0,
            expiry: LicenseExpiry {
                status: end.status.into(),
                date: [end.year, end.month.into(), end.day.into()],
                time: [end.hour, end.min, end.sec].map(u32::from),
            },
        }
    });
    Ok(Licensing {
        supported,
        features: once_each(features),
    })
}

/// The features without repetitions: their codes tell them apart wherever they are shown.
fn once_each(listed: impl Iterator<Item = LicensableFeature>) -> Vec<LicensableFeature> {
    let mut features: Vec<LicensableFeature> = Vec::new();
    for feature in listed {
        if features.iter().all(|known| known.code != feature.code) {
            features.push(feature);
        }
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_is_listed_twice_is_one() {
        let feature = |code, product: &str| LicensableFeature {
            code,
            product: product.to_owned(),
            enabled: true,
            licensed: false,
            expiry: LicenseExpiry {
                status: 0,
                date: [0; 3],
                time: [0; 3],
            },
        };
        let listed = [feature(0, "a"), feature(1, "b"), feature(0, "c")];
        let kept = once_each(listed.into_iter());
        assert_eq!(kept, [feature(0, "a"), feature(1, "b")]);
    }
}
