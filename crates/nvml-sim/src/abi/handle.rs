//! Handles are numbers with a mark, never addresses: whatever a client passes can be checked without touching
//! memory.

use super::code::{Code, Result};

/// An opaque handle as clients hold it.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle(usize);

/// What a handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Gpu(usize),
    /// GPU, and the position of the instance in its profile; as a device, as a GPU instance, as a compute
    /// instance.
    MigDevice(usize, usize),
    GpuInstance(usize, usize),
    ComputeInstance(usize, usize),
    EventSet(u32),
    GpmSample(u32),
}

const _: () = assert!(size_of::<Handle>() == 8, "handles need 64 bits");

/// "nvml", in the upper half: an address that no user process can have.
const MARK: usize = 0x6E76_6D6C_0000_0000;
const MARK_BITS: usize = 0xFFFF_FFFF_0000_0000;
const FIELD: usize = 0xFFF;
const WIDE_FIELD: usize = 0xFF_FFFF;

impl Handle {
    pub(super) fn new(target: Target) -> Self {
        let (kind, rest) = match target {
            Target::Gpu(gpu) => (1, gpu << 12),
            Target::MigDevice(gpu, instance) => (2, gpu << 12 | instance),
            Target::GpuInstance(gpu, instance) => (3, gpu << 12 | instance),
            Target::ComputeInstance(gpu, instance) => (4, gpu << 12 | instance),
            Target::EventSet(id) => (5, id as usize),
            Target::GpmSample(id) => (6, id as usize),
        };
        Self(MARK | kind << 24 | (rest & WIDE_FIELD))
    }

    /// What this is a handle of, if it is one at all.
    pub(super) fn target(self) -> Result<Target> {
        if self.0 & MARK_BITS != MARK {
            return Err(Code::INVALID_ARGUMENT);
        }
        let (gpu, instance) = (self.0 >> 12 & FIELD, self.0 & FIELD);
        let id = (self.0 & WIDE_FIELD) as u32;
        match self.0 >> 24 & 0xFF {
            1 if instance == 0 => Ok(Target::Gpu(gpu)),
            2 => Ok(Target::MigDevice(gpu, instance)),
            3 => Ok(Target::GpuInstance(gpu, instance)),
            4 => Ok(Target::ComputeInstance(gpu, instance)),
            5 => Ok(Target::EventSet(id)),
            6 => Ok(Target::GpmSample(id)),
            _ => Err(Code::INVALID_ARGUMENT),
        }
    }
}

#[cfg(test)]
impl Handle {
    /// Whatever a caller holds for a handle.
    pub(super) fn of_number(number: usize) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_leads_back_to_its_target() {
        let targets = [
            Target::Gpu(0),
            Target::Gpu(127),
            Target::MigDevice(3, 7),
            Target::GpuInstance(1, 2),
            Target::ComputeInstance(127, 0),
            Target::EventSet(9),
            Target::GpmSample(0xFF_FFFF),
        ];
        for target in targets {
            assert_eq!(Handle::new(target).target(), Ok(target));
        }
        assert!(Handle(0).target().is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_other_number_is_taken_for_a_handle(number: usize) {
            proptest::prop_assume!(number & MARK_BITS != MARK);
            proptest::prop_assert!(Handle(number).target().is_err());
        }
    }
}
