//! `TrustStore`: the certificates of one trust store, read and checked.

use std::sync::Arc;

use crate::nonempty::NonEmpty;
use crate::trust::notation::TrustStoreKind;
use crate::trust::notation::TrustStoreName;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;

/// The certificates of a trust store, at least one, each fit for the kind of the store.
#[derive(Clone, Debug)]
pub struct TrustStore {
    certificates: NonEmpty<Certificate>,
    name: TrustStoreName,
}

/// Why certificates are not a trust store. Nothing of a store with an error is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustStoreError {
    /// There is no certificate.
    #[error("the trust store {store} has no certificate")]
    Empty {
        /// The store.
        store: TrustStoreName,
    },
    /// A certificate that is neither one of a certificate authority nor self-signed.
    #[error("the trust store {store} has {certificate}, which is neither of a certificate authority nor self-signed")]
    NotAnAuthority {
        /// The certificate.
        certificate: CertificateLabel,
        /// The store.
        store: TrustStoreName,
    },
    /// A certificate in a store of the kind `tsa` that is no root.
    #[error("the trust store {store} has {certificate}, which is not the self-signed root of an authority")]
    NotARoot {
        /// The certificate.
        certificate: CertificateLabel,
        /// The store.
        store: TrustStoreName,
    },
}

impl TrustStore {
    /// The trust store `name` with all certificates of its files.
    ///
    /// # Errors
    /// [`TrustStoreError`]: there are none, or one may not be in a store of this kind.
    pub fn new(name: TrustStoreName, certificates: Vec<Certificate>) -> Result<Self, TrustStoreError> {
        let Some(certificates) = NonEmpty::collect(certificates) else {
            return Err(TrustStoreError::Empty { store: name });
        };
        for certificate in certificates.iter() {
            let (is_ca, is_self_signed) = (certificate.extensions().is_ca(), certificate.is_self_signed());
            let label = || (CertificateLabel::of(certificate), name.clone());
            match name.kind() {
                TrustStoreKind::Ca | TrustStoreKind::SigningAuthority if !is_ca && !is_self_signed => {
                    let (certificate, store) = label();
                    return Err(TrustStoreError::NotAnAuthority { certificate, store });
                }
                TrustStoreKind::Tsa if !is_ca || !is_self_signed => {
                    let (certificate, store) = label();
                    return Err(TrustStoreError::NotARoot { certificate, store });
                }
                TrustStoreKind::Ca | TrustStoreKind::SigningAuthority | TrustStoreKind::Tsa => {}
            }
        }
        Ok(Self { certificates, name })
    }

    /// The name, with the kind.
    pub const fn name(&self) -> &TrustStoreName {
        &self.name
    }

    /// The certificates, in the order in which they were read.
    pub const fn certificates(&self) -> &NonEmpty<Certificate> {
        &self.certificates
    }

    /// The certificates of all `stores` as anchors, each for the purpose of the kind of its store.
    pub(super) fn anchors<'a>(stores: impl IntoIterator<Item = &'a Self>) -> Arc<[Anchor]> {
        let anchors = stores.into_iter().flat_map(|store| {
            let purpose = store.name.kind().purpose();
            store.certificates.iter().map(move |one| Anchor { certificate: one.clone(), purpose })
        });
        anchors.collect()
    }
}
