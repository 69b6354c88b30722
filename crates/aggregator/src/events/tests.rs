//! Numbers that only grow, pages without gaps or repetitions, a ring that forgets and counters that do not.

use gpulse_models::{EventGpu, EventKind, GpuId, Reason, example};

use super::*;

fn gpu(index: u32) -> EventGpu {
    EventGpu {
        index,
        id: GpuId::unidentified(index),
        instance: None,
    }
}

fn xid(log: &EventLog, index: u32, code: u64) {
    log.append(example::at(), Some(gpu(index)), EventKind::Xid(Some(code)));
}

fn numbers(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|event| event.sequence).collect()
}

#[test]
fn an_empty_log_has_nothing_and_says_where_it_will_begin() {
    let page = EventLog::default().after(0, 10, None);
    assert_eq!(
        (page.events.len(), page.next, page.oldest, page.lost),
        (0, 0, 1, 0)
    );
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let log = EventLog::default();
    for code in 0..10 {
        xid(&log, 0, code);
    }
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = log.after(after, 3, None);
        if page.events.is_empty() {
            break;
        }
        assert!(page.events.len() <= 3 && page.lost == 0);
        seen.extend(numbers(&page));
        after = page.next;
    }
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_page_of_one_gpu_passes_over_the_others_and_does_not_look_at_them_again() {
    let log = EventLog::default();
    for code in 0..10 {
        xid(&log, u32::from(code % 2 == 0), code);
    }
    let page = log.after(0, 2, Some(1));
    assert_eq!((numbers(&page), page.next), (vec![1, 3], 3));
    let page = log.after(page.next, 100, Some(1));
    assert_eq!((numbers(&page), page.next), (vec![5, 7, 9], 10));
    let page = log.after(0, 100, Some(7));
    assert_eq!((numbers(&page), page.next), (vec![], 10));
}

#[test]
fn events_about_the_driver_are_in_no_page_of_a_gpu() {
    let log = EventLog::default();
    log.append(example::at(), None, EventKind::Driver(None));
    assert_eq!(log.after(0, 10, None).events.len(), 1);
    assert!(log.after(0, 10, Some(0)).events.is_empty());
}

#[test]
fn the_ring_forgets_says_how_much_and_the_counters_do_not() {
    let log = EventLog::default();
    let storm = EVENTS_KEPT as u64 * 3;
    for _ in 0..storm {
        xid(&log, 0, 31);
    }
    let page = log.after(10, 5, None);
    assert_eq!(page.oldest, storm - EVENTS_KEPT as u64 + 1);
    assert_eq!(page.lost, page.oldest - 1 - 10);
    assert_eq!(page.events[0].sequence, page.oldest);
    assert_eq!(log.after(0, usize::MAX, None).events.len(), EVENTS_KEPT);
    let counters = &log.totals().gpus[0].1;
    assert_eq!((counters.kinds["xid"], counters.xids[&31].count), (storm, storm));
}

#[test]
fn asking_for_no_events_leaves_the_place_where_it_was() {
    let log = EventLog::default();
    xid(&log, 0, 31);
    let page = log.after(0, 0, None);
    assert_eq!((page.events.len(), page.next), (0, 0));
}

#[test]
fn a_number_of_an_earlier_process_stands_for_the_beginning() {
    let log = EventLog::default();
    xid(&log, 0, 31);
    let page = log.after(5_000, 10, None);
    assert_eq!((numbers(&page), page.next, page.lost), (vec![1], 1, 0));
    assert_eq!(numbers(&log.after(u64::MAX, 10, None)), [1]);
}

#[test]
fn made_up_codes_do_not_fill_the_memory_and_are_counted() {
    let log = EventLog::default();
    for code in 0..1_000 {
        xid(&log, 0, code);
    }
    xid(&log, 0, 3);
    log.append(example::at(), Some(gpu(0)), EventKind::Xid(None));
    let counters = &log.totals().gpus[0].1;
    assert_eq!(counters.xids.len(), XIDS_COUNTED);
    assert_eq!((counters.xids[&3].count, counters.kinds["xid"]), (2, 1_002));
    assert_eq!(counters.other_xids, 1_001 - XIDS_COUNTED as u64);
}

#[test]
fn a_gpu_goes_by_the_name_it_said_last_and_is_unwatched_until_told() {
    let log = EventLog::default();
    log.know(0, &GpuId::unidentified(0));
    xid(&log, 0, 31);
    let id = example::facts(0).id;
    log.know(0, &id);
    let (gpu, counters) = &log.totals().gpus[0];
    assert_eq!((&gpu.id, counters.unwatched), (&id, Some(Reason::NotReady)));
    assert_eq!(counters.xids[&31].count, 1);
    log.watched(0, None);
    assert_eq!(log.totals().gpus[0].1.unwatched, None);
}

#[test]
fn counters_go_with_the_gpu_and_not_with_its_index() {
    let log = EventLog::default();
    let named = |index: u32| GpuId::from_uuid(&format!("GPU-{index}"));
    let xid_of = |index, id: &GpuId, code| {
        let gpu = EventGpu {
            index,
            id: id.clone(),
            instance: None,
        };
        log.append(example::at(), Some(gpu), EventKind::Xid(Some(code)));
    };
    for index in 0..3 {
        log.know(index, &named(index));
    }
    xid_of(1, &named(1), 79);
    xid_of(2, &named(2), 31);
    // GPU 1 fell off the bus: GPU 2 has its index, and reports something before it has said its name.
    log.leave();
    for index in 0..2 {
        log.know(index, &GpuId::unidentified(index));
    }
    xid_of(1, &GpuId::unidentified(1), 31);
    log.watched(1, None);
    log.know(0, &named(0));
    log.know(1, &named(2));
    let totals = log.totals();
    let of = |gpus: &[(EventGpu, EventCounters)]| -> Vec<_> {
        let xids = |counters: &EventCounters| -> Vec<_> {
            let xids = counters.xids.iter();
            xids.map(|(code, tally)| (*code, tally.count)).collect()
        };
        let gpus = gpus.iter();
        gpus.map(|(gpu, counters)| (gpu.index, gpu.id.to_string(), xids(counters)))
            .collect()
    };
    let present = [
        (0, "GPU-0".to_owned(), vec![]),
        (1, "GPU-2".to_owned(), vec![(31, 2)]),
    ];
    assert_eq!(of(&totals.gpus), present);
    assert_eq!(of(&totals.gone), [(1, "GPU-1".to_owned(), vec![(79, 1)])]);
    assert_eq!(totals.gpus[1].1.unwatched, None);
    assert_eq!(totals.gpus[1].1.last_xid.unwrap().sequence, 3);
    // It is back, elsewhere.
    log.know(2, &GpuId::unidentified(2));
    log.know(2, &named(1));
    assert_eq!(of(&log.totals().gpus)[2], (2, "GPU-1".to_owned(), vec![(79, 1)]));
    assert!(log.totals().gone.is_empty());
}

#[test]
fn whoever_waits_is_told_of_the_latest_number_and_of_nothing_else() {
    let log = EventLog::default();
    let mut follower = log.follow();
    log.know(0, &GpuId::unidentified(0));
    log.append_all([]);
    assert!(!follower.has_changed().unwrap());
    xid(&log, 0, 79);
    log.append_all([
        (example::at(), gpu(0), EventKind::Xid(Some(48))),
        (example::at(), gpu(0), EventKind::Clock),
    ]);
    assert!(follower.has_changed().unwrap());
    assert_eq!((*follower.borrow_and_update(), log.newest()), (3, 3));
}
