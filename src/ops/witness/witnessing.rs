//! `Witnessing`: asks timestamp authorities and logs about a new signature, and verifies what they answer.

use std::fmt;
use std::num::NonZeroUsize;

use tracing::debug;

use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::ItemPayload;
use crate::envelope::SignedItem;
use crate::envelope::SigningIdentity;
use crate::envelope::StoredLogEntry;
use crate::envelope::VerificationMaterial;
use crate::envelope::Witnesses;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::timestamp::TimestampAuthority;
use crate::ops::timestamp::TimestampingError;
use crate::ops::witness::LogEntryError;
use crate::ops::witness::SignatureLog;
use crate::ops::witness::WitnessTrust;
use crate::transparency::LogEntryRequest;
use crate::transparency::LogVerification;
use crate::transparency::LoggedArtifact;
use crate::transparency::LoggedSignature;
use crate::transparency::LoggedVerifier;
use crate::transparency::RequiredInclusion;
use crate::transparency::TransparencyLogEntry;
use crate::transparency::VerifiedLogEntries;
use crate::transparency::VerifiedLogEntry;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::CertificateChain;
use crate::x509::HashAlgorithm;
use crate::x509::MessageImprint;
use crate::x509::SignedBefore;
use crate::x509::TimestampRequest;
use crate::x509::TimestampResponse;
use crate::x509::VerifiedTimestampResponse;
use crate::x509::count_authorities;

/// The timestamp authorities and logs that are asked about new signatures in the formats of Sigstore, and by which their
/// answers are verified.
#[derive(Clone, Copy)]
pub struct Witnessing<'a> {
    /// The timestamp authorities: each signature gets a timestamp of each.
    pub authorities: &'a [&'a dyn TimestampAuthority],
    /// The logs: each signature gets an entry in each.
    pub logs: &'a [&'a dyn SignatureLog],
    /// By which their answers are verified.
    pub trust: WitnessTrust<'a>,
}

impl Witnessing<'_> {
    /// Checks that `form` has a place for what is asked for, before anything is signed.
    ///
    /// # Errors
    /// [`OpsError`].
    pub(in crate::ops) fn check(&self, form: &Form, subject: &Subject) -> Result<(), OpsError> {
        if !self.logs.is_empty() && self.authorities.is_empty() {
            return Err(OpsError::LogEntry { error: LogEntryError::NoTimestamp, subject: *subject.digest() });
        }
        match form.takes_witnesses() {
            true => Ok(form.check_witness_counts(self.authorities.len(), self.logs.len())?),
            false => Ok(()),
        }
    }

    /// Asks every authority and then every log about a new signature in `form`, and verifies each answer.
    ///
    /// # Errors
    /// [`OpsError::Timestamp`] and [`OpsError::LogEntry`] for an answer that does not count; [`OpsError::TimestampAuthority`]
    /// and [`OpsError::SignatureLog`] without an answer.
    pub(in crate::ops) async fn witness(
        &self,
        form: &Form,
        signed: &SignedItem<'_>,
        subject: &Subject,
        limits: &Limits,
    ) -> Result<(Witnesses, Vec<VerifiedLogEntry>), OpsError> {
        let Some(message) = form.to_timestamp(signed)? else { return Ok((Witnesses::default(), Vec::new())) };
        let timestamps = self.timestamps(&message, signed, subject, limits).await?;
        if self.logs.is_empty() || !form.takes_log_entries() {
            return Ok((Witnesses { log_entries: Vec::new(), timestamps }, Vec::new()));
        }
        let to_error = |error: LogEntryError| OpsError::LogEntry { error, subject: *subject.digest() };
        let message = signed.payload().to_sign(signed.key())?;
        let verifier = verifier(signed.sigstore_chain(), signed.key());
        let request =
            LogEntryRequest::new(&message, signed.signature(), verifier).map_err(|error| to_error(error.into()))?;
        let mut log_entries = Vec::new();
        for log in self.logs {
            let answer = log.add(&request).await?;
            debug!(bytes = answer.len(), "the log answered");
            let entry = LogEntryRequest::parse_response(&answer, limits).map_err(|error| to_error(error.into()))?;
            log_entries.push(entry);
        }
        let artifact = LoggedArtifact::Message(&message);
        let logged = LoggedSignature { artifact, signature: signed.signature(), verifier };
        let verified = self.verify_entries(&log_entries, &logged, &timestamps, limits).map_err(to_error)?;
        Ok((Witnesses { log_entries, timestamps }, verified))
    }

    async fn timestamps(
        &self,
        message: &[u8],
        signed: &SignedItem<'_>,
        subject: &Subject,
        limits: &Limits,
    ) -> Result<Vec<VerifiedTimestampResponse>, OpsError> {
        let signer = signed.sigstore_chain().map(CertificateChain::signer);
        let mut timestamps = Vec::new();
        for authority in self.authorities {
            let imprint = MessageImprint::of(HashAlgorithm::Sha256, message);
            let request = TimestampRequest::new(imprint, Some(authority.nonce()?));
            let response = authority.ask(&request).await?;
            debug!(bytes = response.len(), "the timestamp authority answered");
            let verified = TimestampResponse::parse(&response, limits)
                .and_then(|read| read.answer(&request))
                .map_err(TimestampingError::Token)
                .and_then(|_| self.trust.verify(&response, request.imprint(), signer, limits));
            timestamps.push(verified.map_err(|error| OpsError::Timestamp { error, subject: *subject.digest() })?);
        }
        Ok(timestamps)
    }

    /// Whether a signature that is there already, in `evidence`, has a verified timestamp for each authority and an entry in
    /// as many logs. Each signature in it by the key of `identity` is tried.
    pub(in crate::ops) fn is_witnessed(
        &self,
        (evidence, form): (&Evidence, &Form),
        payload: &ItemPayload,
        identity: &SigningIdentity<'_>,
        limits: &Limits,
    ) -> bool {
        let document = evidence.document();
        let Some(Ok(material)) = document.verification_material() else { return false };
        let Ok(message) = payload.to_sign(identity.key()) else { return false };
        let signatures = document.signatures();
        let mut own = signatures.iter().filter(|signature| payload.is_signed_by(identity.key(), signature));
        own.any(|signature| {
            let stamped = match (form.is_signature_timestamped(), evidence.stored_document()) {
                (true, _) => signature,
                (false, Some(stored)) => stored.bytes(),
                (false, None) => return false,
            };
            let timestamps = self.verified_timestamps(material, stamped, identity, limits);
            let artifact = LoggedArtifact::Message(&message);
            let logged =
                LoggedSignature { artifact, signature, verifier: verifier(identity.sigstore_chain(), identity.key()) };
            let is_logged = self.logs.is_empty()
                || self
                    .verify_entries(&material.log_entries, &logged, &timestamps, limits)
                    .is_ok_and(|entries| entries.len() >= self.logs.len());
            authorities_of(&timestamps) >= self.authorities.len() && is_logged
        })
    }

    /// The verified ones of the timestamps in `material`, each token once.
    fn verified_timestamps(
        &self,
        material: &VerificationMaterial,
        message: &[u8],
        identity: &SigningIdentity<'_>,
        limits: &Limits,
    ) -> Vec<VerifiedTimestampResponse> {
        let signer = identity.sigstore_chain().map(CertificateChain::signer);
        let mut verified: Vec<VerifiedTimestampResponse> = Vec::new();
        for timestamp in &material.timestamps {
            let Ok(response) = timestamp.response(limits) else { continue };
            let Ok(read) = TimestampResponse::parse(&response, limits) else { continue };
            let imprint = MessageImprint::of(read.token().imprint().algorithm(), message);
            let is_known = |other: &VerifiedTimestampResponse| other.proof().token() == read.token();
            if verified.iter().any(is_known) {
                continue;
            }
            verified.extend(self.trust.verify(&response, &imprint, signer, limits).ok());
        }
        verified
    }

    /// Verifies that the entries are about this signature, each in another log of the operator.
    fn verify_entries(
        &self,
        stored: &[StoredLogEntry],
        logged: &LoggedSignature<'_>,
        timestamps: &[VerifiedTimestampResponse],
        limits: &Limits,
    ) -> Result<Vec<VerifiedLogEntry>, LogEntryError> {
        let times: Vec<SignedBefore> = timestamps.iter().map(|timestamp| timestamp.proof().clone()).collect();
        let logs = self.trust.root.map(TrustedRoot::transparency_logs).unwrap_or_default();
        let by = LogVerification { logs, required: RequiredInclusion::Proof, timestamps: &times };
        let entries = stored.iter().map(|entry| TransparencyLogEntry::parse(entry, limits));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let threshold = NonZeroUsize::new(stored.len()).unwrap_or(NonZeroUsize::MIN);
        Ok(VerifiedLogEntries::verify(&entries, threshold, logged, &by)?.entries().to_vec())
    }
}

/// How many different authorities made these timestamps. An authority is known by its keys: that of its anchor, and its own.
fn authorities_of(timestamps: &[VerifiedTimestampResponse]) -> usize {
    count_authorities(timestamps.iter().map(|one| (one.proof().chain().trusted().spki(), one.proof())))
}

/// What a signature is verified with: the certificate of the key, if it has one.
fn verifier<'a>(chain: Option<&'a CertificateChain>, key: &'a PublicKey) -> LoggedVerifier<'a> {
    match chain {
        Some(chain) => LoggedVerifier::Certificate(chain.signer()),
        None => LoggedVerifier::Key(key),
    }
}

impl fmt::Debug for Witnessing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witnessing").field("trust", &self.trust).finish_non_exhaustive()
    }
}
