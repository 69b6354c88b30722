//! Fault lists: what they match, when, and how they are written and read.

use std::time::{Duration, Instant};

use super::*;

const S: Duration = Duration::from_secs(1);

fn live(faults: &[Fault]) -> (tempfile::TempDir, LiveFaults) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("faults.toml");
    std::fs::write(&path, render(faults).unwrap()).unwrap();
    let live = LiveFaults::new(path);
    live.refresh(Instant::now(), Duration::ZERO);
    (dir, live)
}

fn code(live: &LiveFaults, function: &str, gpu: Option<usize>, now: Duration) -> Option<u32> {
    live.decide(function, gpu, now, 1).and_then(|hit| hit.fault.code)
}

#[test]
fn the_first_match_decides() {
    let (_dir, live) = live(&[
        Fault::on("nvmlDeviceGetPower*").gpu(3).returns(3),
        Fault::on("nvmlDevice*").gpu(3).returns(15),
        Fault::on("nvmlInit*").returns(9),
    ]);
    assert_eq!(code(&live, "nvmlDeviceGetPowerUsage", Some(3), S), Some(3));
    assert_eq!(code(&live, "nvmlDeviceGetName", Some(3), S), Some(15));
    assert_eq!(code(&live, "nvmlDeviceGetName", Some(2), S), None);
    assert_eq!(code(&live, "nvmlInit_v2", None, S), Some(9));
    assert_eq!(code(&live, "nvmlSystemGetDriverVersion", None, S), None);
}

#[test]
fn windows_of_time_and_of_calls_open_and_close() {
    let (_dir, live) = live(&[
        Fault::on("a").start(S).stop(3 * S).returns(1),
        Fault::on("b").skip(2).times(2).returns(2),
    ]);
    assert_eq!(code(&live, "a", None, S / 2), None);
    assert_eq!(code(&live, "a", None, 2 * S), Some(1));
    assert_eq!(code(&live, "a", None, 3 * S), None);
    let hits: Vec<_> = (0..6).map(|_| code(&live, "b", None, S).is_some()).collect();
    assert_eq!(hits, [false, false, true, true, false, false]);
}

#[test]
fn probability_touches_about_its_share_and_repeats_with_the_seed() {
    let run = || {
        let (_dir, live) = live(&[Fault::on("a").probability(0.3).returns(1)]);
        (0..2000).filter(|_| code(&live, "a", None, S).is_some()).count()
    };
    let hits = run();
    assert!((450..750).contains(&hits), "{hits}");
    assert_eq!(hits, run());
}

#[test]
fn a_fault_about_events_only_leaves_calls_alone() {
    let (_dir, live) = live(&[
        Fault::everywhere().gpu(1).xid(13),
        Fault::on("*").gpu(1).returns(7),
    ]);
    assert_eq!(code(&live, "nvmlDeviceGetName", Some(1), S), Some(7));
    assert_eq!(
        live.in_force(S)
            .iter()
            .filter_map(|active| active.fault.event())
            .collect::<Vec<_>>(),
        [13]
    );
}

#[test]
fn a_changed_file_is_read_and_a_broken_one_is_not() {
    let (dir, live) = live(&[]);
    let path = dir.path().join("faults.toml");
    let write = |text: &str| {
        let new = dir.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, &path).unwrap();
        std::thread::sleep(2 * live::CHECK_EVERY);
        live.refresh(Instant::now(), S);
    };
    assert_eq!(code(&live, "a", None, S), None);
    write("[[fault]]\ncall = \"a\"\nreturn = 4");
    assert_eq!(code(&live, "a", None, S), Some(4));
    write("[[fault]]\ncall = \"a\"\nretrun = 5");
    assert_eq!(code(&live, "a", None, S), Some(4), "the previous list stays");
    std::fs::remove_file(&path).unwrap();
    std::thread::sleep(2 * live::CHECK_EVERY);
    live.refresh(Instant::now(), S);
    assert_eq!(code(&live, "a", None, S), None);
}

#[test]
fn what_is_written_is_what_is_read() {
    let faults = vec![
        Fault::on("nvmlDeviceGetPowerUsage").gpu(3).hang(),
        Fault::everywhere().gpu(1).lost().silent().start(S).stop(2 * S),
        Fault::on("x*")
            .delay(Duration::from_millis(150))
            .probability(0.5)
            .skip(3)
            .times(9),
        Fault::on("y").values(Values {
            power_mw: Some(1),
            process_name_bytes: Some(vec![255]),
            ..Values::default()
        }),
        Fault::everywhere().roster([1, 0]).mig_instances([]),
        Fault::everywhere().xid(48).per_second(1000),
        Fault::everywhere()
            .incident(Incident::NvlinkCrc)
            .link(3)
            .per_second(5),
    ];
    assert_eq!(parse(&render(&faults).unwrap()).unwrap(), faults);
}

#[test]
fn mistakes_are_named() {
    let problem = |text: &str| parse(text).unwrap_err();
    assert!(problem("[[fault]]\ncal = \"a\"").contains("cal"));
    assert!(problem("[[fault]]\nprobability = 2.0").contains("between 0 and 1"));
    assert!(problem("[[fault]]\nvalues.power = 1").contains("power_mw"));
    assert!(problem("[[fault]]\ndelay = \"soon\"").contains("delay"));
    assert!(problem("[[fault]]\nincident = \"ecc\"").contains("ecc-single-bit"));
    assert!(problem("[[fault]]\nincident = \"clock\"\nlink = 1").contains("NVLinks"));
    assert!(problem("[[fault]]\nper_second = 5").contains("incident"));
}
