//! Error counters, retired pages, remapped rows.

use std::time::Duration;

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, Tagged, export};
use super::layout::{EccErrorCounts, EccSramErrorStatus, RemappedRows, RepairStatus, RowRemapperHistogram};
use crate::faults::Incident;
use crate::profile::Architecture;

/// Banks of a GPU's memory whose spare rows the histogram counts; every bank has all its spares unless rows were remapped.
const BANKS: u32 = 640;

/// The driver replaces no more rows or pages than this.
const MOST_REPLACED: u32 = 512;

/// `nvmlPageRetirementCause_t`: several single-bit errors, one double-bit error.
pub(super) const SINGLE_BIT: u32 = 0;
pub(super) const DOUBLE_BIT: u32 = 1;
/// `nvmlMemoryErrorType_t`.
pub(super) const CORRECTED: u32 = 0;
pub(super) const UNCORRECTED: u32 = 1;
/// `nvmlEccCounterType_t`.
pub(super) const VOLATILE: u32 = 0;
pub(super) const AGGREGATE: u32 = 1;

export! {
    device fn nvmlDeviceGetEccMode(current: Out<u32>, pending: Out<u32>) |gpu| {
        needs_ecc(gpu)?;
        current.write(1)?;
        pending.write(1)
    }

    device fn nvmlDeviceGetDefaultEccMode(mode: Out<u32>) |gpu| {
        needs_ecc(gpu)?;
        mode.write(1)
    }

    device fn nvmlDeviceGetTotalEccErrors(kind: u32, counter: u32, count: Out<u64>) |gpu| {
        count.write(errors(gpu, kind, counter)?)
    }

    device fn nvmlDeviceGetDetailedEccErrors(kind: u32, counter: u32, counts: Out<EccErrorCounts>) |gpu| {
        // All simulated errors are errors of the device memory.
        let device_memory = errors(gpu, kind, counter)?;
        counts.write(EccErrorCounts { l1_cache: 0, l2_cache: 0, device_memory, register_file: 0 })
    }

    device fn nvmlDeviceGetMemoryErrorCounter(kind: u32, counter: u32, location: u32, count: Out<u64>) |gpu| {
        const DEVICE_MEMORY: u32 = 2;
        let all = errors(gpu, kind, counter)?;
        match location {
            DEVICE_MEMORY => count.write(all),
            0 | 1 | 3..=7 => count.write(0),
            _ => Err(Code::INVALID_ARGUMENT),
        }
    }

    device fn nvmlDeviceGetSramEccErrorStatus(status: Tagged) |gpu| {
        let place = status.of::<EccSramErrorStatus>()?;
        place.write(EccSramErrorStatus { version: status.tag()?, ..sram(gpu)? })
    }

    device fn nvmlDeviceGetRetiredPages(cause: u32, count: InOut<u32>, addresses: Array<u64>) |gpu| {
        addresses.fill(&count, &pages(gpu, cause)?)
    }

    device fn nvmlDeviceGetRetiredPages_v2(
        cause: u32,
        count: InOut<u32>,
        addresses: Array<u64>,
        timestamps: Array<u64>,
    ) |gpu| {
        let pages = pages(gpu, cause)?;
        addresses.fill(&count, &pages)?;
        // When exactly is not known: some time before the world began.
        timestamps.copy(&vec![gpu.world.timestamp_us(Duration::ZERO); pages.len()])
    }

    device fn nvmlDeviceGetRetiredPagesPendingStatus(pending: Out<u32>) |gpu| {
        pending.write(u32::from(retirement_pending(gpu)?))
    }

    device fn nvmlDeviceGetRemappedRows(
        corrected: Out<u32>,
        uncorrected: Out<u32>,
        pending: Out<u32>,
        failed: Out<u32>,
    ) |gpu| {
        let rows = remapped(gpu)?;
        corrected.write(rows.corrected_active)?;
        uncorrected.write(rows.uncorrected_active)?;
        pending.write(rows.pending)?;
        failed.write(rows.failed)
    }

    device fn nvmlDeviceGetRemappedRows_v2(info: Out<RemappedRows>) |gpu| {
        info.write(remapped(gpu)?)
    }

    device fn nvmlDeviceGetRowRemapperHistogram(histogram: Out<RowRemapperHistogram>) |gpu| {
        let used = remapped(gpu)?.uncorrected_active;
        let none = gpu.values().and_then(|values| values.banks_without_spare).unwrap_or(0).min(BANKS);
        let high = used.min(BANKS - none);
        histogram.write(RowRemapperHistogram { max: BANKS - none - high, high, partial: 0, low: 0, none })
    }

    device fn nvmlDeviceGetRepairStatus(status: Tagged) |gpu| {
        let place = status.of::<RepairStatus>()?;
        if !gpu.spec()?.memory.row_remapping {
            return Err(Code::NOT_SUPPORTED);
        }
        place.write(RepairStatus { version: status.tag()?, channel_pending: 0, tpc_pending: 0 })
    }
}

/// The errors of the memory inside the chip, which chips report from Ampere on: none, unless a fault says so.
fn sram(gpu: &Device) -> Result<EccSramErrorStatus> {
    needs_ecc(gpu)?;
    if gpu.spec()?.architecture < Architecture::Ampere {
        return Err(Code::NOT_SUPPORTED);
    }
    let values = gpu.values();
    let corrected = values.and_then(|values| values.sram_corrected).unwrap_or(0);
    let uncorrected = values.and_then(|values| values.sram_uncorrected).unwrap_or(0);
    let exceeded = values.and_then(|values| values.sram_threshold_exceeded);
    Ok(EccSramErrorStatus {
        version: 0,
        aggregate_parity: 0,
        aggregate_sec_ded: uncorrected,
        aggregate_corrected: corrected,
        volatile_parity: 0,
        volatile_sec_ded: uncorrected,
        volatile_corrected: corrected,
        bucket_l2: uncorrected,
        bucket_sm: 0,
        bucket_pcie: 0,
        bucket_mcu: 0,
        bucket_other: 0,
        threshold_exceeded: u32::from(exceeded.unwrap_or(false)),
    })
}

/// The number of memory errors. Healthy boards have corrected a few in their life, and none since they were
/// started; faults add to that, or say another number.
pub(super) fn errors(gpu: &Device, kind: u32, counter: u32) -> Result<u64> {
    needs_ecc(gpu)?;
    if kind > UNCORRECTED || counter > AGGREGATE {
        return Err(Code::INVALID_ARGUMENT);
    }
    let (said, incident) = match kind {
        CORRECTED => (gpu.values().and_then(|v| v.ecc_corrected), Incident::EccSingleBit),
        _ => (
            gpu.values().and_then(|v| v.ecc_uncorrected),
            Incident::EccDoubleBit,
        ),
    };
    let in_life = gpu.world.engine.identity(gpu.gpu, 2) % 4;
    let healthy = if kind == CORRECTED && counter == AGGREGATE {
        in_life
    } else {
        0
    };
    let happened = || match counter {
        VOLATILE => gpu.incidents(incident, None),
        _ => gpu.world.incidents(gpu.gpu, incident, None),
    };
    Ok(said.unwrap_or_else(|| healthy + happened()))
}

/// `nvmlDeviceGetGpuRecoveryAction`: memory that waits to be repaired wants the GPU drained and reset.
pub(super) fn recovery_action(gpu: &Device) -> u32 {
    const NONE: u32 = 0;
    const DRAIN_AND_RESET: u32 = 4;
    let waits = remapped(gpu).is_ok_and(|rows| rows.pending != 0) || retirement_pending(gpu) == Ok(true);
    let said = gpu.values().and_then(|values| values.recovery_action);
    said.unwrap_or(if waits { DRAIN_AND_RESET } else { NONE })
}

pub(super) fn needs_ecc(gpu: &Device) -> Result {
    if gpu.spec()?.memory.ecc {
        Ok(())
    } else {
        Err(Code::NOT_SUPPORTED)
    }
}

/// Chips that remap rows retire no pages.
fn retires_pages(gpu: &Device) -> Result {
    needs_ecc(gpu)?;
    if gpu.spec()?.memory.row_remapping {
        Err(Code::NOT_SUPPORTED)
    } else {
        Ok(())
    }
}

/// How many pages have been retired for one cause.
pub(super) fn retired(gpu: &Device, cause: u32) -> Result<u32> {
    retires_pages(gpu)?;
    let values = gpu.values();
    match cause {
        SINGLE_BIT => Ok(values.and_then(|v| v.retired_single_bit).unwrap_or(0)),
        DOUBLE_BIT => Ok(values
            .and_then(|v| v.retired_double_bit)
            .unwrap_or_else(|| broken(gpu))),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// Whether pages wait for the GPU to be reset.
pub(super) fn retirement_pending(gpu: &Device) -> Result<bool> {
    retires_pages(gpu)?;
    let said = gpu.values().and_then(|values| values.retirement_pending);
    Ok(said.unwrap_or_else(|| broken(gpu) > 0))
}

/// The addresses of the pages that have been retired for one cause.
fn pages(gpu: &Device, cause: u32) -> Result<Vec<u64>> {
    const PAGE: u64 = 64 << 10;
    let all = (gpu.spec()?.memory.total_mib << 20) / PAGE;
    let page = |n: u32| {
        gpu.world
            .engine
            .identity(gpu.gpu, 1_000 * u64::from(cause + 1) + u64::from(n))
            % all
            * PAGE
    };
    Ok((0..retired(gpu, cause)?).map(page).collect())
}

/// Places in the memory with an error that could not be corrected: as many as can be replaced, at most.
fn broken(gpu: &Device) -> u32 {
    if needs_ecc(gpu).is_err() {
        return 0;
    }
    let errors = gpu.world.incidents(gpu.gpu, Incident::EccDoubleBit, None);
    errors.min(u64::from(MOST_REPLACED)) as u32
}

pub(super) fn remapped(gpu: &Device) -> Result<RemappedRows> {
    if !gpu.spec()?.memory.row_remapping {
        return Err(Code::NOT_SUPPORTED);
    }
    let (values, broken) = (gpu.values(), broken(gpu));
    let pending = values.and_then(|v| v.remapping_pending).unwrap_or(broken > 0);
    Ok(RemappedRows {
        corrected_active: values.and_then(|v| v.remapped_corrected).unwrap_or(0),
        corrected_inactive: 0,
        uncorrected_active: values.and_then(|v| v.remapped_uncorrected).unwrap_or(broken),
        uncorrected_inactive: 0,
        pending: u32::from(pending),
        failed: u32::from(values.and_then(|v| v.remapping_failed).unwrap_or(false)),
    })
}
