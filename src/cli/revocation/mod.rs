//! The `revocation` commands, and the check of `--revocation`.

pub(super) mod args;
mod check;
mod fetch;
mod show;

use bulla::time::Time;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;

use args::RevocationCommand;

pub(super) use check::check;

pub(super) fn revocation(command: &RevocationCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        RevocationCommand::Fetch(args) => fetch::fetch(args, now),
        RevocationCommand::Show(args) => show::show(args),
    }
}
