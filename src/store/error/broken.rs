//! `BrokenReason`: which rule an archive, a layout, a file or a setting breaks.

use crate::digest::Digest;
use crate::json::JsonError;
use crate::oci::TagOrDigest;
use crate::text::Untrusted;

use super::ArchiveFault;
use super::CertificateFileFault;
use super::CredentialFileFault;
use super::NetworkError;

/// Which rule a store, or a setting of it, breaks.
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
    /// A task that should have read a blob ended before its end.
    #[error("{0} was not read: a task failed")]
    NotRead(Digest),
    /// What is at a path.
    #[error("{0}")]
    Path(PathFault),
    /// A proxy.
    #[error("{0}")]
    Proxy(ProxyFault),
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
    /// A setting of TLS.
    #[error("{0}")]
    Tls(TlsSettingFault),
    /// A list has no JSON form.
    #[error("{0}")]
    Unwritable(JsonError),
}

/// Which rule an OCI image layout breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutFault {
    /// A file of the layout is not JSON that is read.
    #[error("{file}: {error}")]
    Json {
        /// The file.
        file: &'static str,
        /// What is wrong.
        error: JsonError,
    },
    /// Several entries for one name or digest differ.
    #[error("{} is listed {times} times and not as the same", listed(.what))]
    ListedDifferently {
        /// How many entries there are.
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
    /// Another version of the layout.
    #[error("its layout version is `{0}`, not 1.0.0")]
    Version(Untrusted),
}

/// What is wrong with what is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// There is a file already.
    #[error("it is there already")]
    Exists,
    /// A file with a second name, under which writing to it would show too.
    #[error("it has a second name (a hard link), under which writing to it would show as well")]
    HardLink,
    /// What was staged could not be finished and is lost.
    #[error("what was staged is lost, because it could not be finished")]
    Lost,
    /// Not a directory.
    #[error("it is not a directory")]
    NotADirectory,
    /// Not a regular file.
    #[error("it is {0}, not a regular file")]
    NotAFile(&'static str),
    /// A file that has the name of a lock and is not a lock.
    #[error("it has the name of a lock and is not a lock of bulla; remove it if nobody needs it")]
    NotALock,
    /// A directory with other files in it.
    #[error("it is neither empty nor an OCI image layout")]
    NotALayout,
    /// A symbolic link where a new file is to be written.
    #[error("it is a symbolic link; name the file that it points to")]
    SymbolicLink,
}

/// Why a proxy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFault {
    /// The proxy would be offered the client certificate, which is for the registry.
    #[error("{proxy} would be offered the client certificate of the registry")]
    ClientCertificate {
        /// The proxy, for messages.
        proxy: String,
    },
    /// The environment variable holds no URL.
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

/// What is wrong with a setting of TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsSettingFault {
    /// A file of certificates.
    #[error("{0}")]
    Certificates(CertificateFileFault),
    /// The HTTP client cannot be made.
    #[error("{0}")]
    Client(NetworkError),
    /// The private key of the client certificate cannot be read.
    #[error("its private key cannot be read")]
    ClientKey,
    /// The TLS library does not accept the settings.
    #[error("{0}")]
    Library(String),
}

fn listed(what: &TagOrDigest) -> String {
    match what {
        TagOrDigest::Digest(digest) => digest.to_string(),
        TagOrDigest::Tag(tag) => format!("`{}`", Untrusted::new(tag)),
    }
}
