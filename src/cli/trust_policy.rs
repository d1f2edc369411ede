//! `--trust-policy` and `--trust-store`: the trust policy and the trust stores of notation, read as they are.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::path::PathBuf;

use bulla::files;
use bulla::files::DirectoryError;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::trust::TrustRoot;
use bulla::trust::notation::TrustPolicyDocument;
use bulla::trust::notation::TrustPolicyError;
use bulla::trust::notation::TrustPolicyStatement;
use bulla::trust::notation::TrustStore;
use bulla::trust::notation::TrustStoreName;
use bulla::trust::notation::UnenforcedStatement;
use bulla::trust::notation::UnevaluatedStatement;
use bulla::verify::NotEnforced;
use bulla::x509::Certificate;

use super::exit::Failure;

/// Whom a statement trusts, and whether it enforces every check.
pub(super) enum StatementTrust {
    /// Every check is enforced.
    Enforced(TrustRoot),
    /// A check is logged or skipped, so that nothing can be verified: the failure says so.
    Unenforced { failure: Failure, statement: Box<UnenforcedStatement> },
}

impl StatementTrust {
    /// The trust root, where only a verification will do.
    pub(super) fn enforced(self) -> Result<TrustRoot, Failure> {
        match self {
            Self::Enforced(trust) => Ok(trust),
            Self::Unenforced { failure, .. } => Err(failure),
        }
    }
}

/// A trust policy, and what each of its statements leads to: `T`, or why the statement cannot be evaluated.
pub(super) struct TrustPolicy<T> {
    document: TrustPolicyDocument,
    file: PathBuf,
    of_statements: BTreeMap<String, Result<T, Failure>>,
    scope: Option<String>,
}

impl<T> TrustPolicy<T> {
    /// Reads the policy in `file` and the trust stores in `directory`, and makes a `T` of each statement. A
    /// statement that cannot be evaluated fails when it is needed, and not before.
    pub(super) fn read(
        file: &Path,
        directory: &Path,
        scope: Option<&str>,
        limits: &Limits,
        make: impl Fn(StatementTrust) -> Result<T, Failure>,
    ) -> Result<Self, Failure> {
        let bytes = files::read_regular(file, MOST_POLICY_BYTES)?;
        let to_failure = |error: TrustPolicyError| Failure::unknown(format!("{}: {error}", file.display()));
        let document = TrustPolicyDocument::parse(&bytes, limits).map_err(to_failure)?;
        let stores = stores_directory(directory);
        let of_statements = document.statements().iter().map(|statement| {
            let made = trust_of(statement, file, &stores, limits).and_then(&make);
            (statement.name().to_owned(), made)
        });
        let of_statements = of_statements.collect();
        Ok(Self { document, file: file.to_owned(), of_statements, scope: scope.map(str::to_owned) })
    }

    /// What the statement for the repository of `reference` leads to. A layout or an archive has no repository that the
    /// operator vouches for: `--scope` names it.
    pub(super) fn of(&self, reference: &str) -> Result<&T, Failure> {
        let repository = match (reference.parse::<Reference>()?, &self.scope) {
            (Reference::Registry(registry), _) => registry.name(),
            (_, Some(scope)) => scope.clone(),
            (local, None) => {
                let message = format!("{}: no repository is known by which the trust policy chooses", local.location());
                return Err(Failure::unknown(message).hint("--scope HOST/REPOSITORY"));
            }
        };
        let to_failure = |error: TrustPolicyError| Failure {
            code: "trust-policy-scope",
            ..Failure::unknown(format!("{}: {error}", self.file.display()))
        };
        let name = self.document.statement_for(&repository).map_err(to_failure)?.name();
        match self.of_statements.get(name) {
            Some(made) => made.as_ref().map_err(Clone::clone),
            None => Err(Failure::unknown(format!("{}: no statement", self.file.display()))),
        }
    }
}

/// Whom one statement trusts. Its trust stores are read only if anything is checked.
fn trust_of(
    statement: &TrustPolicyStatement,
    file: &Path,
    stores: &Result<PathBuf, Failure>,
    limits: &Limits,
) -> Result<StatementTrust, Failure> {
    let to_failure = |error: UnevaluatedStatement| Failure {
        code: match error {
            UnevaluatedStatement::NotEnforced { .. } => NotEnforced::CODE,
            _ => "bad-argument",
        },
        ..Failure::unknown(format!("{}: {error}", file.display()))
    };
    let placed = |failure: Failure| Failure {
        message: format!("{}: {}: {}", file.display(), statement.place(), failure.message),
        ..failure
    };
    let read = |name| stores.as_ref().map_err(Clone::clone).and_then(|stores| store(stores, name, limits));
    let read: Vec<_> =
        statement.trust_stores().iter().map(|name| read(name).map_err(placed)).collect::<Result<_, _>>()?;
    match (statement.check_evaluated(), UnenforcedStatement::of(statement, &read).map_err(to_failure)?) {
        (Err(error), Some(statement)) => {
            Ok(StatementTrust::Unenforced { failure: to_failure(error), statement: Box::new(statement) })
        }
        (Err(error), None) => Err(to_failure(error)),
        (Ok(()), _) => {
            let identities = statement.identities(&read).map_err(to_failure)?;
            let trust = TrustRoot::new(identities);
            let trust = trust.map_err(|error| Failure::unknown(format!("{}: {error}", file.display())))?;
            Ok(StatementTrust::Enforced(trust))
        }
    }
}

/// The directory of trust stores: `DIR/x509`, or `DIR/truststore/x509` in a configuration directory of notation.
fn stores_directory(directory: &Path) -> Result<PathBuf, Failure> {
    let (own, below) = (directory.join("x509"), directory.join("truststore").join("x509"));
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    match (is_there(&own), is_there(&below)) {
        (true, false) => Ok(own),
        (false, true) => {
            files::check_directory(&directory.join("truststore"))
                .map_err(|error| Failure::unknown(error.to_string()))?;
            Ok(below)
        }
        (true, true) => {
            let message = format!("{}: it has x509 and truststore/x509, and one is meant", directory.display());
            Err(Failure::unknown(message).hint(format!("--trust-store {}/truststore", directory.display())))
        }
        (false, false) => {
            let message =
                format!("{}: no trust store of notation: no x509 and no truststore/x509", directory.display());
            Err(Failure::unknown(message)
                .hint("--trust-store DIR, where DIR/x509/ca/NAME has the certificates of ca:NAME"))
        }
    }
}

/// Reads a trust store: every file in its directory, each PEM or DER.
fn store(stores: &Path, name: &TrustStoreName, limits: &Limits) -> Result<TrustStore, Failure> {
    let of_kind = stores.join(name.kind().as_str());
    let directory = of_kind.join(name.name());
    for above in [stores, of_kind.as_path()] {
        files::check_directory(above).map_err(|error| unread(name, &error))?;
    }
    let mut certificates = Vec::new();
    let mut left = MOST_STORE_BYTES;
    for file in files::regular_files(&directory, MOST_FILES).map_err(|error| unread(name, &error))? {
        let bytes = files::read_regular(&file, left.min(limits.envelope.bundle_bytes))?;
        left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let of_file = |error: &dyn Display| Failure::unknown(format!("{}: {error}", file.display()));
        let bundle = Certificate::parse_bundle(&bytes, limits).map_err(|error| of_file(&error))?;
        // A certificate that may not be in this store: the message names its file.
        let checked = TrustStore::new(name.clone(), bundle.iter().cloned().collect());
        certificates.extend(checked.map_err(|error| of_file(&error))?.certificates().iter().cloned());
    }
    TrustStore::new(name.clone(), certificates)
        .map_err(|error| Failure::unknown(format!("{}: {error}", directory.display())))
}

fn unread(name: &TrustStoreName, error: &DirectoryError) -> Failure {
    Failure::unknown(format!("trust store {name}: {error}"))
}

/// The largest trust policy, in bytes.
const MOST_POLICY_BYTES: u64 = 1 << 20;
/// The most bytes in all files of one trust store.
const MOST_STORE_BYTES: u64 = 16 << 20;
/// The most files in one trust store.
const MOST_FILES: usize = 1_000;
