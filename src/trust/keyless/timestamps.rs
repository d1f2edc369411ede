//! Timestamps of a signature (RFC 3161), by the timestamp authorities of a trusted root.
//!
//! A timestamp by an authority that is not trusted is skipped, also over other data, since anybody can run one. A timestamp
//! by a trusted authority that does not verify is a refusal, and so are two timestamps that are the same.

use crate::envelope::StoredTimestamp;
use crate::limits::Limits;
use crate::transparency::TransparencyRule;
use crate::trust::LogRule;
use crate::trust::SignatureBudget;
use crate::trust::SkippedTimestamp;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::SignedMaterial;
use crate::trust::keyless::Stop;
use crate::trust::keyless::bounds::bounds_of;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::ChainRule;
use crate::x509::MessageImprint;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::SignedBefore;
use crate::x509::TimestampError;
use crate::x509::TimestampResponse;
use crate::x509::TimestampRule;
use crate::x509::TimestampToken;
use crate::x509::count_authorities;

/// The timestamps of a signature.
pub(super) struct Timestamps {
    /// The authority of each of those that are verified, by its position in the trusted root.
    authorities: Vec<usize>,
    /// The first one by an authority that is not trusted.
    pub(super) skipped: Option<Box<SkippedTimestamp>>,
    /// Those that the trusted authorities made.
    pub(super) verified: Vec<SignedBefore>,
}

/// Verifies the timestamps that the trusted authorities made, within `budget`.
pub(super) fn verify(
    signed: &SignedMaterial<'_>,
    signature: &[u8],
    root: &TrustedRoot,
    limits: &Limits,
    budget: &mut SignatureBudget,
) -> Result<Timestamps, Stop> {
    let mut tokens: Vec<TimestampToken> = Vec::new();
    let (mut verified, mut authorities, mut skipped) = (Vec::new(), Vec::new(), None);
    for (index, stored) in signed.verification_material().timestamps.iter().enumerate() {
        let number = index.saturating_add(1);
        let token = read(stored, limits, number)?;
        if tokens.contains(&token) {
            return Err(KeylessFault::TimestampDuplicate.into());
        }
        let algorithm = token.imprint().algorithm();
        let mut imprints = signed.stamped(signature).map(|bytes| MessageImprint::of(algorithm, bytes));
        let imprint = imprints.find(|imprint| imprint == token.imprint());
        let imprint = imprint.unwrap_or_else(|| MessageImprint::of(algorithm, signature));
        match verify_one(&token, number, &imprint, root, limits, budget)? {
            Some((proof, authority)) => {
                verified.push(proof);
                authorities.push(authority);
            }
            None => skipped = skipped.or_else(|| Some(Box::new(SkippedTimestamp::of(&token, number)))),
        }
        tokens.push(token);
    }
    Ok(Timestamps { authorities, skipped, verified })
}

impl SignedMaterial<'_> {
    /// The timestamps on this signature by the timestamp authorities of `root`. They say nothing about its signer.
    pub(in crate::trust) fn verify_timestamps(
        &self,
        root: &TrustedRoot,
        limits: &Limits,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<SignedBefore>, Stop> {
        Ok(verify(self, self.signature()?, root, limits, budget)?.verified)
    }
}

impl Timestamps {
    /// Checks that enough different authorities of `root` signed a timestamp.
    pub(super) fn check_count(&self, (root, rule): (&TrustedRoot, LogRule)) -> Result<(), KeylessFault> {
        let want = rule.timestamps();
        if want == 0 {
            return Ok(());
        }
        let same = root.same_timestamp_authorities();
        let authorities = self.authorities.iter().map(|authority| same.get(*authority));
        let got = count_authorities(authorities.zip(&self.verified));
        match got >= usize::try_from(want).unwrap_or(usize::MAX) {
            true => Ok(()),
            false => Err(KeylessFault::TimestampThreshold { got, skipped: self.skipped.clone(), want }),
        }
    }

    /// `fault`, with the timestamp that does not count where it is about a time that is missing.
    pub(super) fn explain(&self, fault: KeylessFault) -> KeylessFault {
        match (fault, &self.skipped) {
            (KeylessFault::Transparency(error), Some(skipped)) if error.rule() == TransparencyRule::EntryTime => {
                KeylessFault::TimestampSkipped { error, skipped: skipped.clone() }
            }
            (fault, _) => fault,
        }
    }
}

fn read(stored: &StoredTimestamp, limits: &Limits, number: usize) -> Result<TimestampToken, Stop> {
    let response = TimestampResponse::parse(&stored.response(limits)?, limits);
    let response = response.map_err(|error| KeylessFault::Timestamp { error, number })?;
    Ok(response.token().clone())
}

/// The proof by the first authority that the token verifies with, and its position in the root; `None` if it is of none.
fn verify_one(
    token: &TimestampToken,
    number: usize,
    imprint: &MessageImprint,
    root: &TrustedRoot,
    limits: &Limits,
    budget: &mut SignatureBudget,
) -> Result<Option<(SignedBefore, usize)>, Stop> {
    let mut fault = None;
    for (position, authority) in root.timestamp_authorities().iter().enumerate() {
        budget.take(checks(token, authority))?;
        let anchors = [Anchor { certificate: authority.anchor().clone(), purpose: Purpose::TimeStamping }];
        let extra: Vec<Certificate> = authority.intermediates().chain([authority.anchor()]).cloned().collect();
        let verify = |imprint| token.verify_imprint(imprint, &anchors, &extra, &Profile::SIGSTORE, limits);
        // Whose it is comes before what it is about.
        match verify(token.imprint()) {
            // Anybody can add certificates to a token: those of another authority under the same anchor, too.
            Ok(proof) if !root.is_timestamp_by(authority, proof.chain()) => {}
            Err(error) if is_of_another(&error) => {}
            _ if token.imprint() != imprint => {
                fault = fault.or(verify(imprint).err().map(|error| KeylessFault::Timestamp { error, number }));
            }
            Ok(proof) => {
                let (earliest, latest) = bounds_of(&proof);
                let validity = authority.validity();
                if validity.contains(earliest) && validity.contains(latest) {
                    return Ok(Some((proof, position)));
                }
                fault = Some(KeylessFault::TimestampAuthorityValidity { time: earliest, validity });
            }
            Err(error) => fault = fault.or(Some(KeylessFault::Timestamp { error, number })),
        }
    }
    fault.map_or(Ok(None), |fault| Err(fault.into()))
}

/// How many signatures are checked at most: that of the token, and those of certificates.
fn checks(token: &TimestampToken, authority: &SigstoreAuthority) -> usize {
    let certificates = token.certificates().len().saturating_add(authority.certificates().count());
    certificates.saturating_add(1)
}

/// Whether the error says that another authority made the timestamp: its certificate is not at hand, or leads elsewhere.
fn is_of_another(error: &TimestampError) -> bool {
    match error {
        TimestampError::Chain { error } => matches!(error.rule(), ChainRule::Path | ChainRule::Trust),
        TimestampError::Undetermined { rule, .. } => *rule == TimestampRule::TsaCertificate,
        _ => false,
    }
}
