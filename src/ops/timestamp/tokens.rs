//! Tokens that are brought: which signature each is about, and the new signature manifests.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::ops::OpsError;
use crate::ops::attach;
use crate::ops::timestamp::NotarySignature;
use crate::ops::timestamp::NotarySignatures;
use crate::ops::timestamp::TimestampTrust;
use crate::ops::timestamp::TimestampedSignature;
use crate::ops::timestamp::TimestampingError;
use crate::store::Sink;
use crate::x509::TimestampToken;

/// What was done with a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacedToken {
    /// The signature manifests with a verified timestamp, for signatures that had one already.
    pub already: Vec<Digest>,
    /// How many of the [added](NotarySignatures::added) signatures are with this token.
    pub added: usize,
}

impl NotarySignatures {
    /// Finds the signatures that `token` is about, by its message imprint, and adds the timestamp to each that has no
    /// verified one. Several have the same imprint if somebody pushed variants of an envelope with other certificates;
    /// each gets the timestamp. Nothing is pushed yet.
    ///
    /// # Errors
    /// [`TimestampingError::NoSignature`], or why no signature can have this timestamp.
    pub fn add(
        &mut self,
        token: &TimestampToken,
        trust: TimestampTrust<'_>,
        limits: &Limits,
    ) -> Result<PlacedToken, TimestampingError> {
        let (mut placed, mut fault) = (PlacedToken::default(), TimestampingError::NoSignature);
        let mut made = Vec::new();
        let mut judged: Vec<&NotarySignature> = Vec::new();
        for signature in self.signatures.iter().filter(|signature| signature.is_stamped_by(token)) {
            if judged.iter().any(|other| other.is_same_signature(signature)) {
                continue;
            }
            judged.push(signature);
            if let Some(manifest) = self.timestamped_manifest(signature, trust, limits) {
                placed.already.push(manifest);
                continue;
            }
            let bare = self.signatures.iter().find(|other| !other.has_token() && other.is_same_signature(signature));
            match bare.unwrap_or(signature).timestamped(token, trust, limits) {
                Ok(timestamped) => made.push(timestamped),
                Err(error) => fault = error,
            }
        }
        placed.added = made.len();
        self.made.append(&mut made);
        match placed.added == 0 && placed.already.is_empty() {
            true => Err(fault),
            false => Ok(placed),
        }
    }

    /// The signature manifest in which a signature has a verified timestamp: an existing or a new one.
    fn timestamped_manifest(
        &self,
        signature: &NotarySignature,
        trust: TimestampTrust<'_>,
        limits: &Limits,
    ) -> Option<Digest> {
        let same = || self.signatures.iter().filter(|other| other.is_same_signature(signature));
        let is_verified =
            |other: &&NotarySignature| other.verify_timestamp(trust, limits).is_some_and(|verified| verified.is_ok());
        let made = |timestamped: &&TimestampedSignature| same().any(|other| other.manifest() == timestamped.original());
        let existing = same().find(is_verified).map(|other| *other.manifest());
        existing.or_else(|| self.made.iter().find(made).map(|made| *made.attachment().manifest.digest()))
    }

    /// The signatures with the timestamps that were added, in the order of the tokens.
    pub fn added(&self) -> &[TimestampedSignature] {
        &self.made
    }

    /// Attaches the signatures with the timestamps that were added. The signature manifests without them stay.
    ///
    /// # Errors
    /// As [`attach::attach`].
    pub async fn attach(&self, sink: &dyn Sink, limits: &Limits) -> Result<(), OpsError> {
        let attachments: Vec<_> = self.made.iter().map(|made| made.attachment().clone()).collect();
        attach::attach(sink, &self.subject, &attachments, limits).await
    }
}
