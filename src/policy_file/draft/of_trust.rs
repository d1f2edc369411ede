//! From the options of a verification, a trust root and one requirement, to the policy file that they are sugar for.
//!
//! The invariant: what is written means exactly what the options mean. It is loaded again and compared
//! ([`LoadedPolicy::is_written_for`](crate::policy_file::LoadedPolicy::is_written_for)); whatever this file leaves out
//! makes that comparison fail, and nothing is printed.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy_file::ImagePattern;
use crate::policy_file::PolicyDraft;
use crate::policy_file::document::AboutWord;
use crate::policy_file::draft::DraftRequirement;
use crate::policy_file::draft::is_name;
use crate::policy_file::draft::means::DraftCertificate;
use crate::policy_file::draft::means::DraftKeyless;
use crate::policy_file::draft::means::DraftLogs;
use crate::policy_file::draft::means::DraftMeans;
use crate::text::Untrusted;
use crate::trust::CertificateMeans;
use crate::trust::Identity;
use crate::trust::KeylessMeans;
use crate::trust::LogRule;
use crate::trust::Means;
use crate::trust::Owner;
use crate::trust::TrustRoot;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::Purpose;

/// What a trust root does not keep of the options that it was made from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TypedIdentities {
    /// The names of keyless identities, as they were typed, by their owners.
    pub keyless: Vec<(Owner, String)>,
    /// The file with the Sigstore trusted root, relative to the policy file, and the SHA-256 digest of its bytes.
    pub trusted_root: Option<(String, Digest)>,
}

/// Why a trust root cannot be written as the identities of a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotWritten {
    /// A policy file knows each owner by one means.
    #[error("`{0}` is known by several means, and an identity of a policy has one")]
    OwnerTwice(Untrusted),
    /// A policy is for images with some name.
    #[error("a policy is for images, and none is named")]
    NoImages,
    /// The names of a certificate.
    #[error("a policy has no field for these names: {0}")]
    Names(Untrusted),
    /// Signing authorities of the Notary Project.
    #[error("a policy has no roots of signing authorities")]
    SigningAuthority,
    /// The trusted root is not a file that the policy could name.
    #[error("a policy names a trusted root by a file beside it, or below its directory")]
    TrustedRoot,
}

impl PolicyDraft {
    /// The policy that `threshold` owners of `trust` made such a statement about the manifest that is named, index or not;
    /// [`PolicyDraft::with_about`] says about which others. Owners whose names a policy file cannot have get other ones: the second result says which.
    ///
    /// # Errors
    /// [`NotWritten`].
    pub fn of_trust(
        images: impl IntoIterator<Item = ImagePattern>,
        trust: &TrustRoot,
        (required, threshold): (DraftRequirement, u32),
        typed: &TypedIdentities,
    ) -> Result<(Self, BTreeMap<Owner, String>), NotWritten> {
        let images = NonEmpty::collect(images).ok_or(NotWritten::NoImages)?;
        let names = names(trust.identities());
        let mut owners: Vec<(String, DraftMeans)> = Vec::new();
        let mut before: Option<&Identity> = None;
        for identity in trust.identities() {
            let Some(name) = names.get(identity.owner()) else { continue };
            if owners.iter().any(|(known, _)| known == name) {
                // The roots of one file are an identity each.
                let same = before.is_some_and(|before| before.owner() == identity.owner() && is_same(before, identity));
                if same {
                    continue;
                }
                return Err(NotWritten::OwnerTwice(Untrusted::new(&identity.owner().to_string())));
            }
            owners.push((name.clone(), means(identity, typed)?));
            before = Some(identity);
        }
        let (about, comments) = (Some(AboutWord::Named), Vec::new());
        Ok((Self { about, comments, images, owners, required, threshold }, names))
    }
}

/// A name for each owner, all different.
fn names(identities: &[Identity]) -> BTreeMap<Owner, String> {
    let mut names: BTreeMap<Owner, String> = BTreeMap::new();
    for owner in identities.iter().map(Identity::owner) {
        if let Owner::Named(name) = owner
            && is_name(name)
        {
            names.insert(owner.clone(), name.clone());
        }
    }
    for owner in identities.iter().map(Identity::owner) {
        let start = match owner {
            _ if names.contains_key(owner) => continue,
            Owner::Key(id) => format!("key-{}", id.short()),
            Owner::Named(_) => "signer".to_owned(),
        };
        let is_free = |name: &String| !names.values().any(|known| known == name);
        let numbered = (2_u64..).map(|number| format!("{start}-{number}"));
        if let Some(name) = std::iter::once(start.clone()).chain(numbered).find(is_free) {
            names.insert(owner.clone(), name);
        }
    }
    names
}

/// Whether two identities differ in the trusted root alone.
fn is_same(one: &Identity, other: &Identity) -> bool {
    match (one.means(), other.means()) {
        (Means::Keyless(one), Means::Keyless(other)) => one.names() == other.names(),
        (Means::LoggedKeys(one), Means::LoggedKeys(other)) => {
            one.keys().iter().map(|key| key.id()).eq(other.keys().iter().map(|key| key.id()))
        }
        _ => false,
    }
}

fn means(identity: &Identity, typed: &TypedIdentities) -> Result<DraftMeans, NotWritten> {
    let logs = |rule: LogRule| {
        let (path, sha256) = typed.trusted_root.clone().ok_or(NotWritten::TrustedRoot)?;
        Ok(DraftLogs { path, rule, sha256 })
    };
    Ok(match identity.means() {
        Means::Certificates(certificates) => DraftMeans::Certificate(certificate(certificates)?),
        Means::Keyless(keyless) => {
            let of_owner = typed.keyless.iter().find(|(owner, _)| owner == identity.owner());
            let text = of_owner.map(|(_, text)| text.as_str()).unwrap_or_default();
            let words = words(text, keyless).ok_or_else(|| not_named(keyless.names()))?;
            DraftMeans::Keyless(DraftKeyless { logs: logs(keyless.rule())?, words })
        }
        Means::Keys(keys) => DraftMeans::Keys { keys: keys.iter().cloned().collect(), logs: None },
        Means::LoggedKeys(logged) => {
            DraftMeans::Keys { keys: logged.keys().iter().cloned().collect(), logs: Some(logs(logged.rule())?) }
        }
    })
}

fn not_named(names: &IdentityPattern) -> NotWritten {
    NotWritten::Names(Untrusted::new(&names.to_string()))
}

fn certificate(means: &CertificateMeans) -> Result<DraftCertificate, NotWritten> {
    if means.has_anchor_for(Purpose::SigningAuthority) {
        return Err(NotWritten::SigningAuthority);
    }
    let of = |purpose| {
        let anchors = means.anchors().iter().filter(move |anchor| anchor.purpose == purpose);
        anchors.map(|anchor| anchor.certificate.clone()).collect()
    };
    let pattern = means.names().ok_or_else(|| NotWritten::Names(Untrusted::new("any name")))?;
    let (mut subject, mut issuer, mut othername, mut words) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for name in pattern.names().iter() {
        match name {
            NamePattern::Directory(_) => words.push(("dirname", name.to_string().replacen("dirname:", "", 1))),
            NamePattern::Dns(text) => words.push(("dns", text.clone())),
            NamePattern::Email(text) => words.push(("email", text.clone())),
            NamePattern::Ip(address) => words.push(("ip", address.to_string())),
            NamePattern::Issuer { kind, text } => issuer.push((kind.attribute_name(), text.clone())),
            NamePattern::OtherName { id, text } => othername.push((id.to_string(), text.clone())),
            NamePattern::RegisteredId(id) => words.push(("rid", id.to_string())),
            NamePattern::Subject { kind, text } => subject.push((kind.attribute_name(), text.clone())),
            NamePattern::Uri(text) => words.push(("uri", text.clone())),
            _ => return Err(not_named(pattern)),
        }
    }
    Ok(DraftCertificate {
        names: vec![("subject", subject), ("issuer", issuer), ("othername", othername)],
        roots: of(Purpose::Signing),
        timestamp_roots: of(Purpose::TimeStamping),
        words,
    })
}

/// The fields of `keyless` for an identity that was typed: [`IdentityPattern::parse_keyless`].
fn words(typed: &str, means: &KeylessMeans) -> Option<Vec<(&'static str, String)>> {
    let issuer = means.names().names().iter().find_map(|name| match name {
        NamePattern::OidcIssuer(issuer) => Some(issuer.to_string()),
        _ => None,
    })?;
    let mut words = vec![("issuer", issuer)];
    let (kind, rest) = typed.split_once(':').unwrap_or(("", typed));
    let (head, options) = rest.split_once(',').map_or((rest, None), |(head, rest)| (head, Some(rest)));
    let (place, reference) = head.split_once('@').map_or((head, None), |(place, at)| (place, Some(at)));
    match kind {
        "github" => {
            // OWNER/REPO/PATH
            let end = place.match_indices('/').nth(1).map_or(place.len(), |(at, _)| at);
            let (repository, path) = place.split_at_checked(end)?;
            words.push(("repository", repository.to_owned()));
            words.extend(path.strip_prefix('/').map(|path| ("workflow", path.to_owned())));
        }
        "gitlab" => {
            let (repository, path) = place.split_once("//").map_or((place, None), |(place, path)| (place, Some(path)));
            words.push(("repository", repository.to_owned()));
            words.extend(path.map(|path| ("config", path.to_owned())));
        }
        "google" => return Some([words, vec![("email", rest.to_owned())]].concat()),
        _ => return Some([words, vec![("name", typed.to_owned())]].concat()),
    }
    words.extend(reference.map(|reference| ("ref", reference.to_owned())));
    for option in options.into_iter().flat_map(|options| options.split(',')) {
        words.push(match option.split_once('=') {
            None if option == "any-ref" => ("ref", option.to_owned()),
            None if option == "any-workflow" => ("workflow", option.to_owned()),
            None if option == "any-config" => ("config", option.to_owned()),
            Some(("workflow", value)) => ("workflow", value.to_owned()),
            Some(("host", value)) => ("host", value.to_owned()),
            Some(("trigger", value)) => ("trigger", value.to_owned()),
            Some(("enterprise", value)) => ("enterprise", value.to_owned()),
            _ => return None,
        });
    }
    Some(words)
}
