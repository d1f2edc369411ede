//! The commands `copy` and `import`.

use crate::flow::copy;
use crate::flow::graph::Closure;
use crate::flow::graph::Graph;
use crate::flow::import;
use crate::flow::import::Checked;
use crate::flow::naming::Taken;
use crate::flow::pinned;
use crate::flow::verify::Platforms;
use crate::limits::Limits;
use crate::policy::Kind;

use super::Exit;
use super::Failure;
use super::args::CopyArgs;
use super::args::ImportArgs;
use super::args::Output;
use super::render;
use super::report;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores;
use super::stores::Stores;
use super::verify;

pub(super) fn copy(args: &CopyArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let stores = Stores::for_sides(&args.registry, &args.sides, std::slice::from_ref(&args.source), &args.target)?;
    let runtime = Runtime::new(Work::Moving)?;
    let closure = if args.without_referrers { Closure::Image } else { Closure::WithReferrers };
    let (source, selector) = stores.source(&args.source)?;
    let (digest, copied) = runtime.block_on(async {
        let root = pinned::resolve(source.as_ref(), &selector).await?;
        let digest = *root.digest();
        let names = stores.names(&args.source, &args.target, &source.names_of(&selector), &digest)?;
        let graph = Graph::collect(source.as_ref(), root, closure, &limits).await?;
        // The destination is only opened for writing when the source is known to be whole.
        let sink = stores.new_sink(&args.target)?;
        let copied = copy::copy(&source, &sink, &graph, &names, taken(args.overwrite), &limits).await?;
        sink.finish().await?;
        Ok::<_, Failure>((digest, copied))
    })?;
    let written = stores::written(&args.target, &copied.named)?;
    render::left(&args.source, &copied);
    match args.output {
        Output::Text => render::copied(&args.source, &args.target, &written, &digest, &copied),
        Output::Json => render::json(&report::copied(&args.source, &args.target, &written, &digest, &copied)),
    }
    Ok(Exit::Yes)
}

pub(super) fn import(args: &ImportArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let verifier = verify::verifier(&args.want, Kind::ImageSignature, &limits)?;
    let stores = Stores::for_sides(&args.registry, &args.sides, std::slice::from_ref(&args.source), &args.target)?;
    let runtime = Runtime::new(Work::Moving)?;
    let platforms = if args.all_platforms { Platforms::All } else { Platforms::Root };
    let (source, selector) = stores.source(&args.source)?;
    let checked = runtime.block_on(import::check(source.as_ref(), &selector, &platforms, &verifier, &limits))?;
    let admitted = match checked {
        Checked::Admitted(admitted) => admitted,
        Checked::Declined(outcome) => {
            let exit = verify::exit_of(&outcome);
            match args.output {
                Output::Text => render::outcome(&args.source, &outcome, &args.want),
                Output::Json => {
                    render::json(&report::whole("import", vec![report::outcome(&args.source, &Ok(*outcome))]));
                }
            }
            return Ok(exit);
        }
    };
    let Some(digest) = admitted.digest().copied() else { return Err(Failure::unknown("nothing to import")) };
    let names = stores.names(&args.source, &args.target, &source.names_of(&selector), &digest)?;
    let sink = stores.new_sink(&args.target)?;
    let pushed = import::push(&source, &sink, &admitted, &names, taken(args.overwrite), &verifier, &limits);
    let copied = runtime.block_on(pushed)?;
    let written = stores::written(&args.target, &copied.named)?;
    render::left(&args.source, &copied);
    match args.output {
        Output::Text => render::imported(&args.source, &args.target, &written, &admitted, &copied),
        Output::Json => render::json(&report::imported(&args.source, &args.target, &written, &admitted, &copied)),
    }
    Ok(Exit::Yes)
}

fn taken(overwrite: bool) -> Taken {
    if overwrite { Taken::Overwrite } else { Taken::Keep }
}
