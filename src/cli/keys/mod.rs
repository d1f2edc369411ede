//! The commands `key …`, and the keys that other commands name.

mod argument;
mod elsewhere;
mod export;
mod failure;
mod folder;
mod list;
mod make;
mod open;
mod plugin;
mod public;
mod show;
#[cfg_attr(not(feature = "pkcs11"), path = "no_token.rs")]
mod token;

use super::args::KeyCommand;
use super::exit::Exit;
use super::exit::Failure;

pub(super) use open::signers;
pub(super) use public::publics;

pub(super) fn key(command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Export(args) => export::export(args),
        KeyCommand::Import(args) => make::import(args),
        KeyCommand::List(args) => list::list(args),
        KeyCommand::New(args) => make::new(args),
        KeyCommand::Show(args) => show::show(args),
    }
}
