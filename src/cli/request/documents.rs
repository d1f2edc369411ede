//! Signing requests and signing responses in files, and the owners that the command line expects in a request.

use std::path::Path;
use std::path::PathBuf;

use crate::cli::args::TokenArgs;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::request::args::ExpectedArgs;
use bulla::limits::Limits;
use bulla::request::Keyholder;
use bulla::request::RequestError;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;

/// The failure for a request or response file: refused, or could not tell if the error does not decide.
pub(super) fn failure(path: &Path, error: RequestError) -> Failure {
    let message = format!("{}: {error}", path.display());
    let failure = if error.is_undetermined() { Failure::unknown(message) } else { Failure::refused(message) };
    Failure { code: error.code(), ..failure }
}

/// The failure for a bad argument, or for the file that it names.
pub(in crate::cli) fn bad_argument(path: &Path, error: &RequestError) -> Failure {
    Failure { code: error.code(), ..Failure::unknown(format!("{}: {error}", path.display())) }
}

/// Reads a request. If the command line gives digests, the request must ask to sign exactly those; if it gives another
/// request, the same as that one; if it gives owners and a threshold, the request must ask exactly those owners and keys,
/// with exactly that threshold.
pub(super) fn load(path: &Path, expected: &ExpectedArgs, token: &TokenArgs) -> Result<SigningRequest, Failure> {
    let request = read_request(path)?;
    let to_failure = |error| failure(path, error);
    let to_asked = |error| to_failure(error).hint("ask the requester by another way than the request came");
    if !expected.digests.is_empty() {
        request.check_digests(&expected.digests).map_err(to_asked)?;
    }
    if let Some(own) = &expected.own {
        request.check_same(&own_request(own, &request)?).map_err(to_asked)?;
    }
    if !expected.owners.is_empty() {
        let owners = keyholders(&expected.owners, token)?;
        request.check_asks(&owners, expected.threshold).map_err(to_failure)?;
    }
    Ok(request)
}

/// Reads the request that the command line expects. One that is compared with itself would always be as expected.
fn own_request(path: &Path, request: &SigningRequest) -> Result<SigningRequest, Failure> {
    let own = read_request(path)?;
    if own.digest() == request.digest() {
        let message = format!("{}: it is the request itself, which would always be as expected", path.display());
        return Err(Failure::unknown(message)
            .hint("write one of your own with `bulla request new`, from contents that you have built or checked"));
    }
    Ok(own)
}

pub(super) fn read_request(path: &Path) -> Result<SigningRequest, Failure> {
    let bytes = files::read(path, Limits::DEFAULT.request.bytes)?;
    SigningRequest::parse(&bytes, &Limits::DEFAULT).map_err(|error| failure(path, error))
}

/// Reads the responses, verifies each against the request, and merges them.
pub(super) fn responses(paths: &[PathBuf], request: &SigningRequest) -> Result<SigningResponse, Failure> {
    let mut all = SigningResponse::to(request);
    for path in paths {
        let bytes = files::read(path, Limits::DEFAULT.request.response_bytes)?;
        let response =
            SigningResponse::parse(&bytes, request, &Limits::DEFAULT).map_err(|error| failure(path, error))?;
        all.merge(response).map_err(|error| failure(path, error))?;
    }
    Ok(all)
}

/// A response as the JSON of its file.
pub(super) fn to_json(path: &Path, response: &SigningResponse) -> Result<Vec<u8>, Failure> {
    response.to_json().map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))
}

/// The owners of the command line in their order, each with all of their keys.
pub(super) fn keyholders(typed: &[(String, String)], token: &TokenArgs) -> Result<Vec<Keyholder>, Failure> {
    let mut owners: Vec<Keyholder> = Vec::new();
    let keys = keys::public_keys(typed.iter().map(|(_, key)| key), token)?;
    for ((name, _), key) in typed.iter().zip(keys) {
        match owners.iter_mut().find(|owner| owner.name == *name) {
            Some(owner) => owner.keys.push(key),
            None => owners.push(Keyholder { keys: vec![key], name: name.clone() }),
        }
    }
    Ok(owners)
}
