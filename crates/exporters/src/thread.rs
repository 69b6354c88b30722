//! Threads with a runtime of their own.

use std::{io, sync::mpsc::sync_channel, thread};

use tokio::runtime::{Builder, Runtime};

/// Starts `work` in the thread `name`, with a runtime. That is made there: one that was made here and cannot be handed over,
/// because there is no thread, must not be dropped inside of another runtime.
///
/// # Errors
///
/// If there can be no thread or no runtime.
pub(crate) fn start(name: &str, work: impl FnOnce(Runtime) + Send + 'static) -> io::Result<()> {
    let (tell, told) = sync_channel(1);
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let (runtime, outcome) = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => (Some(runtime), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // Whoever starts it waits for this.
        let _ = tell.send(outcome);
        if let Some(runtime) = runtime {
            work(runtime);
        }
    })?;
    told.recv()
        .unwrap_or_else(|_| Err(io::Error::other("it has ended at once")))
}
