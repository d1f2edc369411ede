//! `Message`: what a key signs for an item, rebuilt from the fields that people were shown and from nothing else.

use std::borrow::Cow;
use std::fmt;

use crate::envelope::EnvelopeError;
use crate::envelope::SimpleSigningPayload;
use crate::envelope::Statement;
use crate::envelope::dsse::pre_authentication_encoding;
use crate::oci::media_type;
use crate::request::Action;
use crate::request::Item;

/// The two payloads that an item can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A simple signing claim: the tag form of an image signature.
    Claim,
    /// An in-toto statement in a DSSE envelope: the bundle form, and both forms of an attestation.
    Statement,
}

/// A payload of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    part: Part,
    payload: Vec<u8>,
}

impl Item {
    /// Everything that is to be signed for this item, one or two messages.
    ///
    /// # Errors
    /// [`EnvelopeError`] where what the item says cannot be written.
    pub fn messages(&self) -> Result<Vec<Message>, EnvelopeError> {
        match &self.action {
            Action::Attest(attest) => {
                let name = attest.name.as_deref();
                let payload = Statement::attestation(&self.digest, name, &attest.predicate_type, &attest.predicate)?;
                Ok(vec![Message { part: Part::Statement, payload }])
            }
            Action::Sign(sign) => {
                let json = |error| EnvelopeError::Json { format: "payload", error };
                let mut messages = Vec::new();
                if sign.format.has_bundle() {
                    let payload = Statement::image_signature(&self.digest, sign.name.as_deref(), &sign.annotations);
                    messages.push(Message { part: Part::Statement, payload: payload.map_err(json)? });
                }
                if let Some(identity) = &sign.identity {
                    let payload = SimpleSigningPayload::payload(self.digest, identity, &sign.annotations);
                    messages.push(Message { part: Part::Claim, payload: payload.map_err(json)? });
                }
                Ok(messages)
            }
        }
    }
}

impl Message {
    /// Which of the payloads of its item it is.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The payload, as it is stored.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes that a signature covers.
    pub fn to_sign(&self) -> Cow<'_, [u8]> {
        match self.part {
            Part::Claim => Cow::Borrowed(&self.payload),
            Part::Statement => Cow::Owned(pre_authentication_encoding(media_type::IN_TOTO, &self.payload)),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claim => "claim",
            Self::Statement => "statement",
        })
    }
}
