//! The command `policy new`: writes a first policy file.

use std::path::Path;

use bulla::files::Overwrite;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::RepositoryName;
use bulla::policy_file::ImagePattern;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyDraft;
use bulla::time::Time;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::policy::args::PolicyNewArgs;
use crate::cli::policy::files::DirectoryFiles;
use crate::cli::policy::not_opened::NotOpened;
use crate::cli::quantity::count;
use crate::cli::render;
use crate::cli::trust;

pub(super) fn new(args: &PolicyNewArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    files::writable(&args.out, overwrite)?;
    let image = pattern(&args.image)?;
    let shown = image.to_string();
    let mut draft = PolicyDraft::new(image, args.threshold);
    for key in &args.key {
        let (owner, path) = trust::owner_of(key)?;
        let path = Path::new(&path);
        files::replaces_none(&args.out, [(path, "a public key that the policy is to name")])?;
        let bytes = files::read(path, limits.key.file_bytes)?;
        let (public, _) = PublicKey::read(&bytes, &limits)
            .map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("signer");
        let owner = owner.unwrap_or(stem);
        draft.add(owner, public).map_err(|error| Failure::unknown(format!("--key {key}: {error}")))?;
    }
    let text = draft.to_yaml().map_err(|error| Failure::unknown(error.to_string()))?;
    // What cannot be loaded again is not written.
    let beside = DirectoryFiles::beside(&args.out);
    let loaded = LoadedPolicy::load(text.as_bytes(), &beside, LoadOptions::new(now, &limits));
    let loaded = loaded.map_err(|faults| NotOpened::faults(faults).into_failure(&args.out))?;
    files::write(&args.out, text.as_bytes(), overwrite)?;
    let out = args.out.display();
    let of = loaded.document().identities.len();
    render::line(format_args!("wrote {out}: {} of {} must sign {}", args.threshold, count(of, "owner"), shown));
    render::note(format_args!(
        "note: bulla policy check {out} --strict checks it; edit it as docs/policy-reference.md says"
    ));
    Ok(Exit::Yes)
}

/// The pattern that was typed; of a sample image, with a tag or digest, its repository.
fn pattern(typed: &str) -> Result<ImagePattern, Failure> {
    let error = match ImagePattern::parse(typed) {
        Ok(pattern) => return Ok(pattern),
        Err(error) => error,
    };
    let repository = match typed.parse() {
        Ok(Reference::Registry(sample)) => ImagePattern::parse(&RepositoryName::of(&sample).to_string()).ok(),
        Ok(_) | Err(_) => None,
    };
    repository
        .ok_or_else(|| Failure::unknown(format!("--image {typed}: {error}")).hint("--image HOST/REPOSITORY[:TAG]"))
}
