//! Counters go on: where the driver's begin anew, wrap, cannot be read, or are read by another thread.

use std::time::Duration;

use nvml_sim::faults::{Fault, Values};
use serde_json::Value;

use super::{gpu, look::at, number, quick, steady, until};
use crate::support::{Agent, AgentBuilder, eventually};

/// Counters of a GPU under load.
const TOTALS: [&str; 6] = [
    "power.energy_joules_total",
    "pcie.sent_bytes_total",
    "pcie.received_bytes_total",
    "nvlink.links.0.sent_bytes_total",
    "nvlink.links.17.received_bytes_total",
    "clocks.lowered.application_clocks_seconds_total",
];

/// Rates, and more than there can be: 700 W and a little, 64 GB/s over PCIe, 450 GB/s over NVLink.
const RATES: [(&str, f64); 5] = [
    ("power.mean_watts", 1_400.0),
    ("pcie.sent_bytes_per_second", 64e9),
    ("pcie.received_bytes_per_second", 64e9),
    ("nvlink.sent_bytes_per_second", 450e9),
    ("nvlink.links.0.sent_bytes_per_second", 25e9),
];

const RESETS: [&str; 4] = [
    "power.energy_resets_total",
    "pcie.resets_total",
    "nvlink.links.0.resets_total",
    "nvlink.links.17.resets_total",
];

fn restarted() -> Fault {
    Fault::everywhere().gpu(0).values(Values {
        counters_restart: true,
        ..Values::default()
    })
}

/// Looks at one sample after the other: no total goes back, and no rate is absurd.
#[derive(Default)]
struct Watch {
    totals: [f64; TOTALS.len()],
    resets: [f64; RESETS.len()],
}

impl Watch {
    #[track_caller]
    fn see(&mut self, gpu: &Value) {
        let pairs = TOTALS.iter().zip(&mut self.totals);
        for (path, before) in pairs.chain(RESETS.iter().zip(&mut self.resets)) {
            let Some(now) = at(gpu, path).as_f64() else {
                continue;
            };
            assert!(now >= *before, "{path} went from {before} back to {now}");
            *before = now;
        }
        for (path, most) in RATES {
            if let Some(rate) = at(gpu, path).as_f64() {
                assert!((0.0..most).contains(&rate), "{path} is {rate}");
            }
        }
    }

    /// Sees every sample until `holds` is true of one.
    #[track_caller]
    fn until(&mut self, agent: &Agent, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(
            what,
            || {
                let now = gpu(agent, 0);
                self.see(&now);
                now
            },
            holds,
        )
    }

    /// Sees so many further samples.
    #[track_caller]
    fn samples(&mut self, agent: &Agent, count: u64) -> Value {
        let first = gpu(agent, 0)["sequence"].as_u64().unwrap();
        self.until(agent, "further samples", |gpu| {
            gpu["sequence"].as_u64() >= Some(first + count)
        })
    }
}

#[test]
fn what_begins_anew_is_counted_on_and_told() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let mut watch = Watch::default();
    watch.samples(&agent, 5);
    assert_eq!(watch.resets, [0.0; RESETS.len()]);
    for times in [1.0, 2.0] {
        // A fault that differs from the one before is a new one, and all counters begin anew with it.
        let again = restarted().stop(Duration::from_secs(3_600).mul_f64(times));
        simulator.set_faults(&[again]).unwrap();
        // Of energy there is one counter, of PCIe and of each link one for each direction.
        let expected = [times, 2.0 * times, 2.0 * times, 2.0 * times];
        watch.until(&agent, "the restart is told", |gpu| {
            RESETS.map(|path| at(gpu, path).as_f64().unwrap_or(0.0)) == expected
        });
        watch.samples(&agent, 5);
        assert_eq!(watch.resets, expected, "once, and not at each tick");
    }
}

#[test]
fn resets_that_were_told_stay_told_while_their_counter_cannot_be_read() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let mut watch = Watch::default();
    watch.samples(&agent, 3);
    simulator.set_faults(&[restarted()]).unwrap();
    watch.until(&agent, "the restart is told", |gpu| {
        at(gpu, "pcie.resets_total").as_u64() >= Some(2)
    });
    // Replays can be read still, so that there is a number: it must not be that of the replays alone.
    simulator
        .set_faults(&[
            Fault::on("nvmlDeviceGetFieldValues").gpu(0).returns(999),
            restarted(),
        ])
        .unwrap();
    let failing = watch.until(&agent, "the fields fail", |gpu| {
        gpu["unavailable"]["pcie.sent_bytes_total"] == "error"
    });
    assert!(number(&failing, "pcie.resets_total") >= 2.0);
    assert_eq!(failing["pcie"]["rate_source"], "sampled");
}

#[test]
fn a_counter_of_32_bits_makes_no_total_and_no_rate() {
    let narrow = steady()
        .overrides(
            "count = 1\ngpu.work = \"waveform\"\ngpu.pcie.counter_bits = 32\n\
             gpu.waveform = { shape = \"square\", frequency_hz = 1.0, low = 0.9, high = 1.0 }",
        )
        .unwrap();
    let simulator = narrow.start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let truth = |_: &Value| simulator.truth(0).unwrap();
    let mut sampled = 0;
    eventually(
        "thirty samples",
        || {
            let now = gpu(&agent, 0);
            for direction in ["sent", "received"] {
                let total = format!("pcie.{direction}_bytes_total");
                assert!(at(&now, &total).is_null(), "{total} is {}", at(&now, &total));
                assert_eq!(now["unavailable"][&total], "error");
                if let Some(rate) = at(&now, &format!("pcie.{direction}_bytes_per_second")).as_f64() {
                    assert_eq!(now["pcie"]["rate_source"], "sampled");
                    // What goes over the link at full load, which both directions of this simulator stay below.
                    assert!(rate > 0.0 && rate < 5e9, "{direction}: {rate}");
                    sampled += 1;
                }
            }
            assert!(truth(&now).pcie_tx_bytes > 1 << 32, "it has gone round");
            now["sequence"].as_u64().unwrap()
        },
        |sequence| *sequence >= 30,
    );
    assert!(sampled > 0);
}

#[test]
fn another_reader_counts_on() {
    let simulator = steady().start().unwrap();
    let agent = AgentBuilder::over(simulator.library_path())
        .interval("40ms")
        .variable("GPULSE_SAMPLER__SLOW_INTERVAL", "40ms")
        .variable("GPULSE_SAMPLER__DEADLINE", "300ms")
        .start();
    agent.wait_until_ready();
    let mut watch = Watch::default();
    let before = watch.samples(&agent, 5);
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetPowerUsage").gpu(0).hang()])
        .unwrap();
    until(&agent, 0, "it hangs", |gpu| gpu["state"] == "hung");
    simulator.clear_faults().unwrap();
    let after = watch.until(&agent, "it is read again", |gpu| {
        gpu["state"] == "ok" && gpu["sequence"].as_u64() > before["sequence"].as_u64()
    });
    // The energy since then is the driver's own: nothing was counted twice, and nothing left out.
    let (counted, driver) = ("power.energy_joules_total", "power.driver_energy_joules");
    let grown = |path: &str| number(&after, path) - number(&before, path);
    assert!(grown(driver) > 0.0);
    assert!(
        (grown(counted) - grown(driver)).abs() < 0.01,
        "{} counted, {} by the driver",
        grown(counted),
        grown(driver)
    );
    assert_eq!(number(&after, "power.energy_resets_total"), 0.0);
    assert_eq!(number(&after, "nvlink.links.0.resets_total"), 0.0);
    watch.samples(&agent, 5);
}

#[test]
fn a_link_goes_down_comes_up_and_counts_on() {
    let down = |links: &[u32]| {
        Fault::everywhere().gpu(0).values(Values {
            nvlink_down: Some(links.to_vec()),
            ..Values::default()
        })
    };
    // Link 3 is down from the start, which must not keep it from being read later.
    let simulator = steady().faults(&[down(&[3])]).start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let first = gpu(&agent, 0);
    assert_eq!(first["nvlink"]["active_links"], 17);
    let link = &first["nvlink"]["links"][3];
    assert_eq!(link["state"], "down");
    for key in ["sent_bytes_total", "speed_mbps", "version", "remote_pci_bus_id"] {
        assert_eq!(first["unavailable"][format!("nvlink.links.3.{key}")], "not_ready");
    }
    simulator.clear_faults().unwrap();
    let mut watch = Watch::default();
    let up = watch.until(&agent, "all of it is up and read", |gpu| {
        let link = &gpu["nvlink"]["links"][3];
        gpu["nvlink"]["active_links"] == 18 && link["sent_bytes_per_second"].is_number()
    });
    let link = &up["nvlink"]["links"][3];
    for key in [
        "speed_mbps",
        "sent_bytes_total",
        "received_bytes_total",
        "crc_errors_total",
        "replay_errors_total",
        "recovery_errors_total",
    ] {
        assert!(link[key].is_number(), "{key}: {link}");
    }
    assert_eq!(link["remote_type"], "switch");
    simulator.set_faults(&[down(&[0, 5])]).unwrap();
    let less = watch.until(&agent, "two are down", |gpu| gpu["nvlink"]["active_links"] == 16);
    assert!(
        less["nvlink"]["sent_bytes_per_second"].is_number(),
        "the others carry on: {}",
        less["unavailable"]
    );
    simulator.clear_faults().unwrap();
    watch.until(&agent, "they are up again", |gpu| {
        gpu["nvlink"]["active_links"] == 18 && at(gpu, "nvlink.links.0.sent_bytes_total").is_number()
    });
    watch.samples(&agent, 3);
}

#[test]
fn what_a_link_is_is_asked_for_again_where_the_call_failed() {
    let simulator = steady()
        .faults(&[Fault::on("nvmlDeviceGetNvLinkVersion").gpu(0).returns(999)])
        .start()
        .unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let first = gpu(&agent, 0);
    assert_eq!(first["unavailable"]["nvlink.links.0.version"], "error");
    simulator.clear_faults().unwrap();
    until(&agent, 0, "the version is there", |gpu| {
        at(gpu, "nvlink.links.0.version") == "4.0"
    });
    let asked = simulator.calls("nvmlDeviceGetNvLinkVersion", Some(0));
    let ticks = simulator.calls("nvmlDeviceGetPowerUsage", Some(0));
    eventually(
        "ten ticks",
        || simulator.calls("nvmlDeviceGetPowerUsage", Some(0)),
        |now| *now >= ticks + 10,
    );
    let more = simulator.calls("nvmlDeviceGetNvLinkVersion", Some(0)) - asked;
    assert!(more <= 18, "{more} calls for what is known");
}

#[test]
fn one_link_that_does_not_say_its_state_makes_no_sum_of_the_rest() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    // The first link answers, some of the others do not: the number of links that are up is not known.
    simulator
        .set_faults(&[Fault::on("nvmlDeviceGetNvLinkState")
            .gpu(0)
            .probability(0.2)
            .returns(999)])
        .unwrap();
    let torn = until(&agent, 0, "a link fails and the first does not", |gpu| {
        gpu["nvlink"]["links"]
            .as_array()
            .is_some_and(|links| links.iter().any(|link| link["state"].is_null()))
    });
    for path in ["nvlink.active_links", "nvlink.sent_bytes_per_second"] {
        assert_eq!(torn["unavailable"][path], "error", "{path}: {}", at(&torn, path));
    }
    simulator.clear_faults().unwrap();
    until(&agent, 0, "all answer", |gpu| gpu["nvlink"]["active_links"] == 18);
}

#[test]
fn a_driver_that_hides_the_counters_for_a_moment_does_not_make_a_jump() {
    let simulator = steady().start().unwrap();
    let agent = quick(&simulator).start();
    agent.wait_until_ready();
    let mut watch = Watch::default();
    watch.samples(&agent, 3);
    simulator
        .set_faults(&[
            Fault::on("nvmlDeviceGetTotalEnergyConsumption").returns(999),
            Fault::on("nvmlDeviceGetFieldValues")
                .returns(999)
                .stop(Duration::from_millis(400)),
        ])
        .unwrap();
    watch.until(&agent, "it is hidden", |gpu| {
        gpu["unavailable"]["power.energy_joules_total"] == "error"
    });
    watch.samples(&agent, 5);
    simulator.clear_faults().unwrap();
    let back = watch.until(&agent, "it is back", |gpu| {
        at(gpu, "power.mean_watts").is_number() && at(gpu, "nvlink.links.0.sent_bytes_per_second").is_number()
    });
    assert_eq!(number(&back, "power.energy_resets_total"), 0.0);
}
