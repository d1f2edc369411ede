//! Policy files on the command line: opened with their signature and their files, and the `policy` commands.

pub(super) mod args;
mod artifact;
mod check;
mod explain;
pub(in crate::cli) mod files;
mod new;
pub(super) mod not_opened;
pub(super) mod open;
mod push;
mod test;

use bulla::time::Time;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;

use args::PolicyCommand;

pub(super) fn policy(command: &PolicyCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Check(args) => check::check(args, now),
        PolicyCommand::Explain(args) => explain::explain(args, now),
        PolicyCommand::New(args) => new::new(args, now),
        PolicyCommand::Push(args) => push::push(args, now),
        PolicyCommand::Test(args) => test::test(args),
    }
}
