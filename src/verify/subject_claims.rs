//! `SubjectClaims`: what a signed payload claims about the subject that is verified.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::digest::Digest;
use crate::envelope::SignedPayload;
use crate::oci::Descriptor;
use crate::text::Untrusted;
use crate::verify::Reason;

/// The signed claims about the subject.
pub(super) struct SubjectClaims {
    pub(super) annotations: BTreeMap<String, String>,
    /// Whether the payload is about the subject. If not, it may be: then its digests, for people, are here, and it counts for
    /// nothing.
    pub(super) doubt: Option<String>,
    pub(super) predicate: Option<Bytes>,
    pub(super) reference: Option<String>,
}

impl SubjectClaims {
    /// The claims of `payload`, if it is or may be about `subject`.
    pub(super) fn of(
        payload: &SignedPayload,
        subject: &Digest,
        descriptor: Option<&Descriptor>,
    ) -> Result<Self, Reason> {
        let signs = match payload {
            SignedPayload::SimpleSigning(payload) if payload.digest() == subject => {
                let reference = Some(payload.reference().to_owned()).filter(|reference| !reference.is_empty());
                return Ok(Self {
                    annotations: payload.annotations().clone(),
                    doubt: None,
                    predicate: None,
                    reference,
                });
            }
            SignedPayload::SimpleSigning(payload) => payload.digest().to_string(),
            SignedPayload::Notary(payload) if payload.digest() == Some(subject) => {
                let (media_type, size) = (payload.media_type(), payload.size());
                return match descriptor.is_none_or(|known| known.media_type == media_type && known.size == size) {
                    true => {
                        let annotations = payload.annotations().clone();
                        Ok(Self { annotations, doubt: None, predicate: None, reference: None })
                    }
                    false => {
                        let media_type = Untrusted::within(media_type, SHOWN);
                        Err(Reason::OtherSubject { signs: format!("it as {size} bytes of the type `{media_type}`") })
                    }
                };
            }
            SignedPayload::Notary(payload) => payload.digest_text().to_owned(),
            SignedPayload::Statement(statement) => match statement.about(subject) {
                Some(claims) => {
                    let reference = claims.name().map(str::to_owned);
                    let predicate = statement.shared_predicate();
                    return Ok(Self { annotations: claims.annotations().clone(), doubt: None, predicate, reference });
                }
                None if statement.may_be_about(subject) => {
                    let (doubt, predicate) = (Some(statement.shown_subjects()), statement.shared_predicate());
                    return Ok(Self { annotations: BTreeMap::new(), doubt, predicate, reference: None });
                }
                None => statement.shown_subjects(),
            },
        };
        Err(Reason::OtherSubject { signs })
    }
}

/// How much of a foreign text a message shows, in characters.
const SHOWN: usize = 80;
