//! `stampcard clock`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::{Output, field};
use super::partner::Target;
use crate::config::Settings;

/// Arguments of `clock`.
#[derive(Debug, Clone, Args)]
pub(super) struct Clock {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Accept the current time of the system clock, so that writes resume
    ///
    /// Without --url, the acceptance is saved in the database of a stopped server for its next
    /// start.
    Accept {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the subcommand.
pub(super) fn run(settings: &Settings, arguments: &Clock) -> Result<ExitCode, anyhow::Error> {
    let Command::Accept { target, output } = &arguments.command;
    let accepted = target.run(settings, async |reach| reach.accept_clock().await)?;
    output.print(&accepted, || {
        let now = field(&accepted, "now");
        if accepted["accepted"] == true {
            let seconds = accepted["stepMs"].as_u64().unwrap_or(0) / 1000;
            format!("accepted: the clock was set forward by {seconds} s; the time is {now}")
        } else {
            format!("there was no step to accept; the time is {now}")
        }
    })
}
