//! `SignerCredential`: what tells signers apart in a quorum.
//!
//! The invariant: two credentials are distinct only if they have neither the key nor a name in common. A name is always that
//! of somebody at an authority: a subject below an anchor, or a subject alternative name of an issuer. So a person with two
//! certificates is one signer, whatever the identities of the operator compare.

use std::sync::Arc;

use crate::digest::Digest;
use crate::key::KeyId;
use crate::x509::Certificate;
use crate::x509::FulcioClaims;
use crate::x509::GeneralName;
use crate::x509::Name;
use crate::x509::VerifiedChain;

/// What an owner signs with, by which a quorum tells signers apart: no key and no name counts for two owners.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerCredential {
    key: KeyId,
    names: Arc<[Digest]>,
}

impl SignerCredential {
    /// The key, and names that are hashed already.
    pub(crate) fn named(key: KeyId, names: impl IntoIterator<Item = Digest>) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self { key, names: names.into() }
    }

    /// The credential of the signer of `chain`, which `issuer` has named if Fulcio issued the certificate:
    ///
    /// 1. The key.
    /// 2. With the OIDC issuer, each subject alternative name. The key is a new one each time. [`Self::of_envelope`] adds
    ///    them to those of step 3.
    /// 3. Without one, subject and alternative names, each with the issuer of the certificate and with every authority up to
    ///    the trusted one: identities may have anchors at several heights of one chain. Nothing above the trusted
    ///    certificate is looked at, since no signature protects it.
    ///
    /// An authority is known by its name, so that a new certificate of it makes no second signer. The case of letters and
    /// the order of attributes tell nobody apart. The source repository has no part in it, so the callers of one reusable
    /// workflow are one signer. A certificate that issued itself is known by its key alone.
    pub(super) fn of_chain(chain: &VerifiedChain, issuer: Option<&str>) -> Self {
        let signer = chain.signer();
        let mut whose: Vec<_> = signer.extensions().alternative_names().iter().filter_map(alternative_name).collect();
        let by = match issuer {
            Some(issuer) => vec![format!("issuer {:?}", issuer.to_ascii_lowercase())],
            None => authorities(chain),
        };
        let has_subject = !signer.subject().is_empty();
        if has_subject && (issuer.is_none() || whose.is_empty()) {
            whose.push(format!("subject {}", signer.subject().folded()));
        }
        let names = by.iter().flat_map(|by| whose.iter().map(move |name| format!("{by}\n{name}\n")));
        Self::named(chain.key().id(), names.map(|name| Digest::sha256(name.as_bytes())))
    }

    /// The credential of the signer of an envelope of the Notary Project: the names of [`Self::of_chain`] without an issuer,
    /// and, if the certificate states an OIDC issuer, those with it. So its owner is one signer in every format.
    pub(super) fn of_envelope(chain: &VerifiedChain) -> Self {
        let certified = Self::of_chain(chain, None);
        // One whose extensions cannot be read is no keyless signer in any format.
        let Ok(Some(issuer)) = FulcioClaims::issuer_of(chain.signer()) else { return certified };
        let keyless = Self::of_chain(chain, Some(&issuer));
        Self::named(certified.key, certified.names.iter().chain(keyless.names.iter()).copied())
    }

    /// The key that signed: pinned, or of a certificate.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// The SHA-256 of each name at an authority, in order; none for a pinned key.
    pub fn names(&self) -> &[Digest] {
        &self.names
    }

    /// Whether both are the same person or service, as far as it can be told: they have the key or a name in common.
    pub fn is_same_signer(&self, other: &Self) -> bool {
        self.key == other.key || self.names.iter().any(|name| other.names.binary_search(name).is_ok())
    }
}

impl From<KeyId> for SignerCredential {
    fn from(key: KeyId) -> Self {
        Self::named(key, [])
    }
}

impl From<&Self> for SignerCredential {
    fn from(credential: &Self) -> Self {
        credential.clone()
    }
}

/// The authorities that a signer is a subject of: the issuer of the certificate, and those up to the trusted one.
fn authorities(chain: &VerifiedChain) -> Vec<String> {
    let signer = chain.signer();
    let below_trusted = chain.path().iter().take_while(|one| *one != chain.trusted()).count();
    let above_signer = chain.path().iter().skip(1).take(below_trusted).map(Certificate::subject);
    let issuer = Some(signer.issuer()).filter(|issuer| *issuer != signer.subject());
    issuer.into_iter().chain(above_signer).map(authority).collect()
}

fn authority(name: &Name) -> String {
    format!("authority {}", name.folded())
}

/// A name that can be compared, without regard to the case of letters: hosts, mail domains and the owners of repositories
/// ignore it.
fn alternative_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Directory(name) => Some(format!("directory {}", name.folded())),
        GeneralName::Unread => None,
        name => Some(format!("name {}", format!("{name:?}").to_ascii_lowercase())),
    }
}
