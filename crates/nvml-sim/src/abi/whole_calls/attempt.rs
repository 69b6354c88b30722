//! One call as a program makes it that means well, or does not: what is passed for each parameter, and what is left
//! behind in its places.

use super::super::ffi::Versioned;
use super::super::handle::{Handle, Target};
use super::super::layout::{
    AddressingMode, Capabilities, ConfComputeSettings, ConfComputeSettingsV2, CoolerInfo, DriverBranch,
    EccSramErrorStatus, FabricInfoV2, FabricInfoV3, FanSpeedInfo, MarginTemperature, MemoryV2, PciInfoExt,
    PlatformInfo, ProcessDetail, ProcessDetailList, ProcessUtilizationInfo, ProcessesUtilizationInfo,
    RepairStatus, TemperatureReading,
};
use super::entry::{Entry, Param, Value};
use super::place::Place;

/// The tags that structures of this library have.
pub(super) const TAGS: [u32; 17] = [
    MemoryV2::TAG,
    PciInfoExt::TAG,
    ProcessDetailList::TAG,
    EccSramErrorStatus::TAG,
    TemperatureReading::TAG,
    MarginTemperature::TAG,
    FanSpeedInfo::TAG,
    CoolerInfo::TAG,
    DriverBranch::TAG,
    AddressingMode::TAG,
    FabricInfoV2::TAG,
    FabricInfoV3::TAG,
    Capabilities::TAG,
    RepairStatus::TAG,
    ConfComputeSettings::TAG,
    ConfComputeSettingsV2::TAG,
    PlatformInfo::TAG,
];

/// Versions that an earlier header declares for the layout of a later one.
const EARLIER: [u32; 1] = [size_of::<PlatformInfo>() as u32 | 1 << 24];

/// Lists and texts whose length no parameter tells: NVML's header fixes it.
const FIXED_ROOM: [(&str, usize); 2] = [
    ("nvmlDeviceGetGpuInstances", 7),
    ("nvmlDeviceGetGspFirmwareVersion", 80),
];

/// Their room is told in bytes.
const ROOM_IN_BYTES: [&str; 1] = ["nvmlDeviceGetSupportedPerformanceStates"];

/// Their structures have the same tag, the number of items at different places, and point to the items.
const DETAILS: &str = "nvmlDeviceGetRunningProcessDetailList";
const UTILIZATION: &str = "nvmlDeviceGetProcessesUtilizationInfo";
const _: () = assert!(ProcessDetailList::TAG == ProcessesUtilizationInfo::TAG);

/// A caller who waits longer than this many milliseconds learns nothing more, since nothing happens.
const LONGEST_WAIT: u32 = 2;

/// What a caller passes for a parameter, as far as the parameter takes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// NULL instead of a place.
    pub(super) null: bool,
    /// For numbers, and what a place holds that is read.
    pub(super) number: u32,
    /// For handles.
    pub(super) handle: Handle,
    /// For structures that say their version.
    pub(super) tag: u32,
    /// For texts, without the end.
    pub(super) text: Vec<u8>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            null: false,
            number: 0,
            handle: Handle::new(Target::Gpu(0)),
            tag: TAGS[0],
            text: Vec::new(),
        }
    }
}

/// What a call came to.
pub(super) struct Outcome {
    pub(super) code: u32,
    /// For each parameter that is a pointer and not NULL.
    pub(super) places: Vec<Option<Place>>,
    /// The list that a structure among the parameters points to.
    pub(super) inner: Option<Place>,
}

/// Calls `entry` with one choice for each parameter, and room for this many items, characters or, where NVML counts so,
/// bytes.
pub(super) fn call(entry: &Entry, choices: &[Choice], room: u32) -> Outcome {
    let mut inner = inner(entry, room);
    let rooms: Vec<_> = (0..entry.params.len())
        .filter_map(|place| is_sized(entry, place))
        .collect();
    let mut places: Vec<_> = (0..entry.params.len())
        .map(|place| {
            let choice = &choices[place];
            let told = rooms.contains(&place).then_some(room);
            let content = content(entry, place, choice, told, room, inner.as_mut());
            content
                .filter(|_| !choice.null)
                .map(|content| Place::with(&content))
        })
        .collect();
    let values: Vec<_> = (0..entry.params.len())
        .map(|place| {
            let choice = &choices[place];
            let number = match entry.params[place] {
                _ if rooms.contains(&place) => room,
                Param::Number if entry.name.starts_with("nvmlEventSetWait") => choice.number % LONGEST_WAIT,
                _ => choice.number,
            };
            match (entry.params[place], &mut places[place]) {
                (Param::Handle, _) => Value::Handle(choice.handle),
                (Param::Number | Param::Signed, _) => Value::Number(number),
                (Param::Long, _) => Value::Long(u64::from(number) * 0x1_0001),
                (_, Some(place)) => Value::Address(place.address()),
                (_, None) => Value::Address(std::ptr::null_mut()),
            }
        })
        .collect();
    let code = entry.call(&values);
    Outcome { code, places, inner }
}

/// The parameter that tells the room of the one at `place`, if that one has any.
fn is_sized(entry: &Entry, place: usize) -> Option<usize> {
    let has_room = matches!(entry.params[place], Param::List(_) | Param::Characters);
    let is_fixed = FIXED_ROOM.iter().any(|(name, _)| *name == entry.name);
    (has_room && !is_fixed).then(|| entry.room_of(place)).flatten()
}

/// What is in the place that is passed for a parameter; nothing if it takes none.
fn content(
    entry: &Entry,
    place: usize,
    choice: &Choice,
    told: Option<u32>,
    room: u32,
    inner: Option<&mut Place>,
) -> Option<Vec<u8>> {
    let fixed = FIXED_ROOM.iter().find(|(name, _)| *name == entry.name);
    let items = fixed.map_or(room as usize, |(_, items)| *items);
    let filled = |bytes: usize| {
        choice
            .number
            .to_ne_bytes()
            .into_iter()
            .cycle()
            .take(bytes)
            .collect()
    };
    let content: Vec<u8> = match entry.params[place] {
        Param::Handle | Param::Number | Param::Signed | Param::Long => return None,
        Param::InOut(4) if told.is_some() => room.to_ne_bytes().to_vec(),
        Param::InOut(_) if entry.name == "nvmlGpmMetricsGet" => question(choice, room),
        Param::Out(bytes) | Param::InOut(bytes) => filled(bytes),
        Param::NewHandle => filled(8),
        Param::List(_) if ROOM_IN_BYTES.contains(&entry.name) => filled(items),
        Param::List(bytes) => filled(bytes * items),
        Param::Characters => filled(items),
        Param::Text => choice.text.iter().copied().chain([0]).collect(),
        Param::Tagged => return Some(tagged(entry, choice, room, inner)),
    };
    Some(content)
}

/// A structure of the size that its tag says, if it is one that there is, and otherwise nothing but the tag.
fn tagged(entry: &Entry, choice: &Choice, room: u32, inner: Option<&mut Place>) -> Vec<u8> {
    let mut bytes = choice.tag.to_ne_bytes().to_vec();
    if !is_known(choice.tag) {
        return bytes;
    }
    let number = choice.number.to_ne_bytes();
    let rest = number.into_iter().cycle();
    let size = (choice.tag & 0xFF_FFFF) as usize;
    bytes.extend(rest.take(size - size_of::<u32>()));
    if let Some(list) = inner.filter(|_| choice.tag == ProcessDetailList::TAG) {
        const LIST: usize = 16;
        let count = if entry.name == DETAILS { 8 } else { 4 };
        bytes[count..count + 4].copy_from_slice(&room.to_ne_bytes());
        // Everything since the beginning.
        bytes[count + 4..LIST].fill(0);
        bytes[LIST..].copy_from_slice(&list.address().expose_provenance().to_ne_bytes());
    }
    bytes
}

/// Whether there is a structure with this tag.
pub(super) fn is_known(tag: u32) -> bool {
    TAGS.contains(&tag) || EARLIER.contains(&tag)
}

/// The list that a structure points to.
fn inner(entry: &Entry, room: u32) -> Option<Place> {
    let bytes = match entry.name {
        DETAILS => size_of::<ProcessDetail>(),
        UTILIZATION => size_of::<ProcessUtilizationInfo>(),
        _ => return None,
    };
    Some(Place::with(&vec![0; bytes * room as usize]))
}

/// A question for as many metrics as there is room for, between one sample and itself.
fn question(choice: &Choice, room: u32) -> Vec<u8> {
    const METRIC: usize = 40;
    let mut bytes = [1_u32, room].map(u32::to_ne_bytes).concat();
    for _ in 0..2 {
        bytes.extend(choice.handle.number().to_ne_bytes());
    }
    for metric in 1..=room {
        let mut item = [0; METRIC];
        item[..4].copy_from_slice(&metric.wrapping_add(choice.number).to_ne_bytes());
        bytes.extend(item);
    }
    bytes
}
