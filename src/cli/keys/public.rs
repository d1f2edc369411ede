//! The trusted public keys of the command line.

use bulla::key::Container;
use bulla::key::KeyError;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::limits::Limits;

use crate::cli::args::TokenArgs;
use crate::cli::exit::Failure;
use crate::cli::render;

use super::argument::KeyArgument;
use super::failure::with_conversion_hint;
use super::token;

/// Reads the public keys, in order. At most one of them may come from standard input.
pub(in crate::cli) fn public_keys<'a>(
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
        // An environment variable leaves no trace afterwards, so say which key it held.
        KeyArgument::Variable(name) => {
            let (key, _) = read(named, &named.bytes()?)?;
            render::note(format_args!("note: from the environment variable {name}: public key {}", key.id()));
            Ok(key)
        }
        KeyArgument::Plugin(text) => {
            Err(Failure::unknown(format!("plugin:{text}: a trusted key is not read from a plugin"))
                .hint(format!("bulla key export 'plugin:{text}' -o FILE.pub, then give FILE.pub")))
        }
        KeyArgument::Token(uri) => token::public(uri, args),
    }
}

/// Reads a public key. A certificate gets a note, because only its key is used and nothing in it is verified.
pub(super) fn read(named: &KeyArgument, bytes: &[u8]) -> Result<(PublicKey, Container), Failure> {
    let (key, container) =
        PublicKey::read(bytes, &Limits::DEFAULT).map_err(|error| to_failure(named, bytes, &error))?;
    if container == Container::Certificate {
        render::note(format_args!(
            "note: {named} is a certificate: its key is used, and the certificate itself is not verified (issuer, validity, purpose)"
        ));
    }
    Ok((key, container))
}

/// The failure for a public key file, with a hint how to convert it.
fn to_failure(named: &KeyArgument, bytes: &[u8], error: &KeyError) -> Failure {
    let failure = Failure::unknown(format!("{named}: {error}"));
    match error {
        KeyError::Kind { .. } if PrivateKey::form(bytes).is_some() => {
            failure.hint(format!("bulla key export {named} -o {named}.pub"))
        }
        _ => with_conversion_hint(failure, &named.to_string(), error),
    }
}
