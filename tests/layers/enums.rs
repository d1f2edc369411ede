//! Which public enums a user of the library may match without a wildcard, and which types nobody may drop unread.

use crate::source::Source;

/// The public enums that stay closed, by the reason. All others are `#[non_exhaustive]`: a new format, rule or reason
/// must not break the code of a user.
pub const CLOSED: &[(&str, &[&str])] = &[
    (
        "every outcome that a user must decide on: a wildcard could take a no for a yes",
        &[
            "CaseVerdict",
            "CheckOutcome",
            "CheckResult",
            "Decision",
            "FetchVerification",
            "Layers",
            "LintOutcome",
            "LogConclusion",
            "PreviousTarget",
            "ReportedVerdict",
            "Rescue",
            "Status",
            "TestOutcome",
            "Trust",
            "ValidityState",
            "Verdict",
            "VerificationResult",
        ],
    ),
    ("what is signed: a program that shows it before signing must show every kind", &["Action", "ItemStatement"]),
    (
        "a choice between alternatives, in place of a `bool`",
        &[
            "Accept",
            "AddressRule",
            "CertificatePresence",
            "Closure",
            "Contended",
            "CountedStatements",
            "Depth",
            "Destination",
            "DiscoverUntil",
            "ExpiryRule",
            "FindingsCounted",
            "FormLayers",
            "HttpScheme",
            "MaxAge",
            "NameConflict",
            "NameRule",
            "NamedFileSource",
            "OriginForm",
            "Overwrite",
            "PatternOrAny",
            "Pins",
            "Platforms",
            "Proxies",
            "RequiredInclusion",
            "SignWhen",
            "SignedAttestations",
            "SignedPlatforms",
            "StreamForm",
            "Strictness",
            "SummaryExceptions",
            "TimeoutScope",
            "WebMethod",
        ],
    ),
    (
        "the forms that a value can have, by its specification or by nature",
        &[
            "AttributeValue",
            "ExtendedName",
            "ExtendedValue",
            "FieldLiteral",
            "FieldValue",
            "Link",
            "Origin",
            "Owner",
            "Relation",
            "ShownPayload",
            "StatementKind",
            "TagOrDigest",
            "YamlValue",
        ],
    ),
];

/// The public enums of the library that are not `#[non_exhaustive]`.
pub fn exhaustive(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in source.code.lines().map(str::trim) {
        match line.strip_prefix("pub enum ") {
            Some(rest) => {
                let name =
                    rest.split(|c: char| !c.is_alphanumeric() && c != '$' && c != '_').next().unwrap_or_default();
                found.extend((!marked).then(|| name.to_owned()));
                marked = false;
            }
            None if line == "#[non_exhaustive]" => marked = true,
            // Comments are blanked out, and attributes stand between the mark and the enum.
            None if line.is_empty() || line.starts_with("#[") => {}
            None => marked = false,
        }
    }
    found
}

/// The types that say yes, no or could-not-tell. Each is `#[must_use]`: a verdict that is dropped was not asked for.
pub const VERDICTS: &[&str] = &[
    "AcceptedImage",
    "ArchiveNotProven",
    "Authentication",
    "CheckOutcome",
    "Decision",
    "FileRefusal",
    "IdentifiedImage",
    "ImageRefusal",
    "LogAudit",
    "LogConclusion",
    "MatchedImage",
    "NotAccepted",
    "NotLetIn",
    "NotVerified",
    "Outcome",
    "PolicyEvaluation",
    "PolicyGraph",
    "PolicyOutcome",
    "PolicyVerdict",
    "ProvenArchive",
    "QuorumDecision",
    "Refusal",
    "RequirementVerdict",
    "SavedImageLetIn",
    "SavedVerdict",
    "Verdict",
    "VerifiedFile",
    "VerifiedGraph",
    "VerifiedImage",
    "VerifiedImageId",
    "VerifiedSavedImage",
    "VerifiedSubject",
];

/// The types of [`VERDICTS`] that a file declares, and whether each is `#[must_use]`.
pub fn verdicts(source: &Source) -> Vec<(&'static str, bool)> {
    let lines: Vec<&str> = source.code.lines().collect();
    let declared = |line: &str| {
        let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))?;
        let name = rest.split(|c: char| !c.is_alphanumeric()).next()?;
        VERDICTS.iter().find(|verdict| **verdict == name).copied()
    };
    let is_used = |at: usize| {
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        attributes.into_iter().any(|line| line.starts_with("#[must_use"))
    };
    lines.iter().enumerate().filter_map(|(at, line)| Some((declared(line)?, is_used(at)))).collect()
}
