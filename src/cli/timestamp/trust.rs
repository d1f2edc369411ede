//! By whom timestamps are accepted: `--timestamp-roots` and `--trusted-root`; and the bundles in files.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::media_type;
use bulla::ops::timestamp::BundleSignature;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::witness::WitnessTrust;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::Purpose;

use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::trust;
use crate::cli::trusted_root;

/// The authorities that were named.
pub(super) struct NamedAuthorities {
    anchors: Arc<[Anchor]>,
    root: Option<Arc<TrustedRoot>>,
    time: VerificationTime,
}

impl NamedAuthorities {
    pub(super) fn read(
        timestamp_roots: &Vec<PathBuf>,
        trusted_root: Option<&str>,
        now: Time,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let anchors = trust::anchors_of(&[(timestamp_roots, Purpose::TimeStamping)], limits)?;
        let root = trusted_root.map(|argument| trusted_root::only(argument, now, limits)).transpose()?;
        Ok(Self { anchors, root, time: VerificationTime::now(now) })
    }

    /// The authorities; `None` if none were named.
    pub(super) fn trust(&self) -> Option<WitnessTrust<'_>> {
        let trust = WitnessTrust { anchors: &self.anchors, root: self.root.as_deref(), time: self.time };
        (!self.anchors.is_empty() || self.root.is_some()).then_some(trust)
    }
}

/// Reads the signature in the bundle of a file.
pub(super) fn bundle(path: &Path, keys: &[PublicKey], limits: &Limits) -> Result<BundleSignature, Failure> {
    let bytes = files::read(path, limits.evidence.attestation_bytes)?;
    let content = Content::from_bytes(media_type::SIGSTORE_BUNDLE, bytes);
    BundleSignature::read(&content, keys, limits).map_err(|error| {
        let failure = refused(path, &error);
        match error {
            TimestampingError::KeyAlone => failure.hint("--key PUB   with the key that signed it"),
            _ => failure,
        }
    })
}

/// The failure for a file that is refused or cannot be judged, with the reason.
pub(super) fn refused(file: &Path, error: &TimestampingError) -> Failure {
    let message = format!("{}: {error}", file.display());
    let failure = if error.is_undetermined() { Failure::unknown(message) } else { Failure::refused(message) };
    Failure { code: error.code(), ..failure }
}
