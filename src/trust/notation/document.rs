//! `TrustPolicyDocument`: a trust policy document of the Notary Project for images, `trustpolicy.json`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::trust::notation::TrustPolicyError;
use crate::trust::notation::TrustPolicyPlace;
use crate::trust::notation::TrustPolicyRule;
use crate::trust::notation::TrustPolicyStatement;
use crate::trust::notation::scope;
use crate::trust::notation::statement::WrittenStatement;

/// A trust policy document of the Notary Project for images, all of whose statements keep the rules of the
/// specification.
///
/// ```
/// use bulla::limits::Limits;
/// use bulla::trust::notation::TrustPolicyDocument;
///
/// let document = br#"{"version": "1.0", "trustPolicies": [{
///     "name": "releases",
///     "registryScopes": ["registry.example/app"],
///     "signatureVerification": {"level": "strict"},
///     "trustStores": ["ca:acme"],
///     "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"]
/// }]}"#;
/// let policy = TrustPolicyDocument::parse(document, &Limits::DEFAULT).unwrap();
/// assert_eq!(policy.statement_for("registry.example/app").unwrap().name(), "releases");
/// assert_eq!(policy.statement_for("Registry.Example:443/app").unwrap().name(), "releases");
/// assert!(policy.statement_for("registry.example/app/other").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct TrustPolicyDocument {
    statements: NonEmpty<TrustPolicyStatement>,
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenDocument {
    #[serde(default)]
    version: String,
    #[serde(default)]
    trust_policies: Vec<WrittenStatement>,
}

/// Where the version and the list of statements stand in the document.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPlaces<'a> {
    #[serde(borrow, default)]
    trust_policies: Option<&'a RawValue>,
    #[serde(borrow, default)]
    version: Option<&'a RawValue>,
}

impl<'a> WrittenPlaces<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        json::read(bytes).unwrap_or_default()
    }

    /// The statements.
    fn statements(&self) -> Vec<&'a RawValue> {
        let list = self.trust_policies.map(|list| json::read(list.get().as_bytes()).unwrap_or_default());
        list.unwrap_or_default()
    }
}

/// The line and the column at which each of these values begins, in the order of the document, both from 1; none where
/// they are not found.
fn positions<'a>(bytes: &[u8], values: impl IntoIterator<Item = &'a RawValue>) -> Vec<(usize, usize)> {
    let (mut line, mut column, mut seen) = (1_usize, 1_usize, 0);
    let mut positions = Vec::new();
    for place in values {
        let Some(at) = place.get().as_ptr().addr().checked_sub(bytes.as_ptr().addr()) else { return positions };
        for byte in bytes.get(seen..at).unwrap_or_default() {
            match byte {
                b'\n' => (line, column) = (line.saturating_add(1), 1),
                // A character is counted by its first byte.
                0x80..=0xbf => (),
                _ => column = column.saturating_add(1),
            }
        }
        seen = at;
        positions.push((line, column));
    }
    positions
}

impl TrustPolicyDocument {
    /// Parses a document of version 1.0. One statement that breaks a rule makes the whole document an error.
    ///
    /// # Errors
    /// [`TrustPolicyError`]: the place and the rule.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TrustPolicyError> {
        let written: WrittenDocument = json::parse(bytes, limits).map_err(TrustPolicyError::Json)?;
        let places = WrittenPlaces::of(bytes);
        let document = || json::read::<Option<&RawValue>>(bytes).unwrap_or_default();
        let place = |found: Option<_>| positions(bytes, found.or_else(document)).pop();
        if written.version != VERSION {
            let found = Untrusted::within(&written.version, SHOWN);
            return Err(TrustPolicyError::Version { found, position: place(places.version) });
        }
        let mut names = BTreeSet::new();
        let mut scopes = BTreeSet::new();
        // The repositories, as they are compared, each with its statement and its spelling there.
        let mut repositories: BTreeMap<String, (u64, String)> = BTreeMap::new();
        let mut statements = Vec::new();
        let mut positions = positions(bytes, places.statements()).into_iter();
        for (written, number) in written.trust_policies.into_iter().zip(1_u64..) {
            let name = Untrusted::within(&written.name, SHOWN);
            let place = TrustPolicyPlace { name, number, position: positions.next() };
            let broken = |rule| TrustPolicyError::Statement { rule, statement: place.clone() };
            let statement = TrustPolicyStatement::read(written, place.clone()).map_err(broken)?;
            if !names.insert(statement.name().to_owned()) {
                return Err(broken(TrustPolicyRule::SameName));
            }
            for scope in statement.registry_scopes() {
                if !scopes.insert(scope.clone()) {
                    return Err(broken(TrustPolicyRule::SameScope { scope: Untrusted::new(scope) }));
                }
                let known = repositories.entry(scope::normalised(scope)).or_insert_with(|| (number, scope.clone()));
                if known.0 != number {
                    let (other, scope) = (Untrusted::new(&known.1), Untrusted::new(scope));
                    return Err(broken(TrustPolicyRule::SameRepository { other, scope }));
                }
            }
            statements.push(statement);
        }
        let none = || TrustPolicyError::NoStatement { position: place(places.trust_policies) };
        let statements = NonEmpty::collect(statements).ok_or_else(none)?;
        Ok(Self { statements })
    }

    /// The statements, in the order of the document.
    pub const fn statements(&self) -> &NonEmpty<TrustPolicyStatement> {
        &self.statements
    }

    /// The statement for images of `repository`, which is `host[:port]/repository`: the one that names it, else the one
    /// with the scope `*`. Nothing is matched in part. Names are compared as those of policy files are: without regard to
    /// the case of the host, the port 443, and the other names of Docker Hub
    /// ([`RepositoryName`](crate::oci::RepositoryName)).
    ///
    /// # Errors
    /// [`TrustPolicyError::NotCovered`] if there is neither; [`TrustPolicyError::RepositoryAddress`] for another spelling
    /// of an IPv4 address, which never leads to `*`.
    pub fn statement_for(&self, repository: &str) -> Result<&TrustPolicyStatement, TrustPolicyError> {
        let wanted = scope::normalised(repository);
        let of = |wanted: &str| {
            let is_wanted = |scope: &String| scope::normalised(scope) == wanted;
            self.statements.iter().find(|one| one.registry_scopes().iter().any(is_wanted))
        };
        let not_covered = || TrustPolicyError::NotCovered { repository: Untrusted::new(repository) };
        if !scope::is_repository(repository) {
            return Err(not_covered());
        }
        let broken = |fault| TrustPolicyError::RepositoryAddress { fault, repository: Untrusted::new(repository) };
        scope::check_address(repository).map_err(broken)?;
        of(&wanted).or_else(|| of(scope::ANY)).ok_or_else(not_covered)
    }
}

/// The version of the document format that is read.
const VERSION: &str = "1.0";
/// The longest name or version in a message, in characters.
const SHOWN: usize = 80;
