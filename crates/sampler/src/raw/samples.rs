//! `nvmlDeviceGetSamples`: what the driver sampled by itself.

use nvml_wrapper::{Device, enum_wrappers::device::Sampling, error::NvmlError};

use crate::ffi;

/// Room for all that drivers are known to keep of a kind, which is 120, and for what comes meanwhile: one call serves.
const USUAL_ROOM: usize = 128;

/// More samples than any driver keeps of a kind, as a bound.
const MOST_SAMPLES: usize = 4_096;

/// How often a ring that has no room is asked again, with more of it.
const ATTEMPTS: usize = 3;

/// Samples since a time, both in the driver's microseconds since 1970, in the driver's order. None is not an error.
pub(crate) fn samples(
    device: &Device<'_>,
    kind: &Sampling,
    since: u64,
) -> Result<Vec<(u64, f64)>, NvmlError> {
    let kind = kind.as_c();
    let mut places = USUAL_ROOM;
    for _ in 0..ATTEMPTS {
        let mut room = vec![ffi::no_sample(); places.min(MOST_SAMPLES)];
        match ffi::samples(device, kind, since, &mut room) {
            Ok((count, value_type)) => {
                room.truncate(count);
                return Ok(room
                    .into_iter()
                    .filter_map(|sample| {
                        Some((
                            sample.timeStamp,
                            number(ffi::bits(sample.sampleValue), value_type)?,
                        ))
                    })
                    .collect());
            }
            Err((NvmlError::NotFound, _)) => return Ok(Vec::new()),
            Err((NvmlError::InsufficientSize(_), count)) => places = count.max(places * 2),
            Err((error, _)) => return Err(error),
        }
    }
    Err(NvmlError::InsufficientSize(None))
}

/// A sample by its bits and its `nvmlValueType_t`.
fn number(bits: u64, value_type: u32) -> Option<f64> {
    let word = u32::from_ne_bytes(bits.to_ne_bytes()[..4].try_into().ok()?);
    match value_type {
        0 => Some(f64::from_bits(bits)),
        1 => Some(f64::from(word)),
        2 | 3 => Some(bits as f64),
        4 => Some(bits.cast_signed() as f64),
        5 => Some(f64::from(word.cast_signed())),
        6 => Some(f64::from(u16::from_ne_bytes(
            bits.to_ne_bytes()[..2].try_into().ok()?,
        ))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn samples_of_every_type_are_numbers() {
        assert_eq!(number(7, 1), Some(7.0));
        assert_eq!(number(1 << 33, 3), Some((1_u64 << 33) as f64));
        assert_eq!(number(0.5_f64.to_bits(), 0), Some(0.5));
        assert_eq!(number(7, 6), Some(7.0));
        assert_eq!(number(7, 99), None);
    }
}
