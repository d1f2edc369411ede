//! The option `verify --print-policy`: the policy file that the options of a verification are short for.
//!
//! What is printed was loaded again and compared with what the options mean. An option that no policy file can say is an
//! error that names it: a policy that says less is never printed.

use std::path::Path;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::RepositoryName;
use bulla::policy::About;
use bulla::policy_file::DraftRequirement;
use bulla::policy_file::ImagePattern;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::NotWritten;
use bulla::policy_file::PolicyDraft;
use bulla::policy_file::PolicyFileError;
use bulla::policy_file::TypedIdentities;
use bulla::time::Time;
use bulla::trust::Owner;
use bulla::x509::IdentityPattern;

use super::args::EnvelopeReader;
use super::args::KeylessArgs;
use super::args::VerifyArgs;
use super::exit::Exit;
use super::exit::Failure;
use super::files;
use super::line::Lines;
use super::policy;
use super::reference_list;
use super::render;
use super::trust;
use super::verifiers;
use super::verify;

pub(super) fn print(args: &VerifyArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    check_options(args)?;
    let (images, names) = images(args)?;
    let required = &args.required;
    let typed = typed(args, &limits)?;
    let trusted = trust::trust_root(&required.key, &required.certificates, &required.token, now, &limits)?.root;
    let kinds = verify::wanted_kinds(args.predicate_type.as_deref())?;
    let verifier = verifiers::verifier(trusted, required, kinds, &limits)?;
    let wanted = match &args.predicate_type {
        Some(typed) => DraftRequirement::Statement(typed.clone()),
        None if required.annotations.is_empty() => DraftRequirement::Signature,
        None => DraftRequirement::Annotations(annotations(&required.annotations)),
    };
    let draft = PolicyDraft::of_trust(images, verifier.trust(), (wanted, required.threshold), &typed);
    let (draft, owners) = draft.map_err(|error| not_written(&error))?;
    let about = if args.all_platforms { About::Platforms } else { About::Named };
    let mut draft = draft.with_about(about);
    for (owner, name) in owners.iter().filter(|(owner, name)| owner.to_string() != **name) {
        draft = draft.with_comment(&format!("{name}: {owner}"));
    }
    for comment in comments(args, &names) {
        draft = draft.with_comment(&comment);
    }
    let text = draft.to_yaml().map_err(|error| Failure::unknown(format!("--threshold: {error}")))?;
    // Files that it names stand beside it: in the working directory.
    let beside = policy::files::DirectoryFiles::beside(Path::new("policy.yaml"));
    let loaded = LoadedPolicy::load(text.as_bytes(), &beside, LoadOptions::new(now, &limits));
    let loaded = loaded.map_err(|faults| not_loaded(faults.first(), &text))?;
    let requirements = verifier.policy().requirements();
    if requirements.count() != 1 || !loaded.is_written_for(verifier.trust(), &owners, (requirements.first(), about)) {
        let message = "a policy file cannot say what --certificate-identity or --key say: names with wildcards or \
                       conditions, or an owner, a key or a certificate that is given twice";
        return Err(Failure::unknown(message).hint("bulla verify, with these options"));
    }
    render::text(&text.lines().collect::<Lines>());
    Ok(Exit::Yes)
}

/// Refuses what no policy file says, by the option.
fn check_options(args: &VerifyArgs) -> Result<(), Failure> {
    let required = &args.required;
    let annotated = args.predicate_type.is_some() && !required.annotations.is_empty();
    let authorities = !required.certificates.signing_authority_roots.is_empty();
    let given = [
        (required.notation.trust_policy.is_some(), "--trust-policy", "translate its statements by hand"),
        (required.signed_reference.is_some(), "--signed-reference", "signed-name compares the repository alone"),
        (args.at.is_some(), "--at", "a policy is judged as of now; policy test has a time for each case"),
        (
            args.all_platforms && args.predicate_type.is_none(),
            "--all-platforms",
            "about: both leaves out what BuildKit puts beside platforms",
        ),
        (args.platform.is_some(), "--platform", "about: platforms, and --platform beside --policy"),
        (!args.evidence.is_empty(), "--evidence", "leave it out here; attestations in files go with --policy"),
        (args.with_predicates, "--with-predicates", "it changes a report, and no policy"),
        (args.accept_unenforced, "--accept-unenforced", "leave it out: a policy has no unenforced check"),
        (authorities, "--signing-authority-roots", "--ca-roots FILE"),
        (annotated, "--annotation", "leave out --type: annotations of image signatures are in a policy"),
    ];
    match given.into_iter().chain(keyless_options(&required.certificates.keyless)).find(|(given, ..)| *given) {
        Some((_, option, hint)) => Err(Failure::unknown(format!("{option} cannot be written as a policy")).hint(hint)),
        None => Ok(()),
    }
}

/// Options about keyless identities that no policy file says, and whether they are given.
fn keyless_options(keyless: &KeylessArgs) -> [(bool, &'static str, &'static str); 9] {
    let (issuer, name) = ("--certificate-oidc-issuer URL", "--certificate-identity NAME");
    [
        (!keyless.certificate_identity_regexp.is_empty(), "--certificate-identity-regexp", name),
        (keyless.certificate_identity_any, "--certificate-identity-any", name),
        (!keyless.certificate_oidc_issuer_regexp.is_empty(), "--certificate-oidc-issuer-regexp", issuer),
        (keyless.certificate_oidc_issuer_any, "--certificate-oidc-issuer-any", issuer),
        (keyless.certificate_github_workflow_name.is_some(), "--certificate-github-workflow-name", GITHUB),
        (keyless.certificate_github_workflow_ref.is_some(), "--certificate-github-workflow-ref", GITHUB),
        (keyless.certificate_github_workflow_repository.is_some(), "--certificate-github-workflow-repository", GITHUB),
        (keyless.certificate_github_workflow_sha.is_some(), "--certificate-github-workflow-sha", GITHUB),
        (keyless.certificate_github_workflow_trigger.is_some(), "--certificate-github-workflow-trigger", GITHUB),
    ]
}

const GITHUB: &str = "--certificate-identity github:OWNER/REPO/.github/workflows/FILE.yml@REF";

/// The patterns of images, and the names behind the references.
fn images(args: &VerifyArgs) -> Result<(Vec<ImagePattern>, Vec<String>), Failure> {
    let mut names: Vec<String> = Vec::new();
    let references = reference_list::expand(&args.references)?;
    let typed = args.print_policy.as_deref().filter(|pattern| !pattern.is_empty());
    for text in &references {
        let name = match text.parse::<Reference>()? {
            Reference::Registry(reference) => RepositoryName::of(&reference).to_string(),
            Reference::DockerArchive(_) => {
                let failure = Failure::unknown(format!("`{text}`: images of docker save are not judged by a policy"));
                return Err(failure.hint("bulla copy REF oci-archive:app.tar, and verify that"));
            }
            _ if typed.is_some() => continue,
            _ => {
                let failure = Failure::unknown(format!("`{text}` has no name by which a policy could judge it"));
                return Err(failure.hint("--print-policy=HOST/REPOSITORY"));
            }
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let wanted: Vec<&str> = match typed {
        Some(pattern) => vec![pattern],
        None => names.iter().map(String::as_str).collect(),
    };
    let parse = |text: &str| {
        let failed = |error| Failure::unknown(format!("--print-policy={text}: {error}"));
        ImagePattern::parse(text).map_err(failed)
    };
    let patterns = wanted.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    match patterns.is_empty() {
        true => Err(Failure::unknown("a policy is for images: name them").hint("--print-policy=HOST/REPOSITORY")),
        false => Ok((patterns, names)),
    }
}

/// What the trust root does not keep: the texts of keyless identities, and the file of the trusted root.
fn typed(args: &VerifyArgs, limits: &Limits) -> Result<TypedIdentities, Failure> {
    let certificates = &args.required.certificates;
    let mut typed = TypedIdentities::default();
    for text in certificates.certificate_identity.iter().filter(|text| certificates.is_for_keyless(text)) {
        let (owner, names) = IdentityPattern::split_owner(text).unwrap_or((None, text));
        typed.keyless.push((Owner::Named(owner.unwrap_or(text).to_owned()), names.to_owned()));
    }
    let Some(file) = &certificates.keyless.trusted_root else { return Ok(typed) };
    let path = file.strip_prefix("./").unwrap_or(file);
    if !bulla::policy_file::is_below(path) || !Path::new(path).exists() {
        return Err(Failure::unknown(format!(
            "--trusted-root {file} cannot be written as a policy: a policy names a file beside it"
        ))
        .hint("copy the trusted root into the working directory: --trusted-root trusted_root.json"));
    }
    let bytes = files::read(Path::new(path), limits.transparency.trusted_root_bytes)?;
    typed.trusted_root = Some((path.to_owned(), Digest::sha256(&bytes)));
    Ok(typed)
}

/// Each pair once: signing drops none of two that are equal.
fn annotations(given: &[(String, String)]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in given {
        if !pairs.contains(pair) {
            pairs.push(pair.clone());
        }
    }
    pairs
}

/// How the policy is used, and what stays on the command line.
fn comments(args: &VerifyArgs, names: &[String]) -> Vec<String> {
    let mut comments = Vec::new();
    if let Some(name) = names.first() {
        comments.push(format!("It was printed for {name}, and says what the options of verify said."));
    }
    if args.all_platforms {
        comments.push(
            "The manifests of platforms are not read for it: verify ends with 2 too if one is missing.".to_owned(),
        );
    }
    if args.required.certificates.keyless.trusted_root.is_some() {
        comments.push("The trusted root is a file beside this one: keep both together.".to_owned());
    }
    let certificates = &args.required.certificates;
    if !certificates.revocation.files.is_empty() || certificates.envelope_reader != EnvelopeReader::Strict {
        comments.push("Options about revocation and envelope readers stay options, beside --policy.".to_owned());
    }
    comments
}

/// The option behind a part of the trust root that no policy says.
fn not_written(error: &NotWritten) -> Failure {
    let option = match error {
        NotWritten::SigningAuthority => "--signing-authority-roots",
        NotWritten::TrustedRoot => "--trusted-root",
        _ => "--certificate-identity",
    };
    Failure::unknown(format!("{option} cannot be written as a policy: {error}"))
}

/// The option behind an error of the policy that would be printed.
fn not_loaded(fault: &PolicyFileError, text: &str) -> Failure {
    let line = usize::try_from(fault.position.line).unwrap_or(usize::MAX);
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let option = match fault.problem.code() {
        "duplicate-key" | "key-unreadable" => "--key",
        "quorum" => "--threshold",
        "file-unreadable" | "trusted-root-unreadable" => "--trusted-root",
        _ if line.contains("annotations:") => "--annotation",
        _ if line.contains(" type:") => "--type",
        _ if line.contains("match:") => "--print-policy",
        _ => "--certificate-identity",
    };
    Failure::unknown(format!("{option} cannot be written as a policy: {}", fault.problem))
}
