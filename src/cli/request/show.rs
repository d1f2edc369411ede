//! The command `request show`.

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::render;
use crate::cli::request::archive::CheckedArchive;
use crate::cli::request::args::RequestShowArgs;
use crate::cli::request::copies;
use crate::cli::request::documents;
use crate::cli::request::page::RequestPage;
use bulla::key::MessageHasher;
use bulla::time::Time;

pub(super) fn show(args: &RequestShowArgs, now: Time) -> Result<Exit, Failure> {
    let request = documents::load(&args.request, &args.expected, &args.token)?;
    let response = documents::responses(&args.response, &request)?;
    let previous = args.previous.as_ref().map(|path| documents::read_request(path)).transpose()?;
    let files = copies::check(&args.request, &request, &args.file, &MessageHasher::new([], 0))?;
    let archive = args.archive.as_ref();
    let archive =
        archive.map(|archive| CheckedArchive::check(archive, args.evidence.as_deref(), &request)).transpose()?;
    let page = RequestPage {
        archive: archive.as_ref(),
        files: Some(&files),
        full: args.full,
        previous: previous.as_ref(),
        ..RequestPage::new(&request, &response)
    };
    match args.output {
        Output::Json => render::report(&page.report(now)),
        Output::Text => {
            render::text(&page.text());
            // They belong to the page: without them an expired request looks like an open one.
            request.check_open(now).unwrap_or_else(|error| render::warning(format_args!("warning: {error}")));
            for key in request.owners().iter().flat_map(|owner| &owner.keys) {
                let checked = request.check_certificates(key.id(), now);
                checked.unwrap_or_else(|error| render::warning(format_args!("warning: {error}")));
            }
        }
    }
    Ok(Exit::Yes)
}
