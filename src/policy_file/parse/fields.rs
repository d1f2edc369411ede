//! The mappings of the policy language, each with its fields.

/// A mapping of the policy language, and the fields that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingFields {
    /// The fields, in the order of `docs/policy-reference.md`.
    pub fields: &'static [&'static str],
    /// Its name in messages, and in the JSON Schema.
    pub name: &'static str,
}

impl MappingFields {
    const fn new(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self { fields, name }
    }
}

/// Every mapping with fixed fields. The others take names that the operator chooses: `identities`, `builders`, `subject`,
/// `issuer`, `othername`, `extensions`, `annotations`.
pub const MAPPINGS: &[&MappingFields] = &[
    &POLICY,
    &IDENTITY,
    &KEY,
    &FILE,
    &TRUSTED_ROOT,
    &LOGS,
    &CERTIFICATE,
    &KEYLESS,
    &BUILDER,
    &BLOCKED,
    &IMAGE,
    &ACCEPT_UNSIGNED,
    &REFUSE,
    &EXCEPTION,
    &REQUIREMENT,
    &SIGNATURE,
    &ANNOTATION,
    &PROVENANCE,
    &SBOM,
    &SCAN,
    &VEX,
    &IGNORE,
    &TEST,
    &VSA,
    &STATEMENT,
    &FIELD,
];

pub(super) const POLICY: MappingFields = MappingFields::new(
    "policy",
    &["bulla-policy", "expires", "identities", "builders", "blocked", "baseline", "images"],
);

pub(super) const IDENTITY: MappingFields = MappingFields::new("identity", &["keys", "logs", "certificate", "keyless"]);

pub(super) const KEY: MappingFields = MappingFields::new("key", &["file", "pem", "sha256", "key-id", "until"]);

pub(super) const FILE: MappingFields = MappingFields::new("file", &["file", "pem", "sha256"]);

pub(super) const TRUSTED_ROOT: MappingFields = MappingFields::new("trusted-root", &["file", "sha256"]);

pub(super) const LOGS: MappingFields =
    MappingFields::new("logs", &["trusted-root", "transparency-logs", "timestamps", "signing-time"]);

pub(super) const CERTIFICATE: MappingFields = MappingFields::new(
    "certificate",
    &[
        "roots",
        "timestamp-roots",
        "subject",
        "issuer",
        "dns",
        "email",
        "uri",
        "ip",
        "dirname",
        "rid",
        "othername",
        "extensions",
        "profile",
        "timestamps",
        "revocation",
    ],
);

pub(super) const KEYLESS: MappingFields = MappingFields::new(
    "keyless",
    &[
        "trusted-root",
        "issuer",
        "repository",
        "workflow",
        "config",
        "ref",
        "host",
        "enterprise",
        "trigger",
        "email",
        "uri",
        "name",
        "extensions",
        "transparency-logs",
        "certificate-logs",
        "timestamps",
        "signing-time",
    ],
);

pub(super) const BUILDER: MappingFields = MappingFields::new("builder", &["signed-by", "id", "level"]);

pub(super) const BLOCKED: MappingFields = MappingFields::new("blocked", &["digest", "reason"]);

pub(super) const IMAGE: MappingFields = MappingFields::new(
    "image",
    &["match", "signed-name", "signed-tag", "require", "exceptions", "accept-unsigned", "refuse"],
);

pub(super) const ACCEPT_UNSIGNED: MappingFields = MappingFields::new("accept-unsigned", &["reason", "owner", "until"]);

pub(super) const REFUSE: MappingFields = MappingFields::new("refuse", &["reason"]);

pub(super) const EXCEPTION: MappingFields =
    MappingFields::new("exception", &["repository", "digests", "waives", "reason", "owner", "until"]);

/// The requirements: a mapping has exactly one of them.
pub(super) const REQUIREMENT: MappingFields = MappingFields::new(
    "requirement",
    &["signature", "annotation", "provenance", "sbom", "scan", "test", "vsa", "statement", "any", "all"],
);

pub(super) const SIGNATURE: MappingFields =
    MappingFields::new("signature", &["by", "at-least", "about", "max-age", "time"]);

pub(super) const ANNOTATION: MappingFields =
    MappingFields::new("annotation", &["by", "at-least", "about", "max-age", "time", "annotations"]);

pub(super) const PROVENANCE: MappingFields = MappingFields::new(
    "provenance",
    &["builders", "slsa-level", "source", "ref", "from", "by", "about", "max-age", "time"],
);

pub(super) const SBOM: MappingFields =
    MappingFields::new("sbom", &["by", "at-least", "about", "max-age", "time", "formats"]);

pub(super) const SCAN: MappingFields = MappingFields::new(
    "scan",
    &["by", "at-least", "about", "max-age", "time", "highest-allowed", "count", "database-max-age", "vex", "ignore"],
);

pub(super) const VEX: MappingFields = MappingFields::new("vex", &["by", "at-least", "max-age", "time"]);

pub(super) const IGNORE: MappingFields =
    MappingFields::new("ignore", &["vulnerability", "package", "reason", "owner", "until"]);

pub(super) const TEST: MappingFields =
    MappingFields::new("test", &["by", "at-least", "about", "max-age", "time", "accept"]);

pub(super) const VSA: MappingFields = MappingFields::new(
    "vsa",
    &["by", "at-least", "about", "max-age", "time", "verifier", "policies", "levels", "trust-at-least", "exceptions"],
);

pub(super) const STATEMENT: MappingFields =
    MappingFields::new("statement", &["by", "at-least", "about", "max-age", "time", "type", "fields"]);

/// One of the `fields` of a statement.
pub(super) const FIELD: MappingFields =
    MappingFields::new("field", &["at", "equals", "one-of", "at-most", "at-least", "exists"]);
