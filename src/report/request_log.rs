//! The result of `request log verify`: a signing log, and the signatures that were matched with it.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::audit::AuditedSignature;
use crate::ops::audit::LogAudit;

/// The result of `request log verify`.
#[derive(Clone, Debug, Serialize)]
pub struct LogResult<'a> {
    audited: Vec<ReportedAudit<'a>>,
    head: Option<Digest>,
    keys: Vec<ReportedLogKey<'a>>,
    lines: usize,
    matched: Vec<LoggedSignature<'a>>,
    unread: Vec<String>,
}

/// A key with lines in a signing log.
#[derive(Clone, Debug, Serialize)]
struct ReportedLogKey<'a> {
    key: &'a str,
    owner: &'a str,
    signatures: usize,
}

/// An image or file whose signatures were looked up in a signing log.
#[derive(Clone, Debug, Serialize)]
struct ReportedAudit<'a> {
    logged: usize,
    reference: &'a str,
    signatures: usize,
}

/// A signature on an image, and its line in the signing log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedSignature<'a> {
    key: String,
    line: Option<usize>,
    other_lines: Vec<String>,
    reference: &'a str,
    signature: Digest,
}

impl<'a> From<&'a AuditedSignature> for LoggedSignature<'a> {
    fn from(found: &'a AuditedSignature) -> Self {
        Self {
            key: found.key.to_string(),
            line: found.line,
            reference: &found.name,
            other_lines: found.other_lines.iter().map(ToString::to_string).collect(),
            signature: found.signature,
        }
    }
}

impl<'a> LogResult<'a> {
    /// A log with this number of lines, whose last line has the digest `head`.
    pub fn new(lines: usize, head: Option<Digest>) -> Self {
        Self { audited: Vec::new(), head, keys: Vec::new(), lines, matched: Vec::new(), unread: Vec::new() }
    }

    /// Adds a key with its number of signatures.
    #[must_use]
    pub fn with_key(mut self, key: &'a str, owner: &'a str, signatures: usize) -> Self {
        self.keys.push(ReportedLogKey { key, owner, signatures });
        self
    }

    /// With the signatures that were looked up in the log, and the evidence that could not be read.
    #[must_use]
    pub fn with_audit(self, audit: &'a LogAudit) -> Self {
        let one = |(reference, signatures): (&'a str, &'a [AuditedSignature])| {
            let logged = signatures.iter().filter(|signature| signature.line.is_some()).count();
            ReportedAudit { logged, reference, signatures: signatures.len() }
        };
        let audited = audit.audited().map(one).collect();
        let matched = audit.signatures().iter().map(LoggedSignature::from).collect();
        let unread = audit.unread().iter().map(ToString::to_string).collect();
        Self { audited, matched, unread, ..self }
    }
}
