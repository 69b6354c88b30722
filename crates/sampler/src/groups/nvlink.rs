//! The links to other GPUs.

use gpulse_models::{Bytes, BytesPerSecond, Label, Megabits, Nvlink, NvlinkLink, PciBusId, Reading, Reason};

use nvml_wrapper::error::NvmlError;

use super::{Gpu, counting::Counted, fields::Field};
use crate::{book::What, convert, label, raw, raw::FieldNumber};

/// `NVML_NVLINK_MAX_LINKS`
const MOST_LINKS: u32 = 36;

/// `NVML_NVLINK_VERSION_5_0`: from here on links count bytes, and before it KiB.
const COUNTS_BYTES_SINCE: u32 = 7;

const KIBIBYTE: u64 = 1_024;

/// Fields of a link, which is their scope.
const REPLAYS: u32 = 161;
const RECOVERIES: u32 = 162;
const BROKEN: u32 = 163;
const SPEED: u32 = 164;
const KIBIBYTES: [u32; 2] = [138, 139];
const BYTES: [u32; 2] = [202, 204];
const PER_LINK: usize = 6;

/// What does not change while a link is up: asked for once.
#[derive(Clone, Copy)]
struct Far {
    version: Reading<u32>,
    kind: Reading<u32>,
    pci_bus_id: Reading<PciBusId>,
}

/// The links of one GPU, and what is at their far ends.
#[derive(Default)]
pub(super) struct Links(Vec<Option<Far>>);

impl Links {
    pub(super) fn read(&mut self, gpu: &mut Gpu<'_, '_>) -> Nvlink {
        let states = match states(gpu) {
            Reading::Value(states) => states,
            Reading::Unavailable(reason) => return absent(reason),
        };
        self.0.resize(states.len(), None);
        for ((link, up), far) in (0..).zip(&states).zip(&mut self.0) {
            match up {
                Reading::Value(true) => {
                    *far = far
                        .filter(|far| !far.is_provisional())
                        .or_else(|| Some(look(gpu, link)));
                }
                _ => *far = None,
            }
        }
        // Links that are down are not asked: that they count nothing now would be taken for what they never have.
        let fields: Vec<Field> = (0..)
            .zip(&self.0)
            .filter_map(|(link, far)| Some(wanted(link, far.as_ref()?)))
            .flatten()
            .collect();
        let numbers = gpu.fields_of(&fields);
        let mut numbers = numbers.chunks(PER_LINK);
        let links: Vec<_> = (0..)
            .zip(&states)
            .zip(&self.0)
            .map(|((index, up), far)| {
                let up_now = far.and_then(|far| Some((far, numbers.next()?)));
                link(gpu, index, *up, up_now)
            })
            .collect();
        Nvlink {
            active_links: active(&states),
            sent_bytes_per_second: sum(&links, |link| link.sent_bytes_per_second),
            received_bytes_per_second: sum(&links, |link| link.received_bytes_per_second),
            links: Reading::Value(links),
        }
    }
}

impl Far {
    /// Whether something is missing for a reason that may pass.
    fn is_provisional(&self) -> bool {
        [
            self.version.reason(),
            self.kind.reason(),
            self.pci_bus_id.reason(),
        ]
        .into_iter()
        .flatten()
        .any(|reason| !reason.is_permanent())
    }
}

/// How many links are up; not known where one does not say.
fn active(states: &[Reading<bool>]) -> Reading<u32> {
    let mut active = 0;
    for state in states {
        match state {
            Reading::Value(up) => active += u32::from(*up),
            Reading::Unavailable(reason) if reason.is_permanent() => {}
            Reading::Unavailable(reason) => return Reading::Unavailable(*reason),
        }
    }
    Reading::Value(active)
}

fn absent(reason: Reason) -> Nvlink {
    gpulse_models::catalogue::Catalogued::absent(reason)
}

/// Whether each link is up. A number that is too high ends the list.
fn states(gpu: &mut Gpu<'_, '_>) -> Reading<Vec<Reading<bool>>> {
    const CALL: &str = "nvmlDeviceGetNvLinkState";
    let device = gpu.device;
    let mut states = Vec::new();
    for link in 0..MOST_LINKS {
        let state = match gpu.asker.forbidden((CALL, link)) {
            Some(reason) => Reading::Unavailable(reason),
            None => {
                let answer = gpu.asker.make(CALL, || match raw::nvlink_state(device, link) {
                    Err(NvmlError::InvalidArg) if link > 0 => Ok(None),
                    // A GPU that does not even know its first link has none.
                    answer => raw::where_known(answer).map(Some),
                });
                let Some(answer) = answer.transpose() else {
                    break;
                };
                gpu.asker.judge((CALL, link), answer, Ok)
            }
        };
        match state {
            Reading::Unavailable(reason) if link == 0 => return Reading::Unavailable(reason),
            state => states.push(state),
        }
    }
    Reading::Value(states)
}

fn look(gpu: &mut Gpu<'_, '_>, link: u32) -> Far {
    let device = gpu.device;
    let asker = &mut *gpu.asker;
    Far {
        version: asker.ask_of(
            "nvmlDeviceGetNvLinkVersion",
            link,
            || raw::nvlink_version(device, link),
            Ok,
        ),
        kind: asker.ask_of(
            "nvmlDeviceGetNvLinkRemoteDeviceType",
            link,
            || raw::nvlink_remote_type(device, link),
            Ok,
        ),
        pci_bus_id: asker.ask_of(
            "nvmlDeviceGetNvLinkRemotePciInfo_v2",
            link,
            || raw::nvlink_remote_bus_id(device, link),
            |id| convert::far_bus_id(&id),
        ),
    }
}

/// The fields to read of a link that is up, always as many.
fn wanted(link: u32, far: &Far) -> [Field; PER_LINK] {
    let [sent, received] = if counts_bytes(far) { BYTES } else { KIBIBYTES };
    [sent, received, SPEED, BROKEN, REPLAYS, RECOVERIES].map(|field| (field, link))
}

fn counts_bytes(far: &Far) -> bool {
    far.version
        .value()
        .is_some_and(|version| *version >= COUNTS_BYTES_SINCE)
}

/// A link; of one that is up what is at its far end, and its fields.
fn link(
    gpu: &mut Gpu<'_, '_>,
    index: u32,
    up: Reading<bool>,
    up_now: Option<(Far, &[Reading<FieldNumber>])>,
) -> NvlinkLink {
    let (far, numbers) = up_now.unzip();
    let number = |place: usize| match numbers.and_then(|numbers| numbers.get(place)) {
        Some(number) => number.and_then(convert::field_count),
        // A link that is down says nothing worth keeping.
        None => Reading::Unavailable(Reason::NotReady),
    };
    let unit = if far.as_ref().is_some_and(counts_bytes) {
        1
    } else {
        KIBIBYTE
    };
    let sent = gpu.count(What::NvlinkSent(index), number(0).map(|count| count * unit));
    let received = gpu.count(What::NvlinkReceived(index), number(1).map(|count| count * unit));
    let broken = gpu.count(What::NvlinkBroken(index), number(3));
    let replays = gpu.count(What::NvlinkReplays(index), number(4));
    let recoveries = gpu.count(What::NvlinkRecoveries(index), number(5));
    let seen = |what: fn(&Far) -> Reading<u32>, word: fn(u32) -> Label| match &far {
        Some(far) => what(far).map(word),
        None => Reading::Unavailable(Reason::NotReady),
    };
    NvlinkLink {
        index: Reading::Value(index),
        state: up.map(|up| if up { "up".into() } else { "down".into() }),
        version: seen(|far| far.version, label::nvlink_version),
        speed_mbps: number(2).and_then(|speed| u32::try_from(speed).map(Megabits).map_err(|_| Reason::Error)),
        remote_type: seen(|far| far.kind, label::nvlink_remote),
        remote_pci_bus_id: far.map_or(Reading::Unavailable(Reason::NotReady), |far| far.pci_bus_id),
        sent_bytes_total: sent.total().map(Bytes),
        received_bytes_total: received.total().map(Bytes),
        sent_bytes_per_second: sent.rate().map(BytesPerSecond),
        received_bytes_per_second: received.rate().map(BytesPerSecond),
        crc_errors_total: broken.total(),
        replay_errors_total: replays.total(),
        recovery_errors_total: recoveries.total(),
        resets_total: Counted::resets([&sent, &received, &broken, &replays, &recoveries]),
    }
}

/// The sum over links that are up; without a value where one of them has none, or may be one.
fn sum(links: &[NvlinkLink], of: fn(&NvlinkLink) -> Reading<BytesPerSecond>) -> Reading<BytesPerSecond> {
    let mut sum = 0.0;
    for link in links {
        match &link.state {
            Reading::Value(state) if state.as_str() != "up" => {}
            Reading::Unavailable(reason) if reason.is_permanent() => {}
            Reading::Unavailable(reason) => return Reading::Unavailable(*reason),
            Reading::Value(_) => match of(link) {
                Reading::Value(rate) => sum += rate.0,
                Reading::Unavailable(reason) => return Reading::Unavailable(reason),
            },
        }
    }
    Reading::Value(BytesPerSecond(sum))
}
