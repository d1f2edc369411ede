//! Whose keyless signature it is: step 7 of `verify.rs`.

use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateRejection;
use crate::trust::JudgedAt;
use crate::trust::KeylessFault;
use crate::trust::KeylessMeans;
use crate::trust::KeylessSigner;
use crate::trust::Owner;
use crate::trust::SignatureBudget;
use crate::trust::Unchecked;
use crate::trust::chain_faults::ChainFaults;
use crate::trust::keyless::verify::OpenedMaterial;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::FulcioClaims;
use crate::x509::GeneralName;
use crate::x509::IdentityPattern;

impl OpenedMaterial<'_> {
    /// The owner of the first identity among `identities`, in the operator's order, that the signature belongs to, with the
    /// proof; or why it belongs to none. Identities that differ in names alone are verified once.
    ///
    /// # Errors
    /// [`Unchecked`] where the budget is exhausted.
    pub(in crate::trust) fn attribute<'i>(
        &self,
        identities: &[(&'i Owner, &KeylessMeans)],
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<Result<(&'i Owner, KeylessSigner), CertificateRejection>, Unchecked> {
        let mut judged: Vec<(&KeylessMeans, Result<KeylessSigner, ChainFaults>)> = Vec::new();
        let mut fits = false;
        let mut undetermined: Option<&Owner> = None;
        for (owner, means) in identities {
            // Could-not-tell about one owner must not make the certificate another one's; the same owner may have another
            // root by which it can be told.
            if undetermined.is_some_and(|before| before != *owner) {
                continue;
            }
            if !judged.iter().any(|(before, _)| before.judges_as(means)) {
                judged.push((means, self.verify(means, context, budget)?));
            }
            if !means.fits(self.certificate()) {
                continue;
            }
            fits = true;
            match judged.iter().find(|(before, _)| before.judges_as(means)) {
                Some((_, Ok(signer))) => return Ok(Ok((owner, signer.clone()))),
                Some((_, Err(found))) if found.decides.is_undetermined() => undetermined = Some(owner),
                Some((_, Err(_))) | None => (),
            }
        }
        // If a chain is verified and only its names are wrong: the time at which it was judged.
        let verified = judged.iter().find_map(|(_, outcome)| match outcome {
            Ok(signer) => Some(signer.judged_at()),
            Err(_) => None,
        });
        let judged_at = verified.unwrap_or_else(|| context.time.judged());
        let patterns = identities.iter().map(|(_, means)| means.names());
        let names = CertificateFault::Keyless(KeylessFault::of_names(self.certificate(), patterns));
        let rejection = self.rejection(judged, (fits, &names), undetermined.is_some(), judged_at);
        Ok(Err(if undetermined.is_some() { rejection.undetermined() } else { rejection }))
    }

    /// The rejection for every fault. Where a root verifies the signature, only the names are wrong (`names`); but not if they
    /// are those of an identity with another root or rule (`fits`): then the fault of that one is the reason.
    fn rejection(
        &self,
        judged: Vec<(&KeylessMeans, Result<KeylessSigner, ChainFaults>)>,
        (fits, names): (bool, &CertificateFault),
        undetermined: bool,
        judged_at: JudgedAt,
    ) -> CertificateRejection {
        let wrong = |outcome: Result<_, ChainFaults>| outcome.err().or_else(|| (!fits).then(|| names.clone().into()));
        let (mut faults, beside) =
            ChainFaults::split(judged.into_iter().filter_map(|(_, outcome)| wrong(outcome)).collect());
        let is_names =
            |fault: &CertificateFault| matches!(fault, CertificateFault::Keyless(KeylessFault::Names { .. }));
        faults.sort_by_key(|fault| !(is_names(fault) || undetermined && fault.is_undetermined()));
        let faults = NonEmpty::collect(faults).unwrap_or_else(|| NonEmpty::one(names.clone()));
        CertificateRejection::new(Some(CertificateLabel::of(self.certificate())), faults, judged_at).also(beside)
    }
}

impl KeylessFault {
    /// That none of the trusted `identities` has the names of `certificate`.
    pub(super) fn of_names<'i>(
        certificate: &Certificate,
        identities: impl IntoIterator<Item = &'i IdentityPattern>,
    ) -> Self {
        let missing = identities.into_iter().find_map(|names| names.missing_condition(certificate));
        let missing = missing.map(|name| Untrusted::new(&name.to_string()));
        let issuer = match FulcioClaims::issuer_of(certificate) {
            Ok(Some(issuer)) => issuer,
            Ok(None) | Err(_) => "no stated issuer".to_owned(),
        };
        let names: Vec<_> = certificate.extensions().alternative_names().iter().map(GeneralName::to_text).collect();
        Self::Names { issuer: Untrusted::new(&issuer), missing, name: Untrusted::new(&names.join(", ")) }
    }
}
