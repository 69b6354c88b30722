//! `gpulse snapshot`: the GPUs as they are now.

use clap::Args;

use crate::{client::Source, exit::Exit, print};

/// What is shown, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct SnapshotArguments {
    /// Print the body of /api/v1/gpus
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

/// Shows the GPUs.
pub(crate) fn run(arguments: &SnapshotArguments) -> anyhow::Result<Exit> {
    let client = arguments.source.open()?;
    let answer = client.get("/api/v1/gpus")?;
    print(&format!("{}\n", answer.text))?;
    Ok(if answer.status == 503 {
        Exit::NoNvml
    } else {
        Exit::Ok
    })
}
