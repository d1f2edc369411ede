//! `TrustPolicyStatement`: one statement of a trust policy: for which repositories, whom it trusts, and what it enforces.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::text::Untrusted;
use crate::trust::notation::TrustPolicyPlace;
use crate::trust::notation::TrustPolicyRule;
use crate::trust::notation::TrustStoreName;
use crate::trust::notation::TrustedIdentity;
use crate::trust::notation::VerificationLevel;
use crate::trust::notation::VerifyTimestamp;
use crate::trust::notation::scope;

/// One statement of a trust policy: for which repositories, whom it trusts, and what it enforces.
#[derive(Clone, Debug)]
pub struct TrustPolicyStatement {
    identities: Vec<TrustedIdentity>,
    level: VerificationLevel,
    name: String,
    place: TrustPolicyPlace,
    scopes: Vec<String>,
    stores: Vec<TrustStoreName>,
    verify_timestamp: VerifyTimestamp,
}

/// The statement as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenStatement {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    registry_scopes: Vec<String>,
    #[serde(default)]
    signature_verification: WrittenVerification,
    #[serde(default)]
    trust_stores: Vec<String>,
    #[serde(default)]
    trusted_identities: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenVerification {
    #[serde(default)]
    level: String,
    #[serde(default, rename = "override")]
    overrides: BTreeMap<String, String>,
    #[serde(default)]
    verify_timestamp: Option<String>,
}

impl TrustPolicyStatement {
    /// Reads a statement. That its name and its scopes are its own, the document checks.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn read(written: WrittenStatement, place: TrustPolicyPlace) -> Result<Self, TrustPolicyRule> {
        if written.name.is_empty() {
            return Err(TrustPolicyRule::NoName);
        }
        let WrittenVerification { level, overrides, verify_timestamp } = &written.signature_verification;
        let level = VerificationLevel::read(level, overrides)?;
        let verify_timestamp = VerifyTimestamp::read(verify_timestamp.as_deref())?;
        let stores = written.trust_stores.iter().map(|text| TrustStoreName::read(text)).collect::<Result<_, _>>()?;
        let identities = TrustedIdentity::read_all(&written.trusted_identities)?;
        match (written.trust_stores.is_empty(), written.trusted_identities.is_empty()) {
            (true, true) if level.is_skip() => {}
            _ if level.is_skip() => return Err(TrustPolicyRule::TrustOfSkip),
            (false, false) => {}
            (true, _) => return Err(TrustPolicyRule::NoTrustStore),
            (false, true) => return Err(TrustPolicyRule::NoIdentity),
        }
        let scopes = scopes(written.registry_scopes)?;
        Ok(Self { identities, level, name: written.name, place, scopes, stores, verify_timestamp })
    }

    /// The name, which no other statement of the document has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands in the document.
    pub const fn place(&self) -> &TrustPolicyPlace {
        &self.place
    }

    /// The repositories, each `host[:port]/repository`, or a lone `*`; at least one.
    pub fn registry_scopes(&self) -> &[String] {
        &self.scopes
    }

    /// What is enforced.
    pub const fn level(&self) -> &VerificationLevel {
        &self.level
    }

    /// The trust stores; at least one, if anything is verified.
    pub fn trust_stores(&self) -> &[TrustStoreName] {
        &self.stores
    }

    /// The trusted identities; at least one, if anything is verified.
    pub fn trusted_identities(&self) -> &[TrustedIdentity] {
        &self.identities
    }

    /// When the timestamp of a signature is verified, if there is a trust store of the kind `tsa`.
    pub const fn verify_timestamp(&self) -> VerifyTimestamp {
        self.verify_timestamp
    }
}

fn scopes(written: Vec<String>) -> Result<Vec<String>, TrustPolicyRule> {
    if written.is_empty() {
        return Err(TrustPolicyRule::NoScope);
    }
    if written.len() > 1 && written.iter().any(|scope| scope == scope::ANY) {
        return Err(TrustPolicyRule::AnyScopeAmongOthers);
    }
    if let Some(found) = written.iter().find(|scope| *scope != scope::ANY && !scope::is_repository(scope)) {
        return Err(TrustPolicyRule::Scope { found: Untrusted::new(found) });
    }
    for found in &written {
        let broken = |fault| TrustPolicyRule::ScopeAddress { fault, found: Untrusted::new(found) };
        scope::check_address(found).map_err(broken)?;
    }
    Ok(written)
}
