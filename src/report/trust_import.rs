//! The results of `trust import`.

use serde::Serialize;

use crate::digest::Digest;
use crate::report::ReportedError;
use crate::report::trusted_root;
use crate::time::Time;
use crate::trust::sigstore::ImportedTrustedRoot;
use crate::trust::sigstore::TrustedRootFile;
use crate::tuf::RollbackCheck;
use crate::tuf::TufRole;

/// A trusted root that was imported from a TUF repository.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustImportResult {
    digest: Digest,
    file: String,
    imported_at: String,
    judged_at: String,
    repository: String,
    roles: Vec<ReportedRole>,
    rollback: &'static str,
    warnings: Vec<ReportedError>,
}

/// The metadata of a role.
#[derive(Debug, Serialize)]
struct ReportedRole {
    digest: Digest,
    expired: bool,
    expires: String,
    role: &'static str,
    version: u64,
}

impl TrustImportResult {
    /// The result for `imported`, which was written to `file`.
    pub fn new(
        file: &str,
        repository: &str,
        imported: &ImportedTrustedRoot,
        rollback: RollbackCheck,
        written: &TrustedRootFile,
        now: Time,
    ) -> Self {
        let roles = TufRole::ALL.map(|role| {
            let state = imported.metadata().role(role);
            ReportedRole {
                digest: state.digest,
                expired: imported.expired().any(|(expired, _)| expired == role),
                expires: state.expires.to_string(),
                role: role.name(),
                version: state.version.get(),
            }
        });
        Self {
            digest: imported.digest(),
            file: file.to_owned(),
            imported_at: imported.imported_at().to_string(),
            judged_at: imported.judged_at().to_string(),
            repository: repository.to_owned(),
            roles: roles.into(),
            rollback: match rollback {
                RollbackCheck::Compared => "compared",
                RollbackCheck::First => "first",
                RollbackCheck::KeysRotated => "keys-rotated",
            },
            warnings: trusted_root::warnings(written, now),
        }
    }
}
