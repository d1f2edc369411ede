//! The certificates of an operator's own authorities in the formats of Sigstore: bundles, and the tags of cosign.
//!
//! An identity known by certificates whose chains are verified by the profile `sigstore` is known by them in these formats
//! too. In the formats of the Notary Project the chain comes with the signature; in those of Sigstore every issuer is the
//! operator's (`trust/keyless/verify.rs`), so each certificate of `roots` is an authority, and an intermediate authority
//! that issues to signers stands among them.

use std::sync::Arc;

use crate::policy_file::LoadProblem;
use crate::policy_file::document::CertificateDocument;
use crate::policy_file::identities::Fault;
use crate::policy_file::identities::IdentityResolver;
use crate::text::Untrusted;
use crate::trust::KeylessMeans;
use crate::trust::LogRule;
use crate::trust::Means;
use crate::trust::RevocationUse;
use crate::trust::SigningTimeRule;
use crate::trust::sigstore::TrustedRootDraft;
use crate::x509::Anchor;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::Profile;

impl IdentityResolver<'_> {
    /// The means by which the owner of `document` is known in the formats of Sigstore; `None` with another profile, whose
    /// rules these formats do not have.
    ///
    /// No log is required. Without a timestamp a certificate is judged at the time of the verification, as in the formats
    /// of the Notary Project. Names fit only certificates without an OIDC issuer: those of Fulcio are another means.
    pub(super) fn in_sigstore_formats(
        &self,
        document: &CertificateDocument,
        (names, anchors): (&IdentityPattern, &[Anchor]),
    ) -> Result<Option<Means>, Fault> {
        let by_their_rules = document.profile.as_ref().is_some_and(|profile| profile.value == Profile::SIGSTORE.name());
        if !by_their_rules {
            return Ok(None);
        }
        let root = TrustedRootDraft::of_anchors(anchors)
            .to_root(self.limits)
            .map_err(|error| (document.position, LoadProblem::SigstoreFormats(Untrusted::new(&error.to_string()))))?;
        let rule = LogRule::NONE
            .with_signing_time(SigningTimeRule::PresentIfMissing)
            .with_timestamps(u32::from(document.timestamps.is_some()));
        let names = names.clone().and(NamePattern::NoOidcIssuer);
        let means = KeylessMeans::new(Arc::new(root), names, rule);
        Ok(Some(Means::Keyless(match document.revocation {
            Some(_) => means.with_revocation(RevocationUse::Required),
            None => means,
        })))
    }
}
