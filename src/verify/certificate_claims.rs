//! `SignerClaims`: what the keyless certificate of a signer says about a build.

use crate::policy::UnreadableClaims;
use crate::predicate::CertificateClaims;
use crate::trust::VerifiedSigner;
use crate::x509::FulcioClaims;
use crate::x509::FulcioExtension;
use crate::x509::FulcioNameKind;

/// What the keyless certificate of a signer says about a build: nothing for other signers.
pub(super) struct SignerClaims(Result<Option<FulcioClaims>, UnreadableClaims>);

impl SignerClaims {
    /// The claims of the certificate of `signer`. A certificate of another authority than Fulcio, which names no issuer of
    /// tokens, claims nothing; one of Fulcio that cannot be read might contradict what it signed.
    pub(super) fn of(signer: Option<&VerifiedSigner>) -> Self {
        let Some(keyless) = signer.and_then(VerifiedSigner::keyless) else { return Self(Ok(None)) };
        Self(match (FulcioClaims::of(keyless.certificate()), keyless.issuer()) {
            (Ok(claims), _) => Ok(Some(claims)),
            (Err(_), None) => Ok(None),
            (Err(_), Some(_)) => Err(UnreadableClaims),
        })
    }

    /// The claims that provenance must not contradict.
    pub(super) fn claims(&self) -> Result<Option<CertificateClaims<'_>>, UnreadableClaims> {
        let claims = match &self.0 {
            Ok(None) => return Ok(None),
            Ok(Some(claims)) => claims,
            Err(unreadable) => return Err(*unreadable),
        };
        let workflow = Some(claims.name()).filter(|_| claims.name_kind() == FulcioNameKind::Uri);
        Ok(Some(CertificateClaims {
            build_config_uri: claims.get(FulcioExtension::BuildConfigUri),
            build_signer_uri: claims.get(FulcioExtension::BuildSignerUri).or(workflow),
            runner_environment: claims.get(FulcioExtension::RunnerEnvironment),
            source_commit: claims.source_commit(),
            source_ref: claims.source_ref(),
            source_repository: claims.source_repository(),
        }))
    }
}
