//! `StatusProblemRule`: a rule of revocation evidence, with its stable code, its clause, and what is wrong where it is
//! broken.

use std::fmt;

/// A rule that revocation evidence breaks, or by which it is not supported, so that it does not prove that a certificate is
/// good. Its [code](StatusProblemRule::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StatusProblemRule {
    /// The authority key identifier of a CRL names the key that has signed it.
    AuthorityKeyId,
    /// The hash algorithm of an OCSP `CertID` is supported.
    CertId,
    /// A CRL is about certificates of this kind: users' or authorities'.
    CertificateScope,
    /// All critical extensions of CRL entries are known.
    CriticalEntryExtension,
    /// All critical extensions are known.
    CriticalExtension,
    /// A CRL has a number.
    CrlNumber,
    /// The key of the issuer may sign CRLs.
    CrlSign,
    /// Delta CRLs are not combined with their base.
    DeltaCrl,
    /// A CRL is for a distribution point that the certificate names.
    DistributionPoint,
    /// Evidence from after the end of the validity proves nothing about an expired certificate.
    ExpiredCertificate,
    /// Indirect CRLs are not supported.
    IndirectCrl,
    /// At most as many signature checks as the limits allow.
    Limit,
    /// The maximum age.
    MaximumAge,
    /// `nextUpdate`, with the grace period.
    NextUpdate,
    /// There is a `nextUpdate`, or else a maximum age.
    NextUpdateMissing,
    /// There is evidence about the certificate.
    NoEvidence,
    /// A CRL is about all reasons.
    OnlySomeReasons,
    /// The entries of a CRL can be read.
    Readable,
    /// An OCSP response is signed by the issuer or by a responder that it has authorized.
    Responder,
    /// The certificate of a responder is valid, and its key may sign.
    ResponderCertificate,
    /// The certificate of a responder is not revoked.
    ResponderRevoked,
    /// It is known whether the certificate of a responder is revoked.
    ResponderStatus,
    /// An OCSP response that revokes a certificate with this serial number says by a supported hash which one.
    RevokedCertId,
    /// A CRL or an OCSP response that lists the certificate as revoked is signed by an algorithm that the profile allows.
    /// Whether it is genuine cannot be told otherwise.
    RevokedSignatureAlgorithm,
    /// The signature is by the key that it should be by.
    Signature,
    /// The signature is of an algorithm that the profile allows.
    SignatureAlgorithm,
    /// `thisUpdate` is not in the future.
    ThisUpdate,
    /// An OCSP responder knows the certificate.
    UnknownToResponder,
}

impl StatusProblemRule {
    /// All rules.
    pub const ALL: [Self; 28] = [
        Self::AuthorityKeyId,
        Self::CertId,
        Self::CertificateScope,
        Self::CriticalEntryExtension,
        Self::CriticalExtension,
        Self::CrlNumber,
        Self::CrlSign,
        Self::DeltaCrl,
        Self::DistributionPoint,
        Self::ExpiredCertificate,
        Self::IndirectCrl,
        Self::Limit,
        Self::MaximumAge,
        Self::NextUpdate,
        Self::NextUpdateMissing,
        Self::NoEvidence,
        Self::OnlySomeReasons,
        Self::Readable,
        Self::Responder,
        Self::ResponderCertificate,
        Self::ResponderRevoked,
        Self::ResponderStatus,
        Self::RevokedCertId,
        Self::RevokedSignatureAlgorithm,
        Self::Signature,
        Self::SignatureAlgorithm,
        Self::ThisUpdate,
        Self::UnknownToResponder,
    ];

    /// The name of the rule in reports and tests, which does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AuthorityKeyId => "crl-authority-key-id",
            Self::CertId => "ocsp-cert-id",
            Self::CertificateScope => "crl-certificate-scope",
            Self::CriticalEntryExtension => "crl-critical-entry-extension",
            Self::CriticalExtension => "status-critical-extension",
            Self::CrlNumber => "crl-number",
            Self::CrlSign => "crl-sign",
            Self::DeltaCrl => "crl-delta",
            Self::DistributionPoint => "crl-distribution-point",
            Self::ExpiredCertificate => "status-expired-certificate",
            Self::IndirectCrl => "crl-indirect",
            Self::Limit => "status-limit",
            Self::MaximumAge => "status-maximum-age",
            Self::NextUpdate => "status-next-update",
            Self::NextUpdateMissing => "status-next-update-missing",
            Self::NoEvidence => "status-no-evidence",
            Self::OnlySomeReasons => "crl-only-some-reasons",
            Self::Readable => "crl-readable",
            Self::Responder => "ocsp-responder",
            Self::ResponderCertificate => "ocsp-responder-certificate",
            Self::ResponderRevoked => "ocsp-responder-revoked",
            Self::ResponderStatus => "ocsp-responder-status",
            Self::RevokedCertId => "ocsp-revoked-cert-id",
            Self::RevokedSignatureAlgorithm => "status-revoked-signature-algorithm",
            Self::Signature => "status-signature",
            Self::SignatureAlgorithm => "status-signature-algorithm",
            Self::ThisUpdate => "status-this-update",
            Self::UnknownToResponder => "ocsp-unknown",
        }
    }

    /// The clause that states the rule.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::AuthorityKeyId => "RFC 5280 section 5.2.1",
            Self::CertId | Self::RevokedCertId => "RFC 6960 section 4.1.1",
            Self::CertificateScope => "RFC 5280 section 6.3.3 (b) (2)",
            Self::CriticalEntryExtension => "RFC 5280 section 5.3",
            Self::CriticalExtension => "RFC 5280 section 5.2, RFC 6960 section 4.4",
            Self::CrlNumber => "RFC 5280 section 5.2.3",
            Self::CrlSign => "RFC 5280 section 6.3.3 (f)",
            Self::DeltaCrl => "RFC 5280 section 5.2.4",
            Self::DistributionPoint => "RFC 5280 section 6.3.3 (b) (2) (i)",
            Self::ExpiredCertificate => "RFC 5280 section 3.3, RFC 6960 section 2.2",
            Self::IndirectCrl => "RFC 5280 section 5.2.5",
            Self::Limit => "limits of this program",
            Self::MaximumAge => "maximum age that the operator has set",
            Self::NextUpdate => "RFC 5280 section 6.3.3 (a), RFC 6960 section 3.2",
            Self::NextUpdateMissing => "RFC 5280 section 5.1.2.5, RFC 6960 section 4.2.2.1",
            Self::NoEvidence => "RFC 5280 section 6.3.3",
            Self::OnlySomeReasons => "RFC 5280 section 6.3.3 (d)",
            Self::Readable => "RFC 5280 section 5.1",
            Self::Responder | Self::ResponderCertificate => "RFC 6960 section 4.2.2.2",
            Self::ResponderRevoked | Self::ResponderStatus => "RFC 6960 section 4.2.2.2.1",
            Self::Signature => "RFC 5280 section 6.3.3 (g), RFC 6960 section 3.2",
            Self::RevokedSignatureAlgorithm | Self::SignatureAlgorithm => {
                "RFC 5280 section 5.1.1.2, RFC 6960 section 4.2.1"
            }
            Self::ThisUpdate => "RFC 5280 section 5.1.2.4, RFC 6960 section 4.2.2.1",
            Self::UnknownToResponder => "RFC 6960 section 2.2",
        }
    }

    /// What is wrong with evidence that breaks the rule.
    pub const fn broken(self) -> &'static str {
        match self {
            Self::AuthorityKeyId => "its authority key identifier names another key than the issuer's",
            Self::CertId => "it identifies certificates by a hash that is not supported",
            Self::CertificateScope => "it is not about certificates of this kind",
            Self::CriticalEntryExtension => "an entry has a critical extension that is not supported",
            Self::CriticalExtension => "it has a critical extension that is not supported",
            Self::CrlNumber => "it has no CRL number",
            Self::CrlSign => "the key of the issuer must not sign CRLs",
            Self::DeltaCrl => "it is a delta CRL, which alone proves nothing",
            Self::DistributionPoint => "it is for a distribution point that the certificate does not name",
            Self::ExpiredCertificate => "the certificate had expired before, and expired ones may be left out",
            Self::IndirectCrl => "it is an indirect CRL, which is not supported",
            Self::Limit => "it was not looked at, because the limit of signature checks was reached",
            Self::MaximumAge => "it is older than allowed",
            Self::NextUpdate => "it is out of date",
            Self::NextUpdateMissing => "it does not say when it will be out of date",
            Self::NoEvidence => "there is no CRL and no OCSP response about the certificate",
            Self::OnlySomeReasons => "it is about some reasons only",
            Self::Readable => "its entries cannot be read",
            Self::Responder => "it is signed neither by the issuer nor by a responder that the issuer has authorized",
            Self::ResponderCertificate => "the certificate of its responder does not comply",
            Self::ResponderRevoked => "the certificate of its responder is revoked",
            Self::ResponderStatus => "it is not known whether the certificate of its responder is revoked",
            Self::RevokedCertId => {
                "it revokes a certificate with this serial number, which it identifies by a hash that is not supported"
            }
            Self::RevokedSignatureAlgorithm => {
                "it lists the certificate as revoked, and is signed by an algorithm that is not allowed"
            }
            Self::Signature => "the signature on it is not by the key of its issuer",
            Self::SignatureAlgorithm => "the algorithm of the signature on it is not allowed",
            Self::ThisUpdate => "it is dated in the future",
            Self::UnknownToResponder => "the responder does not know the certificate",
        }
    }
}

impl fmt::Display for StatusProblemRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
