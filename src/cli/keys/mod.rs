//! The `key` commands, and the key arguments of all other commands.

mod argument;
mod directory;
mod export;
mod failure;
mod list;
mod make;
mod open;
mod plugin;
mod public;
mod show;
#[cfg_attr(not(feature = "pkcs11"), path = "no_token.rs")]
mod token;
mod unsupported;

use super::args::KeyCommand;
use super::exit::Exit;
use super::exit::Failure;

pub(super) use open::files_of;
pub(super) use open::is_plugin;
pub(super) use open::signers;
pub(super) use public::public_keys;

pub(super) fn key(command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Export(args) => export::export(args),
        KeyCommand::Import(args) => make::import(args),
        KeyCommand::List(args) => list::list(args),
        KeyCommand::New(args) => make::new(args),
        KeyCommand::Show(args) => show::show(args),
    }
}
