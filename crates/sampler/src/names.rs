//! Which GPU is at which index of one initialisation. A reader takes its handle by index, which after a hot plug may lead to
//! another GPU than it led its predecessor to: readings and counters would go to the wrong one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use gpulse_models::GpuId;

/// The GPUs that have said who they are. Shared by all readers of an initialisation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    gpus: Mutex<BTreeMap<u32, GpuId>>,
    moved: AtomicBool,
}

impl Names {
    /// Notes that the GPU at `index` is `id`.
    ///
    /// # Errors
    ///
    /// Says, for a person, why it cannot be: another GPU was found there before, or this one is at another index.
    pub(crate) fn note(&self, index: u32, id: &GpuId) -> Result<(), String> {
        let mut gpus = self.0.gpus.lock().unwrap_or_else(PoisonError::into_inner);
        match gpus.get(&index) {
            Some(known) if known == id => return Ok(()),
            Some(known) => {
                self.0.moved.store(true, Ordering::Relaxed);
                return Err(format!(
                    "{} is at this index now, where {} was; the driver is initialised anew",
                    id.as_str(),
                    known.as_str()
                ));
            }
            None => {}
        }
        if let Some((other, _)) = gpus.iter().find(|(_, known)| *known == id) {
            let id = id.as_str();
            return Err(format!("{id} is the UUID of GPU {other} as well"));
        }
        gpus.insert(index, id.clone());
        Ok(())
    }

    /// Whether a GPU was found at the index of another.
    pub(crate) fn have_moved(&self) -> bool {
        self.0.moved.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_at_the_index_of_another_is_noticed() {
        let (names, one, two) = (
            Names::default(),
            GpuId::from_uuid("GPU-1"),
            GpuId::from_uuid("GPU-2"),
        );
        assert_eq!(names.note(0, &one), Ok(()));
        assert_eq!(names.note(1, &two), Ok(()));
        assert_eq!(names.note(0, &one), Ok(()));
        assert!(!names.have_moved());
        let told = names.note(0, &two).unwrap_err();
        assert!(
            told.contains("GPU-2 is at this index now, where GPU-1 was"),
            "{told}"
        );
        assert!(names.have_moved());
    }

    #[test]
    fn a_uuid_is_that_of_one_gpu() {
        let (names, id) = (Names::default(), GpuId::from_uuid("GPU-1"));
        assert_eq!(names.note(3, &id), Ok(()));
        let told = names.note(5, &id).unwrap_err();
        assert!(told.contains("the UUID of GPU 3 as well"), "{told}");
        // A new initialisation would bring the same.
        assert!(!names.have_moved());
    }
}
