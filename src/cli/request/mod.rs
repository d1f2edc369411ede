//! The commands `request …`: the signing round.

pub(super) mod args;
mod attach;
mod log;
mod new;
mod page;
mod sign;
mod view;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::args::Output;
use crate::cli::args::TokenArgs;
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::render;
use crate::files::Overwrite;
use crate::key::KeyId;
use crate::limits::Limits;
use crate::request::Keyholder;
use crate::request::RequestError;
use crate::request::SigningRequest;
use crate::request::SigningResponse;

use args::OwnerArgs;
use args::RequestCommand;
use args::RequestLogCommand;
use args::RequestMergeArgs;
use args::RequestShowArgs;

pub(super) fn request(command: &RequestCommand) -> Result<Exit, Failure> {
    match command {
        RequestCommand::Attach(args) => attach::attach(args),
        RequestCommand::Log(RequestLogCommand::Verify(args)) => log::verify(args),
        RequestCommand::Merge(args) => merge(args),
        RequestCommand::New(args) => new::new(args, clock::now()),
        RequestCommand::Show(args) => show(args),
        RequestCommand::Sign(args) => sign::sign(args),
    }
}

/// What is wrong with a file of the signing round: refused, unless it is no answer at all.
pub(super) fn told(path: &Path, error: RequestError) -> Failure {
    let message = format!("{}: {error}", path.display());
    let failure = if error.is_undetermined() { Failure::unknown(message) } else { Failure::refused(message) };
    Failure { code: error.code(), ..failure }
}

/// What is wrong with something that was typed, or with a file that it names: an argument that cannot be used.
pub(super) fn bad(path: &Path, error: &RequestError) -> Failure {
    Failure { code: error.code(), ..Failure::unknown(format!("{}: {error}", path.display())) }
}

fn show(args: &RequestShowArgs) -> Result<Exit, Failure> {
    let request = load(&args.request, &args.owners, &args.token)?;
    let response = responses(&args.response, &request)?;
    let previous = args.previous.as_ref().map(|path| read_request(path)).transpose()?;
    let page = view::Page { request: &request, response: &response, previous: previous.as_ref(), full: args.full };
    match args.output {
        Output::Json => render::report(&page.report(clock::now())),
        Output::Text => {
            render::text(&page.text());
            request.check_open(clock::now()).unwrap_or_else(|error| render::note(format_args!("warning: {error}")));
        }
    }
    Ok(Exit::Yes)
}

fn merge(args: &RequestMergeArgs) -> Result<Exit, Failure> {
    let request = read_request(&args.request)?;
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    files::writable(&args.out, overwrite)?;
    let response = responses(&args.responses, &request)?;
    let merged = bytes(&args.out, &response)?;
    // What the next command would not read need not be written.
    SigningResponse::parse(&merged, &request, &Limits::DEFAULT)
        .map_err(|error| told(&args.out, error).hint("bulla request attach takes the responses one by one as well"))?;
    files::write(&args.out, &merged, overwrite)?;
    let page = view::Page { request: &request, response: &response, previous: None, full: false };
    match args.output {
        Output::Json => render::report(&page.outcome("request merge", &args.out)),
        Output::Text => render::text(&page.standing()),
    }
    Ok(Exit::Yes)
}

/// The request in a file, if it asks whom the command line says, and as many of them.
fn load(path: &Path, pinned: &OwnerArgs, token: &TokenArgs) -> Result<SigningRequest, Failure> {
    let request = read_request(path)?;
    if pinned.owners.is_empty() {
        return Ok(request);
    }
    let ids = |owners: &[Keyholder]| -> BTreeSet<(String, KeyId)> {
        let ids = |owner: &Keyholder| owner.keys.iter().map(|key| (owner.name.clone(), key.id())).collect::<Vec<_>>();
        owners.iter().flat_map(ids).collect()
    };
    let (asked, wanted) = (ids(request.owners()), ids(&keyholders(&pinned.owners, token)?));
    if asked != wanted {
        return Err(Failure::refused(format!(
            "{}: it asks {}, and these are not the owners and keys that were given",
            path.display(),
            request.asked()
        )));
    }
    // Who alters the request on the way and brings it back with one answer must not get by with that one.
    match (request.threshold().count(), pinned.threshold) {
        (asked, Some(wanted)) if asked == wanted => Ok(request),
        (asked, wanted) => Err(Failure::refused(format!(
            "{}: it asks for {asked} of its owners, wanted {}",
            path.display(),
            wanted.map_or_else(|| "a number".to_owned(), |wanted| wanted.to_string())
        ))),
    }
}

fn read_request(path: &Path) -> Result<SigningRequest, Failure> {
    let bytes = files::read(path, Limits::DEFAULT.request.bytes)?;
    SigningRequest::parse(&bytes, &Limits::DEFAULT).map_err(|error| told(path, error))
}

/// All responses together; each is checked against the request.
fn responses(paths: &[PathBuf], request: &SigningRequest) -> Result<SigningResponse, Failure> {
    let mut all = SigningResponse::to(request);
    for path in paths {
        let bytes = files::read(path, Limits::DEFAULT.request.response_bytes)?;
        let response = SigningResponse::parse(&bytes, request, &Limits::DEFAULT).map_err(|error| told(path, error))?;
        all.merge(response).map_err(|error| told(path, error))?;
    }
    Ok(all)
}

fn bytes(path: &Path, response: &SigningResponse) -> Result<Vec<u8>, Failure> {
    response.to_json().map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))
}

/// The owners that the command line names, each with all of their keys, in the order in which they come.
fn keyholders(typed: &[(String, String)], token: &TokenArgs) -> Result<Vec<Keyholder>, Failure> {
    let mut owners: Vec<Keyholder> = Vec::new();
    let keys = keys::publics(typed.iter().map(|(_, key)| key), token)?;
    for ((name, _), key) in typed.iter().zip(keys) {
        match owners.iter_mut().find(|owner| owner.name == *name) {
            Some(owner) => owner.keys.push(key),
            None => owners.push(Keyholder { keys: vec![key], name: name.clone() }),
        }
    }
    Ok(owners)
}
