//! `FulcioClaims`: whose certificate it is, as its subject alternative name and the extensions of Fulcio say.

use crate::limits;
use crate::text::Untrusted;
use crate::x509::Certificate;
use crate::x509::FulcioError;
use crate::x509::FulcioExtension;
use crate::x509::GeneralName;
use crate::x509::Oid;
use crate::x509::der;
use crate::x509::fulcio::extension::TextEncoding;
use crate::x509::text_pattern::LONGEST_TEXT;

/// What a certificate of Fulcio says about its holder and the build that it is for, read as a whole or not at all. It is as
/// true as the certificate, whose chain is verified elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FulcioClaims {
    extensions: Vec<(FulcioExtension, String)>,
    kind: FulcioNameKind,
    name: String,
}

/// The kind of the subject alternative name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FulcioNameKind {
    /// An email address.
    Email,
    /// A URI.
    Uri,
    /// A user name: the `otherName` 1.3.6.1.4.1.57264.1.7, a `UTF8String`.
    UserName,
}

impl FulcioNameKind {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Uri => "uri",
            Self::UserName => "userName",
        }
    }
}

impl FulcioClaims {
    /// Reads what `certificate` says: exactly one subject alternative name, and every extension of Fulcio that is known. Both
    /// extensions with the issuer, where they are there, must agree.
    ///
    /// # Errors
    /// [`FulcioError`].
    pub fn of(certificate: &Certificate) -> Result<Self, FulcioError> {
        let extensions = extensions(certificate)?.to_vec();
        let (kind, name) = match certificate.extensions().alternative_names() {
            [GeneralName::Email(name)] => (FulcioNameKind::Email, name.clone()),
            [GeneralName::Uri(name)] => (FulcioNameKind::Uri, name.clone()),
            [GeneralName::Other { kind, value }] => (FulcioNameKind::UserName, user_name(kind, value)?),
            [_] => return Err(FulcioError::NameKind),
            names => return Err(FulcioError::NameCount { found: names.len() }),
        };
        Ok(Self { extensions, kind, name: bounded(name)? })
    }

    /// Checks the extensions of Fulcio in `certificate`, if it has some: a certificate that contradicts itself is nobody's.
    pub(in crate::x509) fn check(certificate: &Certificate) -> Result<(), FulcioError> {
        extensions(certificate).map(drop)
    }

    /// The issuer of the OIDC token in `certificate`, whatever its subject alternative names are; `None` if it states none.
    /// Foreign text.
    ///
    /// # Errors
    /// [`FulcioError`] of the extensions, also where the two with the issuer differ.
    pub fn issuer_of(certificate: &Certificate) -> Result<Option<String>, FulcioError> {
        let read = extensions(certificate)?;
        let text = |wanted| read.iter().find(|(known, _)| *known == wanted).map(|(_, text)| text.clone());
        Ok(text(FulcioExtension::Issuer).or_else(|| text(FulcioExtension::IssuerV1)))
    }

    /// Checks that every subject alternative name of `certificate` is short enough to be compared with patterns.
    ///
    /// # Errors
    /// [`FulcioError::TooLong`]: could-not-tell.
    pub fn check_names(certificate: &Certificate) -> Result<(), FulcioError> {
        let lengths = certificate.extensions().alternative_names().iter().map(|name| match name {
            GeneralName::Dns(text) | GeneralName::Email(text) | GeneralName::Uri(text) => text.len(),
            GeneralName::Other { value, .. } => value.len(),
            // These are compared as they are, and no pattern is searched in them.
            GeneralName::Directory(_) | GeneralName::Ip(_) | GeneralName::RegisteredId(_) | GeneralName::Unread => 0,
        });
        match lengths.map(limits::count).max() {
            Some(got) if got > LONGEST_TEXT => Err(FulcioError::TooLong { got, limit: LONGEST_TEXT }),
            Some(_) | None => Ok(()),
        }
    }

    /// The subject alternative name. Foreign text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of the subject alternative name.
    pub const fn name_kind(&self) -> FulcioNameKind {
        self.kind
    }

    /// The issuer of the OIDC token. Foreign text.
    pub fn issuer(&self) -> Option<&str> {
        self.get(FulcioExtension::Issuer).or_else(|| self.get(FulcioExtension::IssuerV1))
    }

    /// The text of an extension. Foreign text.
    pub fn get(&self, extension: FulcioExtension) -> Option<&str> {
        self.extensions.iter().find(|(known, _)| *known == extension).map(|(_, text)| text.as_str())
    }

    /// The repository of the source: a URI, or OWNER/REPO in older certificates. Foreign text.
    pub fn source_repository(&self) -> Option<&str> {
        let newer = self.get(FulcioExtension::SourceRepositoryUri);
        newer.or_else(|| self.get(FulcioExtension::WorkflowRepository))
    }

    /// The branch or tag of the source. Foreign text.
    pub fn source_ref(&self) -> Option<&str> {
        self.get(FulcioExtension::SourceRepositoryRef).or_else(|| self.get(FulcioExtension::WorkflowRef))
    }

    /// The commit of the source. Foreign text.
    pub fn source_commit(&self) -> Option<&str> {
        self.get(FulcioExtension::SourceRepositoryDigest).or_else(|| self.get(FulcioExtension::WorkflowSha))
    }

    /// The extensions, in the order of the encoding, with their texts. Foreign text.
    pub fn extensions(&self) -> impl Iterator<Item = (FulcioExtension, &str)> {
        self.extensions.iter().map(|(extension, text)| (*extension, text.as_str()))
    }
}

/// The texts of the extensions of Fulcio, read once.
fn extensions(certificate: &Certificate) -> Result<&[(FulcioExtension, String)], FulcioError> {
    certificate.fulcio_extensions().get_or_init(|| read(certificate)).as_deref().map_err(Clone::clone)
}

/// Reads the texts of the extensions of Fulcio. A certificate has none of them twice (`Certificate::parse`).
fn read(certificate: &Certificate) -> Result<Vec<(FulcioExtension, String)>, FulcioError> {
    let mut read = Vec::new();
    for extension in certificate.extensions().iter() {
        let Some(known) = FulcioExtension::of(extension.id()) else { continue };
        let bytes = match known.encoding() {
            TextEncoding::Bare => Some(extension.value()),
            TextEncoding::Der => der::only(extension.value(), der::UTF8_STRING),
        };
        let text = bytes.and_then(utf_8).ok_or(FulcioError::Malformed { extension: known })?;
        read.push((known, bounded(text)?));
    }
    let text = |wanted| read.iter().find(|(known, _)| *known == wanted).map(|(_, text)| text);
    match (text(FulcioExtension::IssuerV1), text(FulcioExtension::Issuer)) {
        (Some(old), Some(new)) if old != new => {
            Err(FulcioError::Issuers { new: Untrusted::new(new), old: Untrusted::new(old) })
        }
        _ => Ok(read),
    }
}

/// A text that is not empty and in UTF-8.
fn utf_8(bytes: &[u8]) -> Option<String> {
    let Ok(text) = str::from_utf8(bytes) else { return None };
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The user name of an `otherName`: `[0] EXPLICIT`, and one `UTF8String` in it.
fn user_name(kind: &Oid, value: &[u8]) -> Result<String, FulcioError> {
    let text = der::only(value, EXPLICIT_0).and_then(|inner| der::only(inner, der::UTF8_STRING)).and_then(utf_8);
    text.filter(|_| kind.as_content() == USER_NAME).ok_or(FulcioError::NameKind)
}

fn bounded(text: String) -> Result<String, FulcioError> {
    match limits::count(text.len()) {
        got if got > LONGEST_TEXT => Err(FulcioError::TooLong { got, limit: LONGEST_TEXT }),
        _ => Ok(text),
    }
}

const EXPLICIT_0: u8 = 0xa0;
/// 1.3.6.1.4.1.57264.1.7.
const USER_NAME: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 7];
