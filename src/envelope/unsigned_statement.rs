//! `UnsignedStatement`: a finished in-toto statement without a signature.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::ResourceDescriptor;
use crate::envelope::predicate_limits;
use crate::envelope::statement;
use crate::envelope::statement::StatementFields;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::media_type;

/// A finished in-toto statement, of version 0.1 or 1, that nobody has signed: it is to be signed byte for byte as it is,
/// apart from the white space around it, or a signed index covers it. It has a predicate, and is no image signature: only [`UnsignedStatement::parse`] and
/// [`UnsignedStatement::of_json`] make it.
#[derive(Clone, Debug)]
pub struct UnsignedStatement {
    json: Box<RawValue>,
    predicate_type: String,
    subjects: Vec<ResourceDescriptor>,
}

/// The predicate of a statement, and nothing else.
#[derive(Deserialize)]
struct PredicateOnly<'a> {
    #[serde(borrow)]
    predicate: &'a RawValue,
}

impl UnsignedStatement {
    /// Reads a finished statement strictly, by the rules for verified ones.
    ///
    /// # Errors
    /// [`EnvelopeError`]: it is no statement that a verifier with these limits would read, it has no predicate, or its
    /// predicate type is that of an image signature (threats: attestation-as-signature).
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        json::check(bytes, &predicate_limits(bytes, limits)).map_err(unreadable)?;
        Self::of_json(serde_json::from_slice(bytes).map_err(|error| unreadable(error.into()))?, limits)
    }

    /// As [`UnsignedStatement::parse`], of JSON that is part of another document.
    ///
    /// # Errors
    /// As [`UnsignedStatement::parse`].
    pub fn of_json(json: Box<RawValue>, limits: &Limits) -> Result<Self, EnvelopeError> {
        let StatementFields { predicate, predicate_type, subjects } =
            StatementFields::read(json.get().as_bytes(), limits)?;
        if !predicate.is_some_and(|predicate| predicate.get().starts_with('{')) {
            return Err(EnvelopeError::Form(DocumentFault::StatementPredicate));
        }
        if predicate_type == media_type::COSIGN_SIGN_PREDICATE {
            return Err(EnvelopeError::Form(DocumentFault::StatementType));
        }
        Ok(Self { json, predicate_type, subjects })
    }

    /// The statement as JSON text: the payload that is signed.
    pub fn json(&self) -> &RawValue {
        &self.json
    }

    /// The predicate, byte for byte.
    ///
    /// # Errors
    /// [`JsonError`] never happens for a statement that was read, but is not swallowed.
    pub fn predicate(&self) -> Result<&RawValue, JsonError> {
        let PredicateOnly { predicate } = serde_json::from_str(self.json.get())?;
        Ok(predicate)
    }

    /// The predicate type.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The subjects.
    pub fn subjects(&self) -> &[ResourceDescriptor] {
        &self.subjects
    }

    /// The digests of the first subjects, for people.
    pub(crate) fn shown_subjects(&self) -> String {
        statement::shown_subjects(&self.subjects)
    }

    /// Whether a subject is the image with the digest `digest`, by the rules of the verification: a digest of it by an
    /// algorithm that is not that of `digest` would have to be known too.
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| subject.is(digest))
    }

    /// Whether a subject may be the image with the digest `digest`, see [`ResourceDescriptor::may_be`].
    pub fn may_be_about(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| subject.may_be(digest))
    }

    /// The payload to sign about the image with the digest `digest`.
    ///
    /// # Errors
    /// [`EnvelopeError::OtherSubjects`] if it is not about this image: it would be attached to another one.
    pub(super) fn payload(&self, digest: &Digest) -> Result<Vec<u8>, EnvelopeError> {
        match self.is_about(digest) {
            true => Ok(self.json.get().as_bytes().to_vec()),
            false => {
                let subjects = statement::shown_subjects(&self.subjects);
                Err(EnvelopeError::OtherSubjects { subjects, wanted: Box::new(*digest) })
            }
        }
    }
}

fn unreadable(error: JsonError) -> EnvelopeError {
    EnvelopeError::Json { format: "in-toto statement", error }
}
