//! `nvmlDeviceGetFieldValues`: several readings with one call, answered by position.
//!
//! Numbers of some fields differ between drivers, so that an answer is known by its place and not by its number.

use nvml_wrapper::{
    Device,
    error::{NvmlError, nvml_try},
};

use super::where_known;
use crate::ffi;

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FieldNumber {
    Float(f64),
    Unsigned(u64),
    Signed(i64),
}

impl FieldNumber {
    /// The value, if it is a whole number that is not negative.
    pub(crate) fn as_u64(self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(number),
            Self::Signed(number) => u64::try_from(number).ok(),
            Self::Float(_) => None,
        }
    }

    /// A value by its bits and its `nvmlValueType_t`; nothing of a type that is not known.
    fn decode(bits: u64, value_type: u32) -> Option<Self> {
        let word = || u32::from_ne_bytes(bits.to_ne_bytes()[..4].try_into().unwrap_or_default());
        Some(match value_type {
            0 => Self::Float(f64::from_bits(bits)),
            1 => Self::Unsigned(word().into()),
            2 | 3 => Self::Unsigned(bits),
            4 => Self::Signed(bits.cast_signed()),
            5 => Self::Signed(word().cast_signed().into()),
            6 => {
                let short = u16::from_ne_bytes(bits.to_ne_bytes()[..2].try_into().unwrap_or_default());
                Self::Unsigned(short.into())
            }
            _ => return None,
        })
    }
}

/// Reads fields, each a number and its scope. A failure of the call is one of each field.
pub(crate) fn fields(device: &Device<'_>, wanted: &[(u32, u32)]) -> Vec<Result<FieldNumber, NvmlError>> {
    let mut values: Vec<_> = wanted.iter().map(|(id, scope)| ffi::field(*id, *scope)).collect();
    let outcome = ffi::field_values(device, &mut values);
    values
        .into_iter()
        .map(|value| {
            match &outcome {
                Ok(code) => nvml_try(*code)?,
                Err(_) => return Err(NvmlError::FunctionNotFound),
            }
            // The call went well, so that it is the field or its scope that is not known.
            where_known(nvml_try(value.nvmlReturn))?;
            FieldNumber::decode(ffi::bits(value.value), value.valueType).ok_or(NvmlError::Unknown)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_value_is_decoded() {
        let low =
            |number: u32| u64::from_ne_bytes([number.to_ne_bytes(), [0xFF; 4]].concat().try_into().unwrap());
        let cases = [
            (1.5_f64.to_bits(), 0, FieldNumber::Float(1.5)),
            (low(7), 1, FieldNumber::Unsigned(7)),
            (1 << 40, 2, FieldNumber::Unsigned(1 << 40)),
            (1 << 40, 3, FieldNumber::Unsigned(1 << 40)),
            ((-5_i64).cast_unsigned(), 4, FieldNumber::Signed(-5)),
            (low((-5_i32).cast_unsigned()), 5, FieldNumber::Signed(-5)),
            (low(0xFFFF_0009), 6, FieldNumber::Unsigned(9)),
        ];
        for (bits, value_type, expected) in cases {
            assert_eq!(
                FieldNumber::decode(bits, value_type),
                Some(expected),
                "type {value_type}"
            );
        }
        assert_eq!(FieldNumber::decode(1, 77), None);
    }

    #[test]
    fn a_negative_number_counts_nothing() {
        assert_eq!(FieldNumber::Signed(-1).as_u64(), None);
        assert_eq!(FieldNumber::Signed(1).as_u64(), Some(1));
        assert_eq!(FieldNumber::Float(1.0).as_u64(), None);
    }
}
