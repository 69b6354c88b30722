//! The sample of the example.

use std::sync::Arc;

use super::{at, processes};
use crate::{
    Activity, Bytes, BytesPerSecond, Celsius, Clocks, Fabric, Fan, FramesPerSecond, Joules, Load,
    LoadInterval, Megabits, Megahertz, Memory, Microseconds, Mig, Modes, Nvlink, NvlinkLink, PciBusId, Pcie,
    Percent, PercentSpread, PerformanceState, Power, ProcessTable,
    Reading::{self, Value},
    Reason, Reliability, RemappedRows, Revolutions, Sample, Seconds, Sessions, SramErrors, Thermal,
    ThrottleReasons, Timed, Violations, Watts, WattsSpread,
    catalogue::Catalogued,
};

/// A sample in which nothing that old clients read is absent, and else only what a board with fans, without MIG and
/// without a module does not have.
pub fn sample() -> Sample {
    Sample {
        taken_at: at(),
        load: read(load()),
        activity: read(activity()),
        memory: read(memory()),
        power: read(power()),
        thermal: read(thermal()),
        clocks: read(clocks()),
        mig: read(Mig::absent(Reason::NotSupported)),
        pcie: read(pcie()),
        nvlink: read(nvlink()),
        reliability: read(reliability()),
        modes: read(modes()),
        sessions: read(sessions()),
        processes: read(ProcessTable {
            list: Value(processes()),
        }),
    }
}

fn read<T>(readings: T) -> Arc<Timed<T>> {
    let read_at = Some(at());
    Arc::new(Timed { read_at, readings })
}

fn share(percent: f64) -> Reading<Percent> {
    Value(Percent(percent))
}

fn rate(megabytes: f64) -> Reading<BytesPerSecond> {
    Value(BytesPerSecond(megabytes * 1e6))
}

fn load() -> Load {
    let spread = |mean: f64, most: f64| PercentSpread {
        mean_percent: share(mean),
        min_percent: share(mean / 2.0),
        max_percent: share(most),
        p95_percent: share(most),
        samples: Value(6),
        covered_seconds: Value(Seconds(1.0)),
    };
    Load {
        gpu_percent: share(75.0),
        memory_percent: share(60.0),
        encoder_percent: share(5.0),
        decoder_percent: share(7.0),
        jpeg_percent: share(0.0),
        ofa_percent: share(0.0),
        interval: LoadInterval {
            gpu: spread(74.0, 99.0),
            memory: spread(58.0, 66.0),
            encoder: spread(5.0, 6.0),
            decoder: spread(7.0, 8.0),
        },
    }
}

fn activity() -> Activity {
    Activity {
        over_seconds: Value(Seconds(1.0)),
        graphics_percent: share(74.5),
        sm_percent: share(70.0),
        sm_occupancy_percent: share(31.5),
        integer_percent: share(12.0),
        tensor_percent: share(38.0),
        tensor_fp64_percent: share(0.0),
        tensor_fp16_percent: share(38.0),
        tensor_integer_percent: share(0.0),
        dram_percent: share(46.0),
        fp64_percent: share(0.0),
        fp32_percent: share(9.0),
        fp16_percent: share(1.5),
        pcie_sent_bytes_per_second: rate(120.0),
        pcie_received_bytes_per_second: rate(480.0),
        nvlink_sent_bytes_per_second: rate(9_600.0),
        nvlink_received_bytes_per_second: rate(9_500.0),
    }
}

fn memory() -> Memory {
    Memory {
        total_bytes: Value(Bytes(80 << 30)),
        used_bytes: Value(Bytes(40 << 30)),
        free_bytes: Value(Bytes(40 << 30)),
        reserved_bytes: Value(Bytes(512 << 20)),
        bar1_total_bytes: Value(Bytes(128 << 30)),
        bar1_used_bytes: Value(Bytes(1 << 20)),
        bar1_free_bytes: Value(Bytes((128 << 30) - (1 << 20))),
        unified: Value(false),
    }
}

fn power() -> Power {
    let watts = |watts| Value(Watts(watts));
    Power {
        draw_watts: watts(350.0),
        average_watts: watts(350.0),
        instant_watts: watts(362.5),
        mean_watts: watts(348.0),
        management_limit_watts: watts(700.0),
        enforced_limit_watts: watts(700.0),
        driver_energy_joules: Value(Joules(1_234_567.891)),
        energy_joules_total: Value(Joules(2_234_567.891)),
        energy_resets_total: Value(1),
        source: Value("ac".into()),
        interval: WattsSpread {
            mean_watts: watts(347.5),
            min_watts: watts(300.0),
            max_watts: watts(395.0),
            p95_watts: watts(390.0),
            samples: Value(50),
            covered_seconds: Value(Seconds(1.0)),
        },
        ..Power::absent(Reason::NotSupported)
    }
}

fn thermal() -> Thermal {
    let fan = |index| Fan {
        index: Value(index),
        speed_percent: share(50.0),
        target_percent: share(50.0),
        speed_rpm: Value(Revolutions(2_400)),
        policy: Value("automatic".into()),
    };
    Thermal {
        gpu_celsius: Value(Celsius(65.0)),
        memory_celsius: Value(Celsius(72.0)),
        margin_celsius: Value(Celsius(20.0)),
        fans: Value(vec![fan(0), fan(1)]),
    }
}

fn clocks() -> Clocks {
    let clock = |mhz| Value(Megahertz(mhz));
    let seconds = |seconds| Value(Seconds(seconds));
    Clocks {
        graphics_mhz: clock(1_410.0),
        sm_mhz: clock(1_410.0),
        memory_mhz: clock(1_215.0),
        video_mhz: clock(1_200.0),
        application_graphics_mhz: clock(1_755.0),
        application_memory_mhz: clock(1_593.0),
        performance_state: Value(PerformanceState::P(0)),
        event_reasons: Value(ThrottleReasons(0x4)),
        lowered: Violations {
            power_seconds_total: seconds(12.5),
            thermal_seconds_total: seconds(0.0),
            sync_boost_seconds_total: seconds(0.0),
            board_limit_seconds_total: seconds(0.0),
            low_utilization_seconds_total: seconds(3.0),
            reliability_seconds_total: seconds(0.0),
            application_clocks_seconds_total: seconds(0.0),
            base_clocks_seconds_total: seconds(0.0),
            resets_total: Value(0),
        },
    }
}

fn pcie() -> Pcie {
    Pcie {
        generation: Value(5),
        width: Value(16),
        lane_mbps: Value(Megabits(32_000)),
        sent_bytes_total: Value(Bytes(1_200_000_000)),
        received_bytes_total: Value(Bytes(4_800_000_000)),
        sent_bytes_per_second: rate(120.0),
        received_bytes_per_second: rate(480.0),
        rate_source: Value("counters".into()),
        replays_total: Value(0),
        resets_total: Value(0),
    }
}

/// Two links to one switch.
fn nvlink() -> Nvlink {
    let switch = || "0000:c1:00.0".parse::<PciBusId>().map_err(|_| Reason::Error);
    let link = |index| NvlinkLink {
        index: Value(index),
        state: Value("up".into()),
        version: Value("4.0".into()),
        speed_mbps: Value(Megabits(200_000)),
        remote_type: Value("switch".into()),
        remote_pci_bus_id: switch().into(),
        sent_bytes_total: Value(Bytes(48_000_000_000)),
        received_bytes_total: Value(Bytes(47_500_000_000)),
        sent_bytes_per_second: rate(4_800.0),
        received_bytes_per_second: rate(4_750.0),
        crc_errors_total: Value(0),
        replay_errors_total: Value(0),
        recovery_errors_total: Value(0),
        resets_total: Value(0),
    };
    Nvlink {
        active_links: Value(2),
        sent_bytes_per_second: rate(9_600.0),
        received_bytes_per_second: rate(9_500.0),
        links: Value(vec![link(0), link(1)]),
    }
}

fn reliability() -> Reliability {
    Reliability {
        ecc_enabled: Value(true),
        ecc_enabled_after_reset: Value(true),
        corrected_volatile: Value(3),
        uncorrected_volatile: Value(0),
        corrected_aggregate: Value(3),
        uncorrected_aggregate: Value(0),
        sram: SramErrors {
            corrected_volatile: Value(0),
            corrected_aggregate: Value(0),
            uncorrected_parity_volatile: Value(0),
            uncorrected_secded_volatile: Value(0),
            uncorrected_parity_aggregate: Value(0),
            uncorrected_secded_aggregate: Value(0),
            threshold_exceeded: Value(false),
        },
        remapped_rows: RemappedRows {
            corrected: Value(0),
            uncorrected: Value(0),
            pending: Value(false),
            failed: Value(false),
            banks_max_spare: Value(640),
            banks_high_spare: Value(0),
            banks_partial_spare: Value(0),
            banks_low_spare: Value(0),
            banks_no_spare: Value(0),
        },
        recovery_action: Value("none".into()),
        fabric: Fabric::absent(Reason::NotSupported),
        ..Reliability::absent(Reason::NotSupported)
    }
}

fn modes() -> Modes {
    Modes {
        persistence: Value(true),
        compute_mode: Value("default".into()),
        display_active: Value(false),
        display_connected: Value(false),
        virtualization: Value("none".into()),
        vgpu_license_supported: Value(false),
        license_features: Value(Vec::new()),
        accounting: Value(false),
        chip_to_chip: Value(false),
        confidential_compute: Value("off".into()),
        protected_memory_bytes: Value(Bytes(0)),
        unprotected_memory_bytes: Value(Bytes(80 << 30)),
        ..Modes::absent(Reason::NotSupported)
    }
}

fn sessions() -> Sessions {
    Sessions {
        encoder_sessions: Value(1),
        encoder_average_fps: Value(FramesPerSecond(60)),
        encoder_latency_microseconds: Value(Microseconds(1_800)),
        capture_sessions: Value(0),
        capture_average_fps: Value(FramesPerSecond(0)),
        capture_latency_microseconds: Value(Microseconds(0)),
        vgpus: Value(Vec::new()),
        accounts: Value(Vec::new()),
    }
}
