//! NVML's integers become quantities here, once, and its errors become reasons.

use gpulse_models::{
    Bytes, Celsius, Joules, Label, Megahertz, PciBusId, Percent, PerformanceState, Reason, Timestamp, Watts,
};
use nvml_wrapper::{enum_wrappers::device::PerformanceState as NvmlPerformanceState, error::NvmlError};

use crate::raw::{self, FieldNumber, LicenseExpiry};

/// NVML's mark for "no value" in unsigned fields (`NVML_VALUE_NOT_AVAILABLE`).
const NOT_AVAILABLE: u32 = u32::MAX;

/// Internal blank values of the driver lie from here upwards (2147483632 is the one seen in process lists).
const FIRST_BLANK: u32 = 0x7fff_fff0;

/// The same for 64-bit fields.
const FIRST_LONG_BLANK: u64 = 0x7fff_ffff_ffff_fff0;

/// What NVML gives for the address of something that is no PCI device of this host, such as a switch of NVLink 5, or anything
/// that a virtual machine is not to see.
const NO_PCI_DEVICE: &str = "FFFFFFFF:FF:FF.0";

/// A GPU has long switched off at this temperature: what lies above is a sensor's error pattern such as 255.
const HIGHEST_CELSIUS: u32 = 200;

/// `NVML_ERROR_NOT_READY`
const NOT_READY: u32 = 27;

/// `NVML_ERROR_ARGUMENT_VERSION_MISMATCH`: this driver does not know the call in this form.
const ARGUMENT_VERSION_MISMATCH: u32 = 25;

/// `NVML_GRID_LICENSE_EXPIRY_…`: the driver failed to find out, and it did.
const EXPIRY_INVALID: u32 = 1;
const EXPIRY_VALID: u32 = 2;

/// Why a call gave no value.
pub(crate) fn reason(error: &NvmlError) -> Reason {
    match error {
        NvmlError::NotSupported => Reason::NotSupported,
        NvmlError::NoPermission => Reason::NoPermission,
        NvmlError::FunctionNotFound | NvmlError::FailedToLoadSymbol(_) => Reason::FunctionNotFound,
        NvmlError::GpuLost => Reason::GpuLost,
        NvmlError::Timeout => Reason::Timeout,
        // Codes that nvml-wrapper has no name for.
        NvmlError::UnexpectedVariant(NOT_READY) => Reason::NotReady,
        NvmlError::UnexpectedVariant(ARGUMENT_VERSION_MISMATCH) => Reason::FunctionNotFound,
        _ => Reason::Error,
    }
}

/// Why a GPU gave nothing, where the call did return: a timeout that the driver reports is no hang.
pub(crate) fn reason_of_return(error: &NvmlError) -> Reason {
    match reason(error) {
        Reason::Timeout => Reason::Error,
        reason => reason,
    }
}

/// Whether a number is the driver's own blank value.
pub(crate) fn is_blank(raw: u32) -> bool {
    (FIRST_BLANK..NOT_AVAILABLE).contains(&raw)
}

/// A number that may be one of NVML's marks for "no value".
fn plain(raw: u32) -> Result<f64, Reason> {
    match raw {
        NOT_AVAILABLE => Err(Reason::NotSupported),
        blank if is_blank(blank) => Err(Reason::Error),
        number => Ok(f64::from(number)),
    }
}

/// NVML's percent. It may lie above 100 and stays as it is.
pub(crate) fn percent(raw: u32) -> Result<Percent, Reason> {
    plain(raw).map(Percent)
}

/// NVML's MHz.
pub(crate) fn megahertz(raw: u32) -> Result<Megahertz, Reason> {
    plain(raw).map(Megahertz)
}

/// NVML's milliwatts.
pub(crate) fn watts(milliwatts: u32) -> Result<Watts, Reason> {
    plain(milliwatts).map(|number| Watts(number / 1_000.0))
}

/// A count that may be one of NVML's marks for "no value".
pub(crate) fn count(raw: u64) -> Result<u64, Reason> {
    match raw {
        u64::MAX => Err(Reason::NotSupported),
        blank if blank >= FIRST_LONG_BLANK => Err(Reason::Error),
        number => Ok(number),
    }
}

/// A number of bytes.
pub(crate) fn bytes(raw: u64) -> Result<Bytes, Reason> {
    count(raw).map(Bytes)
}

/// A small number that may be one of NVML's marks for "no value".
pub(crate) fn small_number(raw: u32) -> Result<u32, Reason> {
    plain(raw).map(|_| raw)
}

/// Whether an entry of a process list is one, and not filled with the driver's blank values.
pub(crate) fn is_process(pid: u32) -> bool {
    pid < FIRST_BLANK
}

/// NVML's millijoules.
pub(crate) fn joules(millijoules: u64) -> Result<Joules, Reason> {
    count(millijoules).map(|number| Joules(number as f64 / 1_000.0))
}

/// NVML's degrees.
pub(crate) fn celsius(raw: u32) -> Result<Celsius, Reason> {
    match plain(raw)? {
        celsius if celsius > f64::from(HIGHEST_CELSIUS) => Err(Reason::Error),
        celsius => Ok(Celsius(celsius)),
    }
}

/// NVML's device memory. No GPU has none: a total of 0 is an answer that cannot be true.
pub(crate) fn memory(info: raw::Memory) -> Result<raw::Memory, Reason> {
    if info.total == 0 {
        return Err(Reason::Error);
    }
    Ok(info)
}

/// How far the core is from the temperature at which it slows down.
pub(crate) fn margin(degrees: i32) -> Result<Celsius, Reason> {
    if degrees.unsigned_abs() > HIGHEST_CELSIUS {
        Err(Reason::Error)
    } else {
        Ok(Celsius(f64::from(degrees)))
    }
}

/// A field that counts.
pub(crate) fn field_count(number: FieldNumber) -> Result<u64, Reason> {
    number.as_u64().ok_or(Reason::Error).and_then(count)
}

/// A field that is a small number.
pub(crate) fn field_small_number(number: FieldNumber) -> Result<u32, Reason> {
    let number = number.as_u64().ok_or(Reason::Error)?;
    u32::try_from(number)
        .map_err(|_| Reason::Error)
        .and_then(small_number)
}

/// A field in milliwatts.
pub(crate) fn field_watts(number: FieldNumber) -> Result<Watts, Reason> {
    field_small_number(number).and_then(watts)
}

/// A field in degrees.
pub(crate) fn field_celsius(number: FieldNumber) -> Result<Celsius, Reason> {
    field_small_number(number).and_then(celsius)
}

/// The temperature of device memory. Boards without a sensor there say 0.
pub(crate) fn memory_celsius(number: FieldNumber) -> Result<Celsius, Reason> {
    field_celsius(number).and_then(|celsius| {
        if celsius.0 > 0.0 {
            Ok(celsius)
        } else {
            Err(Reason::NotSupported)
        }
    })
}

/// A number that is one.
pub(crate) fn finite(number: f64) -> Result<f64, Reason> {
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err(Reason::Error)
    }
}

/// A sample of the driver's ring.
pub(crate) fn sample(number: f64) -> Result<f64, Reason> {
    finite(number).and_then(|number| {
        if number < f64::from(FIRST_BLANK) {
            Ok(number)
        } else {
            Err(Reason::Error)
        }
    })
}

/// Where the far end of a link sits.
pub(crate) fn far_bus_id(text: &str) -> Result<PciBusId, Reason> {
    if text.eq_ignore_ascii_case(NO_PCI_DEVICE) {
        return Err(Reason::NotSupported);
    }
    text.parse().map_err(|_| Reason::Error)
}

/// Sixteen bytes as UUIDs are written.
pub(crate) fn uuid(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// `nvmlReturn_t` in words.
pub(crate) fn status_name(code: u32) -> Label {
    match code {
        0 => "success".into(),
        code => NvmlError::UnexpectedVariant(code).to_string().into(),
    }
}

/// A name, unless it is left empty.
pub(crate) fn name(text: &str) -> Result<String, Reason> {
    if text.is_empty() {
        Err(Reason::NotSupported)
    } else {
        Ok(text.to_owned())
    }
}

/// When a licence ends, if it does.
pub(crate) fn expiry(expiry: LicenseExpiry) -> Result<Timestamp, Reason> {
    let [year, month, day] = expiry.date;
    let [hour, minute, second] = expiry.time;
    match expiry.status {
        EXPIRY_VALID => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
            .parse()
            .map_err(|_| Reason::Error),
        EXPIRY_INVALID => Err(Reason::Error),
        _ => Err(Reason::NotSupported),
    }
}

/// What a process holds.
pub(crate) fn process_memory(bytes: u64) -> Result<Bytes, Reason> {
    // Old drivers put the 32-bit blank into the 64-bit field.
    if bytes == u64::from(FIRST_BLANK) {
        return Err(Reason::Error);
    }
    count(bytes).map(Bytes)
}

/// NVML's performance state.
pub(crate) fn performance_state(state: NvmlPerformanceState) -> Result<PerformanceState, Reason> {
    use NvmlPerformanceState as Nvml;
    let number = match state {
        Nvml::Zero => 0,
        Nvml::One => 1,
        Nvml::Two => 2,
        Nvml::Three => 3,
        Nvml::Four => 4,
        Nvml::Five => 5,
        Nvml::Six => 6,
        Nvml::Seven => 7,
        Nvml::Eight => 8,
        Nvml::Nine => 9,
        Nvml::Ten => 10,
        Nvml::Eleven => 11,
        Nvml::Twelve => 12,
        Nvml::Thirteen => 13,
        Nvml::Fourteen => 14,
        Nvml::Fifteen => 15,
        Nvml::Unknown => return Ok(PerformanceState::Unknown),
    };
    Ok(PerformanceState::P(number))
}

/// `13000` becomes `13.0`.
pub(crate) fn cuda_version(raw: i32) -> String {
    format!("{}.{}", raw / 1_000, raw % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn marks_for_no_value_are_not_numbers() {
        assert_eq!(watts(u32::MAX), Err(Reason::NotSupported));
        assert_eq!(percent(2_147_483_632), Err(Reason::Error));
        assert_eq!(celsius(255), Err(Reason::Error));
        assert_eq!(process_memory(u64::MAX), Err(Reason::NotSupported));
        assert_eq!(bytes(u64::MAX), Err(Reason::NotSupported));
        assert_eq!(celsius(u32::MAX), Err(Reason::NotSupported));
        assert_eq!(
            memory_celsius(FieldNumber::Unsigned(0)),
            Err(Reason::NotSupported)
        );
        let nothing = raw::Memory {
            total: 0,
            used: 0,
            free: 0,
            reserved: None,
        };
        assert_eq!(memory(nothing), Err(Reason::Error));
    }

    #[test]
    fn a_far_end_without_an_address_is_no_error() {
        assert_eq!(
            far_bus_id("00000000:07:00.0").map(|id| id.to_string()).unwrap(),
            "00000000:07:00.0"
        );
        assert_eq!(far_bus_id("FFFFFFFF:FF:FF.0"), Err(Reason::NotSupported));
        assert_eq!(far_bus_id("07"), Err(Reason::Error));
        assert_eq!(far_bus_id(""), Err(Reason::Error));
    }

    #[test]
    fn blank_entries_are_no_processes_and_blank_counts_no_counts() {
        assert!(is_process(4_194_304) && !is_process(2_147_483_632));
        assert_eq!(process_memory(2_147_483_632), Err(Reason::Error));
        assert_eq!(count(u64::MAX), Err(Reason::NotSupported));
        assert_eq!(small_number(u32::MAX), Err(Reason::NotSupported));
        assert_eq!((count(0), small_number(0)), (Ok(0), Ok(0)));
    }

    #[test]
    fn overshoot_stays_raw() {
        assert_eq!(percent(130), Ok(Percent(130.0)));
        let info = raw::Memory {
            total: 10,
            used: 11,
            free: 0,
            reserved: None,
        };
        assert_eq!(memory(info).map(|m| m.used), Ok(11));
    }

    #[test]
    fn every_error_has_its_reason() {
        assert_eq!(
            reason(&NvmlError::FailedToLoadSymbol(String::new())),
            Reason::FunctionNotFound
        );
        assert_eq!(reason(&NvmlError::GpuLost), Reason::GpuLost);
        assert_eq!(reason(&NvmlError::UnexpectedVariant(27)), Reason::NotReady);
        assert_eq!(
            reason(&NvmlError::UnexpectedVariant(25)),
            Reason::FunctionNotFound
        );
        assert_eq!(reason(&NvmlError::UnexpectedVariant(99)), Reason::Error);
    }

    #[test]
    fn a_licence_has_a_name_and_an_end_or_says_why_not() {
        assert_eq!(name("vWS").as_deref(), Ok("vWS"));
        assert_eq!(name(""), Err(Reason::NotSupported));
        let ends = |status, date, time| expiry(LicenseExpiry { status, date, time });
        let at = ends(2, [2030, 1, 31], [11, 32, 22]).map(|at| at.to_string());
        assert_eq!(at.as_deref(), Ok("2030-01-31T11:32:22Z"));
        assert_eq!(ends(2, [2030, 2, 31], [0; 3]), Err(Reason::Error));
        assert_eq!(ends(2, [0; 3], [0; 3]), Err(Reason::Error));
        assert_eq!(ends(2, [u32::MAX; 3], [u32::MAX; 3]), Err(Reason::Error));
        assert_eq!(ends(1, [2030, 1, 31], [0; 3]), Err(Reason::Error));
        for none in [0, 3, 4, 9] {
            assert_eq!(ends(none, [2030, 1, 31], [0; 3]), Err(Reason::NotSupported));
        }
    }

    #[test]
    fn a_cuda_version_is_written_as_people_do() {
        assert_eq!(cuda_version(13_000), "13.0");
        assert_eq!(cuda_version(12_080), "12.8");
    }

    proptest! {
        #[test]
        fn milliwatts_are_thousandths(raw in 0u32..FIRST_BLANK) {
            prop_assert_eq!(watts(raw), Ok(Watts(f64::from(raw) / 1_000.0)));
        }

        #[test]
        fn no_number_becomes_infinite_or_negative(raw: u32, energy: u64) {
            for number in [percent(raw).map(|q| q.0), watts(raw).map(|q| q.0), celsius(raw).map(|q| q.0), joules(energy).map(|q| q.0)].into_iter().flatten() {
                prop_assert!(number.is_finite() && number >= 0.0);
            }
        }
    }
}
