//! Log lines about events: one per GPU and XID per second at most, with how many it stands for.

use std::{collections::BTreeMap, time::Duration};

use gpulse_models::{EventGpu, EventKind, Xid};
use tokio::time::Instant;

use crate::XIDS_COUNTED;

/// No two lines about the same GPU and XID come closer than this.
pub(crate) const LINE_EVERY: Duration = Duration::from_secs(1);

/// What is still to be said about events, by GPU and XID.
#[derive(Debug, Default)]
pub(crate) struct Notices(BTreeMap<u32, BTreeMap<Option<u64>, Notice>>);

#[derive(Debug)]
struct Notice {
    uuid: String,
    untold: u64,
    told: Option<Instant>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    gpu: u32,
    uuid: &'a str,
    code: Option<u64>,
    count: u64,
}

impl Notices {
    /// Notes an event to be told. Only XIDs are: the rest is in the log of events.
    pub(crate) fn add(&mut self, gpu: &EventGpu, kind: &EventKind, now: Instant) {
        let EventKind::Xid(code) = *kind else { return };
        let codes = self.0.entry(gpu.index).or_default();
        // Forgotten once they have nothing to say: made-up codes cannot fill the memory, nor the lines.
        codes.retain(|_, notice| notice.untold > 0 || !notice.may_speak(now));
        let code = code.filter(|_| codes.contains_key(&code) || codes.len() < XIDS_COUNTED);
        let notice = codes.entry(code).or_insert_with(|| Notice {
            uuid: gpu.id.as_str().to_owned(),
            untold: 0,
            told: None,
        });
        notice.untold += 1;
    }

    /// Writes the lines that are due.
    pub(crate) fn flush(&mut self, now: Instant) {
        self.tell(now, |line| {
            let count = line.count;
            let Some(code) = line.code else {
                return tracing::warn!(
                    gpu = line.gpu,
                    uuid = line.uuid,
                    count,
                    "the driver reported other XIDs"
                );
            };
            let xid = Xid::of(code);
            tracing::warn!(
                gpu = line.gpu,
                uuid = line.uuid,
                xid = code,
                count,
                severity = ?xid.severity,
                action = ?xid.action,
                "the driver reported an XID: {}",
                xid.name
            );
        });
    }

    fn tell(&mut self, now: Instant, mut write: impl FnMut(Line<'_>)) {
        for (&gpu, codes) in &mut self.0 {
            for (&code, notice) in codes
                .iter_mut()
                .filter(|(_, notice)| notice.untold > 0 && notice.may_speak(now))
            {
                write(Line {
                    gpu,
                    uuid: &notice.uuid,
                    code,
                    count: notice.untold,
                });
                notice.untold = 0;
                notice.told = Some(now);
            }
        }
    }
}

impl Notice {
    fn may_speak(&self, now: Instant) -> bool {
        self.told
            .is_none_or(|told| now.saturating_duration_since(told) >= LINE_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use gpulse_models::GpuId;

    use super::*;

    fn gpu(index: u32) -> EventGpu {
        EventGpu {
            index,
            id: GpuId::unidentified(index),
            instance: None,
        }
    }

    fn told(notices: &mut Notices, now: Instant) -> Vec<(u32, Option<u64>, u64)> {
        let mut lines = Vec::new();
        notices.tell(now, |line| lines.push((line.gpu, line.code, line.count)));
        lines
    }

    #[test]
    fn a_storm_is_a_line_a_second_and_no_event_of_it_goes_untold() {
        let mut notices = Notices::default();
        let (start, mut lines) = (Instant::now(), Vec::new());
        for millisecond in 0..3_000 {
            let now = start + Duration::from_millis(millisecond);
            notices.add(&gpu(0), &EventKind::Xid(Some(31)), now);
            lines.extend(told(&mut notices, now));
        }
        assert_eq!(
            lines,
            [(0, Some(31), 1), (0, Some(31), 1_000), (0, Some(31), 1_000)]
        );
        assert_eq!(told(&mut notices, start + LINE_EVERY * 4), [(0, Some(31), 999)]);
    }

    #[test]
    fn another_gpu_and_another_code_have_lines_of_their_own() {
        let (mut notices, now) = (Notices::default(), Instant::now());
        for (index, code) in [(0, Some(31)), (1, Some(31)), (0, Some(79)), (0, None)] {
            notices.add(&gpu(index), &EventKind::Xid(code), now);
        }
        assert_eq!(told(&mut notices, now).len(), 4);
    }

    #[test]
    fn made_up_codes_share_a_line() {
        let (mut notices, now) = (Notices::default(), Instant::now());
        for code in 0..10_000 {
            notices.add(&gpu(0), &EventKind::Xid(Some(code)), now);
        }
        let lines = told(&mut notices, now);
        assert_eq!(lines.len(), XIDS_COUNTED + 1);
        assert_eq!(lines.iter().map(|(_, _, count)| count).sum::<u64>(), 10_000);
    }
}
