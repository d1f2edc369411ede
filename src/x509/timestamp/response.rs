//! `TimestampResponse`: what a timestamp authority answers (RFC 3161 section 2.4.2).

use crate::limits::Limits;
use crate::text::Untrusted;
use crate::x509::der;
use crate::x509::encode;
use crate::x509::fields::Fields;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRequest;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::TimestampToken;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::status::PkiFailure;
use crate::x509::timestamp::status::PkiStatus;
use crate::x509::timestamp::token;

/// A response in which an authority granted a timestamp. Its token is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampResponse {
    status: PkiStatus,
    token: TimestampToken,
}

/// What a `TimeStampResp` holds, before it is judged.
struct Parts<'a> {
    failures: Vec<PkiFailure>,
    status: Option<PkiStatus>,
    text: Option<&'a [u8]>,
    token: Option<&'a [u8]>,
}

impl TimestampResponse {
    /// Parses a `TimeStampResp` in DER or BER, with nothing after it.
    ///
    /// # Errors
    /// [`TimestampError::Rejected`] with the reasons of the authority if it granted no timestamp; else as
    /// [`TimestampToken::parse`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TimestampError> {
        let der = token::to_der(bytes, limits)?;
        let parts = Parts::read(&der).ok_or_else(|| malformed("TimeStampResp"))?;
        let status = parts.status.ok_or_else(|| malformed("PKIStatus"))?;
        if !status.is_granted() {
            let text = parts.text.map(|text| Untrusted::new(&String::from_utf8_lossy(text)));
            return Err(TimestampError::Rejected { failures: parts.failures, status, text });
        }
        let no_token = || TimestampError::refused(TimestampRule::Status).by(status.name());
        let token = TimestampToken::parse(parts.token.ok_or_else(no_token)?, limits)?;
        Ok(Self { status, token })
    }

    /// The token, if it answers `request`: it is about the same data, with the same nonce, by the policy that was asked for,
    /// and has the certificate of its signer.
    ///
    /// # Errors
    /// [`TimestampError`] where it is the answer to something else.
    pub fn answer(self, request: &TimestampRequest) -> Result<TimestampToken, TimestampError> {
        let token = self.token;
        let refused = |rule| Err(TimestampError::refused(rule).at(token.gen_time().time()));
        if token.imprint() != request.imprint() {
            return refused(TimestampRule::Imprint);
        }
        // RFC 3161 section 2.4.2: a nonce is there if, and only if, the request had one.
        if token.nonce().as_ref() != request.nonce() {
            return refused(TimestampRule::Nonce);
        }
        if request.policy().is_some_and(|wanted| wanted != token.policy()) {
            return refused(TimestampRule::Policy);
        }
        token.signer(&[])?;
        Ok(token)
    }

    /// The response that grants `token`.
    pub(super) const fn granted(token: TimestampToken) -> Self {
        Self { status: PkiStatus::Granted, token }
    }

    /// The response with its status and token alone, in DER if the token is.
    pub fn to_der(&self) -> Vec<u8> {
        let status = encode::sequence(&[&encode::encoded(der::INTEGER, &[self.status.number()])]);
        encode::sequence(&[&status, self.token.bytes()])
    }

    /// Whether all was granted that was asked for.
    pub const fn status(&self) -> PkiStatus {
        self.status
    }

    /// The token, without a check that it answers a request.
    pub const fn token(&self) -> &TimestampToken {
        &self.token
    }
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut response = Fields::sequence(der)?;
        let mut info = Fields::of(response.content(der::SEQUENCE)?);
        let status = PkiStatus::of(info.small()?);
        let text = match info.content(der::SEQUENCE) {
            None => None,
            Some(texts) => Fields::of(texts).content(der::UTF8_STRING),
        };
        let failures = match info.content(der::BIT_STRING) {
            None => Vec::new(),
            Some(bits) => failures(bits)?,
        };
        info.end()?;
        let token = match response.is_empty() {
            true => None,
            false => Some(response.any()?.encoding),
        };
        response.end()?;
        Some(Self { failures, status, text, token })
    }
}

/// The content of a BIT STRING: the number of unused bits in the last byte, and the bytes, the first bit highest.
fn failures(content: &[u8]) -> Option<Vec<PkiFailure>> {
    let (_, bits) = content.split_first()?;
    let is_set = |bit: usize| bits.get(bit / 8).is_some_and(|byte| byte << (bit % 8) & 0x80 != 0);
    Some(PkiFailure::ALL.into_iter().filter(|failure| is_set(failure.bit())).collect())
}
