//! Trusted roots of Sigstore: the argument of `--trusted-root`, and the `trust` commands.

pub(super) mod args;
mod import;
mod mirror;
mod new;
mod open;
mod show;

use bulla::time::Time;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;

use args::TrustCommand;

pub(super) use open::only;
pub(super) use open::open;
pub(super) use open::warn;

pub(super) fn trust(command: &TrustCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        TrustCommand::Import(args) => import::import(args, now),
        TrustCommand::New(args) => new::new(args, now),
        TrustCommand::Show(args) => show::show(args, now),
    }
}
