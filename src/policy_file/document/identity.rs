//! Identities: owners, and the keys, certificates or keyless signatures by which they are known.

use std::net::IpAddr;

use crate::digest::Digest;
use crate::policy_file::document::Date;
use crate::policy_file::document::Located;
use crate::policy_file::document::RequiredWord;
use crate::trust::SigningTimeRule;
use crate::x509::Oid;
use crate::yaml::Position;

/// One entry of `identities`: an owner, and how the owner is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityDocument {
    /// How the owner is known.
    pub means: MeansDocument,
    /// The owner's name.
    pub name: Located<String>,
}

/// How an owner is known: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeansDocument {
    /// By certificates (`certificate`).
    Certificate(Box<CertificateDocument>),
    /// By keyless signatures (`keyless`).
    Keyless(Box<KeylessDocument>),
    /// By public keys (`keys`).
    Keys(KeysDocument),
}

/// A file that a policy names, or its text inside the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Where the mapping stands.
    pub position: Position,
    /// The SHA-256 digest of the file's bytes (`sha256`), which the file must have.
    pub sha256: Option<Located<Digest>>,
    /// The file, or its text.
    pub source: NamedFileSource,
}

/// A file's path, or its text: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedFileSource {
    /// `file`: a path relative to the policy file, with `/` between segments. No segment is `.` or `..`.
    Path(Located<String>),
    /// `pem`: PEM text inside the policy.
    Pem(Located<String>),
}

/// `keys`, and perhaps `logs` beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysDocument {
    /// The keys, at least one. Each of them signs for the owner.
    pub keys: Vec<KeyDocument>,
    /// The logs that must vouch for a signature by these keys, if any (`logs`).
    pub logs: Option<LogRuleDocument>,
}

/// One of `keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDocument {
    /// The public key.
    pub file: NamedFile,
    /// The key id that the key must have (`key-id`): the SHA-256 digest of its `SubjectPublicKeyInfo`, as
    /// [`KeyId`](crate::key::KeyId).
    pub key_id: Option<Located<Digest>>,
    /// The last day of the key (`until`). Afterwards only a trusted earlier signing time counts.
    pub until: Option<Located<Date>>,
}

/// Which logs and timestamp authorities must vouch for a signature: `logs` beside `keys`, and a part of `keyless`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRuleDocument {
    /// Certificate logs that promised to log the certificate (`certificate-logs`): 1 for `keyless`, 0 for keys.
    pub certificate_logs: u32,
    /// Where the mapping stands.
    pub position: Position,
    /// Whether a verified time is required (`signing-time`).
    pub signing_time: SigningTimeRule,
    /// Timestamp authorities that signed a timestamp (`timestamps`), by default 0.
    pub timestamps: u32,
    /// Transparency logs that have the signature (`transparency-logs`), by default 1.
    pub transparency_logs: u32,
    /// The Sigstore trusted root (`trusted-root`), never inline.
    pub trusted_root: NamedFile,
}

/// `certificate`: chains to these roots, with these names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDocument {
    /// A directory name among the subject alternative names (`dirname`): the whole distinguished name (RFC 4514).
    pub dirname: Option<Located<String>>,
    /// A DNS name among the subject alternative names (`dns`).
    pub dns: Option<Located<String>>,
    /// An email address among the subject alternative names (`email`).
    pub email: Option<Located<String>>,
    /// Texts in extensions, by object identifier (`extensions`).
    pub extensions: Vec<(Located<String>, Located<String>)>,
    /// An IP address among the subject alternative names (`ip`).
    pub ip: Option<Located<IpAddr>>,
    /// Attributes of the issuer's distinguished name (`issuer`), each by its keyword or object identifier.
    pub issuer: Vec<(Located<String>, Located<String>)>,
    /// Texts in `otherName`s among the subject alternative names, by object identifier (`othername`).
    pub othername: Vec<(Located<String>, Located<String>)>,
    /// Where the mapping stands.
    pub position: Position,
    /// The rules by which chains are verified (`profile`): a name of [`Profile::ALL`](crate::x509::Profile::ALL).
    pub profile: Option<Located<String>>,
    /// Whether every certificate must be proven not to be revoked (`revocation: required`).
    pub revocation: Option<Located<RequiredWord>>,
    /// A registered identifier among the subject alternative names (`rid`).
    pub rid: Option<Located<Oid>>,
    /// The root certificates (`roots`), at least one file.
    pub roots: Vec<NamedFile>,
    /// Attributes of the subject (`subject`), each by its keyword or object identifier. A certificate may have more.
    pub subject: Vec<(Located<String>, Located<String>)>,
    /// The roots of timestamp authorities (`timestamp-roots`).
    pub timestamp_roots: Vec<NamedFile>,
    /// Whether every signature needs a timestamp (`timestamps: required`), and not only those with an expired certificate.
    pub timestamps: Option<Located<RequiredWord>>,
    /// A URI among the subject alternative names (`uri`).
    pub uri: Option<Located<String>>,
}

/// `keyless`: certificates of Fulcio by a Sigstore trusted root, with this issuer and this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeylessDocument {
    /// Texts of further extensions, by their names (`extensions`): `runner-environment`.
    pub extensions: Vec<(Located<String>, Located<String>)>,
    /// The OIDC issuer (`issuer`), compared whole.
    pub issuer: Located<String>,
    /// The logs and authorities that must vouch for a signature, with the trusted root.
    pub logs: LogRuleDocument,
    /// Whose signature it is.
    pub name: KeylessName,
    /// Where the mapping stands.
    pub position: Position,
}

/// Whose keyless signature it is: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeylessName {
    /// `email`: an email address as the subject alternative name, compared whole.
    Email(Located<String>),
    /// `repository`, `workflow` and `ref`: a workflow of GitHub Actions, or of a server of its kind.
    GitHub {
        /// The enterprise whose issuer it is (`enterprise`).
        enterprise: Option<Located<String>>,
        /// The server (`host`), by default `github.com`.
        host: Option<Located<String>>,
        /// The ref of the source (`ref`); `any-ref` is any.
        reference: Located<PatternOrAny>,
        /// The repository of the source (`repository`): `OWNER/REPO`.
        repository: Located<String>,
        /// The event that started it (`trigger`).
        trigger: Option<Located<String>>,
        /// The workflow (`workflow`): its path in the repository, or `OWNER/REPO/PATH@REF` for one that is called;
        /// `any-workflow` is any of the repository.
        workflow: Located<PatternOrAny>,
    },
    /// `repository`, `config` and `ref`: a pipeline of GitLab.
    GitLab {
        /// The file with the pipeline (`config`); `any-config` is any of the project.
        config: Located<PatternOrAny>,
        /// The server (`host`), by default `gitlab.com`.
        host: Option<Located<String>>,
        /// The ref of the source (`ref`); `any-ref` is any.
        reference: Located<PatternOrAny>,
        /// The project (`repository`): `GROUP/PROJECT`.
        repository: Located<String>,
        /// The event that started it (`trigger`).
        trigger: Option<Located<String>>,
    },
    /// `name`: the subject alternative name of any kind, compared whole.
    Name(Located<String>),
    /// `uri`: a URI as the subject alternative name, compared whole.
    Uri(Located<String>),
}

/// A pattern in which `*` is a wildcard, or the word for everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternOrAny {
    /// The word for everything: `any-ref`, `any-workflow` or `any-config`.
    Any,
    /// A pattern.
    Pattern(String),
}
