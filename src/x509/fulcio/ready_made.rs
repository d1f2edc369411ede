//! How a keyless identity is written on the command line: ready-made for GitHub, GitLab and Google, or a name and an
//! issuer.

use crate::nonempty::NonEmpty;
use crate::x509::FulcioNameKind;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::TextPattern;
use crate::x509::fulcio::github;
use crate::x509::fulcio::gitlab;

impl IdentityPattern {
    /// Parses a keyless identity, whose certificate Fulcio issues:
    ///
    /// - `github:OWNER/REPO/.github/workflows/FILE.yml@REF`: a workflow of GitHub Actions, for the source at that ref;
    /// - `gitlab:GROUP/PROJECT//.gitlab-ci.yml@REF`: a pipeline of GitLab;
    /// - `google:ADDRESS`: an account of Google;
    /// - the names of [`IdentityPattern::parse`] with a prefix or an attribute: `email:…`, `uri:…`, `CN=…`;
    /// - any other text: the one subject alternative name.
    ///
    /// The first three know their OIDC issuer, which `issuer` may confirm; any other text needs one. Names with a prefix or
    /// an attribute and without an issuer are those of certificates that state none ([`NamePattern::NoOidcIssuer`]). `*` in
    /// a text is a [wildcard](TextPattern::parse).
    ///
    /// ```
    /// use bulla::x509::IdentityPattern;
    /// use bulla::x509::TextPattern;
    ///
    /// let release = "github:acme/app/.github/workflows/release.yml@refs/tags/v*";
    /// assert!(IdentityPattern::parse_keyless(release, None).is_ok());
    /// assert!(IdentityPattern::parse_keyless("github:acme/app@refs/tags/v1", None).is_err(), "every workflow");
    /// assert!(IdentityPattern::parse_keyless("ci@example.com", None).is_err(), "no issuer");
    /// let issuer = TextPattern::exact("https://login.example.com").unwrap();
    /// assert!(IdentityPattern::parse_keyless("ci@example.com", Some(&issuer)).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`PatternError`]; see [`IdentityPattern::keyless`].
    pub fn parse_keyless(text: &str, issuer: Option<&TextPattern>) -> Result<Self, PatternError> {
        Self::parse_keyless_with(text, issuer, &[])
    }

    /// The same with conditions that a certificate must fit as well, as for [`IdentityPattern::keyless_with`].
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse_keyless_with(
        text: &str,
        issuer: Option<&TextPattern>,
        conditions: &[NamePattern],
    ) -> Result<Self, PatternError> {
        let ready = match text.split_once(':') {
            Some(("github", rest)) => github::pattern(text, rest)?,
            Some(("gitlab", rest)) => gitlab::pattern(text, rest)?,
            Some(("google", rest)) => google(text, rest)?,
            // Two issuers could give one name to two people. An authority that states no issuer gives names itself.
            _ if issuer.is_none() && is_certificate_name(text) => {
                return Ok(Self::parse(text)?.and(NamePattern::NoOidcIssuer).with(conditions));
            }
            _ => {
                let issuer = issuer.ok_or_else(|| PatternError::NoIssuer { found: text.to_owned() })?;
                return match is_certificate_name(text) {
                    true => {
                        let issuer = NamePattern::OidcIssuer(issuer.clone().check_narrow_issuer()?);
                        Ok(Self::parse(text)?.and(issuer).with(conditions))
                    }
                    false => Self::keyless_with(TextPattern::parse(text)?, issuer.clone(), conditions),
                };
            }
        };
        match issuer {
            Some(issuer) if !ready.allows_issuer(issuer) => {
                Err(PatternError::OtherIssuer { found: text.to_owned(), issuer: issuer.to_string() })
            }
            _ => Ok(ready.with(conditions)),
        }
    }

    /// The one subject alternative name of a certificate, of whichever kind, and the issuer of the OIDC token.
    ///
    /// # Errors
    /// [`PatternError::CatchAll`] and [`PatternError::Wide`] where a pattern is not narrow, and not [`TextPattern::any`]:
    /// [`TextPattern::check_narrow_name`], [`TextPattern::check_narrow_issuer`].
    pub fn keyless(name: TextPattern, issuer: TextPattern) -> Result<Self, PatternError> {
        Self::keyless_with(name, issuer, &[])
    }

    /// The same with conditions that a certificate must fit as well. Beside the exact repository of the source a pattern for
    /// the name may be wide, since the condition says whose it is; it may still not match everybody.
    ///
    /// # Errors
    /// As [`IdentityPattern::keyless`].
    pub fn keyless_with(
        name: TextPattern,
        issuer: TextPattern,
        conditions: &[NamePattern],
    ) -> Result<Self, PatternError> {
        let text = match conditions.iter().any(NamePattern::is_exact_repository) {
            true => name.check_unrelated()?,
            false => name.check_narrow_name()?,
        };
        let name = NamePattern::AlternativeName { kind: None, text };
        let issuer = NamePattern::OidcIssuer(issuer.check_narrow_issuer()?);
        Ok(Self::all(NonEmpty::one(name)).and(issuer).with(conditions))
    }

    fn with(self, conditions: &[NamePattern]) -> Self {
        conditions.iter().cloned().fold(self, Self::and)
    }

    /// Whether `text` is written as the names of [`IdentityPattern::parse`] are, with a prefix or an attribute, and so
    /// could be the names in a certificate of any authority.
    pub fn is_certificate_name(text: &str) -> bool {
        is_certificate_name(text)
    }

    /// Whether the issuer that a ready-made pattern requires is one of those that `issuer` allows.
    fn allows_issuer(&self, issuer: &TextPattern) -> bool {
        self.names().iter().all(|name| match name {
            NamePattern::OidcIssuer(own) => issuer.matches(&own.to_string()),
            _ => true,
        })
    }
}

fn is_certificate_name(text: &str) -> bool {
    match text.split_once(':').filter(|(before, _)| !before.contains('=')) {
        Some((prefix, _)) => {
            let known = [
                "dirname",
                "dns",
                "email",
                "extension",
                "ip",
                "issuer",
                "othername",
                "rid",
                "subject",
                "uri",
                "x509.subject",
            ];
            known.contains(&prefix)
        }
        None => IdentityPattern::subject(text).is_ok(),
    }
}

/// `google:ADDRESS`, perhaps with a wildcard before the `@`.
fn google(whole: &str, address: &str) -> Result<IdentityPattern, PatternError> {
    let wrong =
        PatternError::ReadyMade { found: whole.to_owned(), reason: "it is an email address: google:NAME@DOMAIN" };
    match address.split_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() && !domain.contains(['*', '@']) => {}
        _ => return Err(wrong),
    }
    let text = TextPattern::parse(address)?.check_narrow_name()?;
    let names = NonEmpty::one(NamePattern::AlternativeName { kind: Some(FulcioNameKind::Email), text });
    Ok(IdentityPattern::all(names).and(NamePattern::OidcIssuer(TextPattern::exact(GOOGLE)?)))
}

const GOOGLE: &str = "https://accounts.google.com";
