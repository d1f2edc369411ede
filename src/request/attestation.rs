//! `Attestation`: an attestation to sign, as a predicate or as a finished statement.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::Forms;
use crate::envelope::ItemStatement;
use crate::envelope::UnsignedStatement;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::policy::StatementKind;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::request::WholeDocument;
use crate::request::forms::forms_of_attestation;
use crate::request::forms::forms_to_wire;
use crate::request::text::check_name;
use crate::request::wire::WireAttest;

/// An attestation to sign.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// What is attested.
    pub content: AttestationContent,
    /// The formats in which it will be attached; the payload is the same in all.
    pub forms: Forms,
}

/// What an attestation says: a closed set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttestationContent {
    /// A predicate. The statement around it has the image as its one subject.
    Predicate {
        /// The name that is signed along with the digest.
        name: Option<String>,
        /// The predicate, byte for byte.
        predicate: Box<RawValue>,
        /// The predicate type: a URI.
        predicate_type: String,
    },
    /// A finished statement, one of whose subjects is the image.
    Statement(UnsignedStatement),
}

impl Attestation {
    /// The predicate type.
    pub fn predicate_type(&self) -> &str {
        match &self.content {
            AttestationContent::Predicate { predicate_type, .. } => predicate_type,
            AttestationContent::Statement(statement) => statement.predicate_type(),
        }
    }

    /// The name that is signed along with the digest; `None` for a finished statement, whose subjects have their own.
    pub fn name(&self) -> Option<&str> {
        match &self.content {
            AttestationContent::Predicate { name, .. } => name.as_deref(),
            AttestationContent::Statement(_) => None,
        }
    }

    /// The predicate, byte for byte as it is signed.
    ///
    /// # Errors
    /// [`JsonError`] never happens for a statement that was read, but is not swallowed.
    pub fn predicate_json(&self) -> Result<&RawValue, JsonError> {
        match &self.content {
            AttestationContent::Predicate { predicate, .. } => Ok(predicate),
            AttestationContent::Statement(statement) => statement.predicate(),
        }
    }

    /// The finished statement, if it is one.
    pub const fn finished(&self) -> Option<&UnsignedStatement> {
        match &self.content {
            AttestationContent::Predicate { .. } => None,
            AttestationContent::Statement(statement) => Some(statement),
        }
    }

    /// The text that is given to be signed: the predicate, or the finished statement.
    pub fn given(&self) -> &RawValue {
        match &self.content {
            AttestationContent::Predicate { predicate, .. } => predicate,
            AttestationContent::Statement(statement) => statement.json(),
        }
    }

    /// The same attestation, whose predicate is signed with the name `default` if it has none. A finished statement has
    /// the names that are in it.
    #[must_use]
    pub fn named(mut self, default: impl FnOnce() -> Option<String>) -> Self {
        if let AttestationContent::Predicate { name: name @ None, .. } = &mut self.content {
            *name = default();
        }
        self
    }

    /// The statement, from which formats make their payloads.
    pub fn statement(&self) -> ItemStatement<'_> {
        match &self.content {
            AttestationContent::Predicate { name, predicate, predicate_type } => {
                ItemStatement::Attestation { name: name.as_deref(), predicate, predicate_type }
            }
            AttestationContent::Statement(statement) => ItemStatement::Finished(statement),
        }
    }

    /// Checks a predicate and keeps its bytes unchanged.
    ///
    /// # Errors
    /// [`RequestError`] if it is not one object of strict JSON, or is a whole statement, envelope or bundle.
    pub fn predicate(bytes: &[u8], limits: &Limits) -> Result<Box<RawValue>, RequestError> {
        let json = |error| RequestError::json("predicate", error);
        json::check(bytes, &envelope::predicate_limits(bytes, limits)).map_err(json)?;
        let raw: Box<RawValue> = serde_json::from_slice(bytes).map_err(|error| json(error.into()))?;
        if !raw.get().starts_with('{') {
            return Err(RequestError::field("predicate", FieldFault::NotAnObject));
        }
        match whole(&raw).map_err(json)? {
            Some(what) => Err(RequestError::WholeDocument { what }),
            None => Ok(raw),
        }
    }

    pub(super) fn to_wire(&self) -> WireAttest {
        let forms = forms_to_wire(&self.forms);
        match &self.content {
            AttestationContent::Predicate { name, predicate, predicate_type } => WireAttest {
                forms,
                name: name.clone(),
                predicate_type: Some(predicate_type.clone()),
                predicate: Some(predicate.clone()),
                statement: None,
            },
            AttestationContent::Statement(statement) => WireAttest {
                forms,
                name: None,
                predicate_type: None,
                predicate: None,
                statement: Some(statement.json().to_owned()),
            },
        }
    }

    pub(super) fn of_wire(wire: WireAttest, limits: &Limits) -> Result<Self, RequestError> {
        let forms = forms_of_attestation(&wire.forms)?;
        let content = match (wire.predicate_type, wire.predicate, wire.statement) {
            (Some(predicate_type), Some(predicate), None) => {
                check_name("name", wire.name.as_ref(), limits)?;
                check_name("predicateType", Some(&predicate_type), limits)?;
                // An attestation must not become an image signature when it is read (threats: attestation-as-signature).
                if StatementKind::of_predicate(&predicate_type) == StatementKind::ImageSignature {
                    return Err(RequestError::field("predicateType", FieldFault::AttestsSignature));
                }
                AttestationContent::Predicate { name: wire.name, predicate, predicate_type }
            }
            (None, None, Some(statement)) if wire.name.is_none() => {
                let statement = UnsignedStatement::of_json(statement, limits).map_err(of_statement)?;
                check_name("statement", Some(&statement.predicate_type().to_owned()), limits)?;
                AttestationContent::Statement(statement)
            }
            _ => return Err(RequestError::field("attest", FieldFault::PredicateOrStatement)),
        };
        Ok(Self { content, forms })
    }
}

/// The error for a finished statement in a request.
fn of_statement(error: EnvelopeError) -> RequestError {
    match error {
        EnvelopeError::Json { error, .. } => RequestError::json("statement", error),
        EnvelopeError::Limit { what, got, limit } => RequestError::Limit { got, limit, what: what.to_owned() },
        error => RequestError::field("statement", FieldFault::Statement(Box::new(error))),
    }
}

/// Recognizes a whole statement, envelope or bundle given as a predicate, by its fields.
fn whole(predicate: &RawValue) -> Result<Option<WholeDocument>, JsonError> {
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(predicate.get())?;
    let has = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    let is_statement = fields.get("_type").is_some_and(|kind| kind.get().contains("in-toto.io/Statement"));
    Ok(match () {
        () if has(&["verificationMaterial", "dsseEnvelope"]) => Some(WholeDocument::Bundle),
        () if has(&["payload", "payloadType", "signatures"]) => Some(WholeDocument::Envelope),
        () if is_statement || has(&["_type", "subject", "predicateType"]) => Some(WholeDocument::Statement),
        () => None,
    })
}
