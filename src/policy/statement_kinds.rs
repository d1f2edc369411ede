//! `StatementKinds`: the kinds of statements that a requirement reads.

use std::fmt;

use crate::envelope::FormStatements;
use crate::nonempty::NonEmpty;
use crate::policy::StatementKind;
use crate::predicate;
use crate::predicate::PredicateKind;
use crate::predicate::PredicateTypeError;

/// The kinds of statements that a requirement reads, at least one: image signatures, or attestations by predicate type.
/// A statement of any other kind is never looked at (threats: attestation-as-signature).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementKinds(NonEmpty<KindPattern>);

/// One kind, or all predicate types of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KindPattern {
    Exact(StatementKind),
    Predicate(PredicateKind),
}

impl StatementKinds {
    /// Statements of any of these kinds.
    pub fn any_of(kinds: NonEmpty<StatementKind>) -> Self {
        Self(kinds.map(KindPattern::Exact))
    }

    /// Attestations whose predicates are of any of these kinds, in every version of their predicate types.
    pub fn predicates(kinds: NonEmpty<PredicateKind>) -> Self {
        Self(kinds.map(KindPattern::Predicate))
    }

    /// The attestations that a person asks for by `typed`. A URI names one predicate type. A short name stands for all
    /// spellings and versions of its predicate type; those with a version in them, `slsaprovenance`, `slsaprovenance02`
    /// and `slsaprovenance1`, for that one, as for cosign.
    ///
    /// # Errors
    /// [`PredicateTypeError`] for a text that is neither.
    pub fn named(typed: &str) -> Result<Self, PredicateTypeError> {
        let uri = predicate::predicate_type(typed)?;
        let kind = PredicateKind::of(uri);
        match uri == typed || kind == PredicateKind::Other || typed.starts_with("slsaprovenance") {
            true => Ok(StatementKind::of_predicate(uri).into()),
            false => Ok(Self::predicates(NonEmpty::one(kind))),
        }
    }

    /// Whether statements of `kind` are read.
    pub fn contains(&self, kind: &StatementKind) -> bool {
        self.0.iter().any(|pattern| pattern.matches(kind))
    }

    /// Whether attestations are read.
    pub fn has_attestations(&self) -> bool {
        self.0.iter().any(|pattern| !pattern.is_signature())
    }

    /// Whether image signatures are read.
    pub fn has_signatures(&self) -> bool {
        self.0.iter().any(KindPattern::is_signature)
    }

    /// Whether statements at a tag of cosign, which holds `statements` alone, could be of these kinds.
    pub fn could_be(&self, statements: FormStatements) -> bool {
        match statements {
            FormStatements::Attestations => self.has_attestations(),
            FormStatements::ImageSignatures => self.has_signatures(),
        }
    }

    /// What a person types after `--type` to attest such a statement; `None` for image signatures, and if there are several
    /// kinds.
    pub fn type_option(&self) -> Option<&str> {
        match (self.0.count(), self.0.first()) {
            (1, KindPattern::Exact(StatementKind::Attestation { predicate_type })) => Some(predicate_type),
            (1, KindPattern::Predicate(kind)) => Some(kind.short_name()),
            _ => None,
        }
    }

    /// The one kind that is read; `None` if there are several.
    pub fn single(&self) -> Option<&StatementKind> {
        match (self.0.count(), self.0.first()) {
            (1, KindPattern::Exact(kind)) => Some(kind),
            _ => None,
        }
    }
}

impl KindPattern {
    fn is_signature(&self) -> bool {
        matches!(self, Self::Exact(StatementKind::ImageSignature))
    }

    fn matches(&self, kind: &StatementKind) -> bool {
        match self {
            Self::Exact(wanted) => wanted == kind,
            Self::Predicate(wanted) => match kind {
                StatementKind::Attestation { predicate_type } => PredicateKind::of(predicate_type) == *wanted,
                StatementKind::ImageSignature => false,
            },
        }
    }
}

impl From<StatementKind> for StatementKinds {
    fn from(kind: StatementKind) -> Self {
        Self(NonEmpty::one(KindPattern::Exact(kind)))
    }
}

/// The kinds, joined with `or`; predicates by the short names of their types. It begins with a vowel, since messages say
/// *an*.
impl fmt::Display for StatementKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut names, mut short) = (Vec::new(), Vec::new());
        for pattern in self.0.iter() {
            match pattern {
                KindPattern::Exact(kind) => names.push(kind.to_string()),
                KindPattern::Predicate(kind) => short.push(kind.short_name()),
            }
        }
        names.extend((!short.is_empty()).then(|| format!("attestation of type {}", short.join(" or "))));
        f.write_str(&names.join(" or "))
    }
}
