//! What discovery still looks for, and when it may end.

use std::mem;

use crate::envelope::FoundAt;
use crate::oci::Descriptor;
use crate::ops::discover::DiscoverUntil;
use crate::ops::discover::Discovery;
use crate::ops::discover::listed;
use crate::ops::discover::listed::Certainty;
use crate::policy::StatementKind;
use crate::verify::Evaluation;

impl Discovery<'_> {
    /// Whether discovery may end: the evaluation is met, no more than that is wanted, and no newer statement could change
    /// it.
    pub(super) fn is_done(&self, evaluation: &Evaluation<'_>) -> bool {
        self.is_met(evaluation) && !evaluation.needs_newest()
    }

    /// Whether the evaluation is met, and no more than that is wanted. Then nothing is looked for in unlikely places, unless a
    /// newer statement there could change it.
    pub(super) fn is_met(&self, evaluation: &Evaluation<'_>) -> bool {
        self.options.until == DiscoverUntil::PolicyMet && evaluation.is_met()
    }

    /// The unlikely entries that are worth a look in the last step: all, unless the policy is met; then those that may be the
    /// newest statement, if only that counts.
    pub(super) fn unlikely_entries(&mut self, evaluation: &Evaluation<'_>) -> Vec<(FoundAt, Descriptor)> {
        let mut later = mem::take(&mut self.later);
        if self.is_done(evaluation) {
            return Vec::new();
        }
        let (is_met, means) = (self.is_met(evaluation), evaluation.means());
        let wants = |kind: &StatementKind| self.wants(kind, evaluation);
        let is_read = |entry: &Descriptor| self.read.contains(&entry.digest);
        later.retain(|(_, entry)| !is_read(entry) && (!is_met || listed::may_be_newest(entry, &wants, means)));
        later
    }

    /// Whether statements of this kind are still wanted: one that the evaluation lacks, or any that the policy reads.
    pub(super) fn wants(&self, kind: &StatementKind, evaluation: &Evaluation<'_>) -> bool {
        match self.options.until {
            DiscoverUntil::AllFound => evaluation.reads(kind),
            DiscoverUntil::PolicyMet => evaluation.wants(kind),
        }
    }

    /// Whether a likely entry is still wanted, now that others were read. Without a label it is, unless the evaluation is
    /// met and no newer statement could change it: the owner may have attached one without a label.
    pub(super) fn still_wants(&self, entry: &Descriptor, certainty: Certainty, evaluation: &Evaluation<'_>) -> bool {
        match (certainty, listed::labelled_kind(entry)) {
            (Certainty::Likely, Some(kind)) => self.wants(&kind, evaluation),
            (Certainty::Likely, None) | (Certainty::Doubtful, _) => !self.is_done(evaluation),
        }
    }
}
