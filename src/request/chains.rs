//! `Chains`: the certificate chains of the keys in a signing request, verified for the signing time.

use std::collections::BTreeMap;

use crate::envelope::Forms;
use crate::envelope::ItemPayload;
use crate::envelope::NotaryAlgorithm;
use crate::envelope::PayloadKind;
use crate::envelope::base64;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::ordered;
use crate::request::Duplicate;
use crate::request::FieldFault;
use crate::request::Keyholder;
use crate::request::RequestError;
use crate::request::RequestItem;
use crate::request::wire::WireKey;
use crate::request::wire::WireOwner;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateChain;

/// The chain of each key of a request that asks for formats with certificates; empty for any other request.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains(BTreeMap<KeyId, CertificateChain>);

/// A key of a request, and its owner.
#[derive(Clone, Copy)]
struct OwnedKey<'a> {
    key: &'a PublicKey,
    owner: &'a str,
}

impl Chains {
    /// Matches `chains` with the keys of `owners`, by the key of the signer's certificate.
    ///
    /// # Errors
    /// [`RequestError`]: a chain of none of the keys, or two chains of one key.
    pub(super) fn of(chains: &[CertificateChain], owners: &[Keyholder]) -> Result<Self, RequestError> {
        let keys = ordered::set(owners.iter().flat_map(|owner| &owner.keys).map(PublicKey::id));
        let mut matched = BTreeMap::new();
        for chain in chains {
            let key = chain.key().id();
            if !keys.contains(&key) {
                return Err(RequestError::ChainOfNobody { certificate: chain.label(), key });
            }
            if matched.insert(key, chain.clone()).is_some() {
                return Err(RequestError::Duplicate { what: Duplicate::Chain(key) });
            }
        }
        Ok(Self(matched))
    }

    /// Reads the chains in a request, and verifies each as a signer does ([`CertificateChain::verify`]) for the signing
    /// time `created`.
    ///
    /// 1. The certificates of all keys together are within the limit.
    /// 2. Every key has a chain if an item asks for a format that needs certificates; otherwise a key may have one.
    /// 3. The formats allow the key, and the first certificate of its chain is of this key.
    /// 4. The chain is valid at the signing time, by the rules of [`Forms::verify_chain`] for all formats together.
    ///
    /// # Errors
    /// [`RequestError`] with the owner and the key.
    pub(super) fn read(
        wire: &[WireOwner],
        owners: &[Keyholder],
        items: &[RequestItem],
        created: Time,
        limits: &Limits,
    ) -> Result<Self, RequestError> {
        let keys = || wire.iter().flat_map(|owner| &owner.keys);
        let count = keys().filter_map(|key| key.certificate_chain.as_ref()).map(Vec::len);
        let count = count.fold(0, usize::saturating_add);
        RequestError::bounded("certificates of one request", count, limits.request.certificates)?;
        let mut forms = items.iter().flat_map(|item| item.forms().iter()).map(|form| form.name);
        let Some(first) = forms.next() else {
            // Signatures of files have no certificate, so a chain would be neither verified nor used.
            return match count {
                0 => Ok(Self::default()),
                _ => Err(RequestError::field("certificateChain", FieldFault::NotaryFormOnly)),
            };
        };
        let forms = forms.fold(Forms::of(first), Forms::and);
        let owned = owners.iter().flat_map(|owner| owner.keys.iter().map(|key| OwnedKey { key, owner: &owner.name }));
        let mut read = BTreeMap::new();
        for (owned, WireKey { certificate_chain, .. }) in owned.zip(keys()) {
            if forms.has_certificate() || certificate_chain.is_some() {
                let chain = owned.chain(certificate_chain.as_deref(), &forms, created, limits)?;
                read.insert(owned.key.id(), chain);
            }
        }
        Ok(Self(read))
    }

    /// The chain of `key`.
    pub(super) fn get(&self, key: KeyId) -> Option<&CertificateChain> {
        self.0.get(&key)
    }

    /// The certificates in the chain of `key`, in DER and base64.
    pub(super) fn texts(&self, key: KeyId) -> Option<Vec<String>> {
        Some(self.get(key)?.certificates().map(base64::encode).collect())
    }

    /// Refuses a signature that verifiers would not read, since signers would notice that only after signing: an envelope
    /// with one of the payloads and one of the chains that exceeds the limit of one signature.
    pub(super) fn check_sizes(&self, payloads: &[Vec<ItemPayload>], limits: &Limits) -> Result<(), RequestError> {
        const AROUND: usize = 16 << 10;
        let in_base64 = |length: usize| length.div_ceil(3).saturating_mul(4).saturating_add(3);
        let sum = |lengths: &mut dyn Iterator<Item = usize>| lengths.fold(0, usize::saturating_add);
        let chain = |chain: &CertificateChain| sum(&mut chain.certificates().map(|der| in_base64(der.len())));
        let Some(chain) = self.0.values().map(chain).max() else { return Ok(()) };
        let carries_it = |payload: &&ItemPayload| matches!(payload.kind(), PayloadKind::Notary(_));
        let payloads = payloads.iter().flatten().filter(carries_it);
        let payload = payloads.map(|payload| in_base64(payload.bytes().len())).max().unwrap_or(0);
        let most = chain.saturating_add(payload).saturating_add(AROUND);
        RequestError::bounded("bytes of one signature with its certificates", most, limits.evidence.signature_bytes)
    }
}

impl OwnedKey<'_> {
    /// The certificate chain of the key, verified for the signing time `created`: its first certificate is of this key.
    fn chain(
        self,
        texts: Option<&[String]>,
        forms: &Forms,
        created: Time,
        limits: &Limits,
    ) -> Result<CertificateChain, RequestError> {
        let (owner, key) = (|| self.owner.to_owned(), self.key.id());
        if forms.has_certificate() {
            let not_allowed = |error| RequestError::KeyNotAllowed { error, key, owner: owner() };
            NotaryAlgorithm::of_key(self.key).map_err(not_allowed)?;
        }
        let absent = || RequestError::NoChain { key, owner: owner() };
        let certificates = (1..).zip(texts.ok_or_else(absent)?).map(|(number, text)| {
            let der = base64::decode("certificateChain", text)
                .map_err(|error| RequestError::field("certificateChain", FieldFault::Base64(error)))?;
            Certificate::parse(&der, limits).map_err(|error| RequestError::Certificate {
                error,
                key,
                number,
                owner: owner(),
            })
        });
        let certificates = certificates.collect::<Result<Vec<_>, RequestError>>()?;
        let certificates = NonEmpty::collect(certificates).ok_or_else(absent)?;
        let chain = forms.verify_chain(&certificates, created, limits).map_err(|error| RequestError::Chain {
            error: Box::new(error),
            key,
            owner: owner(),
        })?;
        match chain.key() == self.key {
            true => Ok(chain),
            false => {
                let (certificate, certified) = (chain.label(), chain.key().id());
                Err(RequestError::ChainOfOtherKey { certificate, certified, key, owner: owner() })
            }
        }
    }
}
