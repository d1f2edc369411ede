//! The command `tree`.

use crate::flow::pinned;
use crate::flow::tree;
use crate::limits::Limits;
use crate::trust::TrustRoot;

use super::Exit;
use super::Failure;
use super::args::TreeArgs;
use super::args::TreeOutput;
use super::keys;
use super::picture;
use super::render;
use super::report;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores::Stores;

pub(super) fn tree(args: &TreeArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let keys = keys::publics(&args.key, &args.token)?;
    let trust = match keys.is_empty() {
        true => None,
        false => Some(TrustRoot::pinned(keys).map_err(|error| Failure::unknown(error.to_string()))?),
    };
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (source, selector) = stores.source(&args.reference)?;
    let root = runtime.block_on(async {
        let root = pinned::resolve(source.as_ref(), &selector).await.map_err(Failure::from)?;
        tree::tree(source.as_ref(), root, trust.as_ref(), &limits).await.map_err(Failure::from)
    })?;
    match args.output {
        TreeOutput::Dot => render::text(&picture::dot(&args.reference, &root)),
        TreeOutput::Json => render::json(&report::tree(&args.reference, &root)),
        TreeOutput::Svg => render::text(&picture::svg(&args.reference, &root)),
        TreeOutput::Text => render::tree(&args.reference, &root),
    }
    // A tree with holes is no whole answer.
    Ok(if root.has_problems() { Exit::Unknown } else { Exit::Yes })
}
