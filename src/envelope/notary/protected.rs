//! `ProtectedHeader`: the protected header of either format, and the rules about it. Signature specification, "Signed
//! Attributes"; signing-scheme.

use bytes::Bytes;

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::ExtendedAttribute;
use crate::envelope::notary::attributes::ExtendedName;
use crate::envelope::notary::attributes::ExtendedValue;
use crate::envelope::notary::attributes::NotaryAttributes;
use crate::envelope::notary::attributes::SigningScheme;
use crate::envelope::notary::attributes::VerificationPlugin;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::names;
use crate::envelope::notary::rule::NotaryRule;
use crate::oci::media_type;
use crate::time::Time;

/// A protected header whose parameters have the right types.
#[derive(Default)]
pub(super) struct ProtectedHeader {
    pub(super) algorithm: Option<NotaryAlgorithm>,
    pub(super) authentic_signing_time: Option<Time>,
    /// The certificates of the signer, which COSE may have here.
    pub(super) chain: Vec<Bytes>,
    pub(super) content_type: Option<String>,
    pub(super) critical: Vec<ExtendedName>,
    pub(super) expiry: Option<Time>,
    /// Whether the hash of the payload is signed in its place.
    pub(super) is_hash_envelope: bool,
    /// All other parameters, in the order of the header.
    pub(super) others: Vec<(ExtendedName, ExtendedValue)>,
    /// The parameters of the envelope format itself, which the list of critical attributes leaves out.
    pub(super) registered: Vec<ExtendedName>,
    pub(super) scheme: Option<String>,
    pub(super) signing_time: Option<Time>,
    /// The other parameters that are read, which may be critical.
    pub(super) understood: Vec<ExtendedName>,
}

impl ProtectedHeader {
    /// The algorithm and the signed attributes, if the header keeps all rules.
    pub(super) fn check(self, strictness: Strictness) -> Result<(NotaryAlgorithm, NotaryAttributes), NotaryError> {
        let algorithm = self.algorithm.ok_or(NotaryError::refused(NotaryRule::AlgorithmNotAllowed))?;
        if self.is_hash_envelope {
            return Err(NotaryError::Undetermined { found: None, rule: NotaryRule::HashEnvelope });
        }
        match self.content_type.as_deref() {
            Some(media_type::NOTARY_PAYLOAD) => {}
            other => return Err(NotaryError::found(NotaryRule::ContentType, other.unwrap_or_default())),
        }
        self.check_critical_list(strictness)?;
        let (scheme, signing_time) = self.signing_time()?;
        if self.expiry.is_some() && !self.is_critical(names::EXPIRY) {
            return Err(NotaryError::refused(NotaryRule::ExpiryNotCritical));
        }
        if self.expiry.is_some_and(|expiry| expiry <= signing_time) {
            return Err(NotaryError::refused(NotaryRule::ExpiryNotAfterSigning));
        }
        let plugin = self.verification_plugin()?;
        let unknown_critical = self.critical.iter().filter(|name| !self.is_known(name)).cloned().collect();
        let expiry = self.expiry;
        let extended = self.extended();
        Ok((algorithm, NotaryAttributes { expiry, extended, plugin, scheme, signing_time, unknown_critical }))
    }

    /// RFC 7515 section 4.1.11, RFC 9052 section 3.1. The signing scheme is critical, so the list is not empty.
    fn check_critical_list(&self, strictness: Strictness) -> Result<(), NotaryError> {
        if self.critical.is_empty() {
            return Err(NotaryError::refused(NotaryRule::CriticalListAbsent));
        }
        let mut sorted: Vec<_> = self.critical.iter().collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find_map(|pair| pair.first().filter(|first| pair.last() == Some(first)))
        {
            return Err(NotaryError::found(NotaryRule::CriticalListTwice, &twice.to_string()));
        }
        if let Some(absent) = self.critical.iter().find(|name| !self.has(name)) {
            return Err(NotaryError::found(NotaryRule::CriticalAttributeAbsent, &absent.to_string()));
        }
        match self.critical.iter().find(|name| self.registered.contains(name)) {
            Some(name) if strictness == Strictness::Strict => {
                Err(NotaryError::found(NotaryRule::CriticalListRegistered, &name.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The scheme and its one signing time.
    fn signing_time(&self) -> Result<(SigningScheme, Time), NotaryError> {
        let scheme = self.scheme.as_deref().ok_or(NotaryError::refused(NotaryRule::SigningScheme))?;
        let scheme = SigningScheme::of_name(scheme)?;
        if !self.is_critical(names::SIGNING_SCHEME) {
            return Err(NotaryError::refused(NotaryRule::SigningSchemeNotCritical));
        }
        let rule = match (scheme, self.signing_time, self.authentic_signing_time) {
            (SigningScheme::X509, Some(time), None) => return Ok((scheme, time)),
            (SigningScheme::X509SigningAuthority, None, Some(time)) => {
                match self.is_critical(names::AUTHENTIC_SIGNING_TIME) {
                    true => return Ok((scheme, time)),
                    false => NotaryRule::AuthenticSigningTimeNotCritical,
                }
            }
            (SigningScheme::X509, _, Some(_)) => NotaryRule::AuthenticSigningTimePresent,
            (SigningScheme::X509, None, None) => NotaryRule::SigningTimeAbsent,
            (SigningScheme::X509SigningAuthority, Some(_), _) => NotaryRule::SigningTimePresent,
            (SigningScheme::X509SigningAuthority, None, None) => NotaryRule::AuthenticSigningTimeAbsent,
        };
        Err(NotaryError::refused(rule))
    }

    fn verification_plugin(&self) -> Result<Option<VerificationPlugin>, NotaryError> {
        let text = |wanted: &str| match self.others.iter().find(|(name, _)| name.is(wanted)) {
            Some(_) if !self.is_critical(wanted) => {
                Err(NotaryError::found(NotaryRule::PluginAttributeNotCritical, wanted))
            }
            Some((_, ExtendedValue::Text(text))) if !text.trim().is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(NotaryError::found(NotaryRule::PluginAttributeForm, wanted)),
            None => Ok(None),
        };
        let (name, minimum_version) = (text(names::VERIFICATION_PLUGIN)?, text(names::VERIFICATION_PLUGIN_VERSION)?);
        if let Some(version) = minimum_version.as_deref().filter(|version| !is_semantic_version(version)) {
            return Err(NotaryError::found(NotaryRule::PluginVersion, version));
        }
        match name {
            Some(name) => Ok(Some(VerificationPlugin { minimum_version, name })),
            None if minimum_version.is_some() => Err(NotaryError::refused(NotaryRule::PluginVersionAlone)),
            None => Ok(None),
        }
    }

    /// The extended attributes without those of a verification plugin, the critical ones first.
    fn extended(self) -> Vec<ExtendedAttribute> {
        let Self { critical, others, .. } = self;
        let place = |wanted: &ExtendedName| critical.iter().position(|name| name == wanted);
        let others = others.into_iter().filter(|(name, _)| !PLUGIN.iter().any(|known| name.is(known)));
        let mut extended: Vec<_> = others
            .map(|(name, value)| (place(&name), name, value))
            .map(|(place, name, value)| (place, ExtendedAttribute { critical: place.is_some(), name, value }))
            .collect();
        extended.sort_by_key(|(place, _)| place.unwrap_or(usize::MAX));
        extended.into_iter().map(|(_, attribute)| attribute).collect()
    }

    fn is_critical(&self, wanted: &str) -> bool {
        self.critical.iter().any(|name| name.is(wanted))
    }

    /// Whether the header has a parameter with this name.
    fn has(&self, wanted: &ExtendedName) -> bool {
        let times = [
            (names::AUTHENTIC_SIGNING_TIME, self.authentic_signing_time.is_some()),
            (names::EXPIRY, self.expiry.is_some()),
            (names::SIGNING_SCHEME, self.scheme.is_some()),
            (names::SIGNING_TIME, self.signing_time.is_some()),
        ];
        self.registered.contains(wanted)
            || self.understood.contains(wanted)
            || times.iter().any(|(name, there)| *there && wanted.is(name))
            || self.others.iter().any(|(name, _)| name == wanted)
    }

    /// Whether a critical attribute with this name is understood, or reported as that of a plugin.
    fn is_known(&self, wanted: &ExtendedName) -> bool {
        let known = [names::AUTHENTIC_SIGNING_TIME, names::EXPIRY, names::SIGNING_SCHEME, names::SIGNING_TIME];
        self.registered.contains(wanted)
            || self.understood.contains(wanted)
            || known.iter().chain(&PLUGIN).any(|name| wanted.is(name))
    }
}

impl ExtendedName {
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Text(text) if text == wanted)
    }
}

/// Whether `text` is a semantic version. Semantic Versioning 2.0.0, sections 2, 9 and 10.
fn is_semantic_version(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(before, build)| (before, Some(build)));
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = |part: &str| is_digits(part) && (part == "0" || !part.starts_with('0'));
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && pre.is_none_or(|pre| pre.split('.').all(|part| is_word(part) && (!is_digits(part) || is_number(part))))
        && build.is_none_or(|build| build.split('.').all(is_word))
}

/// The attributes of a verification plugin.
const PLUGIN: [&str; 2] = [names::VERIFICATION_PLUGIN, names::VERIFICATION_PLUGIN_VERSION];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_three_numbers() {
        for version in ["1.0.1", "0.0.0", "10.20.30", "1.2.3-rc.1", "1.2.3-0a.x-y+b.001", "1.0.0+21AF26D3"] {
            assert!(is_semantic_version(version), "{version}");
        }
        for wrong in ["", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.x", "1..2"] {
            assert!(!is_semantic_version(wrong), "{wrong}");
        }
    }
}
