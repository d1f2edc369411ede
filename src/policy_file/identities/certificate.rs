//! Identities known by certificates of the operator's own authorities.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy_file::LoadProblem;
use crate::policy_file::canonical::Canonical;
use crate::policy_file::document::CertificateDocument;
use crate::policy_file::document::Located;
use crate::policy_file::document::NamedFile;
use crate::policy_file::identities::Fault;
use crate::policy_file::identities::IdentityResolver;
use crate::policy_file::identities::ResolvedOwner;
use crate::policy_file::reader::shown;
use crate::text::Untrusted;
use crate::trust::CertificateMeans;
use crate::trust::Identity;
use crate::trust::Means;
use crate::trust::Owner;
use crate::trust::RevocationUse;
use crate::trust::TimestampUse;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::Oid;
use crate::x509::Profile;
use crate::x509::Purpose;

impl IdentityResolver<'_> {
    pub(super) fn certificate(&mut self, owner: &str, document: &CertificateDocument) -> Result<ResolvedOwner, Fault> {
        let names = names(document)?;
        let (signing, mut anchors) = self.anchors(&document.roots, Purpose::Signing)?;
        let (stamping, for_timestamps) = self.anchors(&document.timestamp_roots, Purpose::TimeStamping)?;
        anchors.extend(for_timestamps);
        self.remember(document.position, owner, &names, signing.clone())?;
        let profile = match &document.profile {
            None => Profile::NOTARY,
            Some(name) => {
                let unknown = || (name.position, LoadProblem::UnknownExtension(Untrusted::new(&name.value)));
                Profile::named(&name.value).ok_or_else(unknown)?.clone()
            }
        };
        let in_sigstore_formats = self.in_sigstore_formats(document, (&names, &anchors))?;
        let mut means = CertificateMeans::new(Arc::from(anchors), names, profile.clone());
        if document.revocation.is_some() {
            means = means.with_revocation(RevocationUse::Required);
        }
        if document.timestamps.is_some() {
            means = means.with_timestamps(TimestampUse::Required);
        }
        let digests = |digests: &BTreeSet<Digest>| Canonical::Set(digests.iter().map(Canonical::text).collect());
        let text = |text: &Option<Located<String>>| text.as_ref().map(|text| Canonical::text(&text.value));
        let required = |given: bool| given.then(|| Canonical::text("required"));
        let canonical = Canonical::map([
            ("dirname", document.dirname.as_ref().map(canonical_directory).transpose()?),
            ("dns", text(&document.dns)),
            ("email", text(&document.email)),
            ("extensions", some_pairs(&document.extensions)),
            ("ip", document.ip.as_ref().map(|address| Canonical::text(address.value))),
            ("issuer", some_attributes(&document.issuer)),
            ("othername", some_pairs(&document.othername)),
            ("profile", Some(Canonical::text(profile.name()))),
            ("revocation", required(document.revocation.is_some())),
            ("rid", document.rid.as_ref().map(|id| Canonical::text(&id.value))),
            ("roots", Some(digests(&signing))),
            ("subject", some_attributes(&document.subject)),
            ("timestamp-roots", Some(digests(&stamping)).filter(|_| !stamping.is_empty())),
            ("timestamps", required(document.timestamps.is_some())),
            ("uri", text(&document.uri)),
        ]);
        let all = std::iter::once(Means::Certificates(means)).chain(in_sigstore_formats);
        let identities = all.map(|means| Identity::new(Owner::Named(owner.to_owned()), means)).collect();
        Ok(ResolvedOwner { canonical: Canonical::map([("certificate", Some(canonical))]), identities })
    }

    /// The certificates in these files as anchors, and their digests.
    fn anchors(&mut self, files: &[NamedFile], purpose: Purpose) -> Result<(BTreeSet<Digest>, Vec<Anchor>), Fault> {
        let (mut digests, mut anchors) = (BTreeSet::new(), Vec::new());
        for file in files {
            self.require_pin(file)?;
            let fault = |problem| (file.position, problem);
            let bytes = self.reader.bytes(file, self.limits.envelope.bundle_bytes).map_err(fault)?;
            let unread = |error| fault(LoadProblem::Certificates { error, path: shown(file) });
            for certificate in Certificate::parse_bundle(&bytes, self.limits).map_err(unread)? {
                if digests.insert(Digest::sha256(certificate.der())) {
                    anchors.push(Anchor { certificate, purpose });
                }
            }
        }
        Ok((digests, anchors))
    }
}

/// The names that a certificate must have, at least one.
fn names(document: &CertificateDocument) -> Result<IdentityPattern, Fault> {
    let mut names = Vec::new();
    for (attribute, text) in &document.subject {
        names.push(NamePattern::Subject { kind: kind(attribute)?, text: text.value.clone() });
    }
    for (attribute, text) in &document.issuer {
        names.push(NamePattern::Issuer { kind: kind(attribute)?, text: text.value.clone() });
    }
    for (id, text) in &document.extensions {
        names.push(NamePattern::Extension { id: identifier(id)?, text: text.value.clone() });
    }
    for (id, text) in &document.othername {
        names.push(NamePattern::OtherName { id: identifier(id)?, text: text.value.clone() });
    }
    let alternative = [
        document.dns.as_ref().map(|text| NamePattern::Dns(text.value.clone())),
        document.email.as_ref().map(|text| NamePattern::Email(text.value.clone())),
        document.uri.as_ref().map(|text| NamePattern::Uri(text.value.clone())),
        document.ip.as_ref().map(|address| NamePattern::Ip(address.value)),
        document.dirname.as_ref().map(directory).transpose()?,
        document.rid.as_ref().map(|id| NamePattern::RegisteredId(id.value.clone())),
    ];
    names.extend(alternative.into_iter().flatten());
    // An extension or an issuer alone says what a certificate is for, and not whose it is.
    let is_whose = |name: &NamePattern| {
        matches!(
            name,
            NamePattern::Directory(_)
                | NamePattern::Dns(_)
                | NamePattern::Email(_)
                | NamePattern::Ip(_)
                | NamePattern::OtherName { .. }
                | NamePattern::RegisteredId(_)
                | NamePattern::Subject { .. }
                | NamePattern::Uri(_)
        )
    };
    let whose = names.iter().any(is_whose);
    let names = NonEmpty::collect(names).filter(|_| whose);
    names.map(IdentityPattern::all).ok_or((document.position, LoadProblem::NoNames))
}

/// A directory name, which is compared as a whole.
fn directory(text: &Located<String>) -> Result<NamePattern, Fault> {
    NamePattern::directory(&text.value).map_err(|error| (text.position, LoadProblem::Names(error)))
}

/// A directory name by the object identifiers of its attributes, in their order.
fn canonical_directory(text: &Located<String>) -> Result<Canonical, Fault> {
    let pair = |(kind, text): &(Oid, String)| Canonical::List(vec![Canonical::text(kind), Canonical::text(text)]);
    match directory(text)? {
        NamePattern::Directory(attributes) => Ok(Canonical::List(attributes.iter().map(pair).collect())),
        other => Ok(Canonical::text(other)),
    }
}

fn identifier(id: &Located<String>) -> Result<Oid, Fault> {
    let unknown = || (id.position, LoadProblem::UnknownExtension(Untrusted::new(&id.value)));
    Oid::parse(&id.value).ok_or_else(unknown)
}

/// The attribute that a keyword or an object identifier names.
fn kind(attribute: &Located<String>) -> Result<Oid, Fault> {
    let unknown = || (attribute.position, LoadProblem::UnknownExtension(Untrusted::new(&attribute.value)));
    Oid::of_attribute(&attribute.value).ok_or_else(unknown)
}

fn some_pairs(pairs: &[(Located<String>, Located<String>)]) -> Option<Canonical> {
    Some(Canonical::pairs(pairs)).filter(|_| !pairs.is_empty())
}

/// Attributes by their object identifiers: `S` and `ST` are one.
fn some_attributes(pairs: &[(Located<String>, Located<String>)]) -> Option<Canonical> {
    let pair = |(name, text): &(Located<String>, Located<String>)| {
        let id = Oid::of_attribute(&name.value).map_or_else(|| name.value.clone(), |id| id.to_string());
        Canonical::List(vec![Canonical::text(id), Canonical::text(&text.value)])
    };
    Some(Canonical::Set(pairs.iter().map(pair).collect())).filter(|_| !pairs.is_empty())
}
