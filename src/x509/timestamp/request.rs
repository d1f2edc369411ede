//! `TimestampRequest`: what a timestamp authority is asked (RFC 3161 section 2.4.1).

use crate::limits::Limits;
use crate::x509::Oid;
use crate::x509::der;
use crate::x509::encode;
use crate::x509::fields::Fields;
use crate::x509::timestamp::MessageImprint;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampNonce;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::cms::wrong_version;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::token;

/// A request for a timestamp, which asks for the certificate of the authority as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampRequest {
    imprint: MessageImprint,
    nonce: Option<TimestampNonce>,
    policy: Option<Oid>,
}

impl TimestampRequest {
    /// A request for the data with this imprint. The caller draws the nonce; without one, any token about the data is an
    /// answer.
    pub const fn new(imprint: MessageImprint, nonce: Option<TimestampNonce>) -> Self {
        Self { imprint, nonce, policy: None }
    }

    /// This request, for a timestamp by `policy`.
    #[must_use]
    pub fn with_policy(mut self, policy: Oid) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Parses a `TimeStampReq` in DER or BER, with nothing after it: one that was made before, to check the response to
    /// it.
    ///
    /// # Errors
    /// [`TimestampError`]: refused, or could-not-tell where it has extensions.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let der = token::to_der(bytes, limits)?;
        let read = || {
            let mut fields = Fields::sequence(&der)?;
            let (version, imprint) = (fields.small()?, fields.content(der::SEQUENCE)?);
            let (policy, nonce) = (fields.content(der::OBJECT_ID), fields.content(der::INTEGER));
            fields.content(der::BOOLEAN);
            let extensions = fields.content(EXTENSIONS);
            fields.end()?;
            Some((version, imprint, policy, nonce, extensions))
        };
        let what = || malformed("TimeStampReq");
        let (version, imprint, policy, nonce, extensions) = read().ok_or_else(what)?;
        wrong_version("TimeStampReq", version, 1)?;
        if extensions.is_some() {
            return Err(TimestampError::undetermined(TimestampRule::CriticalExtension));
        }
        let policy = match policy {
            None => None,
            Some(content) => Some(Oid::from_content(content).ok_or_else(what)?),
        };
        let nonce = nonce.map(TimestampNonce::from_content);
        Ok(Self { imprint: MessageImprint::read(imprint)?, nonce, policy })
    }

    /// The `TimeStampReq` in DER: version 1, the imprint, the policy and nonce if there are any, and `certReq`.
    pub fn to_der(&self) -> Vec<u8> {
        let mut content = encode::encoded(der::INTEGER, &[1]);
        content.extend(self.imprint.encoded());
        if let Some(policy) = &self.policy {
            encode::write(der::OBJECT_ID, policy.as_content(), &mut content);
        }
        if let Some(nonce) = &self.nonce {
            encode::write(der::INTEGER, nonce.as_content(), &mut content);
        }
        encode::write(der::BOOLEAN, &[0xff], &mut content);
        encode::encoded(der::SEQUENCE, &content)
    }

    /// The hash of the data.
    pub const fn imprint(&self) -> &MessageImprint {
        &self.imprint
    }

    /// The nonce.
    pub const fn nonce(&self) -> Option<&TimestampNonce> {
        self.nonce.as_ref()
    }

    /// The policy that is asked for.
    pub const fn policy(&self) -> Option<&Oid> {
        self.policy.as_ref()
    }
}

const EXTENSIONS: u8 = 0xa0;
