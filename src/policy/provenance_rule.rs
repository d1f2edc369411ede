//! `ProvenanceRule`: which builder must have made an image, from which source.

use crate::policy::SignedIndexRule;
use crate::policy::UnmetCondition;
use crate::predicate::CertificateClaims;
use crate::predicate::Provenance;
use crate::predicate::SegmentPattern;
use crate::predicate::SourceRepository;
use crate::trust::Owner;

/// Which builder must have made an image, from which source. Provenance is what its signer says, so a level is given by the
/// operator to a pair of signer and builder, never read from the document. Its `Debug` text is part of the digest of a
/// policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenanceRule {
    /// The pairs of signers and builders that count.
    pub builders: Vec<BuilderRule>,
    /// The lowest SLSA build level that counts; 0 for any.
    pub level: u8,
    /// The branch or tag that must have been built, in full; `None` for any.
    pub reference: Option<SegmentPattern>,
    /// The repository that must have been built; `None` for any.
    pub source: Option<SourceRepository>,
}

/// A pair of a signer and a builder, and the SLSA build level that the operator holds it to be worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderRule {
    /// The identifier of the builder (SLSA provenance, `builder.id`).
    pub id: SegmentPattern,
    /// The SLSA build level.
    pub level: u8,
    /// The owner who signs for the builder.
    pub signed_by: Owner,
}

impl ProvenanceRule {
    /// Provenance by one of `builders`, of any level and source.
    pub const fn new(builders: Vec<BuilderRule>) -> Self {
        Self { builders, level: 0, reference: None, source: None }
    }

    /// Checks provenance that `owner` signed, whose certificate says `claims`.
    ///
    /// # Errors
    /// [`UnmetCondition`].
    pub fn check(
        &self,
        provenance: &Provenance,
        owner: &Owner,
        claims: Option<&CertificateClaims<'_>>,
    ) -> Result<(), UnmetCondition> {
        self.check_at_level(self.level_of(provenance, owner), provenance, claims)
    }

    /// Checks provenance that nobody signed, in an index that `owner` signed with a certificate that says `claims`. The
    /// builder must be one of the rule too. An owner who does not sign for it, but is one of the owners of `index`, vouches for
    /// it at the SLSA build level 1: the caller of the builder may have written it.
    ///
    /// # Errors
    /// [`UnmetCondition`].
    pub fn check_in_index(
        &self,
        provenance: &Provenance,
        (index, owner): (&SignedIndexRule, &Owner),
        claims: Option<&CertificateClaims<'_>>,
    ) -> Result<(), UnmetCondition> {
        const UNSIGNED: u8 = 1;
        let is_known = || self.builders.iter().any(|row| row.id.matches(&provenance.builder));
        let vouched = || (index.by.contains(owner) && is_known()).then_some(UNSIGNED);
        self.check_at_level(self.level_of(provenance, owner).or_else(vouched), provenance, claims)
    }

    /// The SLSA build level of the builder with this signer; `None` if the pair does not count.
    fn level_of(&self, provenance: &Provenance, owner: &Owner) -> Option<u8> {
        let is_its = |row: &&BuilderRule| row.signed_by == *owner && row.id.matches(&provenance.builder);
        self.builders.iter().filter(is_its).map(|row| row.level).max()
    }

    fn check_at_level(
        &self,
        level: Option<u8>,
        provenance: &Provenance,
        claims: Option<&CertificateClaims<'_>>,
    ) -> Result<(), UnmetCondition> {
        if let Some(Err(contradiction)) = claims.map(|claims| provenance.check_certificate(claims)) {
            return Err(UnmetCondition::CertificateContradicts(contradiction));
        }
        match level {
            None => return Err(UnmetCondition::UnknownBuilder { got: provenance.builder.clone() }),
            Some(got) if got < self.level => return Err(UnmetCondition::BuildLevel { got, want: self.level }),
            Some(_) => {}
        }
        self.check_source(provenance)
    }

    fn check_source(&self, provenance: &Provenance) -> Result<(), UnmetCondition> {
        if self.source.is_none() && self.reference.is_none() {
            return Ok(());
        }
        let source = provenance.source.as_ref().map_err(|unknown| UnmetCondition::SourceUnknown(unknown.clone()))?;
        if let Some(want) = self.source.as_ref().filter(|want| **want != source.repository) {
            return Err(UnmetCondition::Source { got: source.repository.to_string(), want: want.to_string() });
        }
        let reference = source.reference.as_deref();
        match &self.reference {
            Some(want) if !reference.is_some_and(|got| want.matches(got)) => {
                Err(UnmetCondition::SourceRef { got: reference.map(str::to_owned), want: want.to_string() })
            }
            Some(_) | None => Ok(()),
        }
    }
}
