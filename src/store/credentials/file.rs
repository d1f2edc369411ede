//! Credential files: docker's `config.json`, containers' `auth.json`, the old `.dockercfg`. Parsing only: no file is
//! opened here.

use std::cmp::Reverse;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::Visitor;
use zeroize::Zeroizing;

use super::credential::Credential;
use super::credential::Login;
use super::credential::SecretText;
use super::credential::stored;
use super::entry_name;
use super::entry_name::Fit;
use crate::store::StoreError;
use crate::store::error::BrokenReason;
use crate::store::error::CredentialEntryFault;
use crate::store::error::CredentialFileFault;
use crate::text::Untrusted;

/// A credential file.
#[derive(Clone, Debug)]
pub(super) struct CredentialFile {
    name: String,
    wire: DockerConfigWire,
}

/// The fields of a credential file, parsed as leniently as docker (Go) does: field names in any case, `null` for an
/// absent field, unknown fields of any type, and repeated fields merged in order.
#[derive(Clone, Debug, Default)]
struct DockerConfigWire {
    auths: Option<Vec<(String, Option<AuthEntry>)>>,
    cred_helpers: Vec<(String, Option<String>)>,
    creds_store: Option<String>,
}

#[derive(Clone, Default)]
struct AuthEntry {
    auth: Option<SecretText>,
    username: Option<String>,
    password: Option<SecretText>,
    identitytoken: Option<SecretText>,
    registrytoken: Option<SecretText>,
}

impl CredentialFile {
    /// Parses a credential file. Errors do not quote the text, since it holds secrets.
    pub(super) fn parse(name: String, text: &SecretText) -> Result<Self, StoreError> {
        let text = text.reveal();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        // The parser's own message may quote the text, which contains a secret.
        let unreadable = || BrokenReason::Credentials(CredentialFileFault::Unreadable);
        let broken = || StoreError::Broken { place: name.clone(), reason: unreadable() };
        if text.is_empty() || text == "null" {
            return Ok(Self { name, wire: DockerConfigWire::default() });
        }
        let mut wire: DockerConfigWire = serde_json::from_str(text).map_err(|_| broken())?;
        if wire.auths.is_none() && name.ends_with(".dockercfg") {
            wire.auths = Some(serde_json::from_str::<Pairs<AuthEntry>>(text).map_err(|_| broken())?.0);
        }
        Ok(Self { name, wire })
    }

    /// The name of the file, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The credential helper for `host`: its own (`credHelpers`), otherwise the default (`credsStore`). An empty name
    /// of its own means no helper. With `plain`, helpers under `https://` are skipped; so are all helpers for Docker Hub,
    /// which they know by an `https://` address alone.
    pub(super) fn helper(&self, host: &str, plain: bool) -> Option<&str> {
        if plain && entry_name::is_hub(host) {
            return None;
        }
        let helpers = self.wire.cred_helpers.iter().filter(|(name, _)| !(plain && entry_name::is_for_tls(name)));
        let fits = helpers.filter_map(|(name, helper)| {
            let fit = entry_name::fit(name, host, "").filter(|fit| !matches!(fit, Fit::Repository(_)))?;
            Some((fit, helper.as_deref()?))
        });
        let own = fits.max_by_key(|(fit, _)| *fit).map(|(_, helper)| helper);
        own.or(self.wire.creds_store.as_deref()).filter(|helper| !helper.is_empty())
    }

    /// Whether the file has an entry or a helper for `host` by name.
    pub(super) fn has_entry(&self, host: &str, repository: &str) -> bool {
        let helpers = self.wire.cred_helpers.iter().map(|(name, _)| name);
        let auths = self.wire.auths.iter().flatten().map(|(name, _)| name);
        helpers.chain(auths).any(|name| entry_name::fit(name, host, repository).is_some())
    }

    /// The credential for `repository` at `host` and the name of its entry: the best fitting entry that is not empty.
    /// With `plain`, entries under `https://` are skipped.
    pub(super) fn entry(
        &self,
        host: &str,
        repository: &str,
        plain: bool,
    ) -> Result<Option<(&str, Credential)>, StoreError> {
        let mut fits: Vec<_> = self.wire.auths.iter().flatten().enumerate().collect();
        fits.retain(|(_, (name, _))| !(plain && entry_name::is_for_tls(name)));
        // Of two entries with one name the later one is used, as docker does.
        fits.sort_by_key(|(at, (name, _))| Reverse((entry_name::fit(name, host, repository), *at)));
        let fitting = fits.into_iter().filter(|(_, (name, _))| entry_name::fit(name, host, repository).is_some());
        for (_, (name, entry)) in fitting {
            let held = entry.as_ref().map_or(Ok(None), AuthEntry::credential);
            let held = held.map_err(|fault| {
                let fault = CredentialFileFault::Entry { fault, name: Untrusted::new(name) };
                StoreError::Broken { place: self.name.clone(), reason: BrokenReason::Credentials(fault) }
            })?;
            if let Some(credential) = held {
                return Ok(Some((name, credential)));
            }
        }
        Ok(None)
    }
}

impl AuthEntry {
    /// The credential of an entry; `None` if it is empty, as `docker login` leaves it with a helper, and CI jobs with
    /// unset variables.
    fn credential(&self) -> Result<Option<Credential>, CredentialEntryFault> {
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(Credential::Token(token)));
        }
        if let Some(token) = filled(&self.identitytoken) {
            // The token is enough: a malformed user name or password beside it is ignored.
            return Ok(Some(Credential::Identity { login: self.login().unwrap_or_default(), token }));
        }
        Ok(self.login()?.map(|Login { username, password }| stored(username, password)))
    }

    fn login(&self) -> Result<Option<Login>, CredentialEntryFault> {
        let login = match filled(&self.auth) {
            Some(auth) => decoded(&auth)?,
            None => match (&self.username, &self.password) {
                (Some(username), Some(password)) => Login { username: username.clone(), password: password.clone() },
                _ => return Ok(None),
            },
        };
        Ok(Some(login).filter(|login| !login.password.reveal().is_empty()))
    }
}

fn filled(secret: &Option<SecretText>) -> Option<SecretText> {
    secret.clone().filter(|secret| !secret.reveal().trim().is_empty())
}

/// Decodes `USER:PASSWORD` from base64, with or without line breaks and padding.
fn decoded(auth: &SecretText) -> Result<Login, CredentialEntryFault> {
    let text = auth.reveal().trim_end_matches('\0');
    let text = Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>());
    let bytes = LENIENT.decode(text.as_bytes()).map_err(|_| CredentialEntryFault::Base64)?;
    let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| CredentialEntryFault::Utf8)?);
    let (username, password) = text.split_once(':').ok_or(CredentialEntryFault::Form)?;
    let password = SecretText::new(password.trim_end_matches('\0').to_owned());
    Ok(Login { username: username.to_owned(), password })
}

/// Base64 with or without padding. The text is never compared, so several encodings of one value are harmless.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl fmt::Debug for AuthEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The members of a JSON object in order, with repeated names.
struct Pairs<T>(Vec<(String, Option<T>)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

impl<'de> Deserialize<'de> for DockerConfigWire {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = DockerConfigWire;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DockerConfigWire, A::Error> {
        let mut wire = DockerConfigWire::default();
        while let Some(field) = map.next_key::<String>()? {
            match field.to_ascii_lowercase().as_str() {
                "auths" => {
                    let pairs: Option<Pairs<AuthEntry>> = map.next_value()?;
                    wire.auths.get_or_insert_default().extend(pairs.into_iter().flat_map(|pairs| pairs.0));
                }
                "credhelpers" => {
                    let pairs: Option<Pairs<String>> = map.next_value()?;
                    wire.cred_helpers.extend(pairs.into_iter().flat_map(|pairs| pairs.0));
                }
                "credsstore" => wire.creds_store = map.next_value::<Option<String>>()?.or(wire.creds_store),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(wire)
    }
}

impl<'de> Deserialize<'de> for AuthEntry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AuthEntryVisitor)
    }
}

struct AuthEntryVisitor;

impl<'de> Visitor<'de> for AuthEntryVisitor {
    type Value = AuthEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AuthEntry, A::Error> {
        let mut entry = AuthEntry::default();
        while let Some(field) = map.next_key::<String>()? {
            match field.to_ascii_lowercase().as_str() {
                "auth" => entry.auth = map.next_value()?,
                "username" => entry.username = map.next_value()?,
                "password" => entry.password = map.next_value()?,
                "identitytoken" => entry.identitytoken = map.next_value()?,
                "registrytoken" => entry.registrytoken = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(entry)
    }
}
