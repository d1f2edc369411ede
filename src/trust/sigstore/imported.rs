//! `ImportedTrustedRoot`: a trusted root out of a TUF repository, with what was verified when it was imported.
//!
//! The file holds the versions, digests and expiry times of all roles, and the time at which expiry was judged. Whether
//! expired metadata was accepted follows from these fields, and no field of its own says it: nothing can be left out of the
//! file so that it is still read and the expiry is not said any more.

use std::borrow::Cow;

use serde::Deserialize;
use serde::Serialize;

use crate::digest::Digest;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootError;
use crate::trust::sigstore::trusted_root::bounded;
use crate::tuf::TufRole;
use crate::tuf::TufState;
use crate::tuf::VerifiedRepository;
use crate::tuf::VerifiedTarget;

/// A trusted root that was verified as a target of a TUF repository. It is also what the next import is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedTrustedRoot {
    bytes: Vec<u8>,
    imported_at: Time,
    judged_at: Time,
    metadata: TufState,
    target: String,
    trusted_root: TrustedRoot,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImportWire<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    digest: Digest,
    #[serde(borrow)]
    imported_at: Cow<'a, str>,
    #[serde(borrow)]
    judged_at: Cow<'a, str>,
    metadata: TufState,
    #[serde(borrow)]
    target: Cow<'a, str>,
    #[serde(borrow)]
    trusted_root: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyWire<'a> {
    #[serde(borrow, default)]
    media_type: Option<Cow<'a, str>>,
}

impl ImportedTrustedRoot {
    /// The trusted root in a verified target, imported at `now`.
    ///
    /// # Errors
    /// [`TrustedRootError`] if the target is not a trusted root.
    pub fn new(
        repository: &VerifiedRepository,
        target: &VerifiedTarget,
        now: Time,
        limits: &Limits,
    ) -> Result<Self, TrustedRootError> {
        Ok(Self {
            bytes: target.bytes().to_vec(),
            imported_at: now,
            judged_at: repository.judged_at(),
            metadata: repository.state().clone(),
            target: target.name().to_owned(),
            trusted_root: TrustedRoot::parse(target.bytes(), limits)?,
        })
    }

    /// Whether a document says that it is an imported trusted root.
    pub(super) fn is_one(bytes: &[u8], limits: &Limits) -> bool {
        let any = json::parse::<AnyWire<'_>>(bytes, limits);
        any.is_ok_and(|any| any.media_type.as_deref() == Some(MEDIA_TYPE))
    }

    /// Parses the file of an import. It is strict, as for a trusted root itself.
    ///
    /// # Errors
    /// [`TrustedRootError`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TrustedRootError> {
        bounded("bytes of a trusted root", limits::count(bytes.len()), limits.transparency.trusted_root_bytes)?;
        let wire: ImportWire<'_> = json::parse(bytes, limits).map_err(|error| TrustedRootError::Json { error })?;
        if wire.media_type != MEDIA_TYPE {
            return Err(TrustedRootError::MediaType { found: Untrusted::new(&wire.media_type) });
        }
        let time = |text: &str, field| {
            let time = Time::parse(text).filter(|time| time.to_string() == text);
            time.ok_or(TrustedRootError::Import { field })
        };
        let root = base64::decode("trustedRoot", &wire.trusted_root);
        let root = root.map_err(|_| TrustedRootError::Import { field: "trustedRoot" })?;
        if Digest::of(wire.digest.algorithm(), &root) != wire.digest {
            return Err(TrustedRootError::Import { field: "digest" });
        }
        Ok(Self {
            imported_at: time(&wire.imported_at, "importedAt")?,
            judged_at: time(&wire.judged_at, "judgedAt")?,
            metadata: wire.metadata,
            target: wire.target.into_owned(),
            trusted_root: TrustedRoot::parse(&root, limits)?,
            bytes: root,
        })
    }

    /// The file, to be written.
    ///
    /// # Errors
    /// [`JsonError`] if it cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JsonError> {
        let wire = ImportWire {
            media_type: MEDIA_TYPE.into(),
            digest: self.digest(),
            imported_at: self.imported_at.to_string().into(),
            judged_at: self.judged_at.to_string().into(),
            metadata: self.metadata.clone(),
            target: self.target.as_str().into(),
            trusted_root: base64::encode(&self.bytes).into(),
        };
        let mut bytes = serde_json::to_vec_pretty(&wire)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The latest time at which the repository is known to have been current: when it was imported, or before that, when
    /// its metadata expired.
    pub fn as_of(&self) -> Time {
        let expired = self.expired().map(|(_, expires)| expires).min();
        self.imported_at.min(self.judged_at).min(expired.unwrap_or(Time::LAST))
    }

    /// The SHA-256 of the `trusted_root.json` in it.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.bytes)
    }

    /// The roles whose metadata had expired when it was judged or imported, and was accepted, with the times at which it
    /// expired.
    pub fn expired(&self) -> impl Iterator<Item = (TufRole, Time)> {
        self.metadata.expired(self.expiry_at())
    }

    /// The time at which metadata counts as expired: the later one of the time at which it was judged and that of the
    /// import. Metadata that was judged at an earlier time is no less expired for that.
    pub(super) fn expiry_at(&self) -> Time {
        self.judged_at.max(self.imported_at)
    }

    /// When it was imported, by the clock of that machine.
    pub const fn imported_at(&self) -> Time {
        self.imported_at
    }

    /// The time at which expiry was judged.
    pub const fn judged_at(&self) -> Time {
        self.judged_at
    }

    /// The metadata that was verified, which the next import is compared with.
    pub const fn metadata(&self) -> &TufState {
        &self.metadata
    }

    /// The trusted root.
    pub const fn trusted_root(&self) -> &TrustedRoot {
        &self.trusted_root
    }
}

const MEDIA_TYPE: &str = "application/vnd.bulla.trusted-root.v1+json";
