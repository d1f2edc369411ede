//! The results of `sign` and `attest`.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::sign::Signed;
use crate::report::ReportedError;
use crate::report::stream::LineResult;
use crate::transparency::VerifiedLogEntry;

/// The result of `sign` or `attest` for one reference.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signatures: Option<Vec<MadeSignature<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

/// A signature that was made, or was there already.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MadeSignature<'a> {
    already_signed: bool,
    digest: &'a Digest,
    key: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    log_entries: Vec<MadeLogEntry>,
    referrer: Option<&'a Digest>,
    referrers: &'a [Digest],
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timestamps: Vec<String>,
}

/// An entry that a log made about a signature.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MadeLogEntry {
    index: u64,
    log_id: String,
}

impl<'a> SignResult<'a> {
    /// The signatures of `reference` that were made or found.
    pub fn of(reference: &str, signed: &'a [Signed]) -> Self {
        let signatures = Some(signed.iter().map(MadeSignature::from).collect());
        Self {
            code: None,
            command: None,
            done: true,
            dry_run: None,
            error: None,
            reference: reference.to_owned(),
            signatures,
            version: None,
        }
    }

    /// An error about `reference`, after the signatures `signed` had been made.
    pub fn failed(reference: &str, signed: &'a [Signed], error: ReportedError) -> Self {
        let signatures = (!signed.is_empty()).then(|| signed.iter().map(MadeSignature::from).collect());
        Self {
            code: Some(error.code),
            command: None,
            done: false,
            dry_run: None,
            error: Some(error.message),
            reference: reference.to_owned(),
            signatures,
            version: None,
        }
    }

    /// Marks the result as one of a dry run: nothing was signed.
    #[must_use]
    pub fn as_dry_run(self) -> Self {
        Self { done: false, dry_run: Some(true), ..self }
    }
}

impl<'a> From<&'a Signed> for MadeSignature<'a> {
    fn from(signed: &'a Signed) -> Self {
        Self {
            already_signed: signed.already,
            digest: &signed.subject,
            key: signed.key.to_string(),
            log_entries: signed.log_entries.iter().map(MadeLogEntry::from).collect(),
            referrer: signed.referrers.first(),
            referrers: &signed.referrers,
            tag: signed.tags.first().map(String::as_str),
            timestamps: signed.timestamps.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<&VerifiedLogEntry> for MadeLogEntry {
    fn from(entry: &VerifiedLogEntry) -> Self {
        Self { index: entry.index(), log_id: entry.log().to_string() }
    }
}

impl LineResult for SignResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}
