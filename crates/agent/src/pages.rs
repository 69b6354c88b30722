//! What of the command line is made for others: completions for shells, and man pages.

use std::{fs, path::Path};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;

/// The completions of a shell.
pub(crate) fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gpulse", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes a page for the program and for each of its commands into `directory`.
pub(crate) fn man(directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let mut program = Cli::command();
    // Sets what commands have from the program, such as their version.
    program.build();
    page(directory, "gpulse", program.clone())?;
    for command in program.get_subcommands() {
        if command.is_hide_set() || command.get_name() == "help" {
            continue;
        }
        let name = format!("gpulse-{}", command.get_name());
        page(directory, &name, command.clone())?;
    }
    Ok(())
}

fn page(directory: &Path, name: &str, command: Command) -> anyhow::Result<()> {
    let path = directory.join(format!("{name}.1"));
    let mut text = Vec::new();
    Man::new(command.disable_help_subcommand(true))
        .title(name)
        .source(concat!("gpulse ", env!("CARGO_PKG_VERSION")))
        .manual("gpulse manual")
        .render(&mut text)?;
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_every_shell_knows_it() {
        let directory = tempfile::tempdir().unwrap();
        man(directory.path()).unwrap();
        let shells = [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::Elvish,
            Shell::PowerShell,
        ]
        .map(completions);
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let name = command.get_name();
            let page = directory.path().join(format!("gpulse-{name}.1"));
            assert!(
                fs::read_to_string(page).unwrap().contains(".TH gpulse-"),
                "{name}"
            );
            for shell in &shells {
                assert!(shell.contains(name), "{name}");
            }
        }
        assert!(
            fs::read_to_string(directory.path().join("gpulse.1"))
                .unwrap()
                .contains("snapshot")
        );
    }
}
