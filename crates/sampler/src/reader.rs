//! The reader thread of one GPU: the only place where NVML is asked about it.
//!
//! 1. Waits for a request; ends when its sampler abandoned it.
//! 2. At the first request, and until that succeeds, takes the handle and probes the static facts.
//! 3. Reads the fast group every time, the slow group when its interval has passed, and then also the facts again
//!    of which one is absent for a reason that may pass.
//! 4. Hands the answer over. A panic on the way is an answer too.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use gpulse_models::{
    Clocks, EccErrors, EccTotals, Failure, GpuFacts, PcieLink, Power, Reading, Reason, Sample, SlowSample,
    Timestamp, Utilization, microseconds,
};
use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{Clock, EccCounter, MemoryError, TemperatureSensor},
    error::NvmlError,
};

use crate::{
    asker::{Asker, failure},
    convert,
    port::{Answer, CurrentCall, ReaderPort},
    probe,
    processes::Processes,
};

/// The GPU's first fan stands for all of them.
const FIRST_FAN: u32 = 0;

/// Starts the reader thread of the GPU at `index`.
pub(crate) fn spawn(
    nvml: &'static Nvml,
    index: u32,
    slow_interval: Duration,
    processes: Processes,
    port: ReaderPort,
) -> io::Result<()> {
    let reader = Reader {
        nvml,
        index,
        slow_interval,
        call: port.call.clone(),
        asker: Asker::new(port.call.clone()),
        processes,
        device: None,
        slow: None,
    };
    thread::Builder::new()
        .name(format!("gpu-{index}"))
        .spawn(move || run(reader, &port))
        .map(drop)
}

fn run(mut reader: Reader, port: &ReaderPort) {
    while port.requests.recv().is_ok() {
        let outcome = catch_unwind(AssertUnwindSafe(|| reader.read()))
            .unwrap_or_else(|_| Err(failure(reader.call.get(), Reason::Error, "the call panicked")));
        let facts = reader.device.as_ref().map(|(_, facts)| Arc::clone(facts));
        if port
            .answers
            .blocking_send(Answer {
                reader: port.reader,
                facts,
                outcome,
            })
            .is_err()
        {
            return;
        }
    }
}

struct Reader {
    nvml: &'static Nvml,
    index: u32,
    slow_interval: Duration,
    call: CurrentCall,
    asker: Asker,
    processes: Processes,
    device: Option<(Device<'static>, Arc<GpuFacts>)>,
    slow: Option<(Instant, Arc<SlowSample>)>,
}

impl Reader {
    fn read(&mut self) -> Result<Arc<Sample>, Failure> {
        if self.device.is_none() {
            self.device = Some(self.probe()?);
        }
        let taken_at = microseconds(Timestamp::now());
        let Some((device, facts)) = &mut self.device else {
            return Err(failure("probe", Reason::NotReady, "the GPU was not probed"));
        };
        let now = Instant::now();
        let due = self
            .slow
            .as_ref()
            .is_none_or(|(read_at, _)| now.duration_since(*read_at) >= self.slow_interval);
        if due {
            if facts.is_provisional() {
                *facts = Arc::new(probe::facts(&mut self.asker, device, facts.id.as_str()));
            }
            let slow = read_slow(&mut self.asker, &mut self.processes, self.nvml, device, taken_at);
            self.slow = Some((now, Arc::new(slow)));
        }
        let Some((_, slow)) = &self.slow else {
            return Err(failure("probe", Reason::NotReady, "the slow group was not read"));
        };
        let sample = read_fast(&mut self.asker, device, taken_at, Arc::clone(slow));
        self.asker.finish().inspect_err(|_| self.slow = None)?;
        self.asker.end_probe();
        Ok(Arc::new(sample))
    }

    /// Takes the handle by index, which holds for this initialisation, and asks who it is.
    fn probe(&mut self) -> Result<(Device<'static>, Arc<GpuFacts>), Failure> {
        let refused =
            |call, error: NvmlError| failure(call, convert::reason_of_return(&error), &error.to_string());
        const HANDLE: &str = "nvmlDeviceGetHandleByIndex_v2";
        self.call.set(HANDLE);
        let device = self
            .nvml
            .device_by_index(self.index)
            .map_err(|error| refused(HANDLE, error))?;
        const UUID: &str = "nvmlDeviceGetUUID";
        self.call.set(UUID);
        let uuid = device.uuid().map_err(|error| refused(UUID, error))?;
        let facts = probe::facts(&mut self.asker, &device, &uuid);
        self.asker.finish()?;
        Ok((device, Arc::new(facts)))
    }
}

fn read_fast(asker: &mut Asker, device: &Device<'_>, taken_at: Timestamp, slow: Arc<SlowSample>) -> Sample {
    Sample {
        taken_at,
        utilization: utilization(asker, device),
        memory: asker.ask(
            "nvmlDeviceGetMemoryInfo_v2",
            || device.memory_info(),
            |info| convert::memory(&info),
        ),
        temperature: asker.ask(
            "nvmlDeviceGetTemperature",
            || device.temperature(TemperatureSensor::Gpu),
            convert::celsius,
        ),
        power: power(asker, device),
        clocks: clocks(asker, device),
        performance_state: asker.ask(
            "nvmlDeviceGetPerformanceState",
            || device.performance_state(),
            convert::performance_state,
        ),
        throttle_reasons: asker.ask(
            "nvmlDeviceGetCurrentClocksThrottleReasons",
            || convert::throttle_reasons(device.current_throttle_reasons_strict(), |flags| flags.bits()),
            Ok,
        ),
        fan_speed: asker.ask(
            "nvmlDeviceGetFanSpeed_v2",
            || device.fan_speed(FIRST_FAN),
            convert::percent,
        ),
        slow,
    }
}

fn utilization(asker: &mut Asker, device: &Device<'_>) -> Utilization {
    let rates = asker.ask(
        "nvmlDeviceGetUtilizationRates",
        || device.utilization_rates(),
        |rates| Ok((rates.gpu, rates.memory)),
    );
    let (gpu, memory) = match rates {
        Reading::Value((gpu, memory)) => (convert::percent(gpu).into(), convert::percent(memory).into()),
        Reading::Unavailable(reason) => (Reading::Unavailable(reason), Reading::Unavailable(reason)),
    };
    Utilization {
        gpu,
        memory,
        encoder: asker.ask(
            "nvmlDeviceGetEncoderUtilization",
            || device.encoder_utilization(),
            |encoder| convert::percent(encoder.utilization),
        ),
        decoder: asker.ask(
            "nvmlDeviceGetDecoderUtilization",
            || device.decoder_utilization(),
            |decoder| convert::percent(decoder.utilization),
        ),
    }
}

fn power(asker: &mut Asker, device: &Device<'_>) -> Power {
    Power {
        draw: asker.ask("nvmlDeviceGetPowerUsage", || device.power_usage(), convert::watts),
        management_limit: asker.ask(
            "nvmlDeviceGetPowerManagementLimit",
            || device.power_management_limit(),
            convert::watts,
        ),
        enforced_limit: asker.ask(
            "nvmlDeviceGetEnforcedPowerLimit",
            || device.enforced_power_limit(),
            convert::watts,
        ),
        total_energy: asker.ask(
            "nvmlDeviceGetTotalEnergyConsumption",
            || device.total_energy_consumption(),
            convert::joules,
        ),
    }
}

fn clocks(asker: &mut Asker, device: &Device<'_>) -> Clocks {
    let mut clock = |key, clock| asker.ask(key, || device.clock_info(clock), convert::megahertz);
    Clocks {
        graphics: clock("nvmlDeviceGetClockInfo(graphics)", Clock::Graphics),
        sm: clock("nvmlDeviceGetClockInfo(sm)", Clock::SM),
        memory: clock("nvmlDeviceGetClockInfo(memory)", Clock::Memory),
        video: clock("nvmlDeviceGetClockInfo(video)", Clock::Video),
    }
}

fn read_slow(
    asker: &mut Asker,
    processes: &mut Processes,
    nvml: &Nvml,
    device: &Device<'_>,
    taken_at: Timestamp,
) -> SlowSample {
    SlowSample {
        taken_at,
        pcie: PcieLink {
            generation: asker.ask(
                "nvmlDeviceGetCurrPcieLinkGeneration",
                || device.current_pcie_link_gen(),
                convert::small_number,
            ),
            width: asker.ask(
                "nvmlDeviceGetCurrPcieLinkWidth",
                || device.current_pcie_link_width(),
                convert::small_number,
            ),
        },
        ecc: EccTotals {
            volatile: ecc_errors(asker, device, EccCounter::Volatile),
            aggregate: ecc_errors(asker, device, EccCounter::Aggregate),
        },
        processes: processes.read(asker, nvml, device, taken_at),
    }
}

fn ecc_errors(asker: &mut Asker, device: &Device<'_>, counter: EccCounter) -> EccErrors {
    let (corrected, uncorrected) = match counter {
        EccCounter::Volatile => (
            "nvmlDeviceGetTotalEccErrors(corrected, volatile)",
            "nvmlDeviceGetTotalEccErrors(uncorrected, volatile)",
        ),
        EccCounter::Aggregate => (
            "nvmlDeviceGetTotalEccErrors(corrected, aggregate)",
            "nvmlDeviceGetTotalEccErrors(uncorrected, aggregate)",
        ),
    };
    EccErrors {
        corrected: asker.ask(
            corrected,
            || device.total_ecc_errors(MemoryError::Corrected, counter),
            convert::count,
        ),
        uncorrected: asker.ask(
            uncorrected,
            || device.total_ecc_errors(MemoryError::Uncorrected, counter),
            convert::count,
        ),
    }
}
