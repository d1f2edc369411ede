//! Public keys as the command line names them: whose signatures count.

use bulla::key::Container;
use bulla::key::KeyError;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::limits::Limits;

use crate::cli::args::TokenArgs;
use crate::cli::exit::Failure;
use crate::cli::render;

use super::argument::KeyArgument;
use super::failure::converted;
use super::token;

/// The public keys that are named, in order. Standard input can be one of them, once.
pub(in crate::cli) fn publics<'a>(
    keys: impl IntoIterator<Item = &'a String>,
    args: &TokenArgs,
) -> Result<Vec<PublicKey>, Failure> {
    let mut read = Vec::new();
    let mut from_stdin = false;
    for key in keys {
        let named = KeyArgument::parse(key, None)?;
        if matches!(named, KeyArgument::Stdin) && std::mem::replace(&mut from_stdin, true) {
            return Err(Failure::unknown("standard input holds one key and is given twice"));
        }
        read.push(public(&named, args)?);
    }
    Ok(read)
}

fn public(named: &KeyArgument, args: &TokenArgs) -> Result<PublicKey, Failure> {
    match named {
        KeyArgument::File(_) | KeyArgument::Stdin => read(named, &named.bytes()?).map(|(key, _)| key),
        // Which key a variable holds stands in no file that could be looked at afterwards.
        KeyArgument::Variable(name) => {
            let (key, _) = read(named, &named.bytes()?)?;
            render::note(format_args!("note: from the environment variable {name}: public key {}", key.id()));
            Ok(key)
        }
        KeyArgument::Plugin(text) => {
            Err(Failure::unknown(format!("plugin:{text}: a plugin is not asked for a public key here"))
                .hint(format!("bulla key export 'plugin:{text}' -o FILE.pub, and then that file")))
        }
        KeyArgument::Token(uri) => token::public(uri, args),
    }
}

/// Reads a public key, and says which kind of file it was where that promises more than is looked at.
pub(super) fn read(named: &KeyArgument, bytes: &[u8]) -> Result<(PublicKey, Container), Failure> {
    let (key, container) = PublicKey::read(bytes, &Limits::DEFAULT).map_err(|error| told(named, bytes, &error))?;
    if container == Container::Certificate {
        render::note(format_args!(
            "note: {named} is a certificate: its key is used, and the certificate itself is not verified (issuer, validity, purpose)"
        ));
    }
    Ok((key, container))
}

/// What is wrong with the file of a public key, and what to do about it.
fn told(named: &KeyArgument, bytes: &[u8], error: &KeyError) -> Failure {
    let failure = Failure::unknown(format!("{named}: {error}"));
    match error {
        KeyError::Kind { .. } if PrivateKey::form(bytes).is_some() => {
            failure.hint(format!("bulla key export {named} -o {named}.pub"))
        }
        _ => converted(failure, &named.to_string(), error),
    }
}
