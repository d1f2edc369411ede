//! The command `request new`.

use std::path::Path;

use crate::cli::args::ImageFormat;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::reference_list;
use crate::cli::render;
use crate::cli::request::args::RequestNewArgs;
use crate::cli::request::asked::AskedStatements;
use crate::cli::request::asked::PlatformSubjects;
use crate::cli::request::chains;
use crate::cli::request::copies;
use crate::cli::request::documents;
use crate::cli::request::page::RequestPage;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::scanner_report;
use crate::cli::signing_chains;
use crate::cli::stores::Stores;
use crate::cli::verifiers;
use bulla::envelope::FormName;
use bulla::files::Overwrite;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops;
use bulla::ops::request::SignableImage;
use bulla::ops::sign::SignedPlatforms;
use bulla::policy::Threshold;
use bulla::request::Action;
use bulla::request::Attestation;
use bulla::request::ImageSignature;
use bulla::request::RequestDraft;
use bulla::request::RequestError;
use bulla::request::RequestItem;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::store::Task;
use bulla::store::parallel;
use bulla::time::Time;

/// The number of references that are resolved at the same time.
const AT_ONCE: usize = 16;

pub(super) fn new(args: &RequestNewArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    verifiers::check_annotations(&args.annotations)?;
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    files::replaces_none(&args.out, sources(args))?;
    files::writable(&args.out, overwrite)?;
    let to_failure = |error| new_failure(args, &error);
    let forms = ImageFormat::forms(&args.format);
    let owners = documents::keyholders(&args.owners, &args.token)?;
    let draft = RequestDraft {
        chains: chains::read(args, &forms, &owners, now, &limits)?,
        created: now,
        expires: expires(&args.expires, now)?,
        files: copies::asked(&args.file, &owners, &limits)?,
        items: Vec::new(),
        owners,
        reason: args.reason.clone(),
        threshold: Threshold::new(args.threshold).map_err(|error| to_failure(error.into()))?,
    };
    scanner_report::check_time(&args.scanner, now)?;
    let references = reference_list::expand(&args.references)?;
    files::replaces_none(&args.out, reference_list::archives(&references))?;
    reference_list::check_outside(&args.out, &references)?;
    let asked = AskedStatements::read(args, forms, references.len(), now, &limits)?;
    let previous = args.previous.as_ref().map(|path| documents::read_request(path)).transpose()?;
    let mut items: Vec<RequestItem> = Vec::new();
    for (reference, found, subjects) in resolve(args, &references, &asked, &limits)? {
        for found in found {
            // Two references to the same image in the same place are one item, under the first reference.
            match items
                .iter()
                .find(|item| item.digest == found.digest && item.reference.location() == reference.location())
            {
                Some(item) => render::note(format_args!("note: {reference} is the same image as {}", item.reference)),
                None => items.extend(items_for(args, (&asked, &subjects), &reference, &found, previous.as_ref())),
            }
        }
    }
    asked.check_statements(args, &items)?;
    // Predicates may be large, and each item has its own copy.
    drop(asked);
    let bytes = RequestDraft { items, ..draft }.to_json(&limits).map_err(to_failure)?;
    let written = SigningRequest::parse(&bytes, &limits).map_err(to_failure)?;
    files::write(&args.out, &bytes, overwrite)?;
    let response = SigningResponse::to(&written);
    let page = RequestPage::new(&written, &response);
    match args.output {
        Output::Json => render::report(&page.outcome("request new", &args.out)),
        Output::Text => render::text(&page.summary()),
    }
    Ok(Exit::Yes)
}

/// The files that are to be signed, the public keys of those who are asked, and what else is read for the request.
fn sources<'a>(args: &'a RequestNewArgs) -> impl Iterator<Item = (&'a Path, &'static str)> {
    let files = args.file.iter().map(|path| (path.as_path(), "a file that is to be signed"));
    let documents = args.attest.iter().map(|(_, path)| path).chain(&args.statement);
    let documents = documents.map(|path| (path.as_path(), "a document that is to be signed"));
    let keys = args.owners.iter().map(|(_, key)| (Path::new(key), "the public key of an owner"));
    // Some are typed as PLATFORM=FILE or OWNER=FILE.
    let typed = |text: &'a String| [text.as_str(), text.split_once('=').map_or(text.as_str(), |(_, file)| file)];
    let reports = args.scanner.scanner_report.iter().flat_map(typed);
    let reports = reports.map(|path| (Path::new(path), "the report of a scanner"));
    let database = args.scanner.scanner_db.iter().map(|path| (path.as_path(), "the database of a scanner"));
    let chains = args.certificates.cert_chain.iter().flat_map(typed);
    let chains = chains.map(|path| (Path::new(path), "a file of certificates"));
    files.chain(documents).chain(keys).chain(reports).chain(database).chain(chains)
}

/// The failure for an error of a new request. Every field comes from the command line, so every error is a bad argument.
fn new_failure(args: &RequestNewArgs, error: &RequestError) -> Failure {
    let failure = documents::bad_argument(&args.out, error);
    match error {
        RequestError::KeyNotAllowed { .. } => failure.hint(signing_chains::KEY_HINT),
        RequestError::NoChain { .. } => failure.hint(signing_chains::CHAIN_HINT),
        RequestError::File { .. } => copies::new_failure(&args.out, error),
        _ => failure,
    }
}

/// The images under one reference, and the manifests that the documents about platforms are about.
type ResolvedImages = (Reference, Vec<SignableImage>, PlatformSubjects);

/// Resolves each reference once, describes the images, and finds what the documents are about.
fn resolve(
    args: &RequestNewArgs,
    references: &[String],
    asked: &AskedStatements,
    limits: &Limits,
) -> Result<Vec<ResolvedImages>, Failure> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, references)?;
    let stores = &stores;
    let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    let tasks = references.iter().map(|typed| -> Task<'_, Result<ResolvedImages, Failure>> {
        Box::pin(async move {
            let (source, tag_or_digest) = stores.source(typed)?;
            let found = ops::request::find(source.as_ref(), &tag_or_digest, platforms, limits).await?;
            let subjects = asked.subjects(source.as_ref(), &found, limits).await?;
            let reference: Reference = typed.parse()?;
            // An image without a name is referred to by its digest.
            let reference = match (reference.tag_or_digest(), found.first()) {
                (None, Some(root)) => reference.with(TagOrDigest::Digest(root.digest)),
                _ => reference,
            };
            Ok((reference, found, subjects))
        })
    });
    runtime.block_on(parallel::run(tasks.collect(), AT_ONCE)).into_iter().collect()
}

/// The items for one manifest: an image signature, and each requested attestation.
fn items_for(
    args: &RequestNewArgs,
    (asked, subjects): (&AskedStatements, &PlatformSubjects),
    reference: &Reference,
    found: &SignableImage,
    previous: Option<&SigningRequest>,
) -> Vec<RequestItem> {
    // A manifest in an index is shown under the tag of the index, but not under its digest: that names another manifest.
    let named = |action| {
        let mut item = RequestItem {
            action,
            content_size: found.content_size,
            digest: found.digest,
            labels: found.labels.clone(),
            media_type: found.media_type.clone(),
            platforms: found.platforms.clone(),
            previous: None,
            reference: match reference.tag_or_digest() {
                Some(TagOrDigest::Digest(digest)) if *digest != found.digest => {
                    reference.with(TagOrDigest::Digest(found.digest))
                }
                _ => reference.clone(),
            },
            size: found.size,
        };
        item.previous = previous.and_then(|previous| previous.predecessor(&item));
        item
    };
    let signature = || {
        let forms = asked.forms.clone();
        Action::Sign(ImageSignature {
            annotations: args.annotations.iter().cloned().collect(),
            identity: forms.has_tag().then(|| args.signed_reference.clone().unwrap_or_else(|| reference.location())),
            name: args.signed_reference.clone().filter(|_| forms.contains(FormName::SigstoreBundle)),
            notary: asked.notary,
            forms,
        })
    };
    let registry = matches!(reference, Reference::Registry(_)).then(|| reference.location());
    let attest = |attestation: &Attestation| {
        let name = || args.signed_reference.clone().or_else(|| registry.clone());
        Action::Attest(attestation.clone().named(name))
    };
    let signature = (!args.attest_only).then(signature);
    signature.into_iter().chain(asked.about(&found.digest, subjects).map(attest)).map(named).collect()
}

/// Parses the time at which the request expires: `7d`, `12h`, `30m`, or a time in RFC 3339.
fn expires(text: &str, now: Time) -> Result<Time, Failure> {
    let unit = |unit: char| match unit {
        'd' => Some(24 * 60 * 60),
        'h' => Some(60 * 60),
        'm' => Some(60),
        _ => None,
    };
    let span = || {
        let (at, last) = text.char_indices().next_back()?;
        let count: i64 = text.get(..at)?.parse().ok().filter(|count| *count > 0)?;
        Time::from_unix(now.unix().checked_add(count.checked_mul(unit(last)?)?)?)
    };
    let wrong = || {
        Failure::unknown(format!("`{text}` is not a time at which a request can expire"))
            .hint("--expires 7d, or --expires 2026-01-31T12:00:00Z")
    };
    match span().or_else(|| Time::parse(text)) {
        Some(time) if time > now => Ok(time),
        Some(time) => Err(Failure::unknown(format!("{time} is in the past: this machine's clock says {now}"))),
        None => Err(wrong()),
    }
}
