//! An initialised NVML, and whether threads are still inside one that is let go.

use std::{
    ops::Deref,
    sync::{Arc, Weak},
};

use nvml_wrapper::Nvml;

/// An initialised NVML: shut down and unloaded once nobody holds it any more, since a thread may be inside a call for long.
pub(crate) struct Library {
    nvml: Nvml,
    /// Goes after `nvml`, which is declared before it: whoever looks sees a shutdown that has not returned.
    loaded: Arc<()>,
}

impl Library {
    pub(crate) fn new(nvml: Nvml) -> Self {
        Self {
            nvml,
            loaded: Arc::default(),
        }
    }
}

impl Deref for Library {
    type Target = Nvml;

    fn deref(&self) -> &Nvml {
        &self.nvml
    }
}

/// A library that is let go.
pub(crate) struct LetGo {
    holders: Weak<Library>,
    loaded: Weak<()>,
}

impl LetGo {
    /// Follows `library` from now on, without holding it.
    pub(crate) fn of(library: &Arc<Library>) -> Self {
        Self {
            holders: Arc::downgrade(library),
            loaded: Arc::downgrade(&library.loaded),
        }
    }

    /// How many threads are inside of it: those that hold it, or the last of them, which shuts it down.
    pub(crate) fn inside(&self) -> usize {
        self.holders.strong_count().max(self.loaded.strong_count())
    }
}
