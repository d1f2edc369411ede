//! The keyless identities of the command line.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::report::ReportedTrustedRoot;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::trust::sigstore::TrustedRoot;
use bulla::trust::sigstore::TrustedRootFile;
use bulla::x509::FulcioExtension;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::PatternError;
use bulla::x509::TextPattern;

use crate::cli::args::CertificateArgs;
use crate::cli::args::KeylessArgs;
use crate::cli::exit::Failure;
use crate::cli::keyless::failure::IDENTITY;
use crate::cli::keyless::failure::failure;
use crate::cli::keyless::issuers::Issuers;
use crate::cli::keyless::rule;
use crate::cli::trusted_root;

/// The options about keyless signatures, of a command about images or files.
#[derive(Clone)]
pub(in crate::cli) struct KeylessOptions<'a> {
    pub(in crate::cli) args: &'a KeylessArgs,
    /// The values of `--certificate-identity` that are for keyless signatures.
    pub(in crate::cli) identities: Vec<&'a str>,
}

/// What the command line trusts keyless signatures by.
pub(in crate::cli) struct KeylessTrust {
    reported: ReportedTrustedRoot,
    roots: Vec<Arc<TrustedRoot>>,
    rule: LogRule,
}

impl KeylessTrust {
    /// Reads `--trusted-root` and the log rule; none without that option. Warns of an old trusted root.
    pub(in crate::cli) fn read(
        options: &KeylessOptions<'_>,
        now: Time,
        limits: &Limits,
    ) -> Result<Option<Self>, Failure> {
        let keyless = options.args;
        let Some(argument) = &keyless.trusted_root else { return Self::none(options).map(|()| None) };
        if !options.has_identity() && !keyless.logged_keys {
            let failure = Failure::unknown("--trusted-root needs an identity that it is for");
            return Err(failure.hint(format!("{IDENTITY}; or --logged-keys, if its logs must vouch for --key")));
        }
        let file = trusted_root::open(argument, limits)?;
        if keyless.certificate_identity_any && keyless.certificate_oidc_issuer_any {
            check_anybody(argument, &file, limits)?;
        }
        trusted_root::warn(argument, &file, now);
        let reported = ReportedTrustedRoot::new(argument, &file, now);
        Ok(Some(Self { reported, roots: file.roots().to_vec(), rule: rule::log_rule(keyless) }))
    }

    /// The trusted root, as reports describe it.
    pub(in crate::cli) const fn reported(&self) -> &ReportedTrustedRoot {
        &self.reported
    }

    /// Checks that nothing asks for a trusted root.
    fn none(options: &KeylessOptions<'_>) -> Result<(), Failure> {
        let keyless = options.args;
        let issuers = !keyless.certificate_oidc_issuer.is_empty() || !keyless.certificate_oidc_issuer_regexp.is_empty();
        let needs = match () {
            () if !keyless.certificate_identity_regexp.is_empty() => "--certificate-identity-regexp",
            () if keyless.certificate_identity_any => "--certificate-identity-any",
            () if issuers => "--certificate-oidc-issuer",
            () if !options.identities.is_empty() => "--certificate-identity",
            () => {
                // A key needs no log unless logs are asked for: cosign users turn off what is not on.
                rule::log_rule(keyless);
                return Ok(());
            }
        };
        let failure = Failure::unknown(format!("{needs} needs the authorities and logs of keyless signatures"));
        Err(failure.hint("--trusted-root FILE, or --trusted-root public-good for the public instance of Sigstore"))
    }

    /// The identities of keys, whose signatures the logs and timestamp authorities must vouch for.
    pub(in crate::cli) fn logged(&self, pinned: Vec<Identity>) -> Result<Vec<Identity>, Failure> {
        let mut logged = Vec::new();
        for identity in pinned {
            let Means::Keys(keys) = identity.means() else { continue };
            for root in &self.roots {
                let means = LoggedKeys::new(keys.clone(), Arc::clone(root), self.rule);
                logged.push(Identity::new(identity.owner().clone(), Means::LoggedKeys(means)));
            }
        }
        Ok(logged)
    }

    /// The keyless identities, in the order of the options: exact names, regular expressions, any name.
    pub(in crate::cli) fn identities(&self, options: &KeylessOptions<'_>) -> Result<Vec<Identity>, Failure> {
        let mut identities = Vec::new();
        let mut before: Vec<(String, Owner, IdentityPattern)> = Vec::new();
        for (text, owner, names) in patterns(options)? {
            let first = before.iter().find(|(_, other, known)| *other != owner && known.covers(&names));
            if let Some((first, ..)) = first {
                let message = format!("{text}: its certificates belong to `{first}`, which stands first");
                return Err(Failure::unknown(message).hint("put the narrower identity first"));
            }
            for root in &self.roots {
                let means = KeylessMeans::new(Arc::clone(root), names.clone(), self.rule);
                identities.push(Identity::new(owner.clone(), Means::Keyless(means)));
            }
            before.push((text, owner, names));
        }
        Ok(identities)
    }
}

impl KeylessOptions<'_> {
    pub(super) fn has_identity(&self) -> bool {
        let regexps = &self.args.certificate_identity_regexp;
        self.args.certificate_identity_any || !regexps.is_empty() || !self.identities.is_empty()
    }
}

impl CertificateArgs {
    /// The options about keyless signatures. Without `--trusted-root` they have the identities that need one.
    pub(in crate::cli) fn keyless_options(&self) -> KeylessOptions<'_> {
        let needs_root = self.keyless.trusted_root.is_none();
        let is_keyless = |text: &str| if needs_root { is_keyless_alone(text) } else { self.is_for_keyless(text) };
        let identities = self.certificate_identity.iter().map(String::as_str).filter(|text| is_keyless(text));
        KeylessOptions { args: &self.keyless, identities: identities.collect() }
    }

    /// Whether an identity of `--certificate-identity` is for `--trusted-root`: every one but those that are written as the
    /// names of any certificate where `--ca-roots` is given, too.
    pub(in crate::cli) fn is_for_keyless(&self, text: &str) -> bool {
        let has_other_roots = !self.ca_roots.is_empty() || !self.signing_authority_roots.is_empty();
        self.keyless.trusted_root.is_some() && (!has_other_roots || is_keyless(text))
    }
}

/// Checks that any name by any issuer is not everybody: of no public instance of Sigstore, also by a file with its authorities.
fn check_anybody(argument: &str, file: &TrustedRootFile, limits: &Limits) -> Result<(), Failure> {
    for root in file.roots().iter() {
        let instance = SigstoreInstance::trusted_by(root, limits)
            .map_err(|error| Failure::unknown(format!("--trusted-root {argument}: {error}")))?;
        if let Some(instance) = instance {
            let name = instance.name();
            let message = format!("everybody can have a certificate of {name}: any name by any issuer trusts them all");
            return Err(Failure::unknown(message).hint("--certificate-oidc-issuer URL"));
        }
    }
    Ok(())
}

/// Whether an identity is written as only keyless ones are.
fn is_keyless(text: &str) -> bool {
    IdentityPattern::split_owner(text).is_ok_and(|(_, names)| !IdentityPattern::is_certificate_name(names))
}

/// The same, where a mistyped name of a certificate is not meant: that is an error of its own.
fn is_keyless_alone(text: &str) -> bool {
    let names = IdentityPattern::split_owner(text).map_or(text, |(_, names)| names);
    let ready_made = ["github:", "gitlab:", "google:"].iter().any(|start| names.starts_with(start));
    ready_made || is_keyless(text) && names.contains(['@', '/'])
}

/// The patterns of all identities, each with the option as it was typed and the owner.
fn patterns(options: &KeylessOptions<'_>) -> Result<Vec<(String, Owner, IdentityPattern)>, Failure> {
    let keyless = options.args;
    let issuers = Issuers::read(keyless)?;
    let conditions = conditions(keyless)?;
    let mut patterns: Vec<(String, Option<&str>, &str, IdentityPattern)> = Vec::new();
    for text in options.identities.iter().copied() {
        let option = "--certificate-identity";
        let to_failure = |error: PatternError| failure(option, text, &error);
        let (owner, names) = IdentityPattern::split_owner(text).map_err(to_failure)?;
        let pattern = IdentityPattern::parse_keyless_with(names, issuers.of(owner), &conditions).map_err(to_failure)?;
        patterns.push((format!("{option} {text}"), owner, text, pattern));
    }
    for text in &keyless.certificate_identity_regexp {
        let option = "--certificate-identity-regexp";
        let to_failure = |error: PatternError| failure(option, text, &error);
        let (owner, expression) = match text.starts_with(['^', '(']) {
            true => (None, text.as_str()),
            false => IdentityPattern::split_owner(text).map_err(to_failure)?,
        };
        let issuer = issuers.of(owner).cloned().ok_or_else(|| PatternError::NoIssuer { found: text.clone() });
        let pattern =
            TextPattern::regexp(expression).and_then(|name| IdentityPattern::keyless_with(name, issuer?, &conditions));
        patterns.push((format!("{option} {text}"), owner, text, pattern.map_err(to_failure)?));
    }
    if keyless.certificate_identity_any {
        let option = "--certificate-identity-any";
        let issuer = issuers.of(None).cloned().ok_or_else(|| PatternError::NoIssuer { found: "any".to_owned() });
        let pattern = issuer.and_then(|issuer| IdentityPattern::keyless_with(TextPattern::any(), issuer, &conditions));
        patterns.push((option.to_owned(), None, "any name", pattern.map_err(|error| failure(option, "", &error))?));
    }
    issuers.check_owners(&patterns.iter().map(|(_, owner, ..)| *owner).collect::<Vec<_>>())?;
    let with_owner = |(typed, owner, text, pattern): (String, Option<&str>, &str, IdentityPattern)| {
        (typed, Owner::Named(owner.unwrap_or(text).to_owned()), pattern)
    };
    Ok(patterns.into_iter().map(with_owner).collect())
}

/// The conditions of cosign's options about workflows of GitHub: what newer and older extensions say is compared.
fn conditions(args: &KeylessArgs) -> Result<Vec<NamePattern>, Failure> {
    use FulcioExtension as E;
    let given = [
        ("name", &args.certificate_github_workflow_name, None, E::WorkflowName),
        ("ref", &args.certificate_github_workflow_ref, Some(E::SourceRepositoryRef), E::WorkflowRef),
        (
            "repository",
            &args.certificate_github_workflow_repository,
            Some(E::SourceRepositoryUri),
            E::WorkflowRepository,
        ),
        ("sha", &args.certificate_github_workflow_sha, Some(E::SourceRepositoryDigest), E::WorkflowSha),
        ("trigger", &args.certificate_github_workflow_trigger, Some(E::BuildTrigger), E::WorkflowTrigger),
    ];
    let mut conditions = Vec::new();
    for (name, text, newer, older) in given {
        let Some(text) = text else { continue };
        let option = format!("--certificate-github-workflow-{name}");
        let exact = |exact: &str| TextPattern::exact(exact).map_err(|error| failure(&option, text, &error));
        let newer_text = match newer {
            Some(E::SourceRepositoryUri) => exact(&format!("https://github.com/{text}"))?,
            _ => exact(text)?,
        };
        let older = (older, exact(text)?);
        conditions.push(match newer {
            Some(newer) => NamePattern::either((newer, newer_text), [older]),
            None => NamePattern::either(older, []),
        });
    }
    Ok(conditions)
}
