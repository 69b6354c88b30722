//! The reader thread of one GPU: the only place where NVML is asked about it.
//!
//! 1. Waits for a request; ends when its sampler abandoned it.
//! 2. At the first request, and until that succeeds, takes the handle and probes the static facts.
//! 3. Reads the groups that are due, and on the slow clock also the facts again of which one is absent for a reason that may
//!    pass.
//! 4. Hands the answer over. A panic on the way is an answer too.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

use gpulse_models::{Failure, GpuFacts, GpuId, Reason, Sample, Timestamp, microseconds};
use nvml_wrapper::{Device, Nvml, error::NvmlError};

use crate::{
    Schedule,
    asker::{Asker, failure},
    book::{Book, Books},
    convert,
    groups::{Gpu, Groups},
    library::Library,
    names::Names,
    port::{Answer, CurrentCall, ReaderPort},
    probe,
    processes::Processes,
    schedule::Clock,
};

/// What a reader is started with.
pub(crate) struct ReaderSettings {
    pub(crate) nvml: Arc<Library>,
    pub(crate) index: u32,
    pub(crate) schedule: Schedule,
    pub(crate) processes: Processes,
    pub(crate) books: Books,
    pub(crate) names: Names,
}

/// Starts the reader thread of a GPU.
pub(crate) fn spawn(settings: ReaderSettings, port: ReaderPort) -> io::Result<()> {
    thread::Builder::new()
        .name(format!("gpu-{}", settings.index))
        .spawn(move || run(settings, &port))
        .map(drop)
}

fn run(settings: ReaderSettings, port: &ReaderPort) {
    // Held until the thread ends: a library is not unloaded while a thread may be inside it.
    let nvml = settings.nvml;
    let mut reader = Reader {
        nvml: &nvml,
        index: settings.index,
        call: port.call.clone(),
        asker: Asker::new(port.call.clone()),
        groups: Groups::new(&settings.schedule, settings.processes),
        facts_again: settings.schedule.slow_clock(),
        books: settings.books,
        names: settings.names,
        known: None,
    };
    while port.requests.recv().is_ok() {
        let outcome = catch_unwind(AssertUnwindSafe(|| reader.read()))
            .unwrap_or_else(|_| Err(failure(reader.call.get(), Reason::Error, "the call panicked")));
        let facts = reader.known.as_ref().map(|known| Arc::clone(&known.facts));
        if port
            .answers
            .blocking_send(Answer {
                reader: port.reader,
                facts,
                outcome,
            })
            .is_err()
        {
            return;
        }
    }
}

struct Reader<'n> {
    nvml: &'n Nvml,
    index: u32,
    call: CurrentCall,
    asker: Asker,
    groups: Groups<'n>,
    facts_again: Clock,
    books: Books,
    names: Names,
    known: Option<Known<'n>>,
}

/// A GPU that has said who it is.
struct Known<'n> {
    device: Device<'n>,
    facts: Arc<GpuFacts>,
    book: Arc<Book>,
}

impl<'n> Reader<'n> {
    fn read(&mut self) -> Result<Arc<Sample>, Failure> {
        let at = Instant::now();
        if self.known.is_none() {
            self.known = Some(self.probe()?);
            self.facts_again.strike(at);
        }
        let now = microseconds(Timestamp::now());
        let Some(known) = &mut self.known else {
            return Err(failure("probe", Reason::NotReady, "the GPU was not probed"));
        };
        if self.facts_again.strike(at) && known.facts.is_provisional() {
            let again = probe::facts(&mut self.asker, &known.device, known.facts.id.as_str());
            // A GPU does not change its name because it did not say it this time.
            known.facts = Arc::new(again.or(&known.facts));
        }
        let mut gpu = Gpu {
            asker: &mut self.asker,
            nvml: self.nvml,
            device: &known.device,
            book: &known.book,
            now,
            at,
        };
        let sample = self.groups.read(&mut gpu);
        self.asker.finish().inspect_err(|_| self.groups.hurry())?;
        Ok(Arc::new(sample))
    }

    /// Takes the handle by index, which holds for this initialisation, and asks who it is.
    fn probe(&mut self) -> Result<Known<'n>, Failure> {
        let refused =
            |call, error: NvmlError| failure(call, convert::reason_of_return(&error), &error.to_string());
        const HANDLE: &str = "nvmlDeviceGetHandleByIndex_v2";
        let device = self
            .call
            .during(HANDLE, || self.nvml.device_by_index(self.index))
            .map_err(|error| refused(HANDLE, error))?;
        const UUID: &str = "nvmlDeviceGetUUID";
        let uuid = self
            .call
            .during(UUID, || device.uuid())
            .map_err(|error| refused(UUID, error))?;
        self.names
            .note(self.index, &GpuId::from_uuid(&uuid))
            .map_err(|why| failure(UUID, Reason::Error, &why))?;
        let facts = probe::facts(&mut self.asker, &device, &uuid);
        self.asker.finish()?;
        Ok(Known {
            book: self.books.of(&facts.id),
            facts: Arc::new(facts),
            device,
        })
    }
}
