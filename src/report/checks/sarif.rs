//! SARIF 2.1.0 (OASIS): a result for each requirement that is not met, at its line of the policy file.
//!
//! The rule is the reason code. The fingerprint covers repository, requirement and code, not the digest, so that a
//! finding is the same one after the image was built anew. What could not be decided is an error too: a consumer that
//! counts errors must not take it for a yes.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use serde::Serialize;

use crate::digest::Digest;
use crate::redact::Secrets;
use crate::report::checks::CheckResult;
use crate::report::checks::CheckedImage;
use crate::report::checks::RequirementCheck;
use crate::report::checks::image::bounded;
use crate::report::json;

/// The most results in a report. GitHub shows this many; the others are counted.
pub const SARIF_RESULTS: usize = 5_000;

/// Writes the requirements of `images` that are not met as SARIF. `exit_code` is the one of the command.
///
/// # Errors
/// Those of `out`.
pub fn write_sarif(out: &mut dyn Write, images: &[CheckedImage], exit_code: u8, secrets: &Secrets) -> io::Result<()> {
    let all = || images.iter().flat_map(|image| image.checks.iter().map(move |check| (image, check)));
    let failed = all().filter(|(_, check)| check.result.is_failure());
    let waived = all().filter(|(_, check)| matches!(check.result, CheckResult::Waived { .. }));
    let mut shown = failed.chain(waived);
    let (mut rules, mut results) = (Rules::default(), Vec::new());
    for (image, check) in shown.by_ref().take(SARIF_RESULTS) {
        results.extend(SarifResult::of(image, check, &mut rules));
    }
    let left_out = shown.count();
    let notifications = (left_out > 0).then(|| Notification {
        level: "warning",
        message: Message { text: format!("{left_out} more results are left out of this report") },
    });
    let invocation = Invocation {
        execution_successful: exit_code < 2,
        exit_code,
        tool_execution_notifications: notifications.into_iter().collect(),
    };
    let driver = Driver { name: "bulla", rules: rules.in_order(), version: env!("CARGO_PKG_VERSION") };
    let run = Run {
        column_kind: "unicodeCodePoints",
        invocations: [invocation],
        properties: RunProperties { left_out },
        results,
        tool: Tool { driver },
    };
    let log = Log { schema: SCHEMA, runs: [run], version: "2.1.0" };
    json::write(out, &log, secrets)?;
    out.write_all(b"\n")
}

/// Whether a file with these first bytes, 512 or more of them, is a report of [`write_sarif`].
pub fn is_sarif(start: &[u8]) -> bool {
    let rest = start.strip_prefix(b"{\n  \"$schema\": \"").and_then(|rest| rest.strip_prefix(SCHEMA.as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(b"\""))
}

/// The rules in use, each with its index.
#[derive(Default)]
struct Rules(BTreeMap<&'static str, usize>);

impl Rules {
    fn index(&mut self, code: &'static str) -> usize {
        let next = self.0.len();
        *self.0.entry(code).or_insert(next)
    }

    fn in_order(self) -> Vec<Rule> {
        let mut rules: Vec<_> = self.0.into_iter().map(|(id, index)| (index, Rule { id })).collect();
        rules.sort_by_key(|(index, _)| *index);
        rules.into_iter().map(|(_, rule)| rule).collect()
    }
}

impl SarifResult {
    fn of(image: &CheckedImage, check: &RequirementCheck, rules: &mut Rules) -> Option<Self> {
        let (code, message) = check.result.shown()?;
        let reference = bounded(&image.reference);
        let region = check.place.line.map(|start_line| Region { start_column: check.place.column, start_line });
        let artifact_location = ArtifactLocation::of(&check.place.file);
        let digest = image.digest.as_ref().map(ToString::to_string);
        let logical = LogicalLocation {
            fully_qualified_name: digest.map_or_else(|| reference.clone(), |digest| format!("{reference} {digest}")),
            kind: "resource",
            name: reference.clone(),
        };
        let location = Location {
            logical_locations: [logical],
            physical_location: PhysicalLocation { artifact_location, region },
        };
        let (level, decision) = match check.result {
            CheckResult::Undetermined { .. } => ("error", "undetermined"),
            CheckResult::Waived { .. } => ("note", "waived"),
            CheckResult::Met | CheckResult::Unmet { .. } => ("error", "unmet"),
        };
        let suppression = matches!(check.result, CheckResult::Waived { .. }).then(|| Suppression {
            justification: literal(&message),
            kind: "external",
            status: "accepted",
        });
        let requirement = bounded(&check.requirement);
        Some(Self {
            level,
            locations: [location],
            message: Message { text: literal(&format!("{reference}: {requirement}: {message}")) },
            partial_fingerprints: Fingerprints { requirement: fingerprint(image, check, code) },
            properties: ResultProperties { decision, requirement },
            rule_id: code,
            rule_index: rules.index(code),
            suppressions: suppression.into_iter().collect(),
        })
    }
}

/// Each part with its length before it, so that no two lists of parts give the same text.
fn fingerprint(image: &CheckedImage, check: &RequirementCheck, code: &str) -> String {
    let repository = image.name.as_deref().unwrap_or(&image.reference);
    let parts = [repository, &check.requirement, code].map(|part| format!("{} {part}\n", part.len()));
    Digest::sha256(parts.concat().as_bytes()).hex()
}

/// Text without placeholders and links, which a message of SARIF may have: sections 3.11.5 and 3.11.6.
fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

impl ArtifactLocation {
    /// The location of a file as typed: RFC 3986, RFC 8089.
    fn of(path: &str) -> Self {
        let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
        // `a:b` would be an absolute URI with the scheme `a`.
        let first = path.split('/').next().unwrap_or_default();
        uri.push_str(if first.contains(':') { "./" } else { "" });
        for byte in path.bytes() {
            match byte {
                b'/' | b'-' | b'.' | b'_' | b'~' | b':' => uri.push(char::from(byte)),
                byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
                byte => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        Self { uri }
    }
}

/// The address of the schema, which the standard wants to be named.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [Run; 1],
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    column_kind: &'static str,
    invocations: [Invocation; 1],
    properties: RunProperties,
    results: Vec<SarifResult>,
    tool: Tool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunProperties {
    left_out: usize,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    rules: Vec<Rule>,
    version: &'static str,
}

#[derive(Serialize)]
struct Rule {
    id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    level: &'static str,
    locations: [Location; 1],
    message: Message,
    partial_fingerprints: Fingerprints,
    properties: ResultProperties,
    rule_id: &'static str,
    rule_index: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "bullaRequirement/v1")]
    requirement: String,
}

#[derive(Serialize)]
struct ResultProperties {
    decision: &'static str,
    requirement: String,
}

#[derive(Serialize)]
struct Suppression {
    justification: String,
    kind: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    logical_locations: [LogicalLocation; 1],
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    start_line: u32,
}
