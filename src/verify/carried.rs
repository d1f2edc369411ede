//! Which of the statements about one manifest an import carries, where only the newest of each owner counts.
//!
//! The invariant: a statement stays behind only if its signer made a newer one of the same type about the same manifest,
//! which is carried. So every requirement of the policy takes the same statements for the newest at the destination. So does
//! every other policy that reads no more types, and names owners by whole signers: it reads both statements or neither.
//!
//! A statement without a time may be the newest, so it is carried. An older one is recognised cautiously:
//!
//! - The time that it states is compared, not an earlier one that a timestamp proves: elsewhere the timestamp may not be
//!   trusted. Of a keyless statement that states none, it is the end of its certificate, for the same reason.
//! - A statement whose signer's key has ended goes along, and leaves none behind: each of them may say no.
//! - A statement whose time is proven stays behind only for a newer one with a proven time: a key or certificate ends, and
//!   then only the proven ones count.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::key::KeyId;
use crate::policy::CountedStatements;
use crate::policy::Policy;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::time::Time;
use crate::trust::Owner;
use crate::verify::evaluation::Documents;
use crate::verify::image_part::SubjectEvidence;
use crate::verify::record::StatementRecord;

/// What two statements have in common if the newer one supersedes the older one: owner, signer, type, and whether they are
/// read as VEX documents. A signer with a certificate may have a new key each time, and is known by its names.
type Series<'r> = (&'r Owner, Option<KeyId>, &'r [Digest], &'r StatementKind, bool);

/// The newest times of one series.
#[derive(Clone, Copy, Default)]
struct Newest {
    of_all: Option<Time>,
    of_proven: Option<Time>,
}

impl SubjectEvidence {
    /// The same evidence. Statements that an import leaves behind are marked so, and have no document.
    pub(super) fn without_superseded(self, documents: Documents, policy: &Policy) -> Self {
        match documents {
            Documents::Dropped => self,
            Documents::Kept => {
                let records = without_superseded(self.records, &policy.requirements().to_vec());
                Self { records, ..self }
            }
        }
    }
}

/// The same for records about one manifest.
fn without_superseded(records: Vec<Arc<StatementRecord>>, requirements: &[&Requirement]) -> Vec<Arc<StatementRecord>> {
    let mut newest: BTreeMap<Series<'_>, Newest> = BTreeMap::new();
    for record in records.iter().filter(|record| record.is_carried && record.ended.is_none()) {
        let Some((at, _)) = record.time.at() else { continue };
        let Newest { of_all, of_proven } = newest.entry(series(record)).or_default();
        *of_all = (*of_all).max(Some(at));
        if record.time.is_trusted() {
            *of_proven = (*of_proven).max(Some(at));
        }
    }
    let is_superseded = |record: &StatementRecord| {
        if record.ended.is_some() {
            return false;
        }
        let Some(Newest { of_all, of_proven }) = newest.get(&series(record)) else { return false };
        let newest = if record.time.is_trusted() { of_proven } else { of_all };
        let is_older = record.time.latest_anywhere().is_some_and(|latest| newest.is_some_and(|newest| latest < newest));
        record.is_carried && record.time.at().is_some() && is_older && !counts_with_others(record, requirements)
    };
    let superseded: Vec<_> = records.iter().map(|record| is_superseded(record)).collect();
    let left_behind = |(record, is_superseded): (Arc<StatementRecord>, bool)| match is_superseded {
        true => Arc::new(Arc::unwrap_or_clone(record).left_behind()),
        false => record,
    };
    records.into_iter().zip(superseded).map(left_behind).collect()
}

fn series(record: &StatementRecord) -> Series<'_> {
    let signer = &record.signature.signer;
    let names = signer.credential().names();
    let key = names.is_empty().then(|| signer.credential().key());
    (signer.owner(), key, names, &record.signature.kind, record.vex.is_some())
}

/// Whether it may count for a requirement for which any statement of an owner is enough, or covers an index.
fn counts_with_others(record: &StatementRecord, requirements: &[&Requirement]) -> bool {
    let counts = |(position, requirement): (usize, &&Requirement)| {
        requirement.counted() == CountedStatements::Any
            && record.result(position).is_some_and(|result| result.may_count(requirement))
    };
    record.is_covering() || requirements.iter().enumerate().any(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::Evidence;
    use crate::envelope::FoundAt;
    use crate::envelope::SignedDocument;
    use crate::envelope::Statement;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::oci::media_type;
    use crate::policy::Quorum;
    use crate::policy::StatementTime;
    use crate::policy::Threshold;
    use crate::trust::TrustRoot;
    use crate::verify::Verifier;
    use crate::verify::record::StatementResult;

    fn day(day: i64) -> Option<Time> {
        Time::from_unix(day * 86_400)
    }

    fn stated(of: i64) -> StatementTime {
        StatementTime::of_document(day(of))
    }

    fn proven(of: i64, bound: i64) -> StatementTime {
        stated(of).with_upper_bound(day(bound))
    }

    /// The time of a statement that states none, by a certificate that is valid in between.
    fn certified(start: i64, end: i64) -> StatementTime {
        let time = StatementTime::default().with_upper_bound(day(start));
        time.with_certificate(day(start)).with_certificate_end(day(end))
    }

    /// Which statements of one key with these times are carried, where they meet the first requirement.
    fn carried(times: &[StatementTime], policy: impl Fn(Requirement) -> Vec<Requirement>) -> Vec<bool> {
        let records: Vec<_> = times.iter().map(|time| (true, *time, None)).collect();
        judged(&records, policy).iter().map(|(_, after)| after.is_carried).collect()
    }

    /// Records of one key, each carried or not, with these times and perhaps the end of the key: as they were, and what becomes
    /// of them.
    fn judged(
        records: &[(bool, StatementTime, Option<Time>)],
        policy: impl Fn(Requirement) -> Vec<Requirement>,
    ) -> Vec<(Arc<StatementRecord>, Arc<StatementRecord>)> {
        let subject = Digest::sha256(b"image");
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let signed = Requirement::new("signed", StatementKind::ImageSignature, quorum);
        let verifier = Verifier::new(trust, Policy::one(signed.clone().newest_only()), Limits::DEFAULT).unwrap();
        let payload = Statement::image_signature(&subject, None, &BTreeMap::new()).unwrap();
        let envelope = Envelope::sign(media_type::IN_TOTO, &payload, &key).unwrap();
        let document = SignedDocument::Dsse(envelope.into());
        let mut evaluation = verifier.evaluation(subject, Time::EPOCH);
        evaluation.add(&Evidence::new(document, FoundAt::Referrers, Vec::new()));
        let record = StatementRecord::clone(&evaluation.records()[0]);
        let results = vec![(0, StatementResult::Met)];
        let with = |&(is_carried, time, ended): &(bool, StatementTime, Option<Time>)| {
            Arc::new(StatementRecord { ended, is_carried, results: results.clone(), time, ..record.clone() })
        };
        let requirements = policy(signed);
        let before: Vec<_> = records.iter().map(with).collect();
        let after = without_superseded(before.clone(), &requirements.iter().collect::<Vec<_>>());
        before.into_iter().zip(after).collect()
    }

    #[test]
    fn only_what_is_older_in_every_respect_stays_behind() {
        let none = StatementTime::default();
        for (times, want) in [
            ([stated(3), stated(4)], [false, true]),
            ([stated(4), stated(3)], [true, false]),
            ([stated(4), stated(4)], [true, true]),
            ([none, stated(4)], [true, true]),
            // Its timestamp may not be trusted elsewhere: then it is the newest.
            ([proven(5, 3), proven(4, 4)], [true, true]),
            ([stated(3), proven(5, 3)], [true, true]),
            // Only a proven one still counts once the key has ended.
            ([proven(3, 3), stated(4)], [true, true]),
            ([proven(3, 3), proven(4, 4)], [false, true]),
            ([stated(3), proven(4, 4)], [false, true]),
            // Elsewhere a later time may be proven: then it may be the newest.
            ([certified(3, 4), proven(4, 4)], [true, true]),
            ([certified(3, 3), proven(4, 4)], [false, true]),
        ] {
            assert_eq!(carried(&times, |signed| vec![signed.newest_only()]), want, "{times:?}");
        }
    }

    /// A statement that is left behind loses its document; one that was never carried stays as it is.
    #[test]
    fn what_is_not_carried_is_not_superseded() {
        for (is_carried, stays) in [(true, [false, true]), (false, [true, true])] {
            let records = [(is_carried, stated(3), None), (true, stated(4), None)];
            let found = judged(&records, |signed| vec![signed.newest_only()]);
            let same: Vec<_> = found.iter().map(|(before, after)| Arc::ptr_eq(before, after)).collect();
            assert_eq!(same, stays, "{is_carried}");
        }
    }

    /// Each statement of a key that has ended may say no, and none of them takes the place of one that counts.
    #[test]
    fn what_a_key_that_has_ended_signed_stays_and_leaves_nothing_behind() {
        for (times, ended) in [
            ([stated(3), stated(4)], [true, true]),
            ([stated(3), stated(4)], [true, false]),
            ([stated(3), stated(4)], [false, true]),
            ([proven(3, 3), proven(4, 5)], [false, true]),
        ] {
            let end = |is_ended: bool| if is_ended { day(4) } else { None };
            let records = [0, 1].map(|number: usize| (true, times[number], end(ended[number])));
            let found = judged(&records, |signed| vec![signed.newest_only()]);
            assert!(found.iter().all(|(_, after)| after.is_carried), "{times:?} {ended:?}");
        }
    }

    #[test]
    fn what_counts_for_another_requirement_is_carried_also_if_it_is_older() {
        let times = [stated(3), stated(4)];
        assert_eq!(carried(&times, |signed| vec![signed]), [true, true]);
        assert_eq!(carried(&times, |signed| vec![signed.clone(), signed.newest_only()]), [true, true]);
        // A requirement that does not read them keeps none.
        assert_eq!(carried(&times, |signed| vec![signed.clone().newest_only(), signed]), [false, true]);
    }
}
