//! From a statement of a trust policy to the identities of a trust root.

use crate::text::Untrusted;
use crate::trust::CertificateMeans;
use crate::trust::Identity;
use crate::trust::Means;
use crate::trust::Owner;
use crate::trust::RevocationUse;
use crate::trust::TimestampUse;
use crate::trust::notation::PolicyAction;
use crate::trust::notation::PolicyCheck;
use crate::trust::notation::TrustPolicyPlace;
use crate::trust::notation::TrustPolicyStatement;
use crate::trust::notation::TrustStore;
use crate::trust::notation::TrustStoreKind;
use crate::trust::notation::TrustStoreName;
use crate::trust::notation::TrustedIdentity;
use crate::trust::notation::VerifyTimestamp;
use crate::x509::Profile;

/// Why a statement cannot be evaluated: could-not-tell, whatever the evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnevaluatedStatement {
    /// A check is logged or skipped, so that what the statement accepts is not verified.
    #[error("{statement} does not enforce {check}, which is set to {action}: what it accepts is not verified")]
    NotEnforced {
        /// What is done instead of enforcing it.
        action: PolicyAction,
        /// The check.
        check: PolicyCheck,
        /// Which statement.
        statement: TrustPolicyPlace,
    },
    /// A trusted identity that only a verification plugin understands. Verification starts no program.
    #[error("{statement} trusts {identity:?}, which only a plugin of notation understands")]
    PluginIdentity {
        /// The identity.
        identity: Untrusted,
        /// Which statement.
        statement: TrustPolicyPlace,
    },
    /// A trust store of the statement was not given.
    #[error("{statement} names the trust store {store}, which was not read")]
    StoreNotRead {
        /// Which statement.
        statement: TrustPolicyPlace,
        /// The trust store.
        store: TrustStoreName,
    },
}

impl TrustPolicyStatement {
    /// Whom the statement trusts: one identity for each trusted identity, in their order. The owner is the name of the
    /// statement and the identity as it is written. One signature by one of them is what notation asks for.
    ///
    /// `stores` are the trust stores that the statement names, and no others are used.
    ///
    /// # Errors
    /// [`UnevaluatedStatement`].
    pub fn identities(&self, stores: &[TrustStore]) -> Result<Vec<Identity>, UnevaluatedStatement> {
        self.check_evaluated()?;
        self.all_identities(stores)
    }

    /// The identities, whether or not every check is enforced.
    pub(super) fn all_identities(&self, stores: &[TrustStore]) -> Result<Vec<Identity>, UnevaluatedStatement> {
        let statement = || self.place().clone();
        let mut named = Vec::new();
        for name in self.trust_stores() {
            let read = stores.iter().find(|store| store.name() == name);
            let not_read = || UnevaluatedStatement::StoreNotRead { statement: statement(), store: name.clone() };
            named.push(read.ok_or_else(not_read)?);
        }
        let anchors = TrustStore::anchors(named);
        let mut identities = Vec::new();
        for identity in self.trusted_identities() {
            let anchors = anchors.clone();
            let means = match identity {
                TrustedIdentity::Any => CertificateMeans::with_any_name(anchors, Profile::NOTARY),
                TrustedIdentity::Subject { names, .. } => {
                    CertificateMeans::new(anchors, names.clone(), Profile::NOTARY)
                }
                TrustedIdentity::Plugin { text } => {
                    let identity = Untrusted::new(text);
                    return Err(UnevaluatedStatement::PluginIdentity { identity, statement: statement() });
                }
            };
            let means = means.with_timestamps(self.timestamp_use()).with_revocation(RevocationUse::Required);
            let owner = Owner::Named(format!("{}: {}", self.name(), identity.as_str()));
            identities.push(Identity::new(owner, Means::Certificates(means)));
        }
        Ok(identities)
    }

    /// Checks that the statement enforces every check: a signature that is accepted although a check failed is not
    /// verified.
    ///
    /// # Errors
    /// [`UnevaluatedStatement::NotEnforced`].
    pub fn check_evaluated(&self) -> Result<(), UnevaluatedStatement> {
        match self.level().unenforced().first() {
            None => Ok(()),
            Some((check, action)) => Err(UnevaluatedStatement::NotEnforced {
                action: *action,
                check: *check,
                statement: self.place().clone(),
            }),
        }
    }

    /// Without a trust store of the kind `tsa`, timestamps have no use.
    fn timestamp_use(&self) -> TimestampUse {
        let tsa = self.trust_stores().iter().any(|store| store.kind() == TrustStoreKind::Tsa);
        match self.verify_timestamp() {
            VerifyTimestamp::Always if tsa => TimestampUse::Required,
            VerifyTimestamp::Always | VerifyTimestamp::AfterCertExpiry => TimestampUse::IfExpired,
        }
    }
}
