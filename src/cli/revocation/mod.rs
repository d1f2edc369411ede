//! The `revocation` commands, and the check of `--revocation`.

pub(super) mod args;
mod attach;
mod check;
mod fetch;
mod lookup;
mod show;

use bulla::time::Time;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;

use args::RevocationCommand;

pub(super) use check::check;
pub(super) use check::check_by_policies;
pub(super) use check::require_certificates;
pub(super) use lookup::lookup;
pub(super) use lookup::note_left_behind;
pub(super) use lookup::report_problems;

pub(super) fn revocation(command: &RevocationCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        RevocationCommand::Attach(args) => attach::attach(args),
        RevocationCommand::Fetch(args) => fetch::fetch(args, now),
        RevocationCommand::Show(args) => show::show(args),
    }
}
