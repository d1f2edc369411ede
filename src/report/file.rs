//! The results of `sign-blob`, `attest-blob` and `verify-blob`.

use std::path::Path;

use serde::Serialize;

use crate::digest::Digest;
use crate::key::KeyId;
use crate::key::Scheme;
use crate::ops::file::AcceptedFileSignature;
use crate::ops::file::FileRefusal;
use crate::ops::file::VerifiedFile;
use crate::report::ReportedError;
use crate::report::ReportedVerdict;
use crate::report::certificate::ReportedSigner;
use crate::report::keyless::ReportedProof;
use crate::report::stream::LineResult;
use crate::report::verify::ReportedFinding;

/// The result of `sign-blob` or `attest-blob` for one file.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSignResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

/// The result of `verify-blob` for one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileVerifyResult<'a> {
    accepted: bool,
    accepted_signatures: Vec<ReportedFileSignature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    digests: &'a [Digest],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    file: String,
    findings: Vec<ReportedFinding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signers: Option<ReportedSigners>,
    verdict: ReportedVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

/// The number of owners who have signed, and the number that is required.
#[derive(Debug, Serialize)]
struct ReportedSigners {
    got: usize,
    want: u32,
}

/// An accepted signature of a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedFileSignature {
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<ReportedSigner>,
    key: String,
    owner: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
    scheme: String,
    #[serde(flatten)]
    proof: ReportedProof,
}

impl FileSignResult {
    /// The file was signed.
    pub fn signed(file: &str, digest: &str, key: KeyId, scheme: Scheme) -> Self {
        Self {
            digest: Some(digest.to_owned()),
            done: true,
            file: file.to_owned(),
            key: Some(key.to_string()),
            scheme: Some(scheme.to_string()),
            ..Self::default()
        }
    }

    /// The file was not signed.
    pub fn failed(file: &str, error: ReportedError) -> Self {
        Self { code: Some(error.code), error: Some(error.message), file: file.to_owned(), ..Self::default() }
    }

    /// The same result with the files of the bundle and of the bare signature.
    #[must_use]
    pub fn with_files(self, bundle: Option<&Path>, signature: Option<&Path>) -> Self {
        let name = |path: &Path| path.display().to_string();
        Self { bundle: bundle.map(name), signature: signature.map(name), ..self }
    }

    /// The same result of an attestation of this predicate type.
    #[must_use]
    pub fn with_predicate_type(self, predicate_type: &str) -> Self {
        Self { predicate_type: Some(predicate_type.to_owned()), ..self }
    }
}

impl<'a> FileVerifyResult<'a> {
    /// The file was verified.
    pub fn verified(file: &str, verified: &'a VerifiedFile) -> Self {
        Self {
            accepted: true,
            accepted_signatures: verified.accepted().iter().map(ReportedFileSignature::of).collect(),
            code: None,
            command: None,
            digests: verified.digests(),
            error: None,
            file: file.to_owned(),
            findings: verified.findings().iter().map(ReportedFinding::of).collect(),
            signers: None,
            verdict: ReportedVerdict::Verified,
            version: None,
        }
    }

    /// The file was not verified.
    pub fn refused(file: &str, refusal: &'a FileRefusal) -> Self {
        Self {
            accepted: false,
            accepted_signatures: refusal.accepted.iter().map(ReportedFileSignature::of).collect(),
            code: None,
            command: None,
            digests: &refusal.digests,
            error: None,
            file: file.to_owned(),
            findings: refusal.findings.iter().map(ReportedFinding::of).collect(),
            signers: Some(ReportedSigners { got: refusal.got, want: refusal.want }),
            verdict: match refusal.is_undetermined() {
                false => ReportedVerdict::Refused,
                true => ReportedVerdict::Unknown,
            },
            version: None,
        }
    }

    /// The file or its evidence could not be read.
    pub fn failed(file: &str, error: ReportedError) -> Self {
        Self {
            accepted: false,
            accepted_signatures: Vec::new(),
            code: Some(error.code),
            command: None,
            digests: &[],
            error: Some(error.message),
            file: file.to_owned(),
            findings: Vec::new(),
            signers: None,
            verdict: ReportedVerdict::Unknown,
            version: None,
        }
    }
}

impl ReportedFileSignature {
    fn of(accepted: &AcceptedFileSignature) -> Self {
        Self {
            certificate: accepted.signer.certified().map(ReportedSigner::of),
            key: accepted.signer.key().to_string(),
            owner: accepted.signer.owner().to_string(),
            place: accepted.place.to_string(),
            predicate_type: accepted.statement.predicate_type().map(str::to_owned),
            scheme: accepted.signer.scheme().to_string(),
            proof: ReportedProof::of(&accepted.signer),
        }
    }
}

impl LineResult for FileSignResult {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}

impl LineResult for FileVerifyResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}
