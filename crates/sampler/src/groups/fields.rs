//! NVML's fields: readings by number, several with one call.

use gpulse_models::{Reading, Reason};

use super::Gpu;
use crate::raw::{self, FieldNumber};

/// A field, and what it is of: a link, or for power the GPU or its module.
pub(super) type Field = (u32, u32);

/// The call.
const CALL: &str = "nvmlDeviceGetFieldValues";

/// The GPU, for fields that have several scopes.
const GPU: u32 = 0;

/// The module that the GPU is on.
const MODULE: u32 = 1;

pub(super) const POWER_AVERAGE: Field = (185, GPU);
pub(super) const POWER_INSTANT: Field = (186, GPU);
pub(super) const MODULE_POWER_AVERAGE: Field = (185, MODULE);
pub(super) const MODULE_POWER_INSTANT: Field = (186, MODULE);
pub(super) const MEMORY_TEMPERATURE: Field = (82, GPU);
pub(super) const PCIE_SENT: Field = (197, GPU);
pub(super) const PCIE_RECEIVED: Field = (198, GPU);
pub(super) const RECOVERY_ACTION: Field = (230, GPU);

/// For how long clocks were lowered, by cause, in the header's order: power, heat, sync boost, board, low use, reliability,
/// applications' clocks, base clocks.
pub(super) const LOWERED: [Field; 8] = [
    (74, GPU),
    (75, GPU),
    (76, GPU),
    (77, GPU),
    (78, GPU),
    (79, GPU),
    (80, GPU),
    (81, GPU),
];

impl Gpu<'_, '_> {
    /// Reads fields with one call; those that the GPU does not have are left out of it.
    pub(super) fn fields<const N: usize>(&mut self, fields: [Field; N]) -> [Reading<FieldNumber>; N] {
        let mut readings = self.fields_of(&fields).into_iter();
        fields.map(|_| readings.next().unwrap_or(Reading::Unavailable(Reason::Error)))
    }

    /// The same for any number of fields.
    pub(super) fn fields_of(&mut self, fields: &[Field]) -> Vec<Reading<FieldNumber>> {
        let forbidden: Vec<_> = fields
            .iter()
            .map(|field| self.asker.forbidden((CALL, item(*field))))
            .collect();
        let wanted: Vec<Field> = fields
            .iter()
            .zip(&forbidden)
            .filter(|(_, reason)| reason.is_none())
            .map(|(field, _)| *field)
            .collect();
        if wanted.is_empty() {
            return forbidden
                .into_iter()
                .map(|reason| Reading::Unavailable(reason.unwrap_or(Reason::Error)))
                .collect();
        }
        let device = self.device;
        let answers = self.asker.make(CALL, || raw::fields(device, &wanted));
        let mut answers = answers.into_iter();
        fields
            .iter()
            .zip(forbidden)
            .map(|(field, reason)| match (reason, &mut answers) {
                (Some(reason), _) => Reading::Unavailable(reason),
                (None, answers) => match answers.next() {
                    Some(answer) => self.asker.judge((CALL, item(*field)), answer, Ok),
                    None => Reading::Unavailable(Reason::Error),
                },
            })
            .collect()
    }
}

/// One number for a field and its scope, which is a small number.
fn item((field, scope): Field) -> u32 {
    scope << 16 | field
}
