//! The `request` commands: the offline exchange of signing requests and signing responses.

mod archive;
pub(super) mod args;
mod asked;
mod attach;
mod chains;
mod copies;
mod documents;
mod file_rows;
mod file_signatures;
mod log_file;
mod log_verify;
mod merge;
mod new;
mod page;
mod previous;
mod rows;
mod show;
mod sign;

use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;

use args::RequestCommand;
use args::RequestLogCommand;

pub(super) use documents::bad_argument;

pub(super) fn request(command: &RequestCommand) -> Result<Exit, Failure> {
    match command {
        RequestCommand::Attach(args) => attach::attach(args),
        RequestCommand::Log(RequestLogCommand::Verify(args)) => log_verify::verify(args, clock::now()),
        RequestCommand::Merge(args) => merge::merge(args),
        RequestCommand::New(args) => new::new(args, clock::now()),
        RequestCommand::Show(args) => show::show(args, clock::now()),
        RequestCommand::Sign(args) => sign::sign(args),
    }
}
