//! `TimestampToken`: a timestamp token (RFC 3161 section 2.4.2), parsed once, its bytes kept as they were given.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::digest::Digest;
use crate::limits;
use crate::limits::Limits;
use crate::x509::Certificate;
use crate::x509::Oid;
use crate::x509::der::DerError;
use crate::x509::timestamp::GenTime;
use crate::x509::timestamp::MessageImprint;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampNonce;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::ber;
use crate::x509::timestamp::ber::BerFault;
use crate::x509::timestamp::cms::SignedData;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::error::undecoded;
use crate::x509::timestamp::info::TstInfo;

/// A timestamp token. It is not verified: what it says is what its author wrote.
///
/// Cheap to clone. Two are equal when their bytes are.
#[derive(Clone)]
pub struct TimestampToken(Arc<ParsedToken>);

struct ParsedToken {
    bytes: Vec<u8>,
    info: TstInfo,
    /// The `SubjectPublicKeyInfo` of the key by which the signature was verified first, if it was.
    signed_by: OnceLock<Vec<u8>>,
    signed_data: SignedData,
}

impl TimestampToken {
    /// Parses one token (the `ContentInfo`, not the response around it) in DER or BER, with nothing after it.
    ///
    /// Its structure is checked: one signer, with signed attributes that name its certificate; versions; algorithms of the
    /// SHA-2 family; a TSTInfo in DER without critical extensions.
    ///
    /// # Errors
    /// [`TimestampError`]: refused, or could-not-tell.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let signed_data = SignedData::read(&to_der(bytes, limits)?, limits)?;
        let info = TstInfo::read(&signed_data.content)?;
        Ok(Self(Arc::new(ParsedToken { bytes: bytes.to_vec(), info, signed_by: OnceLock::new(), signed_data })))
    }

    /// The bytes that were parsed.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The certificates that came with it and can be read, in their order. The signature does not protect them.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.signed_data.certificates
    }

    /// The certificate in it that it names as its signer's, unverified: for display, never for a decision.
    pub fn claimed_signer(&self) -> Option<&Certificate> {
        self.certificates().iter().find(|one| self.signed_data().signer.id.names(one))
    }

    /// How it names the certificate of its signer, unverified and as text: for messages, never for a decision.
    pub fn claimed_signer_name(&self) -> String {
        self.signed_data().signer.id.to_string()
    }

    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        Digest::sha256(self.bytes())
    }

    /// The time that it states, with its accuracy.
    pub fn gen_time(&self) -> &GenTime {
        &self.0.info.gen_time
    }

    /// The hash of the data that it is about.
    pub fn imprint(&self) -> &MessageImprint {
        &self.0.info.imprint
    }

    /// The nonce of the request that it answers.
    pub fn nonce(&self) -> Option<TimestampNonce> {
        self.0.info.nonce.as_deref().map(TimestampNonce::from_content)
    }

    /// The policy by which it was made.
    pub fn policy(&self) -> &Oid {
        &self.0.info.policy
    }

    /// Its serial number: the content of the DER INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.0.info.serial
    }

    /// The key by which the signature was verified first, if it was.
    pub(super) fn signed_by(&self) -> &OnceLock<Vec<u8>> {
        &self.0.signed_by
    }

    pub(super) fn signed_data(&self) -> &SignedData {
        &self.0.signed_data
    }
}

impl PartialEq for TimestampToken {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for TimestampToken {}

impl fmt::Debug for TimestampToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimestampToken({}, {})", self.gen_time().time(), self.digest())
    }
}

/// The bytes of a token or response as DER, within the limits.
pub(super) fn to_der(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, TimestampError> {
    let limit = limits.envelope.timestamp_bytes;
    let exceeded = |found: &str| TimestampError::undetermined(TimestampRule::Limit).by(found);
    if limits::count(bytes.len()) > limit {
        return Err(exceeded(&format!("more than {limit} bytes")));
    }
    ber::to_der(bytes).map_err(|fault| match fault {
        BerFault::Malformed => malformed("neither DER nor BER, or something after it"),
        BerFault::TooDeep => exceeded("values nested too deep"),
        BerFault::Unsupported => undecoded(DerError::Unsupported { what: "a tag number above 30" }, "token"),
    })
}
