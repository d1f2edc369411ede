//! `PatternError`: why a pattern of names cannot be used.

use crate::text::Untrusted;
use crate::x509::Oid;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A regular expression that is not anchored: it would match a part of a longer text.
    #[error("regular expression {:?} is not anchored: it must begin with ^ and end with $", Untrusted::new(found))]
    Anchor {
        /// The anchored form, which matches the whole text.
        anchored: String,
        /// What was given.
        found: String,
    },
    /// A pattern that matches identities or issuers of people whom nobody meant.
    #[error("pattern {:?} matches everybody, {example} for example", Untrusted::new(found))]
    CatchAll {
        /// What it matches, for example.
        example: &'static str,
        /// What was given.
        found: String,
    },
    /// A pattern that is empty, or has a character that is hidden or ends a line.
    #[error("pattern {:?} is empty, or has a character that is hidden or ends a line", Untrusted::new(found))]
    Characters {
        /// What was given.
        found: String,
    },
    /// A distinguished name that cannot be read.
    #[error("distinguished name {:?} cannot be read: {reason}; wanted CN=release,O=Example", Untrusted::new(found))]
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
    /// A text that is no IP address.
    #[error(
        "{:?} is not an IP address: wanted ip:192.0.2.1 or ip:2001:db8::1, without a port or a prefix length",
        Untrusted::new(found)
    )]
    IpAddress {
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
         ip:…, dirname:…, rid:OID, othername:OID=…, extension:OID=…",
        Untrusted::new(found)
    )]
    Name {
        /// What was given.
        found: String,
    },
    /// A keyless identity without the issuer of the OIDC token: a name that two issuers could give to two people.
    #[error("identity {:?} needs the issuer of its OIDC token", Untrusted::new(found))]
    NoIssuer {
        /// What was given.
        found: String,
    },
    /// An issuer that a ready-made identity cannot have.
    #[error("identity {:?} has an OIDC issuer of its own, which is not {issuer}", Untrusted::new(found))]
    OtherIssuer {
        /// What was given.
        found: String,
        /// The other issuer.
        issuer: String,
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
    /// An identity of GitHub, GitLab or Google that cannot be read.
    #[error("identity {:?} cannot be used: {reason}", Untrusted::new(found))]
    ReadyMade {
        /// What was given.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text that is no object identifier, for a registered identifier.
    #[error("{:?} is not an object identifier: wanted rid:1.2.3.4", Untrusted::new(found))]
    RegisteredId {
        /// What was given.
        found: String,
    },
    /// A regular expression that cannot be used.
    #[error("regular expression {:?} cannot be used: {reason}", Untrusted::new(found))]
    Regexp {
        /// What was given.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pattern that is too long.
    #[error("pattern is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: u64,
    },
    /// A pattern that does not say without a wildcard whose names it means.
    #[error("pattern {:?} also matches unrelated names: {reason}", Untrusted::new(found))]
    Wide {
        /// What was given.
        found: String,
        /// What it needs.
        reason: &'static str,
    },
    /// Three stars in a row.
    #[error("pattern {:?} has more than two `*` in a row", Untrusted::new(found))]
    Wildcard {
        /// What was given.
        found: String,
    },
}
