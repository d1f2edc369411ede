//! Reads `identities`.

use crate::policy_file::PolicyProblem;
use crate::policy_file::WantedValue;
use crate::policy_file::document::CertificateDocument;
use crate::policy_file::document::IdentityDocument;
use crate::policy_file::document::KeyDocument;
use crate::policy_file::document::KeylessDocument;
use crate::policy_file::document::KeylessName;
use crate::policy_file::document::KeysDocument;
use crate::policy_file::document::LogRuleDocument;
use crate::policy_file::document::MeansDocument;
use crate::policy_file::document::NamedFile;
use crate::policy_file::document::NamedFileSource;
use crate::policy_file::parse::fields;
use crate::policy_file::parse::reading::ReadMapping;
use crate::policy_file::parse::reading::Reading;
use crate::policy_file::parse::scalars;
use crate::trust::SigningTimeRule;
use crate::yaml::YamlNode;

pub(super) fn identities(reading: &mut Reading, node: &YamlNode) -> Option<Vec<IdentityDocument>> {
    let entries = reading.named(node, "identities")?;
    let mut identities = Vec::new();
    for (name, node) in entries {
        if !scalars::is_name(&name.value) {
            reading.unexpected(name.position, &name.value, WantedValue::Name);
        }
        identities.push(means(reading, node).map(|means| IdentityDocument { means, name }));
    }
    identities.into_iter().collect()
}

fn means(reading: &mut Reading, node: &YamlNode) -> Option<MeansDocument> {
    let fields = reading.mapping(node, &fields::IDENTITY)?;
    let means = reading.exactly_one(&fields, &["keys", "certificate", "keyless"])?;
    reading.needs(&fields, &["logs"], "keys");
    match means {
        "keys" => {
            let keys = reading.required_list_of(&fields, "keys", key);
            let logs = reading.optional(&fields, "logs", logs);
            Some(MeansDocument::Keys(KeysDocument { keys: keys?, logs: logs? }))
        }
        "certificate" => {
            let certificate = reading.need(&fields, "certificate", certificate)?;
            Some(MeansDocument::Certificate(Box::new(certificate)))
        }
        _ => {
            let keyless = reading.need(&fields, "keyless", keyless)?;
            Some(MeansDocument::Keyless(Box::new(keyless)))
        }
    }
}

fn key(reading: &mut Reading, node: &YamlNode) -> Option<KeyDocument> {
    let fields = reading.mapping(node, &fields::KEY)?;
    let file = file_of(reading, &fields);
    let key_id = reading.optional(&fields, "key-id", Reading::hex);
    let until = reading.optional(&fields, "until", Reading::date);
    Some(KeyDocument { file: file?, key_id: key_id?, until: until? })
}

fn file(reading: &mut Reading, node: &YamlNode) -> Option<NamedFile> {
    let fields = reading.mapping(node, &fields::FILE)?;
    file_of(reading, &fields)
}

/// `file` or `pem`, and `sha256`, which is about a file.
fn file_of(reading: &mut Reading, fields: &ReadMapping<'_>) -> Option<NamedFile> {
    let source = reading.exactly_one(fields, &["file", "pem"]);
    let sha256 = reading.optional(fields, "sha256", Reading::hex);
    if source == Some("pem") {
        reading.excludes(fields, "pem", &["sha256"]);
    }
    let source = match source? {
        "file" => reading.need(fields, "file", Reading::path).map(NamedFileSource::Path),
        _ => reading.need(fields, "pem", Reading::pem).map(NamedFileSource::Pem),
    };
    Some(NamedFile { position: fields.position, sha256: sha256?, source: source? })
}

/// A Sigstore trusted root, which is JSON and always a file.
fn trusted_root(reading: &mut Reading, node: &YamlNode) -> Option<NamedFile> {
    let fields = reading.mapping(node, &fields::TRUSTED_ROOT)?;
    let source = reading.need(&fields, "file", Reading::path).map(NamedFileSource::Path);
    let sha256 = reading.optional(&fields, "sha256", Reading::hex);
    Some(NamedFile { position: fields.position, sha256: sha256?, source: source? })
}

fn logs(reading: &mut Reading, node: &YamlNode) -> Option<LogRuleDocument> {
    let fields = reading.mapping(node, &fields::LOGS)?;
    log_rule(reading, &fields)
}

/// The rule about logs: of keys, and of keyless signatures, whose certificates are logged as well.
fn log_rule(reading: &mut Reading, fields: &ReadMapping<'_>) -> Option<LogRuleDocument> {
    let trusted_root = reading.need(fields, "trusted-root", trusted_root);
    let certificates = fields.of.fields.contains(&"certificate-logs");
    let mut count = |field: &'static str, default: u32| {
        let count = reading.optional(fields, field, |reading, node| reading.small(node, 0, MOST_LOGS));
        count.map(|count| count.map_or(default, |count| count.value))
    };
    let transparency_logs = count("transparency-logs", 1);
    let timestamps = count("timestamps", 0);
    let certificate_logs = if certificates { count("certificate-logs", 1) } else { Some(0) };
    let signing_time = reading.optional(fields, "signing-time", Reading::word);
    Some(LogRuleDocument {
        certificate_logs: certificate_logs?,
        position: fields.position,
        signing_time: signing_time?.map_or(SigningTimeRule::Verified, |word| word.value),
        timestamps: timestamps?,
        transparency_logs: transparency_logs?,
        trusted_root: trusted_root?,
    })
}

fn certificate(reading: &mut Reading, node: &YamlNode) -> Option<CertificateDocument> {
    let fields = reading.mapping(node, &fields::CERTIFICATE)?;
    let roots = reading.required_list_of(&fields, "roots", file);
    let timestamp_roots = reading.list_of(&fields, "timestamp-roots", file);
    let attributes = |reading: &mut Reading, field: &'static str| {
        let pairs = reading.optional(&fields, field, |reading, node| reading.pairs(node, field));
        pairs.map(Option::unwrap_or_default)
    };
    let subject = attributes(reading, "subject");
    let issuer = attributes(reading, "issuer");
    let texts = |reading: &mut Reading, field: &'static str| {
        let texts = reading.optional(&fields, field, |reading, node| reading.by_object_identifier(node, field));
        texts.map(Option::unwrap_or_default)
    };
    let extensions = texts(reading, "extensions");
    let othername = texts(reading, "othername");
    let dns = reading.optional(&fields, "dns", Reading::token);
    let email = reading.optional(&fields, "email", Reading::token);
    let uri = reading.optional(&fields, "uri", Reading::uri);
    let ip = reading.optional(&fields, "ip", Reading::ip_address);
    let dirname = reading.optional(&fields, "dirname", Reading::directory_name);
    let rid = reading.optional(&fields, "rid", Reading::object_identifier);
    let profile = reading.optional(&fields, "profile", Reading::profile);
    let timestamps = reading.optional(&fields, "timestamps", Reading::word);
    let revocation = reading.optional(&fields, "revocation", Reading::word);
    // A certificate authority issues certificates to many: the issuer alone is nobody's name.
    if fields.present(&NAMES).is_empty() {
        let problem = PolicyProblem::MissingField { field: "subject", mapping: fields.of.name };
        reading.report(fields.position, problem);
    }
    reading.needs(&fields, &["timestamps"], "timestamp-roots");
    Some(CertificateDocument {
        dirname: dirname?,
        dns: dns?,
        email: email?,
        extensions: extensions?,
        ip: ip?,
        issuer: issuer?,
        othername: othername?,
        position: fields.position,
        profile: profile?,
        revocation: revocation?,
        rid: rid?,
        roots: roots?,
        subject: subject?,
        timestamp_roots: timestamp_roots?,
        timestamps: timestamps?,
        uri: uri?,
    })
}

fn keyless(reading: &mut Reading, node: &YamlNode) -> Option<KeylessDocument> {
    let fields = reading.mapping(node, &fields::KEYLESS)?;
    let issuer = reading.need(&fields, "issuer", Reading::uri);
    let logs = log_rule(reading, &fields);
    let extensions = reading.optional(&fields, "extensions", |reading, node| reading.pairs(node, "extensions"));
    let name = keyless_name(reading, &fields);
    Some(KeylessDocument {
        extensions: extensions?.unwrap_or_default(),
        issuer: issuer?,
        logs: logs?,
        name: name?,
        position: fields.position,
    })
}

fn keyless_name(reading: &mut Reading, fields: &ReadMapping<'_>) -> Option<KeylessName> {
    let name = reading.exactly_one(fields, &["repository", "email", "uri", "name"])?;
    if name != "repository" {
        reading.excludes(fields, name, &["workflow", "config", "ref", "host", "enterprise", "trigger"]);
    }
    match name {
        "email" => reading.need(fields, "email", Reading::token).map(KeylessName::Email),
        "uri" => reading.need(fields, "uri", Reading::uri).map(KeylessName::Uri),
        "name" => reading.need(fields, "name", Reading::token).map(KeylessName::Name),
        _ => build(reading, fields),
    }
}

/// `repository`, `workflow` or `config`, and `ref`: a build.
fn build(reading: &mut Reading, fields: &ReadMapping<'_>) -> Option<KeylessName> {
    let kind = reading.exactly_one(fields, &["workflow", "config"]);
    let repository = reading.need(fields, "repository", Reading::repository);
    let reference = reading.need(fields, "ref", Reading::reference_or_any);
    let host = reading.optional(fields, "host", Reading::host);
    let trigger = reading.optional(fields, "trigger", Reading::name);
    match kind? {
        "workflow" => {
            let workflow = reading.need(fields, "workflow", |reading, node| reading.workflow(node, "any-workflow"));
            let enterprise = reading.optional(fields, "enterprise", Reading::name);
            Some(KeylessName::GitHub {
                enterprise: enterprise?,
                host: host?,
                reference: reference?,
                repository: repository?,
                trigger: trigger?,
                workflow: workflow?,
            })
        }
        _ => {
            reading.excludes(fields, "config", &["enterprise"]);
            let config = reading.need(fields, "config", |reading, node| reading.workflow(node, "any-config"));
            Some(KeylessName::GitLab {
                config: config?,
                host: host?,
                reference: reference?,
                repository: repository?,
                trigger: trigger?,
            })
        }
    }
}

/// Logs or authorities that a signature may need.
const MOST_LOGS: u32 = 100;

/// The fields of `certificate` by which a certificate is somebody's.
const NAMES: [&str; 9] = ["subject", "dns", "email", "uri", "ip", "dirname", "rid", "othername", "extensions"];
