//! The `cert` commands.

mod csr;
mod lint;
mod new;

use bulla::time::Time;

use super::args::CertCommand;
use super::exit::Exit;
use super::exit::Failure;

pub(super) fn cert(command: &CertCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        CertCommand::Csr(args) => csr::csr(args),
        CertCommand::Lint(args) => lint::lint(args, now),
        CertCommand::New(args) => new::new(args, now),
    }
}
