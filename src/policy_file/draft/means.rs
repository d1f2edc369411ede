//! How the owners of a policy file that is written are known: keys, certificates, keyless signatures.

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::policy_file::draft::quoted::quoted;
use crate::trust::LogRule;
use crate::trust::SigningTimeRule;
use crate::x509::Certificate;

/// How an owner is known: exactly one of them.
#[derive(Clone, Debug)]
pub(super) enum DraftMeans {
    Certificate(DraftCertificate),
    Keyless(DraftKeyless),
    Keys { keys: Vec<PublicKey>, logs: Option<DraftLogs> },
}

/// `certificate`: roots, and names by their fields.
#[derive(Clone, Debug)]
pub(super) struct DraftCertificate {
    pub(super) names: Vec<(&'static str, Vec<(String, String)>)>,
    pub(super) roots: Vec<Certificate>,
    pub(super) timestamp_roots: Vec<Certificate>,
    /// `dns`, `email`, `uri`, `ip`, `dirname`, `rid`.
    pub(super) words: Vec<(&'static str, String)>,
}

/// `keyless`: the logs, and names by their fields.
#[derive(Clone, Debug)]
pub(super) struct DraftKeyless {
    pub(super) logs: DraftLogs,
    pub(super) words: Vec<(&'static str, String)>,
}

/// The rule about logs, and the file with the trusted root.
#[derive(Clone, Debug)]
pub(super) struct DraftLogs {
    pub(super) path: String,
    pub(super) rule: LogRule,
    pub(super) sha256: Digest,
}

impl DraftMeans {
    /// Writes the fields of an identity.
    pub(super) fn write(&self, text: &mut String) {
        match self {
            Self::Certificate(certificate) => {
                text.push_str("    certificate:\n");
                certificate.write(text);
            }
            Self::Keyless(DraftKeyless { logs, words }) => {
                text.push_str("    keyless:\n");
                logs.write(text, LogsOf::Keyless);
                words.iter().for_each(|(field, value)| word(text, field, value));
            }
            Self::Keys { keys, logs } => {
                text.push_str("    keys:\n");
                for key in keys {
                    text.push_str(&format!("      - key-id: \"{}\"\n        pem: {}\n", key.id(), pem(&key.to_pem())));
                }
                if let Some(logs) = logs {
                    text.push_str("    logs:\n");
                    logs.write(text, LogsOf::Keys);
                }
            }
        }
    }
}

impl DraftCertificate {
    fn write(&self, text: &mut String) {
        for (field, certificates) in [("roots", &self.roots), ("timestamp-roots", &self.timestamp_roots)] {
            if !certificates.is_empty() {
                text.push_str(&format!("      {field}:\n"));
            }
            for certificate in certificates {
                text.push_str(&format!("        - pem: {}\n", pem(&certificate.to_pem())));
            }
        }
        for (field, attributes) in self.names.iter().filter(|(_, attributes)| !attributes.is_empty()) {
            let attributes: Vec<_> =
                attributes.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
            text.push_str(&format!("      {field}: {{ {} }}\n", attributes.join(", ")));
        }
        self.words.iter().for_each(|(field, value)| word(text, field, value));
    }
}

/// Whose logs they are: those of keys have no certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LogsOf {
    Keyless,
    Keys,
}

impl DraftLogs {
    fn write(&self, text: &mut String, of: LogsOf) {
        let hex = self.sha256.to_string();
        let hex = hex.strip_prefix("sha256:").unwrap_or(&hex);
        text.push_str(&format!("      trusted-root: {{ file: {}, sha256: \"{hex}\" }}\n", quoted(&self.path)));
        let rule = self.rule;
        if of == LogsOf::Keyless {
            text.push_str(&format!("      certificate-logs: {}\n", rule.certificate_logs()));
        }
        text.push_str(&format!("      timestamps: {}\n", rule.timestamps()));
        text.push_str(&format!("      transparency-logs: {}\n", rule.transparency_logs()));
        let time = match rule.signing_time() {
            SigningTimeRule::PresentIfMissing => "present-if-missing",
            SigningTimeRule::Verified => "verified",
        };
        text.push_str(&format!("      signing-time: {time}\n"));
    }
}

fn word(text: &mut String, field: &str, value: &str) {
    text.push_str(&format!("      {field}: {}\n", quoted(value)));
}

/// PEM on one line.
fn pem(pem: &str) -> String {
    quoted(&format!("{}\n", pem.trim_end()))
}
