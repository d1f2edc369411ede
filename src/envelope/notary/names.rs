//! The names of the header parameters of the Notary Project, and their numbers in COSE.

/// The prefix of all names that are reserved.
pub(super) const RESERVED: &str = "io.cncf.notary";

pub(super) const AUTHENTIC_SIGNING_TIME: &str = "io.cncf.notary.authenticSigningTime";
pub(super) const EXPIRY: &str = "io.cncf.notary.expiry";
pub(super) const SIGNING_AGENT: &str = "io.cncf.notary.signingAgent";
pub(super) const SIGNING_SCHEME: &str = "io.cncf.notary.signingScheme";
pub(super) const SIGNING_TIME: &str = "io.cncf.notary.signingTime";
pub(super) const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";
pub(super) const VERIFICATION_PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub(super) const VERIFICATION_PLUGIN_VERSION: &str = "io.cncf.notary.verificationPluginMinVersion";

/// The parameters that JWS itself defines and this format uses. RFC 7515 section 4.1.
pub(super) const ALGORITHM: &str = "alg";
pub(super) const CERTIFICATE_CHAIN: &str = "x5c";
pub(super) const CONTENT_TYPE: &str = "cty";
pub(super) const CRITICAL: &str = "crit";

/// The parameters that COSE itself defines and this format uses. RFC 9052 section 3.1, RFC 9360 section 2.
pub(super) const COSE_ALGORITHM: i64 = 1;
pub(super) const COSE_CERTIFICATE_CHAIN: i64 = 33;
pub(super) const COSE_CONTENT_TYPE: i64 = 3;
pub(super) const COSE_CRITICAL: i64 = 2;
/// The algorithm of a hash that is signed in place of the payload. draft-ietf-cose-hash-envelope-05.
pub(super) const COSE_PAYLOAD_HASH: i64 = 258;
