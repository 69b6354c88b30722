//! Says of each absent reading why: absent is not zero, and a series that is missing does not tell.

use std::{collections::BTreeSet, sync::LazyLock};

use gpulse_models::Reason;

use super::super::row::{Labelled, OnFirst};
use crate::{
    family::{Family, Kind, Sink},
    seen::CATALOGUE,
};

const UNAVAILABLE: (&str, &str) = (
    "gpulse_reading_unavailable",
    "1 for each reading that is absent, and why. What is absent as a whole for one reason has one series.",
);

/// A stretch of readings that are one part: where it ends, and its path.
type Stretch = (usize, &'static str);

/// The parts that begin at each reading, the widest first; the reading itself is the last.
static STRETCHES: LazyLock<Vec<Vec<Stretch>>> = LazyLock::new(stretches);

pub(super) fn expose(gpus: &[Labelled<'_, '_>], sink: &mut dyn Sink) {
    let family = Family::new(Kind::Gauge, UNAVAILABLE.0, UNAVAILABLE.1);
    let mut family = OnFirst::new(&family, sink);
    for gpu in gpus {
        for (path, reason) in absent(gpu) {
            family.series(&gpu.labels, &[("metric", path), ("reason", reason.as_str())], 1.0);
        }
    }
}

/// What is absent of a GPU, by the highest path below which everything is for one reason. A part of a list, such as one
/// link of many, goes by the name that all of them have, once for each reason.
fn absent(gpu: &Labelled<'_, '_>) -> BTreeSet<(&'static str, Reason)> {
    let cells = &CATALOGUE.leaves[..CATALOGUE.scalars()];
    let reasons: Vec<_> = cells.iter().map(|leaf| gpu.seen.cell(leaf.id).reason()).collect();
    let mut absent = BTreeSet::new();
    let mut place = 0;
    while let Some(reason) = reasons.get(place) {
        let Some(reason) = *reason else {
            place += 1;
            continue;
        };
        let alike = |(end, _): &&Stretch| reasons[place..*end].iter().all(|other| *other == Some(reason));
        let Some(&(end, path)) = STRETCHES[place].iter().find(alike) else {
            break;
        };
        absent.insert((path, reason));
        place = end;
    }
    for list in CATALOGUE.lists() {
        for item in gpu.seen.items(list.id) {
            for leaf in list.leaves() {
                if let Some(reason) = item.cell(leaf).reason() {
                    absent.insert((CATALOGUE.at(leaf).path.as_str(), reason));
                }
            }
        }
    }
    absent
}

fn stretches() -> Vec<Vec<Stretch>> {
    let leaves = &CATALOGUE.leaves[..CATALOGUE.scalars()];
    let within = |path: &str, part: &str| {
        path.strip_prefix(part)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let begin = |place: usize| {
        let path = leaves[place].path.as_str();
        let dots = path.match_indices('.').map(|(dot, _)| dot);
        let parts = dots.chain([path.len()]).map(|end| &path[..end]);
        let first = move |part: &&str| place == 0 || !within(&leaves[place - 1].path, part);
        let stretch = |part: &'static str| {
            let length = leaves[place..]
                .iter()
                .take_while(|leaf| within(&leaf.path, part))
                .count();
            (place + length, part)
        };
        parts.filter(first).map(stretch).collect()
    };
    (0..leaves.len()).map(begin).collect()
}

#[cfg(test)]
mod tests {
    use gpulse_models::{Activity, GpuState, Percent, Reading, Timed, catalogue::Catalogued as _, example};

    use super::*;
    use crate::{family::Labels, seen::Seen};

    fn absent_of(gpu: &gpulse_models::GpuSnapshot) -> BTreeSet<(&'static str, Reason)> {
        let seen = Seen::of(gpu);
        absent(&Labelled {
            seen: &seen,
            labels: Labels::default(),
            instances: Vec::new(),
        })
    }

    #[test]
    fn what_is_absent_as_a_whole_is_named_once() {
        let mut gpu = example::gpu(0);
        let mut sample = example::sample();
        sample.activity = Timed::<Activity>::absent(Reason::NotSupported);
        gpu.sample = Some(sample.clone().into());
        assert!(absent_of(&gpu).contains(&("activity", Reason::NotSupported)));

        let mut some = Activity::absent(Reason::NotSupported);
        some.graphics_percent = Reading::Value(Percent(5.0));
        sample.activity = Timed {
            read_at: None,
            readings: some,
        }
        .into();
        gpu.sample = Some(sample.into());
        let absent = absent_of(&gpu);
        assert!(!absent.contains(&("activity", Reason::NotSupported)));
        assert!(absent.contains(&("activity.sm_percent", Reason::NotSupported)));
        assert!(
            !absent
                .iter()
                .any(|(path, _)| *path == "activity.graphics_percent")
        );
    }

    #[test]
    fn of_a_hung_gpu_each_group_is_absent_and_what_it_is_stays() {
        let mut gpu = example::gpu(0);
        gpu.health.state = GpuState::Hung;
        let absent = absent_of(&gpu);
        assert!(absent.contains(&("power", Reason::Timeout)));
        assert!(
            !absent
                .iter()
                .any(|(path, _)| *path == "limits" || *path == "identity")
        );
    }
}
