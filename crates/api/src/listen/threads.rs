//! Threads with a runtime of their own, which are there or say why not.

use std::{io, sync::mpsc::sync_channel, thread};

use tokio::runtime::{Builder, Runtime};

/// Starts the thread `name`. There `begin` makes, inside of the thread's runtime, what `work` gets with it. Returns once `begin` has.
///
/// The runtime is made where it is used: one that was made here and cannot be handed over, because there is no thread, must not
/// be dropped inside of another runtime.
///
/// # Errors
///
/// If there can be no thread or no runtime, or that of `begin`.
pub(super) fn start<B>(
    name: &str,
    begin: impl FnOnce() -> io::Result<B> + Send + 'static,
    work: impl FnOnce(Runtime, B) + Send + 'static,
) -> io::Result<()> {
    let (tell, told) = sync_channel(1);
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let begun = Builder::new_current_thread()
            .enable_all()
            .build()
            .and_then(|runtime| {
                let begun = {
                    let _inside = runtime.enter();
                    begin()?
                };
                Ok((runtime, begun))
            });
        // Whoever starts it waits for this.
        match begun {
            Ok((runtime, begun)) => {
                let _ = tell.send(Ok(()));
                work(runtime, begun);
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        }
    })?;
    told.recv()
        .unwrap_or_else(|_| Err(io::Error::other("it has ended at once")))
}
