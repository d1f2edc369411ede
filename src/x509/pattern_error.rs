//! `PatternError`: why a pattern of names cannot be used.

use crate::text::Untrusted;
use crate::x509::Oid;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A distinguished name that cannot be read.
    #[error("distinguished name {:?} cannot be read: {reason}", Untrusted::new(found))]
    DistinguishedName {
        /// What was given.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An attribute that is named twice.
    #[error("distinguished name names the attribute {kind} twice")]
    Duplicate {
        /// Which attribute.
        kind: Oid,
    },
    /// A trusted identity of notation that is not a subject.
    #[error("trusted identity {:?} does not begin with `x509.subject:`", Untrusted::new(found))]
    Identity {
        /// What was given.
        found: String,
    },
    /// A trusted identity of notation without a mandatory attribute.
    #[error("trusted identity lacks the attribute {keyword}: C, ST and O are mandatory")]
    Mandatory {
        /// Which attribute.
        keyword: &'static str,
    },
    /// A text that is no name of a certificate.
    #[error(
        "{:?} is not a name of a certificate: CN=… (any attribute), issuer:CN=…, dns:…, email:…, uri:…, \
         othername:OID=…, extension:OID=…",
        Untrusted::new(found)
    )]
    Name {
        /// What was given.
        found: String,
    },
    /// The name of an owner with a space at an end, or with a control character: it would look like another owner.
    #[error("owner {:?} begins or ends with a space, or has a control character", Untrusted::new(found))]
    Owner {
        /// What was given.
        found: String,
    },
    /// A part with several attributes.
    #[error("distinguished name has a part with several attributes, joined by `+`")]
    MultiValued,
}
