//! The `cert` commands.

mod lint;

use bulla::time::Time;

use super::args::CertCommand;
use super::exit::Exit;
use super::exit::Failure;

pub(super) fn cert(command: &CertCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        CertCommand::Lint(args) => lint::lint(args, now),
    }
}
