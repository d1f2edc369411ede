//! The command `revocation attach`: a file of revocation evidence becomes a referrer of an image.

use bulla::limits::Limits;
use bulla::oci::Subject;
use bulla::ops::pinned;
use bulla::ops::revocation;
use bulla::report::Report;
use bulla::report::RevocationAttachResult;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::render;
use crate::cli::revocation::args::RevocationAttachArgs;
use crate::cli::revocation::check;
use crate::cli::revocation::check::EvidenceFile;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;

pub(super) fn attach(args: &RevocationAttachArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let place = args.file.display();
    let EvidenceFile::Bundle(bundle) = check::read(&args.file, &limits)? else {
        let failure = Failure::unknown(format!("{place}: only a portable file is attached"));
        return Err(failure.hint("bulla revocation fetch REF --ca-roots FILE -o FILE"));
    };
    if bundle.is_empty() {
        return Err(Failure::unknown(format!("{place}: there is no evidence in it")));
    }
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (digest, referrer) = runtime.block_on(async {
        let (sink, tag_or_digest) = stores.existing_sink(&args.reference)?;
        let content = pinned::resolve(sink.as_ref(), &tag_or_digest).await?;
        let referrer = revocation::attach(sink.as_ref(), &Subject::of(&content), &bundle, &limits).await?;
        sink.finish().await?;
        Ok::<_, Failure>((*content.digest(), referrer))
    })?;
    match args.output {
        Output::Json => {
            let result = RevocationAttachResult::new(&args.reference, &digest, &args.file, &referrer);
            render::report(&Report::new("revocation attach", vec![result]));
        }
        Output::Text => render::line(format_args!("{}: attached {referrer}", args.reference)),
    }
    Ok(Exit::Yes)
}
