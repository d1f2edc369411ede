//! The evaluation by a statement of a trust policy that does not enforce every check: the checks are made for a report, and
//! nothing is accepted.

use crate::envelope::Evidence;
use crate::trust::AuthenticationContext;
use crate::trust::Unchecked;
use crate::trust::notation::UnenforcedStatement;
use crate::verify::Evaluation;
use crate::verify::ExaminedSignature;
use crate::verify::NotEnforced;
use crate::verify::Reason;
use crate::verify::Refusal;
use crate::verify::UnreadReason;
use crate::verify::record::StatementClaims;
use crate::verify::record::unmet_reason;

impl<'a> Evaluation<'a> {
    /// The same evaluation by a statement that does not enforce every check: the checks are made for a report, and no
    /// signature is accepted.
    pub(super) fn without_enforcing(mut self, statement: &'a UnenforcedStatement) -> Self {
        self.unenforced = Some((statement, Vec::new()));
        self
    }

    /// Makes the checks of a signature by a statement that does not enforce all of them. Those that it enforces, and steps
    /// 2 to 5, have to pass.
    pub(super) fn examine(
        &mut self,
        statement: &UnenforcedStatement,
        evidence: &Evidence,
        context: AuthenticationContext<'_>,
    ) -> Result<ExaminedSignature, Reason> {
        let document = evidence.document();
        let envelope = document.notary_envelope().ok_or_else(|| Reason::NoSuchMeans(document.signed_with()))?;
        let unchecked = |unchecked: Unchecked| Reason::SignaturesNotChecked { limit: unchecked.limit };
        let (checked, payload) = statement.check(envelope, context, &mut self.budget).map_err(unchecked)?;
        if let Some(rejection) = checked.rejection(context.time) {
            return Err(Reason::Certificate(rejection));
        }
        let payload = payload.ok_or(Reason::Unreadable(UnreadReason::SignaturesLost))?;
        let StatementClaims { claims, results, .. } = self.claims(&payload, evidence, None)?;
        if let Some(reason) = unmet_reason(&results) {
            return Err(reason);
        }
        let strict_error = document.strict_error().cloned();
        let (evidence, place) = (evidence.digest().copied(), evidence.found_at().clone());
        Ok(ExaminedSignature { annotations: claims.annotations, checked, evidence, place, strict_error })
    }

    /// Ends an evaluation by a statement that does not enforce every check.
    ///
    /// # Errors
    /// [`Refusal`] if no signature passed the checks that are enforced, or a list could not be read.
    pub(crate) fn conclude_unenforced(mut self) -> Result<NotEnforced, Refusal> {
        match self.unenforced.take() {
            Some((statement, accepted)) if !accepted.is_empty() && !self.unread_list => {
                Ok(NotEnforced::of(statement, self.subject, accepted, self.findings))
            }
            _ => Err(self.refuse()),
        }
    }
}
