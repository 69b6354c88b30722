//! Errors, and what was done about them.

use gpulse_models::{Fabric, Reading, Reason, Reliability, RemappedRows, SramErrors, catalogue::Catalogued};
use nvml_wrapper::{
    enum_wrappers::device::{EccCounter, MemoryError, RetirementCause},
    error::NvmlError,
};

use super::{Gpu, fields};
use crate::{convert, label, processes::patiently, raw};

pub(super) fn read(gpu: &mut Gpu<'_, '_>) -> Reliability {
    let device = gpu.device;
    let ecc = gpu
        .asker
        .ask("nvmlDeviceGetEccMode", || device.is_ecc_enabled(), Ok);
    let ecc = ecc.as_ref();
    let [action] = gpu.fields([fields::RECOVERY_ACTION]);
    Reliability {
        ecc_enabled: ecc.map(|mode| mode.currently_enabled),
        ecc_enabled_after_reset: ecc.map(|mode| mode.pending_enabled),
        corrected_volatile: errors(gpu, MemoryError::Corrected, EccCounter::Volatile),
        uncorrected_volatile: errors(gpu, MemoryError::Uncorrected, EccCounter::Volatile),
        corrected_aggregate: errors(gpu, MemoryError::Corrected, EccCounter::Aggregate),
        uncorrected_aggregate: errors(gpu, MemoryError::Uncorrected, EccCounter::Aggregate),
        sram: sram(gpu),
        retired_pages_corrected: retired(
            gpu,
            "nvmlDeviceGetRetiredPages(multiple single-bit errors)",
            RetirementCause::MultipleSingleBitEccErrors,
        ),
        retired_pages_uncorrected: retired(
            gpu,
            "nvmlDeviceGetRetiredPages(double-bit error)",
            RetirementCause::DoubleBitEccError,
        ),
        retirement_pending: gpu.asker.ask(
            "nvmlDeviceGetRetiredPagesPendingStatus",
            || device.are_pages_pending_retired(),
            Ok,
        ),
        remapped_rows: remapped_rows(gpu),
        recovery_action: action
            .and_then(convert::field_small_number)
            .map(label::recovery_action),
        fabric: fabric(gpu),
    }
}

fn errors(gpu: &mut Gpu<'_, '_>, severity: MemoryError, counter: EccCounter) -> Reading<u64> {
    let device = gpu.device;
    let key = match (&severity, &counter) {
        (MemoryError::Corrected, EccCounter::Volatile) => "nvmlDeviceGetTotalEccErrors(corrected, volatile)",
        (MemoryError::Corrected, EccCounter::Aggregate) => {
            "nvmlDeviceGetTotalEccErrors(corrected, aggregate)"
        }
        (MemoryError::Uncorrected, EccCounter::Volatile) => {
            "nvmlDeviceGetTotalEccErrors(uncorrected, volatile)"
        }
        (MemoryError::Uncorrected, EccCounter::Aggregate) => {
            "nvmlDeviceGetTotalEccErrors(uncorrected, aggregate)"
        }
    };
    gpu.asker
        .ask(key, || device.total_ecc_errors(severity, counter), convert::count)
}

fn retired(gpu: &mut Gpu<'_, '_>, key: &'static str, cause: RetirementCause) -> Reading<u32> {
    let device = gpu.device;
    let count =
        || -> Result<usize, NvmlError> { patiently(|| device.retired_pages(cause)).map(|pages| pages.len()) };
    gpu.asker.ask(key, count, |count| {
        u32::try_from(count).map_err(|_| Reason::Error)
    })
}

fn sram(gpu: &mut Gpu<'_, '_>) -> SramErrors {
    let device = gpu.device;
    let status = gpu
        .asker
        .ask("nvmlDeviceGetSramEccErrorStatus", || raw::sram_errors(device), Ok);
    match status {
        Reading::Value(status) => {
            let count = |raw| convert::count(raw).into();
            SramErrors {
                corrected_volatile: count(status.volatileCor),
                corrected_aggregate: count(status.aggregateCor),
                uncorrected_parity_volatile: count(status.volatileUncParity),
                uncorrected_secded_volatile: count(status.volatileUncSecDed),
                uncorrected_parity_aggregate: count(status.aggregateUncParity),
                uncorrected_secded_aggregate: count(status.aggregateUncSecDed),
                threshold_exceeded: Reading::Value(status.bThresholdExceeded != 0),
            }
        }
        Reading::Unavailable(reason) => SramErrors::absent(reason),
    }
}

fn remapped_rows(gpu: &mut Gpu<'_, '_>) -> RemappedRows {
    let device = gpu.device;
    let rows = gpu
        .asker
        .ask("nvmlDeviceGetRemappedRows", || raw::remapped_rows(device), Ok);
    let banks = gpu.asker.ask(
        "nvmlDeviceGetRowRemapperHistogram",
        || raw::row_remapper_histogram(device),
        Ok,
    );
    let (rows, banks) = (rows.as_ref(), banks.as_ref());
    RemappedRows {
        corrected: rows.map(|rows| rows.corrected),
        uncorrected: rows.map(|rows| rows.uncorrected),
        pending: rows.map(|rows| rows.pending),
        failed: rows.map(|rows| rows.failed),
        banks_max_spare: banks.map(|banks| banks.max),
        banks_high_spare: banks.map(|banks| banks.high),
        banks_partial_spare: banks.map(|banks| banks.partial),
        banks_low_spare: banks.map(|banks| banks.low),
        banks_no_spare: banks.map(|banks| banks.none),
    }
}

/// Two bits of the health mask by their place: 1 for yes, 2 for no; 0 where the GPU does not say.
fn health(mask: u32, shift: u32) -> Reading<bool> {
    match mask >> shift & 0b11 {
        1 => Reading::Value(true),
        2 => Reading::Value(false),
        _ => Reading::Unavailable(Reason::NotSupported),
    }
}

/// States of the fabric, of which only the last has results.
const FABRIC_NOT_SUPPORTED: u8 = 0;
const FABRIC_COMPLETED: u8 = 3;

fn fabric(gpu: &mut Gpu<'_, '_>) -> Fabric {
    let device = gpu.device;
    let info = gpu
        .asker
        .ask("nvmlDeviceGetGpuFabricInfoV", || raw::fabric(device), Ok);
    match info {
        Reading::Value(info) if info.state == FABRIC_NOT_SUPPORTED => Fabric::absent(Reason::NotSupported),
        Reading::Value(info) if info.state == FABRIC_COMPLETED => Fabric {
            state: Reading::Value(label::fabric_state(info.state.into())),
            status: Reading::Value(convert::status_name(info.status)),
            cluster_uuid: Reading::Value(convert::uuid(&info.cluster)),
            clique_id: Reading::Value(info.clique),
            degraded_bandwidth: health(info.health_mask, 0),
            route_recovery: health(info.health_mask, 2),
            route_unhealthy: health(info.health_mask, 4),
            access_timeout_recovery: health(info.health_mask, 6),
        },
        Reading::Value(info) => Fabric {
            state: Reading::Value(label::fabric_state(info.state.into())),
            ..Fabric::absent(Reason::NotReady)
        },
        Reading::Unavailable(reason) => Fabric::absent(reason),
    }
}
