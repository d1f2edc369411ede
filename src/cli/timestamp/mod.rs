//! The `timestamp` commands: requests for timestamps (RFC 3161) of signatures, and the answers to them.

mod answers;
pub(super) mod args;
mod attach;
mod attach_files;
pub(super) mod authority;
mod fetch;
mod left_out;
mod nonce;
mod request;
mod trust;
mod whole;

use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;

use args::TimestampCommand;

pub(super) fn timestamp(command: &TimestampCommand) -> Result<Exit, Failure> {
    match command {
        TimestampCommand::Attach(args) => attach::attach(args, clock::now()),
        TimestampCommand::Fetch(args) => fetch::fetch(args, clock::now()),
        TimestampCommand::Request(args) => request::request(args, clock::now()),
    }
}
