//! `EntryBody`: the canonicalized body of a log entry, read by its kind.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::limits::Limits;
use crate::transparency::EntryKind;
use crate::transparency::LoggedSignature;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::transparency::entry::dsse::DsseBody;
use crate::transparency::entry::hashedrekord::HashedRekordBody;
use crate::transparency::entry::intoto::IntotoBody;
use crate::transparency::entry::rekor_v2::HashedRekordV2Body;

/// The body of a log entry: what the log says was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EntryBody {
    Dsse(DsseBody),
    HashedRekord(HashedRekordBody),
    HashedRekordV2(HashedRekordV2Body),
    Intoto(IntotoBody),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BodyWire<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    spec: Box<RawValue>,
}

impl EntryBody {
    /// Reads a body, and returns the kind that it is of itself.
    pub(super) fn parse(body: &[u8], limits: &Limits) -> Result<(EntryKind, Self), TransparencyError> {
        let malformed = |error| TransparencyError::json(TransparencyRule::EntryBody, &error);
        let wire: BodyWire<'_> = json::parse_document(body, limits).map_err(malformed)?;
        let kind = EntryKind::of(&wire.kind, &wire.api_version)?;
        let spec = wire.spec.get().as_bytes();
        let body = match kind {
            EntryKind::DsseV001 => json::read(spec).map(Self::Dsse),
            EntryKind::HashedRekordV001 => json::read(spec).map(Self::HashedRekord),
            EntryKind::HashedRekordV002 => json::read(spec).map(Self::HashedRekordV2),
            EntryKind::IntotoV001 => json::read(spec).map(|body| Self::Intoto(IntotoBody::V001(body))),
            EntryKind::IntotoV002 => json::read(spec).map(|body| Self::Intoto(IntotoBody::V002(body))),
        };
        body.map(|body| (kind, body)).map_err(malformed)
    }

    /// Checks that the body, whose bytes are `bytes`, is about `signed`: artifact, signature, and key or certificate.
    pub(super) fn check(&self, signed: &LoggedSignature<'_>, bytes: &[u8]) -> Result<(), TransparencyError> {
        match self {
            Self::Dsse(body) => body.check(signed),
            Self::HashedRekord(body) => body.check(signed),
            Self::HashedRekordV2(body) => body.check(signed, bytes),
            Self::Intoto(body) => body.check(signed),
        }
    }
}
