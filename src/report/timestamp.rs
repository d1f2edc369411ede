//! The results of the `timestamp` commands.

use std::path::Path;

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::timestamp::SkippedSignature;
use crate::ops::timestamp::TimestampedSignature;
use crate::ops::timestamp::UnstampedSignature;
use crate::report::ReportedError;
use crate::x509::SignedBefore;
use crate::x509::TimestampToken;

/// The result of `timestamp request` for one reference.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimestampRequestResult {
    done: bool,
    reference: String,
    requests: Vec<WrittenRequest>,
    signatures: usize,
    skipped: Vec<ReportedSkip>,
}

/// A timestamp request, and the signatures that it is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenRequest {
    already_written: bool,
    digest: Digest,
    file: String,
    format: String,
    signatures: Vec<Digest>,
}

/// The result of `timestamp attach` for one reference.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimestampAttachResult {
    attached: Vec<AttachedTimestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    reference: String,
    skipped: Vec<ReportedSkip>,
    timestamped: Vec<AlreadyTimestamped>,
}

/// A signature that has a timestamp now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachedTimestamp {
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<Digest>,
    digest: Digest,
    earliest: String,
    latest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<Digest>,
    signature: Digest,
    token: String,
}

/// A token about a signature that has a verified timestamp already.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AlreadyTimestamped {
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<Digest>,
    token: String,
}

/// The result of `timestamp fetch` for one request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimestampFetchResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    already_answered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
}

/// A signature that gets no timestamp.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedSkip {
    code: &'static str,
    error: String,
    signature: Digest,
}

impl TimestampRequestResult {
    /// The result for `reference`, whose images have so many signatures, before any request is added.
    pub fn new(reference: &str, signatures: usize) -> Self {
        Self { done: true, reference: reference.to_owned(), requests: Vec::new(), signatures, skipped: Vec::new() }
    }

    /// Adds the request in `file`, about `signature` of the image `subject`, or in the bundle `subject` of a file.
    /// `already_written` says whether the file was there.
    pub fn add(&mut self, subject: &Digest, signature: &UnstampedSignature, file: &Path, already_written: bool) {
        self.requests.push(WrittenRequest {
            already_written,
            digest: *subject,
            file: file.display().to_string(),
            format: signature.format(),
            signatures: signature.places().to_vec(),
        });
    }

    /// Adds a signature that gets no timestamp. If it was left out because of a limit, not all is done.
    pub fn skip(&mut self, skipped: &SkippedSignature) {
        self.done &= !skipped.reason.is_left_out();
        self.skipped.push(ReportedSkip::of(skipped));
    }
}

impl ReportedSkip {
    fn of(SkippedSignature { manifest, reason }: &SkippedSignature) -> Self {
        Self { code: reason.code(), error: reason.to_string(), signature: *manifest }
    }
}

impl TimestampAttachResult {
    /// The result for `reference`, before any timestamp is added.
    pub fn new(reference: &str) -> Self {
        let (attached, skipped, timestamped) = (Vec::new(), Vec::new(), Vec::new());
        Self { attached, code: None, done: true, error: None, reference: reference.to_owned(), skipped, timestamped }
    }

    /// Adds a signature that was left out because of a limit, so that not all is done.
    pub fn skip(&mut self, skipped: &SkippedSignature) {
        self.done = false;
        self.skipped.push(ReportedSkip::of(skipped));
    }

    /// Adds a signature of the image `subject` that has the timestamp in the file `token` now, in the signature manifest
    /// `referrer`.
    pub fn add(&mut self, subject: &Digest, timestamped: &TimestampedSignature, referrer: &Digest, token: &Path) {
        self.attached.push(AttachedTimestamp {
            bundle: None,
            digest: *subject,
            earliest: timestamped.proof().earliest().to_string(),
            latest: timestamped.proof().at().to_string(),
            referrer: Some(*referrer),
            signature: *timestamped.original(),
            token: token.display().to_string(),
        });
    }

    /// Adds a token about a signature of the image `subject` that has a verified timestamp in `referrer`.
    pub fn add_timestamped(&mut self, subject: &Digest, referrer: &Digest, token: &Path) {
        let token = token.display().to_string();
        self.timestamped.push(AlreadyTimestamped { digest: *subject, referrer: Some(*referrer), token });
    }

    /// Adds the bundle `original` of a file, whose place `bundle` takes: it has the timestamp `proof` in the file `token`.
    pub fn add_bundle(&mut self, original: &Digest, bundle: &Digest, proof: &SignedBefore, token: &Path) {
        self.attached.push(AttachedTimestamp {
            bundle: Some(*bundle),
            digest: *original,
            earliest: proof.earliest().to_string(),
            latest: proof.at().to_string(),
            referrer: None,
            signature: *original,
            token: token.display().to_string(),
        });
    }

    /// Adds a token about the signature in the bundle `original` of a file, which has a verified timestamp.
    pub fn add_timestamped_bundle(&mut self, original: &Digest, token: &Path) {
        let token = token.display().to_string();
        self.timestamped.push(AlreadyTimestamped { digest: *original, referrer: None, token });
    }

    /// The result for `reference` where attaching failed: nothing is known to be attached.
    pub fn failed(reference: &str, error: ReportedError) -> Self {
        Self { code: Some(error.code), done: false, error: Some(error.message), ..Self::new(reference) }
    }
}

impl TimestampFetchResult {
    /// The response in the file `response` to the request in the file `request`, with its token. `verified` says whether
    /// the token was verified, and `already_answered` whether the file was there.
    pub fn of(
        (request, response): (&Path, &Path),
        token: &TimestampToken,
        verified: FetchVerification,
        already_answered: bool,
    ) -> Self {
        Self {
            already_answered: Some(already_answered),
            code: None,
            done: true,
            earliest: Some(token.gen_time().earliest().to_string()),
            error: None,
            latest: Some(token.gen_time().latest().to_string()),
            request: request.display().to_string(),
            response: Some(response.display().to_string()),
            verified: Some(verified == FetchVerification::Verified),
        }
    }

    /// An error about the request in the file `request`.
    pub fn failed(request: &Path, error: ReportedError) -> Self {
        Self {
            already_answered: None,
            code: Some(error.code),
            done: false,
            earliest: None,
            error: Some(error.message),
            latest: None,
            request: request.display().to_string(),
            response: None,
            verified: None,
        }
    }
}

/// Whether a token that was fetched was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchVerification {
    /// It answers the request; no timestamp authority is trusted.
    AnswerOnly,
    /// It is by a trusted timestamp authority.
    Verified,
}
