//! `TrustedRootFile`: the trusted roots in one file, where they are from, and how old they are.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::limits;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::trust::sigstore::ImportedTrustedRoot;
use crate::trust::sigstore::SigstoreInstance;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootError;
use crate::trust::sigstore::trusted_root::bounded;
use crate::tuf::TufRole;

/// The trusted roots in one file (`trusted_root.json`, or one on each line as GitHub publishes them), and their origin.
#[derive(Clone, Debug)]
pub struct TrustedRootFile {
    digest: Digest,
    imported: Option<Arc<ImportedTrustedRoot>>,
    origin: TrustedRootOrigin,
    roots: NonEmpty<Arc<TrustedRoot>>,
}

/// Where trusted roots are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedRootOrigin {
    /// A file of the operator, which does not say how old it is.
    File,
    /// A file that the import of a TUF repository has written: [`TrustedRootFile::imported`].
    Import,
    /// This package: the operator named the instance.
    Instance(SigstoreInstance),
}

/// What an operator should know about the trusted roots that a verdict relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedRootRemark {
    /// It is from a TUF repository whose metadata had expired when it was imported. The operator accepted that.
    ExpiredMetadata {
        /// When the metadata expired.
        expires: Time,
        /// The time at which it was judged, or imported if that was later.
        judged_at: Time,
        /// The role whose metadata has expired.
        role: TufRole,
    },
    /// It is older than [`TrustedRootFile::OLD_AFTER_DAYS`]: keys may have been added, or withdrawn, since.
    Old {
        /// The latest time at which it is known to have been current.
        as_of: Time,
        /// Its age, in whole days.
        days: u64,
    },
}

impl TrustedRootFile {
    /// After so many days a trusted root is old. Sigstore signs the root of its TUF repository anew within this time.
    pub const OLD_AFTER_DAYS: u64 = 180;

    /// Parses a file: one trusted root, several, one on each line, or the file of an import.
    ///
    /// # Errors
    /// [`TrustedRootError`]; also for a file without a trusted root.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TrustedRootError> {
        bounded("bytes of trusted roots", limits::count(bytes.len()), limits.transparency.trusted_root_bytes)?;
        if ImportedTrustedRoot::is_one(bytes, limits) {
            let imported = ImportedTrustedRoot::parse(bytes, limits)?;
            let file = Self::new(bytes, TrustedRootOrigin::Import, vec![imported.trusted_root().clone()])?;
            return Ok(Self { imported: Some(Arc::new(imported)), ..file });
        }
        let roots = match is_lines(bytes) {
            true => TrustedRoot::parse_lines(bytes, limits)?,
            false => vec![TrustedRoot::parse(bytes, limits)?],
        };
        Self::new(bytes, TrustedRootOrigin::File, roots)
    }

    /// The trusted root of a public instance of Sigstore, which comes with this package.
    ///
    /// # Errors
    /// [`TrustedRootError`], if `limits` are too small for it.
    pub fn of_instance(instance: SigstoreInstance, limits: &Limits) -> Result<Self, TrustedRootError> {
        let bytes = instance.trusted_root_json();
        Self::new(bytes, TrustedRootOrigin::Instance(instance), vec![TrustedRoot::parse(bytes, limits)?])
    }

    fn new(bytes: &[u8], origin: TrustedRootOrigin, roots: Vec<TrustedRoot>) -> Result<Self, TrustedRootError> {
        let roots = NonEmpty::collect(roots.into_iter().map(Arc::new)).ok_or(TrustedRootError::Empty)?;
        Ok(Self { digest: Digest::sha256(bytes), imported: None, origin, roots })
    }

    /// The latest time at which the trusted roots are known to have been current; `None` if the file does not state it.
    pub fn as_of(&self) -> Option<Time> {
        match self.origin {
            TrustedRootOrigin::File => None,
            TrustedRootOrigin::Import => self.imported().map(ImportedTrustedRoot::as_of),
            TrustedRootOrigin::Instance(instance) => Some(instance.as_of()),
        }
    }

    /// The digest of the whole file.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What was verified when it was imported, if it is the file of an import.
    pub fn imported(&self) -> Option<&ImportedTrustedRoot> {
        self.imported.as_deref()
    }

    /// Where it is from.
    pub const fn origin(&self) -> TrustedRootOrigin {
        self.origin
    }

    /// What an operator should know at `now` about these trusted roots; to be said with every verdict that relies on them.
    pub fn remarks(&self, now: Time) -> Vec<TrustedRootRemark> {
        let mut remarks = Vec::new();
        if let Some(imported) = self.imported() {
            let judged_at = imported.expiry_at();
            let expired = imported.expired();
            remarks.extend(expired.map(|(role, expires)| TrustedRootRemark::ExpiredMetadata {
                expires,
                judged_at,
                role,
            }));
        }
        if let Some(as_of) = self.as_of() {
            let seconds = now.unix().saturating_sub(as_of.unix()).max(0);
            let days = seconds.unsigned_abs().checked_div(SECONDS_OF_A_DAY).unwrap_or_default();
            if days > Self::OLD_AFTER_DAYS {
                remarks.push(TrustedRootRemark::Old { as_of, days });
            }
        }
        remarks
    }

    /// The trusted roots, in the order of the file. Each stands for itself: what one trusts is not trusted by another.
    pub const fn roots(&self) -> &NonEmpty<Arc<TrustedRoot>> {
        &self.roots
    }
}

impl TrustedRootRemark {
    /// The code of the remark, which is stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExpiredMetadata { .. } => "trusted-root-expired-metadata",
            Self::Old { .. } => "trusted-root-old",
        }
    }
}

impl fmt::Display for TrustedRootRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExpiredMetadata { expires, judged_at, role } => write!(
                f,
                "the trusted root was imported with {role} metadata that had expired at {expires}, judged at {judged_at}"
            ),
            Self::Old { as_of, days } => write!(f, "the trusted root is {days} days old, of {as_of}"),
        }
    }
}

/// Whether each line is a document by itself: the first one that is not empty begins and ends an object, and another
/// follows. A single document in several lines does not end on the first.
fn is_lines(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines.next().is_some_and(|line| line.starts_with(b"{") && line.ends_with(b"}"));
    first && lines.next().is_some_and(|line| line.starts_with(b"{"))
}

const SECONDS_OF_A_DAY: u64 = 86_400;
