//! The command `policy push`: a policy file and the files that it names, as an OCI artifact that is signed as an image is.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::policy::PolicyArtifact;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFiles as _;
use bulla::time::Time;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::move_image;
use crate::cli::policy::args::PolicyPushArgs;
use crate::cli::policy::files::DirectoryFiles;
use crate::cli::policy::not_opened::NotOpened;
use crate::cli::quantity::count;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use crate::cli::stores::names_an_image;

pub(super) fn push(args: &PolicyPushArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let tag = tag(&args.reference)?;
    let bytes = files::read(&args.file, limits.yaml.bytes)?;
    let beside = DirectoryFiles::beside(&args.file);
    // What cannot be used is not pushed.
    let policy = LoadedPolicy::load(&bytes, &beside, LoadOptions::new(now, &limits));
    let policy = policy.map_err(|faults| NotOpened::faults(faults).into_failure(&args.file))?;
    let mut named = BTreeMap::new();
    for file in policy.files() {
        let failed = |why: String| Failure::unknown(format!("{}: {why}", file.path));
        let read = beside.read(&file.path, limits.yaml.bytes).map_err(|error| failed(error.to_string()))?;
        if Digest::sha256(&read) != file.sha256 {
            return Err(failed("it changed while it was read".to_owned()));
        }
        named.insert(file.path.clone(), read);
    }
    let name = args.file.file_name().and_then(|name| name.to_str()).unwrap_or("policy.yaml");
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let sink = stores.new_sink(&args.reference)?;
    let conflict = move_image::name_conflict(args.overwrite);
    let runtime = Runtime::new(Work::Waiting)?;
    let pushed = PolicyArtifact::push(sink.as_ref(), (name, &bytes), &named, (Some(&tag), conflict), &limits);
    let pushed = runtime.block_on(pushed).map_err(|error| Failure::unknown(error.to_string()))?;
    let (digest, reference) = (pushed.digest(), &args.reference);
    render::line(format_args!("pushed {digest}  {reference}"));
    render::line(format_args!("  {} named by it; policy id {}", count(named.len(), "file"), policy.id()));
    let place = reference.parse::<Reference>()?.with(TagOrDigest::Digest(*digest));
    render::note(format_args!(
        "note: bulla sign {place} --key KEY signs it, and --policy {place} --policy-key PUB wants that"
    ));
    Ok(Exit::Yes)
}

/// The tag that the artifact gets.
fn tag(reference: &str) -> Result<String, Failure> {
    let wanted = |why: &str| {
        let failure = Failure::unknown(format!("`{reference}` {why}"));
        failure.hint("HOST/REPOSITORY:TAG, oci:DIR:NAME or oci-archive:FILE:NAME")
    };
    match reference.parse::<Reference>()?.tag_or_digest() {
        Some(TagOrDigest::Tag(tag)) if names_an_image(reference)? => Ok(tag.clone()),
        Some(TagOrDigest::Digest(_)) => Err(wanted("names a digest, and a policy gets a tag")),
        Some(TagOrDigest::Tag(_)) | None => Err(wanted("names no tag for the policy")),
    }
}
