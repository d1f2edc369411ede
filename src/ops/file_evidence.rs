//! Attestations of files that the operator named, beside what is attached to an image.

use crate::envelope::AttestationFile;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::UnreadAttestation;
use crate::ops::discover::DiscoverUntil;
use crate::ops::discover::ReferrerSubject;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::Reason;

/// Adds what `files` have about one manifest to its evaluation. What could not be read in them may be about any manifest.
/// Where all evidence is wanted, each comes with the manifest that attaches it: what counts is carried along.
pub(super) fn add(
    evaluation: &mut Evaluation<'_>,
    files: &[AttestationFile],
    subject: ReferrerSubject<'_>,
    until: DiscoverUntil,
) {
    for file in files {
        let mut add = |evidence: Result<Evidence, UnreadAttestation>| match evidence {
            Ok(evidence) => evaluation.add(&evidence),
            Err(unread) => add_unread(evaluation, &unread),
        };
        match subject.descriptor.filter(|_| until == DiscoverUntil::AllFound) {
            Some(descriptor) => file.attached(descriptor).for_each(&mut add),
            None => file.evidence(&subject.digest).for_each(&mut add),
        }
        file.unread().iter().for_each(|unread| add_unread(evaluation, unread));
    }
}

fn add_unread(evaluation: &mut Evaluation<'_>, unread: &UnreadAttestation) {
    let place = FoundAt::File(unread.place.clone());
    evaluation.add_finding(Finding { digest: None, place, reason: Reason::Envelope(unread.error.clone()) });
    evaluation.mark_list_unread();
}
