//! The command `request merge`.

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::render;
use crate::cli::request::args::RequestMergeArgs;
use crate::cli::request::documents;
use crate::cli::request::page::RequestPage;
use bulla::files::Overwrite;
use bulla::limits::Limits;
use bulla::request::SigningResponse;

pub(super) fn merge(args: &RequestMergeArgs) -> Result<Exit, Failure> {
    let request = documents::read_request(&args.request)?;
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    files::replaces_none(&args.out, [(&args.request, "the request")])?;
    files::writable(&args.out, overwrite)?;
    let response = documents::responses(&args.responses, &request)?;
    let merged = documents::to_json(&args.out, &response)?;
    // Parse the merged response before it is written: together it may exceed the limits of one response.
    SigningResponse::parse(&merged, &request, &Limits::DEFAULT).map_err(|error| {
        documents::failure(&args.out, error).hint("bulla request attach takes the responses one by one as well")
    })?;
    files::write(&args.out, &merged, overwrite)?;
    let page = RequestPage::new(&request, &response);
    match args.output {
        Output::Json => render::report(&page.outcome("request merge", &args.out)),
        Output::Text => render::text(&page.summary()),
    }
    Ok(Exit::Yes)
}
