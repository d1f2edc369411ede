//! `SignedMetadata`: a metadata file, whose content is read only for the keys that must have signed it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::json;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::tuf::RepositoryFile;
use crate::tuf::RepositoryFileError;
use crate::tuf::RepositorySource;
use crate::tuf::TufError;
use crate::tuf::TufRole;
use crate::tuf::canonical::canonical;
use crate::tuf::key::RoleKeys;
use crate::tuf::key::unhex;
use crate::tuf::state::RoleState;

/// A metadata file: the signed part, its canonical form, and the signatures by key id. Nothing in it is verified yet.
pub(super) struct SignedMetadata<'a> {
    canonical: Vec<u8>,
    pub(super) file: RepositoryFile,
    signatures: BTreeMap<String, Vec<u8>>,
    signed: &'a RawValue,
}

/// What every role states.
pub(super) struct Common {
    pub(super) state: RoleState,
}

/// What metadata says about a file below it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FileWire {
    #[serde(default)]
    hashes: Option<BTreeMap<String, String>>,
    #[serde(default)]
    length: Option<u64>,
}

/// What metadata says about a metadata file below it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct MetaWire {
    pub(super) version: NonZeroU64,
    #[serde(flatten)]
    pub(super) file: FileWire,
}

#[derive(Deserialize)]
struct DocumentWire<'a> {
    #[serde(borrow)]
    signatures: Vec<SignatureWire<'a>>,
    #[serde(borrow)]
    signed: &'a RawValue,
}

#[derive(Deserialize)]
struct SignatureWire<'a> {
    #[serde(borrow)]
    keyid: Cow<'a, str>,
    #[serde(borrow)]
    sig: Cow<'a, str>,
}

#[derive(Deserialize)]
struct CommonWire<'a> {
    #[serde(borrow, rename = "_type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    expires: Cow<'a, str>,
    #[serde(borrow)]
    spec_version: Cow<'a, str>,
    version: NonZeroU64,
}

impl<'a> SignedMetadata<'a> {
    pub(super) fn parse(file: RepositoryFile, bytes: &'a [u8], limits: &Limits) -> Result<Self, TufError> {
        let json = |error| TufError::Json { file: file.clone(), error };
        let wire: DocumentWire<'_> = json::parse(bytes, limits).map_err(json)?;
        let limit = limits.tuf.signatures;
        if limits::count(wire.signatures.len()) > limit {
            return Err(TufError::Limit { what: "signatures of one metadata file", limit });
        }
        let mut signatures = BTreeMap::new();
        for one in wire.signatures {
            // Text that is not hexadecimal, or empty, is the signature of nobody: key holders who have not signed yet.
            let signature = unhex(&one.sig).unwrap_or_default();
            if signatures.insert(one.keyid.to_string(), signature).is_some() {
                return Err(TufError::SignatureTwice { file, keyid: Untrusted::new(&one.keyid) });
            }
        }
        let canonical = canonical(wire.signed).map_err(|_| TufError::NotCanonical { file: file.clone() })?;
        Ok(Self { canonical, file, signatures, signed: wire.signed })
    }

    /// Verifies that a threshold of the keys of a role has signed; version `root` of the root metadata names them.
    pub(super) fn verify(&self, role: &RoleKeys, root: NonZeroU64) -> Result<(), TufError> {
        let (got, wanted) = (role.count(&self.canonical, &self.signatures), role.threshold.get());
        match u32::try_from(got).is_ok_and(|got| got < wanted) {
            true => Err(TufError::Threshold { file: self.file.clone(), got, root, wanted }),
            false => Ok(()),
        }
    }

    /// What every role states. The type must be that of `role`, and the version of the specification one that is known.
    pub(super) fn common(&self, role: TufRole) -> Result<Common, TufError> {
        let file = || self.file.clone();
        let wire: CommonWire<'_> = self.read()?;
        if wire.kind != role.name() {
            return Err(TufError::Type { file: file(), found: Untrusted::new(&wire.kind) });
        }
        if wire.spec_version.split('.').next() != Some("1") {
            return Err(TufError::SpecVersion { file: file(), found: Untrusted::new(&wire.spec_version) });
        }
        let expires = Time::parse(&wire.expires);
        let expires = expires.ok_or_else(|| TufError::NotListed { file: file(), name: Untrusted::new("expires") })?;
        Ok(Common { state: RoleState { digest: Digest::sha256(&self.canonical), expires, version: wire.version } })
    }

    /// Reads fields of the signed part. Fields that the format does not define are ignored, as it demands.
    pub(super) fn read<T: Deserialize<'a>>(&self) -> Result<T, TufError> {
        json::read(self.signed.get().as_bytes()).map_err(|error| TufError::Json { file: self.file.clone(), error })
    }
}

impl FileWire {
    /// The digests that are stated, by supported algorithms.
    ///
    /// # Errors
    /// [`TufError::UnsupportedHash`] if hashes are stated and none is supported.
    pub(super) fn digests(&self, file: &RepositoryFile) -> Result<Vec<Digest>, TufError> {
        let unsupported = || TufError::UnsupportedHash { file: file.clone() };
        let mut digests = Vec::new();
        for (name, algorithm) in [("sha256", DigestAlgorithm::Sha256), ("sha512", DigestAlgorithm::Sha512)] {
            let Some(hex) = self.hashes.as_ref().and_then(|hashes| hashes.get(name)) else { continue };
            let wrong = || TufError::Hash { file: file.clone(), algorithm: algorithm.name() };
            let bytes = unhex(hex).ok_or_else(wrong)?;
            digests.push(Digest::of_hash(algorithm, &bytes).ok_or_else(wrong)?);
        }
        match digests.is_empty() && self.hashes.is_some() {
            true => Err(unsupported()),
            false => Ok(digests),
        }
    }

    /// The length that is stated.
    pub(super) const fn length(&self) -> Option<u64> {
        self.length
    }

    /// Reads `file`, which has the length and the hashes that are stated; `None` if there is no such file.
    pub(super) fn fetch(
        &self,
        file: &RepositoryFile,
        source: &dyn RepositorySource,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, TufError> {
        let digests = self.digests(file)?;
        let stated = self.length.unwrap_or(limit);
        if stated > limit {
            return Err(TufError::Limit { what: "bytes of one file of a TUF repository", limit });
        }
        let bytes = match source.read(file, stated) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            // The rest of a file that is longer than it says is not read (endless data attack).
            Err(RepositoryFileError::TooLong { .. }) if self.length.is_some() => {
                return Err(TufError::Length { file: file.clone(), got: stated.saturating_add(1), wanted: stated });
            }
            Err(error) => return Err(TufError::Unreadable { file: file.clone(), error }),
        };
        let got = limits::count(bytes.len());
        if self.length.is_some_and(|wanted| wanted != got) {
            return Err(TufError::Length { file: file.clone(), got, wanted: stated });
        }
        for digest in digests {
            if Digest::of(digest.algorithm(), &bytes) != digest {
                return Err(TufError::Hash { file: file.clone(), algorithm: digest.algorithm().name() });
            }
        }
        Ok(Some(bytes))
    }
}

/// Reads a metadata file about which nothing is stated; `None` if there is no such file.
pub(super) fn fetch(
    file: &RepositoryFile,
    source: &dyn RepositorySource,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, TufError> {
    let nothing = FileWire { hashes: None, length: None };
    nothing.fetch(file, source, limits.tuf.metadata_bytes)
}
