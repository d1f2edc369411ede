//! `Forms`: the signature formats in which a signing operation writes its signatures.

use std::collections::BTreeSet;

use crate::envelope::EnvelopeError;
use crate::envelope::Form;
use crate::envelope::FormName;
use crate::envelope::ItemPayload;
use crate::envelope::SignedWith;
use crate::envelope::SigningItem;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::ordered;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateChain;
use crate::x509::ChainError;
use crate::x509::Profile;

/// The signature formats in which a signing operation writes its signatures: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forms(BTreeSet<FormName>);

impl Forms {
    /// One format.
    pub fn of(form: FormName) -> Self {
        Self(ordered::set([form]))
    }

    /// These formats and `form`.
    #[must_use]
    pub fn and(mut self, form: FormName) -> Self {
        self.0.insert(form);
        self
    }

    /// Whether a format is among them.
    pub fn contains(&self, form: FormName) -> bool {
        self.0.contains(&form)
    }

    /// Whether one of the formats is stored at a tag of cosign.
    pub fn has_tag(&self) -> bool {
        self.iter().any(|form| !form.is_referrer())
    }

    /// Whether one of the formats is signed with a certificate.
    pub fn has_certificate(&self) -> bool {
        self.iter().any(|form| form.signed_with == SignedWith::Certificate)
    }

    /// Whether every one of the formats has a place for entries of a transparency log.
    pub fn take_log_entries(&self) -> bool {
        self.iter().all(Form::takes_log_entries)
    }

    /// Verifies the certificate chain of a key that is to sign in these formats at the time `at`: by the profile `notary`
    /// if one of them needs certificates, which then have them alone, and else by the profile `sigstore`.
    ///
    /// # Errors
    /// [`ChainError`]: verifiers would refuse the chain, or could not tell.
    pub fn verify_chain(
        &self,
        certificates: &NonEmpty<Certificate>,
        at: Time,
        limits: &Limits,
    ) -> Result<CertificateChain, ChainError> {
        let profile = if self.has_certificate() { NOTARY } else { SIGSTORE };
        CertificateChain::verify_by(certificates, &NonEmpty::one(profile), at, limits)
    }

    /// The formats, in the order of discovery and writing.
    pub fn iter(&self) -> impl Iterator<Item = &'static Form> {
        Form::all().filter(|form| self.contains(form.name))
    }

    /// The payloads of `item` to sign for these formats, each with the formats that carry it.
    ///
    /// # Errors
    /// [`EnvelopeError`] if one of the formats cannot carry the statement, a payload cannot be serialized, or a verifier with
    /// these limits could not read it.
    pub fn payloads(
        &self,
        item: &SigningItem<'_>,
        limits: &Limits,
    ) -> Result<Vec<(ItemPayload, Vec<&'static Form>)>, EnvelopeError> {
        let mut payloads: Vec<(ItemPayload, Vec<&'static Form>)> = Vec::new();
        for form in self.iter() {
            form.check_statement(&item.statement)?;
            let Some(kind) = form.payload() else { continue };
            match payloads.iter_mut().find(|(payload, _)| payload.kind() == kind) {
                Some((_, same)) => same.push(form),
                None => payloads.push((item.payload(kind, limits)?, vec![form])),
            }
        }
        Ok(payloads)
    }
}

/// The rules for formats of the Notary Project.
const NOTARY: &Profile = &Profile::NOTARY;
/// The rules for formats of Sigstore.
const SIGSTORE: &Profile = &Profile::SIGSTORE;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    use super::*;
    use crate::digest::Digest;
    use crate::envelope::ItemStatement;
    use crate::envelope::PayloadKind;

    #[test]
    fn formats_with_the_same_payload_share_one_signature() {
        let digest = Digest::sha256(b"image");
        let annotations = BTreeMap::new();
        let predicate: Box<RawValue> = RawValue::from_string("{}".to_owned()).unwrap();
        let signature = |identity| SigningItem {
            digest: &digest,
            statement: ItemStatement::ImageSignature {
                annotations: &annotations,
                artifact: None,
                identity,
                name: None,
            },
        };
        let statement =
            ItemStatement::Attestation { name: None, predicate: &predicate, predicate_type: "https://x.test/p" };
        let attestation = SigningItem { digest: &digest, statement };
        let names = |forms: &Forms, item: &SigningItem<'_>| {
            let payloads = forms.payloads(item, &Limits::DEFAULT)?;
            let names = |forms: &[&Form]| forms.iter().map(|form| form.name).collect::<Vec<_>>();
            Ok(payloads.iter().map(|(payload, forms)| (payload.kind(), names(forms))).collect::<Vec<_>>())
        };
        let (bundle, dsse, simple) = (FormName::SigstoreBundle, FormName::Dsse, FormName::SimpleSigning);
        let (statement, claim) = (PayloadKind::Statement, PayloadKind::SimpleSigning);
        let both = Forms::of(dsse).and(bundle);
        assert_eq!(names(&both, &attestation), Ok(vec![(statement, vec![bundle, dsse])]));
        let both = Forms::of(simple).and(bundle);
        let want = vec![(statement, vec![bundle]), (claim, vec![simple])];
        assert_eq!(names(&both, &signature(Some("app"))), Ok(want));

        // A statement that a format cannot carry is refused: the name is missing, or the tag holds another kind of
        // statements.
        assert_eq!(names(&both, &signature(None)), Err(EnvelopeError::NoIdentity));
        for (form, item) in [(simple, &attestation), (dsse, &signature(Some("app")))] {
            let refused = names(&Forms::of(form), item);
            assert!(matches!(refused, Err(EnvelopeError::Unwritable { .. })), "{refused:?}");
        }
    }
}
