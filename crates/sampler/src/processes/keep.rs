//! Bounds the list: who holds the most memory is described, of the others there is a sum.

use std::cmp::Reverse;

use gpulse_models::{BriefProcess, Bytes, GpuProcess, OtherProcesses, Reading, Reason};

/// Processes of one GPU that are named at most. Each holds a context of many megabytes: no GPU has room for so many.
pub(super) const MAX_NAMED: usize = 1_024;

/// Who is described, by pid, and what is said of the others.
pub(super) fn keep(mut listed: Vec<GpuProcess>, most: usize) -> (Vec<GpuProcess>, Option<OtherProcesses>) {
    let most = most.min(MAX_NAMED);
    // Unknown memory comes last; of equals the older pid stays, so that the choice does not flicker.
    listed.sort_by_key(|process| {
        (
            Reverse(process.used_memory.value().map(|bytes| bytes.0)),
            process.pid,
        )
    });
    let rest = listed.split_off(most.min(listed.len()));
    listed.sort_by_key(|process| process.pid);
    let other = (!rest.is_empty()).then(|| other(rest, MAX_NAMED - most));
    (listed, other)
}

fn other(rest: Vec<GpuProcess>, named: usize) -> OtherProcesses {
    let known: Vec<u64> = rest
        .iter()
        .filter_map(|process| process.used_memory.value())
        .map(|bytes| bytes.0)
        .collect();
    let reason = rest.iter().find_map(|process| process.used_memory.reason());
    let used_memory = match (known.is_empty(), reason) {
        (true, reason) => Reading::Unavailable(reason.unwrap_or(Reason::Error)),
        (false, _) => Reading::Value(Bytes(
            known.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes)),
        )),
    };
    let (count, with_memory) = (rest.len() as u64, known.len() as u64);
    let mut brief: Vec<_> = rest
        .into_iter()
        .take(named)
        .map(|process| BriefProcess {
            pid: process.pid,
            name: process.name,
            used_memory: process.used_memory,
        })
        .collect();
    brief.sort_by_key(|process| process.pid);
    OtherProcesses {
        count,
        used_memory,
        count_without_memory: count - with_memory,
        brief,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpulse_models::example;
    use proptest::prelude::*;

    fn process(pid: u32, used: Option<u64>) -> GpuProcess {
        GpuProcess {
            pid,
            used_memory: used.map(Bytes).ok_or(Reason::NotSupported).into(),
            ..example::processes().processes.remove(0)
        }
    }

    fn pids(listed: &[GpuProcess]) -> Vec<u32> {
        listed.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn those_with_the_most_memory_are_described_and_the_others_summed() {
        let listed = vec![
            process(1, Some(5)),
            process(2, Some(50)),
            process(3, None),
            process(4, Some(7)),
            process(5, Some(60)),
        ];
        let (described, other) = keep(listed, 2);
        assert_eq!(pids(&described), [2, 5]);
        let other = other.unwrap();
        assert_eq!((other.count, other.count_without_memory), (3, 1));
        assert_eq!(other.used_memory, Reading::Value(Bytes(12)));
        let named: Vec<_> = other.brief.iter().map(|process| process.pid).collect();
        assert_eq!(named, [1, 3, 4]);
    }

    #[test]
    fn a_sum_of_nothing_known_is_not_zero() {
        let (_, other) = keep(vec![process(1, None), process(2, None)], 1);
        assert_eq!(
            other.unwrap().used_memory,
            Reading::Unavailable(Reason::NotSupported)
        );
    }

    #[test]
    fn where_all_have_room_there_are_no_others() {
        let (described, other) = keep(vec![process(2, None), process(1, None)], 2);
        assert_eq!((pids(&described), other), (vec![1, 2], None));
    }

    proptest! {
        #[test]
        fn nobody_is_lost_and_the_list_is_bounded(memory in prop::collection::vec(prop::option::of(any::<u64>()), 0..1_200), most in 1usize..1_500) {
            let listed: Vec<_> = (0..).zip(&memory).map(|(pid, used)| process(pid, *used)).collect();
            let (described, other) = keep(listed, most);
            let (count, named) = other.as_ref().map_or((0, 0), |other| (other.count, other.brief.len()));
            prop_assert_eq!(described.len() as u64 + count, memory.len() as u64);
            prop_assert!(described.len() <= most && described.len() + named <= MAX_NAMED);
            prop_assert_eq!(described.len() + named, memory.len().min(MAX_NAMED));
        }
    }
}
