//! The commands `ls` and `digest`: the images of a store, and the digest of a reference.

use bulla::limits::Limits;
use bulla::ops::list;
use bulla::ops::list::Image;
use bulla::ops::pinned;
use bulla::report::ImageResult;
use bulla::report::Report;

use super::args::DigestArgs;
use super::args::LsArgs;
use super::args::Output;
use super::exit::Exit;
use super::exit::Failure;
use super::line::Foreign;
use super::line::Lines;
use super::quantity::count;
use super::render;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores;
use super::stores::Stores;

pub(super) fn digest(args: &DigestArgs) -> Result<Exit, Failure> {
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (source, tag_or_digest) = stores.source(&args.reference)?;
    let content = runtime.block_on(pinned::resolve(source.as_ref(), &tag_or_digest))?;
    render::line(content.digest());
    Ok(Exit::Yes)
}

pub(super) fn ls(args: &LsArgs) -> Result<Exit, Failure> {
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let source = stores.open_to_list(&args.reference)?;
    let images = runtime.block_on(list::list(source.as_ref(), &Limits::DEFAULT))?;
    let reference = |image: &Image| stores::reference_of(&args.reference, image.name.as_deref(), image.digest);
    let references = images.iter().map(reference).collect::<Result<Vec<_>, _>>()?;
    let rows = references.iter().zip(&images);
    match args.output {
        Output::Json => {
            let results = rows.map(|(reference, image)| ImageResult::of(reference, image));
            render::report(&Report::new("ls", results.collect()));
        }
        Output::Text => {
            let width = references.iter().map(|reference| reference.chars().count()).max().unwrap_or(0);
            let mut lines = Lines::default();
            for (reference, image) in rows {
                let what = match (&image.manifests, &image.media_type) {
                    (Some(manifests), _) => format!("index of {}", count(*manifests, "manifest")),
                    (None, Some(media_type)) => Foreign(media_type).to_string(),
                    (None, None) => String::new(),
                };
                match image.digest {
                    Some(digest) => {
                        lines.push(format_args!("{:width$}  {digest}  {what}", Foreign(reference).to_string()));
                    }
                    None => lines.push(Foreign(reference).to_string()),
                }
            }
            render::text(&lines);
        }
    }
    Ok(Exit::Yes)
}
