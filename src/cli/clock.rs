//! `stampcard clock`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::partner::Target;
use super::{Output, field};
use crate::config::Settings;

/// What `clock` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Clock {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Take the system's clock as it is to be right, so that writes go on
    ///
    /// Without --url it is noted in the database of a stopped server, for its next start.
    Accept {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
}

/// Does what was asked for.
pub(super) fn run(settings: &Settings, arguments: &Clock) -> Result<ExitCode, anyhow::Error> {
    let Command::Accept { target, output } = &arguments.command;
    let accepted = target.run(settings, async |reach| reach.accept_clock().await)?;
    output.print(&accepted, || {
        let now = field(&accepted, "now");
        if accepted["accepted"] == true {
            let seconds = accepted["stepMs"].as_u64().unwrap_or(0) / 1000;
            format!("accepted: the clock was set forward by {seconds} s, and it is {now}")
        } else {
            format!("there was nothing to accept; it is {now}")
        }
    })
}
