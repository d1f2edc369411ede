//! The commands `sign-blob`, `attest-blob` and `verify-blob`: files, which cosign calls blobs.

pub(super) mod args;
mod attest;
mod input;
mod refusal;
mod sign;
mod target;
mod verify;

pub(super) use target::bundle_of;

use bulla::time::Time;

use super::exit::Exit;
use super::exit::Failure;
use args::BlobCommand;

pub(super) fn blob(command: &BlobCommand, now: Time) -> Result<Exit, Failure> {
    match command {
        BlobCommand::Attest(args) => attest::attest(args),
        BlobCommand::Sign(args) => sign::sign(args),
        BlobCommand::Verify(args) => verify::verify(args, now),
    }
}
