//! Which patterns are narrow enough for names and issuers: their literal parts say whose they are.
//!
//! This is checked of a wildcard, and of every alternative of a regular expression. An exact text is always narrow.

use crate::x509::FulcioExtension;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::TextPattern;
use crate::x509::pattern_literals::Literals;

impl TextPattern {
    /// Checks that a pattern for a name says whose it is without a wildcard: of a URI the scheme, the host and the segments
    /// up to the owner; of an email address or user name the domain, which is not one of well-known public mail providers.
    ///
    /// # Errors
    /// [`PatternError::CatchAll`] and [`PatternError::Wide`].
    pub fn check_narrow_name(self) -> Result<Self, PatternError> {
        self.check_narrow(name_fault)
    }

    /// Checks that a pattern for an OIDC issuer has the scheme and the host without a wildcard, and, at hosts that are
    /// known to serve many organisations, the segments up to the organisation.
    ///
    /// # Errors
    /// [`PatternError::CatchAll`] and [`PatternError::Wide`].
    pub fn check_narrow_issuer(self) -> Result<Self, PatternError> {
        self.check_narrow(issuer_fault)
    }

    fn check_narrow(self, fault: fn(&Literals) -> Option<&'static str>) -> Result<Self, PatternError> {
        let narrow = self.check_unrelated()?;
        match narrow.literals().iter().find_map(fault) {
            Some(reason) => Err(PatternError::Wide { found: narrow.to_string(), reason }),
            None => Ok(narrow),
        }
    }
}

impl NamePattern {
    /// Whether it is the exact repository of the source of a build.
    pub(super) fn is_exact_repository(&self) -> bool {
        let is_repository = |extension: &FulcioExtension| {
            matches!(extension, FulcioExtension::SourceRepositoryUri | FulcioExtension::WorkflowRepository)
        };
        match self {
            Self::Fulcio(either) => either.iter().all(|(extension, text)| is_repository(extension) && text.is_exact()),
            _ => false,
        }
    }
}

fn name_fault(literals: &Literals) -> Option<&'static str> {
    let prefix = literals.prefix.to_ascii_lowercase();
    match prefix.split_once("://") {
        _ if literals.is_whole => None,
        Some((scheme, rest)) => match names_owner(rest, owner_depth(scheme, rest)) && is_scheme(scheme) {
            true => None,
            false => Some(OWNER),
        },
        None => match domain(&literals.suffix) {
            Some(domain) if PUBLIC_MAIL.contains(&&*domain.to_ascii_lowercase()) => Some(PUBLIC),
            Some(_) => None,
            None => Some(OWNER),
        },
    }
}

fn issuer_fault(literals: &Literals) -> Option<&'static str> {
    let prefix = literals.prefix.to_ascii_lowercase();
    match prefix.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        _ if literals.is_whole => None,
        Some((_, rest)) if names_owner(rest, organisation_depth(rest)) => None,
        Some((_, rest)) if names_owner(rest, 0) => Some(ORGANISATION),
        _ => Some(HOST),
    }
}

/// After how many segments of the path of an issuer the organisation stands. Where each organisation has an issuer of its
/// own at one host, the host alone says nothing.
fn organisation_depth(rest: &str) -> usize {
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let is_below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    match host {
        // `/org/ORGANISATION`.
        "oidc.circleci.com" => 2,
        // `/v1/projects/PROJECT/locations/…/clusters/…`.
        "container.googleapis.com" => 3,
        // `/ENTERPRISE`; `/TENANT`.
        "token.actions.githubusercontent.com" | "login.microsoftonline.com" | "sts.windows.net" => 1,
        // `/id/CLUSTER`.
        _ if host.starts_with("oidc.eks.") && is_below("amazonaws.com") => 2,
        // `/TENANT/CLUSTER/`.
        _ if is_below("prod-aks.azure.com") => 1,
        _ => 0,
    }
}

/// Whether a host and so many segments after it stand there, each up to the `/` that ends it.
fn names_owner(rest: &str, depth: usize) -> bool {
    let mut parts: Vec<&str> = rest.split('/').collect();
    // The last one has no `/` after it: it could go on.
    parts.pop();
    let is_plain = |part: &&&str| !part.is_empty() && !matches!(**part, "." | "..");
    let mut named = parts.iter().take_while(is_plain);
    named.next().is_some_and(|host| is_host(host)) && named.count() >= depth
}

/// After how many segments of the path the owner stands.
fn owner_depth(scheme: &str, rest: &str) -> usize {
    match (scheme, rest.split('/').next().unwrap_or_default()) {
        // The host is the trust domain (SPIFFE ID, section 2.1).
        ("spiffe", _) => 0,
        // `/namespaces/NAMESPACE`.
        (_, "kubernetes.io") => 2,
        // `/api/v2/projects/ID`.
        (_, "circleci.com") => 4,
        _ => 1,
    }
}

fn is_scheme(scheme: &str) -> bool {
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_host(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'))
}

/// The domain after the last `@` of an email address, or the last `!` of a user name.
fn domain(suffix: &str) -> Option<&str> {
    let (_, domain) = suffix.rsplit_once(['@', '!'])?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    (!domain.starts_with('.') && !domain.is_empty() && domain.bytes().all(is_plain))
        .then(|| domain.trim_end_matches('.'))
}

const HOST: &str = "it needs scheme and host of the issuer without a wildcard, up to the next `/`; in a regular expression `\\.` is a dot";
const ORGANISATION: &str = "the issuers of many organisations are at this host: it needs the path up to the organisation without a wildcard, and the `/` after it";
const OWNER: &str = "it needs, without a wildcard, the host and the owner of a URI with the `/` after them \
(https://github.com/OWNER/), or the domain of an address (*@example.com); in a regular expression `\\.` is a dot";
const PUBLIC: &str = "everybody can have an address at this mail provider: name whole addresses";

/// Well-known mail providers where everybody can have an address. No such list is complete.
const PUBLIC_MAIL: [&str; 37] = [
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "tutanota.com",
    "users.noreply.github.com",
    "web.de",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];
