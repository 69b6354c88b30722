//! Accounting: what processes did in their life, of those that have ended, too. Off unless the profile says otherwise.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::{AccountingStats, AccountingStatsV2};
use crate::engine::{Account, BUFFER, Run, percent};

/// `NVML_VALUE_NOT_AVAILABLE`: with MIG on, utilisation is not known.
const NOT_AVAILABLE: u32 = u32::MAX;

export! {
    device fn nvmlDeviceGetAccountingMode(mode: Out<u32>) |gpu| {
        mode.write(u32::from(gpu.spec()?.accounting))
    }

    device fn nvmlDeviceGetAccountingBufferSize(size: Out<u32>) |_gpu| {
        size.write(BUFFER as u32)
    }

    device fn nvmlDeviceGetAccountingPids(count: InOut<u32>, pids: Array<u32>) |gpu| {
        let list: Vec<u32> = runs(gpu)?.iter().map(|run| run.pid).collect();
        super::process::answer(gpu, &count, &pids, &list)
    }

    device fn nvmlDeviceGetAccountingStats(pid: u32, stats: Out<AccountingStats>) |gpu| {
        stats.write(short(gpu, &account(gpu, pid)?))
    }

    device fn nvmlDeviceGetAccountingStats_v2(stats: InOut<AccountingStatsV2>) |gpu| {
        let asked = stats.read()?;
        stats.write(long(gpu, &account(gpu, asked.pid)?)?)
    }
}

fn runs(gpu: &Device) -> Result<Vec<Run>> {
    if gpu.spec()?.accounting {
        Ok(gpu.world.engine.runs(gpu.gpu, gpu.now()))
    } else {
        Err(Code::NOT_SUPPORTED)
    }
}

/// The account of the latest process with an id.
pub(super) fn account(gpu: &Device, pid: u32) -> Result<Account> {
    let runs = runs(gpu)?;
    let run = runs.iter().rfind(|run| run.pid == pid).ok_or(Code::NOT_FOUND)?;
    let now = gpu.now();
    gpu.world
        .engine
        .account(gpu.gpu, *run, now)
        .ok_or(Code::NOT_FOUND)
}

pub(super) fn short(gpu: &Device, account: &Account) -> AccountingStats {
    let share = |share: f64| {
        if gpu.has_mig() {
            NOT_AVAILABLE
        } else {
            percent(share)
        }
    };
    AccountingStats {
        gpu_utilization: share(account.gpu),
        memory_utilization: share(account.memory),
        most_memory: account.most_memory,
        time_ms: account.run.end_s.map_or(0, |_| (account.seconds * 1e3) as u64),
        start_us: start_us(gpu, account),
        running: u32::from(account.run.end_s.is_none()),
        reserved: [0; 5],
    }
}

fn long(gpu: &Device, account: &Account) -> Result<AccountingStatsV2> {
    let AccountingStats {
        gpu_utilization,
        memory_utilization,
        most_memory,
        time_ms,
        start_us,
        running,
        ..
    } = short(gpu, account);
    // As many samples as there have been periods in its life; their sum is in hundredths of a percent.
    let samples = (account.seconds * 1e3 / f64::from(gpu.spec()?.sampling_period_ms)) as u32;
    let sum = |share: f64| (share * 1e4 * f64::from(samples)) as u64;
    Ok(AccountingStatsV2 {
        pid: account.run.pid,
        running,
        gpu_utilization,
        memory_utilization,
        most_memory,
        samples,
        gpu_sum: sum(account.gpu),
        memory_sum: sum(account.memory),
        time_ms,
        start_us,
    })
}

/// When a process started, in microseconds since 1970; some were there before the world was.
fn start_us(gpu: &Device, account: &Account) -> u64 {
    let epoch_s = gpu.world.clock.epoch_unix().as_secs_f64();
    ((epoch_s + account.run.start_s) * 1e6) as u64
}
