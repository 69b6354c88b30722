//! Arbitrary calls one after the other, between initialisations and shutdowns.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::code::Code;
use super::super::handle::{Handle, Target};
use super::super::lifecycle::nvmlShutdown;
use super::super::raw_tests::alone;
use super::attempt::{Choice, Outcome, TAGS, call, is_known};
use super::entry::{Entry, Param};
use super::{WORLDS, entries};
use crate::world::{self, World};

/// The last code that NVML has a name for; 999 would be a panic that was caught.
const LAST_CODE: u32 = 30;

/// More items than any list has.
const MOST_ROOM: u32 = 140;

#[derive(Debug, Clone)]
enum Step {
    Initialise,
    ShutDown,
    Call {
        entry: Index,
        choices: Vec<Choice>,
        room: u32,
        /// Which of the handles that were handed out before takes the place of those that were chosen.
        known: Option<Index>,
    },
}

/// What a program may pass, drawn from a few bits: a long sequence is made in no time, and gets simple when it shrinks.
fn choice(bits: u64) -> Choice {
    let part = |from: u32, of: u64| (bits >> from) % of;
    let number = part(8, 1 << 32) as u32;
    Choice {
        null: part(0, 16) == 15,
        number: match part(4, 8) {
            0..=3 => number % 10,
            4 | 5 => number % 300,
            // Instances of vGPUs, and the one kind of them that there is.
            6 => [0xC1D0_0000 + number % 400, 1151][number as usize % 2],
            _ => number,
        },
        handle: handle(part(12, 16), part(20, 1 << 44) as usize),
        tag: if part(16, 8) == 7 {
            number
        } else {
            TAGS[number as usize % TAGS.len()]
        },
        text: match part(40, 4) {
            0 => b"00000000:1B:00.0".to_vec(),
            1 => b"GPU-".to_vec(),
            2 => b"MIG-".to_vec(),
            _ => vec![1 + part(24, 255) as u8; number as usize % 300],
        },
    }
}

/// A handle that a program may hold: one of this library, one that was never any, or nothing.
fn handle(kind: u64, number: usize) -> Handle {
    let (gpu, part) = (number / 8 % 3, number % 8);
    let target = match kind {
        0..=7 => Target::Gpu(number % 5),
        8 => Target::Gpu(number % 500),
        9 => Target::MigDevice(gpu, part),
        10 => Target::GpuInstance(gpu, part),
        11 => Target::ComputeInstance(gpu, part),
        12 => Target::EventSet(number as u32 % 50),
        13 => Target::GpmSample(number as u32 % 50),
        // The same mark with another content.
        14 => {
            return Handle::of_number(
                Handle::new(Target::Gpu(0)).number() & !0xFFFF_FFFF | number & 0xFFFF_FFFF,
            );
        }
        _ => return Handle::of_number([0, number][number % 2]),
    };
    Handle::new(target)
}

fn step() -> impl Strategy<Value = Step> {
    let attempt = (
        any::<Index>(),
        any::<[u64; 6]>(),
        prop_oneof![0_u32..4, 0..=MOST_ROOM],
        proptest::option::of(any::<Index>()),
    );
    prop_oneof![
        2 => Just(Step::Initialise),
        1 => Just(Step::ShutDown),
        30 => attempt.prop_map(|(entry, bits, room, known)| Step::Call { entry, choices: bits.map(choice).into(), room, known }),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_calls_does_harm(
        node: Index,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let _alone = alone();
        let played = Player::new(node.get(&WORLDS)).play(steps);
        // Whatever came of it, the next one finds nothing in force.
        while nvmlShutdown() == 0 {}
        played?;
    }
}

/// What is known while a sequence is played.
struct Player<'a> {
    world: &'a Arc<World>,
    entries: Vec<Entry>,
    /// Initialisations minus shutdowns.
    references: u32,
    /// Handles that were handed out, some of which are stale by now.
    handles: Vec<Handle>,
}

impl<'a> Player<'a> {
    fn new(world: &'a Arc<World>) -> Self {
        // Those that begin and end are steps of their own.
        let entries = entries().into_iter();
        let entries = entries.filter(|entry| entry.kind != "initialising" && entry.name != "nvmlShutdown");
        Self {
            world,
            entries: entries.collect(),
            references: 0,
            handles: Vec::new(),
        }
    }

    fn play(mut self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        for step in steps {
            match step {
                Step::Initialise => {
                    world::initialise(Arc::clone(self.world));
                    self.references += 1;
                }
                Step::ShutDown => {
                    prop_assert_eq!(nvmlShutdown(), u32::from(self.references == 0));
                    self.references = self.references.saturating_sub(1);
                }
                Step::Call {
                    entry,
                    mut choices,
                    room,
                    known,
                } => {
                    if let Some(known) = known.filter(|_| !self.handles.is_empty()) {
                        let handle = *known.get(&self.handles);
                        choices
                            .iter_mut()
                            .skip(1)
                            .for_each(|choice| choice.handle = handle);
                    }
                    let entry = entry.get(&self.entries);
                    let outcome = call(entry, &choices, room);
                    self.judge(entry, &choices, room, &outcome)?;
                    self.handles.extend(handed_out(entry, &outcome));
                }
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        entry: &Entry,
        choices: &[Choice],
        room: u32,
        outcome: &Outcome,
    ) -> Result<(), TestCaseError> {
        let (name, code) = (entry.name, outcome.code);
        let mut places = outcome.places.iter().flatten().chain(&outcome.inner);
        prop_assert!(
            places.all(|place| place.is_kept()),
            "{}: written beyond a place",
            name
        );
        prop_assert!(code <= LAST_CODE, "{}: {}", name, code);
        let untouched = || {
            let mut places = outcome.places.iter().flatten().chain(&outcome.inner);
            places.all(|place| place.is_as_before(0))
        };
        if self.references == 0 {
            prop_assert_eq!(code, Code::UNINITIALIZED.0, "{}", name);
            prop_assert!(untouched(), "{}: written without a world", name);
            return Ok(());
        }
        if entry.params.first() == Some(&Param::Handle) && self.is_bad(entry.kind, choices[0].handle) {
            prop_assert_eq!(code, Code::INVALID_ARGUMENT.0, "{}", name);
            prop_assert!(untouched(), "{}: written for no GPU", name);
            return Ok(());
        }
        for (place, param) in entry.params.iter().enumerate() {
            if *param == Param::Tagged && !choices[place].null && !is_known(choices[place].tag) {
                prop_assert_ne!(code, 0, "{}: version {:#x}", name, choices[place].tag);
                prop_assert!(untouched(), "{}: written under an unknown version", name);
            }
            if let (Param::List(bytes), Some(list)) = (param, &outcome.places[place]) {
                let count = entry.params.iter().position(|param| *param == Param::InOut(4));
                let said = count.and_then(|count| outcome.places[count].as_ref());
                let Some(said) = said.map(|count| count.number()) else {
                    continue;
                };
                let written = if code == 0 { said } else { 0 };
                prop_assert!(written <= room, "{}: {} of {}", name, written, room);
                prop_assert!(
                    list.is_as_before(bytes * written as usize),
                    "{}: more than it says",
                    name
                );
            }
        }
        Ok(())
    }

    /// Whether a handle is none that such a function takes.
    fn is_bad(&self, kind: &str, handle: Handle) -> bool {
        let Ok(target) = handle.target() else {
            return true;
        };
        let exists = |gpu| self.world.engine.spec(gpu).is_some();
        match (kind, target) {
            ("device" | "any_device", Target::Gpu(gpu)) => !exists(gpu),
            ("device" | "any_device", Target::MigDevice(gpu, part)) => self
                .world
                .engine
                .spec(gpu)
                .is_none_or(|spec| part >= spec.mig.len()),
            ("device" | "any_device", _) => true,
            ("part", Target::GpuInstance(gpu, _) | Target::ComputeInstance(gpu, _)) => !exists(gpu),
            ("part", _) => true,
            _ => false,
        }
    }
}

/// The handles that a call handed out.
fn handed_out(entry: &Entry, outcome: &Outcome) -> Vec<Handle> {
    let new = entry.params.iter().zip(&outcome.places);
    let new = new.filter(|(param, _)| outcome.code == 0 && **param == Param::NewHandle);
    new.filter_map(|(_, place)| {
        let bytes = place.as_ref()?.content().first_chunk()?;
        Some(Handle::of_number(usize::from_ne_bytes(*bytes)))
    })
    .collect()
}
