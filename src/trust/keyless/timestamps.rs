//! Timestamps of a signature (RFC 3161), by the timestamp authorities of a trusted root.
//!
//! A timestamp by an authority that is not trusted is skipped, since anybody can run one. A timestamp by a trusted authority
//! that does not verify is a refusal, and so are two timestamps that are the same.

use std::collections::BTreeSet;

use crate::envelope::StoredTimestamp;
use crate::limits::Limits;
use crate::trust::LogRule;
use crate::trust::SignatureBudget;
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

/// Verifies the timestamps that the trusted authorities made, within `budget`.
pub(super) fn verify(
    signed: &SignedMaterial<'_>,
    signature: &[u8],
    root: &TrustedRoot,
    limits: &Limits,
    budget: &mut SignatureBudget,
) -> Result<Vec<SignedBefore>, Stop> {
    let mut tokens: Vec<TimestampToken> = Vec::new();
    let mut verified = Vec::new();
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
        verified.extend(verify_one(&token, number, &imprint, root, limits, budget)?);
        tokens.push(token);
    }
    Ok(verified)
}

/// Checks that enough different authorities signed a timestamp. An authority is known by its anchor.
pub(super) fn check_count(timestamps: &[SignedBefore], rule: LogRule) -> Result<(), KeylessFault> {
    let authorities: BTreeSet<_> = timestamps.iter().map(|timestamp| timestamp.chain().trusted().der()).collect();
    let (got, want) = (authorities.len(), rule.timestamps());
    match got >= usize::try_from(want).unwrap_or(usize::MAX) {
        true => Ok(()),
        false => Err(KeylessFault::TimestampThreshold { got, want }),
    }
}

fn read(stored: &StoredTimestamp, limits: &Limits, number: usize) -> Result<TimestampToken, Stop> {
    let response = TimestampResponse::parse(&stored.response(limits)?, limits);
    let response = response.map_err(|error| KeylessFault::Timestamp { error, number })?;
    Ok(response.token().clone())
}

/// The proof by the first authority that the token verifies with; `None` if it is of none of them.
fn verify_one(
    token: &TimestampToken,
    number: usize,
    imprint: &MessageImprint,
    root: &TrustedRoot,
    limits: &Limits,
    budget: &mut SignatureBudget,
) -> Result<Option<SignedBefore>, Stop> {
    let mut fault = None;
    for authority in root.timestamp_authorities() {
        budget.take(checks(token, authority))?;
        let anchors = [Anchor { certificate: authority.anchor().clone(), purpose: Purpose::TimeStamping }];
        let extra: Vec<Certificate> = authority.intermediates().chain([authority.anchor()]).cloned().collect();
        match token.verify_imprint(imprint, &anchors, &extra, &Profile::SIGSTORE, limits) {
            // Anybody can add certificates to a token: those of another authority under the same anchor, too.
            Ok(proof) if !is_by(authority, &proof, root) => {}
            Ok(proof) => {
                let (earliest, latest) = bounds_of(&proof);
                let validity = authority.validity();
                if validity.contains(earliest) && validity.contains(latest) {
                    return Ok(Some(proof));
                }
                fault = Some(KeylessFault::TimestampAuthorityValidity { time: earliest, validity });
            }
            Err(error) if is_of_another(&error) => {}
            Err(error) => fault = fault.or(Some(KeylessFault::Timestamp { error, number })),
        }
    }
    fault.map_or(Ok(None), |fault| Err(fault.into()))
}

/// Whether `authority` made the timestamp. Where an authority lists the certificate of the signer, the periods of those that
/// list it decide, not those of others under the same anchor.
fn is_by(authority: &SigstoreAuthority, proof: &SignedBefore, root: &TrustedRoot) -> bool {
    let signer = proof.chain().signer();
    let is_listed = root.timestamp_authorities().iter().any(|one| one.lists(signer));
    authority.is_authority_of(proof.chain().path()) && (authority.lists(signer) || !is_listed)
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
