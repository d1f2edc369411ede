//! Which public enums a user of the library may match without a wildcard.

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
