//! Counters go on: where the driver's begin anew, wrap, cannot be read, or are read by another thread.

use std::time::Duration;

use nvml_sim::faults::{Fault, Values};

use super::{
    gpu,
    look::at,
    number, quick, steady, until,
    watch::{RESETS, Watch},
};
use crate::support::{AgentBuilder, eventually};

fn restarted() -> Fault {
    Fault::everywhere().gpu(0).values(Values {
        counters_restart: true,
        ..Values::default()
    })
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
            assert!(
                simulator.truth(0).unwrap().pcie_tx_bytes > 1 << 32,
                "it has gone round"
            );
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
