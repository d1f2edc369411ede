//! `BrokenReason`: the rule that an archive, a layout, a file or a setting violates.

use crate::digest::Digest;
use crate::json::JsonError;
use crate::oci::TagOrDigest;
use crate::text::Untrusted;

use super::ArchiveFault;
use super::CertificateFileFault;
use super::CredentialFileFault;
use super::NetworkError;

/// The rule that a store or one of its settings violates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenReason {
    /// A tar archive.
    #[error("{0}")]
    Archive(ArchiveFault),
    /// A credential file.
    #[error("{0}")]
    Credentials(CredentialFileFault),
    /// An OCI image layout.
    #[error("{0}")]
    Layout(LayoutFault),
    /// A task that should have read a blob ended early.
    #[error("{0} was not read: a task failed")]
    NotRead(Digest),
    /// The file or directory at a path.
    #[error("{0}")]
    Path(PathFault),
    /// A proxy.
    #[error("{0}")]
    Proxy(ProxyFault),
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
    /// A TLS setting.
    #[error("{0}")]
    Tls(TlsSettingFault),
    /// A list that cannot be serialized.
    #[error("{0}")]
    Unwritable(JsonError),
}

/// The rule that an OCI image layout violates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutFault {
    /// A file of the layout is not valid JSON.
    #[error("{file}: {error}")]
    Json {
        /// The file.
        file: &'static str,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// Several entries for one name or digest differ.
    #[error("{} is listed {times} times and not as the same", listed(.what))]
    ListedDifferently {
        /// The number of entries.
        times: usize,
        /// The name or digest.
        what: TagOrDigest,
    },
    /// A listed manifest is missing.
    #[error("it lists {0} and does not have it")]
    MissingManifest(Digest),
    /// There is no `manifest.json`.
    #[error("it has no manifest.json, and so docker save did not write it")]
    NoDockerList,
    /// There is no `index.json`.
    #[error("it has no index.json")]
    NoIndex,
    /// There is no `oci-layout`.
    #[error("it has no oci-layout file")]
    NoMark,
    /// A blob is not a manifest.
    #[error("{0} is not a manifest")]
    NotAManifest(Digest),
    /// The version of the layout is unsupported.
    #[error("its layout version is `{0}`, not 1.0.0")]
    Version(Untrusted),
}

/// Why the file or directory at a path is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// A file already exists.
    #[error("it is there already")]
    Exists,
    /// The file has another hard link, so a write to it would appear elsewhere.
    #[error("it has a second name (a hard link), under which writing to it would show as well")]
    HardLink,
    /// The staged content is lost, since it could not be committed.
    #[error("what was staged is lost, because it could not be finished")]
    Lost,
    /// Not a directory.
    #[error("it is not a directory")]
    NotADirectory,
    /// Not a regular file.
    #[error("it is {0}, not a regular file")]
    NotAFile(&'static str),
    /// The file at the path of a lock is not a lock file.
    #[error("it has the name of a lock and is not a lock of bulla; remove it if nobody needs it")]
    NotALock,
    /// The directory contains other files.
    #[error("it is neither empty nor an OCI image layout")]
    NotALayout,
    /// A symbolic link is at the path of a new file.
    #[error("it is a symbolic link; name the file that it points to")]
    SymbolicLink,
}

/// Why a proxy is unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFault {
    /// The proxy would be offered the client certificate, which is for the registry.
    #[error("{proxy} would be offered the client certificate of the registry")]
    ClientCertificate {
        /// The proxy, for messages.
        proxy: String,
    },
    /// The environment variable is not a URL.
    #[error("{variable}: its value is no address of a proxy")]
    NoUrl {
        /// The variable.
        variable: String,
    },
    /// The scheme of the proxy is not supported.
    #[error("{variable}: proxies of the kind {scheme}: are not supported, only http: and https:")]
    Scheme {
        /// The scheme.
        scheme: String,
        /// The environment variable that names the proxy.
        variable: String,
    },
    /// The HTTP library does not accept the address.
    #[error("{proxy} cannot be used")]
    Unusable {
        /// The proxy, for messages.
        proxy: String,
    },
}

/// Why a TLS setting is unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsSettingFault {
    /// A file of certificates.
    #[error("{0}")]
    Certificates(CertificateFileFault),
    /// The HTTP client could not be built.
    #[error("{0}")]
    Client(NetworkError),
    /// The private key of the client certificate cannot be read.
    #[error("its private key cannot be read")]
    ClientKey,
    /// The TLS library refuses the settings.
    #[error("{0}")]
    Library(String),
}

fn listed(what: &TagOrDigest) -> String {
    match what {
        TagOrDigest::Digest(digest) => digest.to_string(),
        TagOrDigest::Tag(tag) => format!("`{}`", Untrusted::new(tag)),
    }
}
