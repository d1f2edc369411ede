//! Identities known by keyless signatures of Sigstore.

use std::sync::Arc;

use crate::digest::Digest;
use crate::ordered;
use crate::policy_file::LoadProblem;
use crate::policy_file::canonical::Canonical;
use crate::policy_file::document::KeylessDocument;
use crate::policy_file::document::KeylessName;
use crate::policy_file::document::Located;
use crate::policy_file::document::PatternOrAny;
use crate::policy_file::identities::Fault;
use crate::policy_file::identities::IdentityResolver;
use crate::policy_file::identities::ResolvedOwner;
use crate::text::Untrusted;
use crate::trust::Identity;
use crate::trust::KeylessMeans;
use crate::trust::Means;
use crate::trust::Owner;
use crate::x509::FulcioExtension;
use crate::x509::FulcioNameKind;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::TextPattern;

impl IdentityResolver<'_> {
    pub(super) fn keyless(&mut self, owner: &str, document: &KeylessDocument) -> Result<ResolvedOwner, Fault> {
        let names = names(document)?;
        let (rule, roots, logs) = self.logs(&document.logs)?;
        // The roots of one file are one: its digest stands for them.
        let digest = ordered::set([Digest::sha256(logs.write().as_bytes())]);
        self.remember(document.position, owner, &names, digest)?;
        let identity = |root| {
            let means = KeylessMeans::new(Arc::clone(root), names.clone(), rule);
            Identity::new(Owner::Named(owner.to_owned()), Means::Keyless(means))
        };
        let canonical = Canonical::map([
            ("extensions", Some(Canonical::pairs(&document.extensions)).filter(|_| !document.extensions.is_empty())),
            ("issuer", Some(Canonical::text(&document.issuer.value))),
            ("logs", Some(logs)),
            ("name", Some(described(&document.name))),
        ]);
        Ok(ResolvedOwner {
            canonical: Canonical::map([("keyless", Some(canonical))]),
            identities: roots.iter().map(identity).collect(),
        })
    }
}

/// The names that a certificate must have: a subject alternative name and the issuer, both whole, and perhaps more.
fn names(document: &KeylessDocument) -> Result<IdentityPattern, Fault> {
    let fault = |error| (document.position, LoadProblem::Names(error));
    let mut conditions = Vec::new();
    for (name, text) in &document.extensions {
        let unknown = || (name.position, LoadProblem::UnknownExtension(Untrusted::new(&name.value)));
        let extension = FulcioExtension::named(&name.value).ok_or_else(unknown)?;
        let text = TextPattern::exact(&text.value).map_err(|error| (text.position, LoadProblem::Names(error)))?;
        conditions.push(NamePattern::either((extension, text), []));
    }
    let issuer = TextPattern::exact(&document.issuer.value)
        .map_err(|error| (document.issuer.position, LoadProblem::Names(error)))?;
    let exact = |kind, text: &Located<String>| {
        let text = TextPattern::exact(&text.value).map_err(|error| (text.position, LoadProblem::Names(error)))?;
        let name = NamePattern::AlternativeName { kind, text };
        let names = IdentityPattern::all(crate::nonempty::NonEmpty::one(name));
        let names = names.and(NamePattern::OidcIssuer(issuer.clone()));
        Ok(conditions.iter().cloned().fold(names, IdentityPattern::and))
    };
    match &document.name {
        KeylessName::Email(text) => exact(Some(FulcioNameKind::Email), text),
        KeylessName::Name(text) => exact(None, text),
        KeylessName::Uri(text) => exact(Some(FulcioNameKind::Uri), text),
        KeylessName::GitHub { reference, workflow: file, .. } | KeylessName::GitLab { config: file, reference, .. } => {
            // What is wrong with one of the two is told where it stands.
            for pattern in [file, reference] {
                if let PatternOrAny::Pattern(text) = &pattern.value {
                    TextPattern::parse(text).map_err(|error| (pattern.position, LoadProblem::Names(error)))?;
                }
            }
            let written = ready_made(&document.name).map_err(fault)?;
            IdentityPattern::parse_keyless_with(&written, Some(&issuer), &conditions).map_err(fault)
        }
    }
}

/// A workflow or a pipeline as the command line writes it: [`IdentityPattern::parse_keyless`].
fn ready_made(name: &KeylessName) -> Result<String, PatternError> {
    let (start, repository, file, called, reference, options) = match name {
        KeylessName::GitHub { enterprise, host, reference, repository, trigger, workflow } => {
            let (file, called) = match &workflow.value {
                PatternOrAny::Any => (None, None),
                // `OWNER/REPO/PATH@REF` is a workflow of another repository that is called.
                PatternOrAny::Pattern(path) if path.contains('@') => (None, Some(path)),
                PatternOrAny::Pattern(path) => (Some(format!("/{path}")), None),
            };
            let options = vec![("enterprise", enterprise), ("host", host), ("trigger", trigger)];
            (("github", "any-workflow"), repository, file, called, reference, options)
        }
        KeylessName::GitLab { config, host, reference, repository, trigger } => {
            let file = match &config.value {
                PatternOrAny::Any => None,
                PatternOrAny::Pattern(path) => Some(format!("//{path}")),
            };
            (("gitlab", "any-config"), repository, file, None, reference, vec![("host", host), ("trigger", trigger)])
        }
        KeylessName::Email(_) | KeylessName::Name(_) | KeylessName::Uri(_) => return Ok(String::new()),
    };
    let (kind, any_file) = start;
    let mut parts = vec![&repository.value];
    parts.extend(&file);
    parts.extend(called);
    let mut text = format!("{kind}:{}{}", repository.value, file.as_deref().unwrap_or_default());
    let mut words = Vec::new();
    match &reference.value {
        PatternOrAny::Any => words.push("any-ref".to_owned()),
        PatternOrAny::Pattern(reference) => {
            parts.push(reference);
            text.push_str(&format!("@{reference}"));
        }
    }
    match called {
        Some(called) => words.push(format!("workflow={called}")),
        None if file.is_none() => words.push(any_file.to_owned()),
        None => (),
    }
    for (key, value) in options {
        if let Some(value) = value {
            parts.push(&value.value);
            words.push(format!("{key}={}", value.value));
        }
    }
    // A comma would begin another option, and an `@` in the repository or the file another ref.
    let is_split = |part: &&&String| part.contains(',');
    let at = repository.value.contains('@') || file.as_ref().is_some_and(|file| file.contains('@'));
    if at || parts.iter().any(|part| is_split(&part)) {
        let found = parts.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        return Err(PatternError::ReadyMade { found, reason: "it has a comma, or an `@` in the wrong place" });
    }
    Ok(words.into_iter().fold(text, |text, word| format!("{text},{word}")))
}

/// How the canonical policy describes whose signature it is.
fn described(name: &KeylessName) -> Canonical {
    let text = |text: &Located<String>| Some(Canonical::text(&text.value));
    let optional = |text: &Option<Located<String>>| text.as_ref().map(|text| Canonical::text(&text.value));
    let pattern = |pattern: &Located<PatternOrAny>| {
        Some(match &pattern.value {
            PatternOrAny::Any => Canonical::map([("any", Some(Canonical::text("any")))]),
            PatternOrAny::Pattern(text) => Canonical::text(text),
        })
    };
    match name {
        KeylessName::Email(email) => Canonical::map([("email", text(email))]),
        KeylessName::Name(name) => Canonical::map([("name", text(name))]),
        KeylessName::Uri(uri) => Canonical::map([("uri", text(uri))]),
        KeylessName::GitHub { enterprise, host, reference, repository, trigger, workflow } => Canonical::map([
            ("enterprise", optional(enterprise)),
            ("host", Some(Canonical::text(host.as_ref().map_or("github.com", |host| &host.value)))),
            ("ref", pattern(reference)),
            ("repository", text(repository)),
            ("trigger", optional(trigger)),
            ("workflow", pattern(workflow)),
        ]),
        KeylessName::GitLab { config, host, reference, repository, trigger } => Canonical::map([
            ("config", pattern(config)),
            ("host", Some(Canonical::text(host.as_ref().map_or("gitlab.com", |host| &host.value)))),
            ("ref", pattern(reference)),
            ("repository", text(repository)),
            ("trigger", optional(trigger)),
        ]),
    }
}
