//! `SigningConfig`: which services a signer uses; `ClientTrustConfig`: that, and a trusted root.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::json::JsonError;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::trust::sigstore::ServiceGroup;
use crate::trust::sigstore::ServiceSelector;
use crate::trust::sigstore::SigstoreService;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootError;
use crate::trust::sigstore::read::PeriodFault;
use crate::trust::sigstore::read::validity_period;
use crate::trust::sigstore::wire::PeriodWire;

/// A signing config of Sigstore, version 0.2 (`sigstore_trustroot.proto`, `SigningConfig`): the addresses of the services
/// that a signer uses. It decides nothing about what a verifier trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningConfig {
    certificate_authorities: Vec<SigstoreService>,
    identity_providers: Vec<SigstoreService>,
    timestamp_authorities: ServiceGroup,
    transparency_logs: ServiceGroup,
}

/// A trusted root and a signing config in one document (`sigstore_trustroot.proto`, `ClientTrustConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTrustConfig {
    /// Which services a signer uses.
    pub signing_config: SigningConfig,
    /// Whom and what a verifier trusts.
    pub trusted_root: TrustedRoot,
}

/// A kind of service in a signing config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceKind {
    /// `caUrls`.
    CertificateAuthority,
    /// `oidcUrls`.
    IdentityProvider,
    /// `tsaUrls`.
    TimestampAuthority,
    /// `rekorTlogUrls`.
    TransparencyLog,
}

/// Why bytes are not a signing config, or not a client trust config.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningConfigError {
    /// `EXACT` without a number of at least 1, or a number with another selector.
    #[error("{kind}: the selector and its count do not fit")]
    Count {
        /// Of which services.
        kind: ServiceKind,
    },
    /// It is not the JSON of such a document. Unknown fields are refused: one could restrict what is used.
    #[error("not the JSON of a signing config: {error}")]
    Json {
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// There is more than allowed.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A media type that is not the one of these documents.
    #[error("unknown media type {found:?}, wanted {wanted}")]
    MediaType {
        /// The media type.
        found: Untrusted,
        /// The one that is read.
        wanted: &'static str,
    },
    /// A field of a service is missing or empty.
    #[error("{kind} {index}: `{field}` is missing")]
    Missing {
        /// Which services.
        kind: ServiceKind,
        /// Its index, from 0.
        index: usize,
        /// The field.
        field: &'static str,
    },
    /// A validity period that cannot be read, or ends before it starts.
    #[error("{kind} {index}: the validity period is not valid")]
    Period {
        /// Which services.
        kind: ServiceKind,
        /// Its index, from 0.
        index: usize,
    },
    /// There are services, and no selector that is known says how many are used.
    #[error("{kind}: no selector `ALL`, `ANY` or `EXACT`")]
    Selector {
        /// Of which services.
        kind: ServiceKind,
    },
    /// The trusted root of a client trust config cannot be read.
    #[error("the trusted root: {error}")]
    TrustedRoot {
        /// Why.
        error: Box<TrustedRootError>,
    },
    /// An address that is not `http` or `https` with a host, or has credentials.
    #[error("{kind} {index}: {url:?} is not an address")]
    Url {
        /// Which services.
        kind: ServiceKind,
        /// Its index, from 0.
        index: usize,
        /// The address.
        url: Untrusted,
    },
}

impl SigningConfig {
    /// Parses a signing config, version 0.2. It is strict: duplicate and unknown fields, addresses that are none of the
    /// web, and services without a selector or a start of their validity period are refused.
    ///
    /// # Errors
    /// [`SigningConfigError`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, SigningConfigError> {
        bounded("bytes of a signing config", limits::count(bytes.len()), limits.transparency.trusted_root_bytes)?;
        let wire: ConfigWire<'_> = json::parse(bytes, limits).map_err(|error| SigningConfigError::Json { error })?;
        expect_media_type(&wire.media_type, SIGNING_CONFIG)?;
        let services = |wires, kind| services(wires, kind, limits);
        let logs = services(wire.rekor_tlog_urls, ServiceKind::TransparencyLog)?;
        let authorities = services(wire.tsa_urls, ServiceKind::TimestampAuthority)?;
        Ok(Self {
            certificate_authorities: services(wire.ca_urls, ServiceKind::CertificateAuthority)?,
            identity_providers: services(wire.oidc_urls, ServiceKind::IdentityProvider)?,
            timestamp_authorities: group(authorities, wire.tsa_config.as_ref(), ServiceKind::TimestampAuthority)?,
            transparency_logs: group(logs, wire.rekor_tlog_config.as_ref(), ServiceKind::TransparencyLog)?,
        })
    }

    /// The certificate authorities.
    pub fn certificate_authorities(&self) -> &[SigstoreService] {
        &self.certificate_authorities
    }

    /// The identity providers (OpenID Connect).
    pub fn identity_providers(&self) -> &[SigstoreService] {
        &self.identity_providers
    }

    /// The timestamp authorities (RFC 3161).
    pub const fn timestamp_authorities(&self) -> &ServiceGroup {
        &self.timestamp_authorities
    }

    /// The transparency logs (Rekor).
    pub const fn transparency_logs(&self) -> &ServiceGroup {
        &self.transparency_logs
    }
}

impl ClientTrustConfig {
    /// Parses a client trust config, each part as strictly as by itself.
    ///
    /// # Errors
    /// [`SigningConfigError`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, SigningConfigError> {
        bounded("bytes of a client trust config", limits::count(bytes.len()), limits.transparency.trusted_root_bytes)?;
        let wire: ClientWire<'_> = json::parse(bytes, limits).map_err(|error| SigningConfigError::Json { error })?;
        expect_media_type(&wire.media_type, CLIENT_TRUST_CONFIG)?;
        let root = TrustedRoot::parse(wire.trusted_root.get().as_bytes(), limits);
        Ok(Self {
            signing_config: SigningConfig::parse(wire.signing_config.get().as_bytes(), limits)?,
            trusted_root: root.map_err(|error| SigningConfigError::TrustedRoot { error: Box::new(error) })?,
        })
    }
}

impl SigningConfigError {
    /// Whether the document exceeds a limit; it may still be valid.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Json { error } => error.is_limit(),
            Self::Limit { .. } => true,
            Self::TrustedRoot { error } => error.is_limit(),
            _ => false,
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertificateAuthority => "caUrls",
            Self::IdentityProvider => "oidcUrls",
            Self::TimestampAuthority => "tsaUrls",
            Self::TransparencyLog => "rekorTlogUrls",
        })
    }
}

fn services(
    wires: Option<Vec<ServiceWire<'_>>>,
    kind: ServiceKind,
    limits: &Limits,
) -> Result<Vec<SigstoreService>, SigningConfigError> {
    let wires = wires.unwrap_or_default();
    let limit = limits.transparency.trusted_root_entries;
    bounded("services of one kind", limits::count(wires.len()), limit)?;
    let mut services = Vec::new();
    for (index, wire) in wires.into_iter().enumerate() {
        let missing = |field| SigningConfigError::Missing { kind, index, field };
        let validity = validity_period(wire.valid_for.as_ref()).map_err(|fault| match fault {
            PeriodFault::Invalid => SigningConfigError::Period { kind, index },
            PeriodFault::Missing => missing("validFor.start"),
        })?;
        let url = wire.url.filter(|url| !url.is_empty()).ok_or(missing("url"))?;
        if !is_web_address(&url) {
            return Err(SigningConfigError::Url { kind, index, url: Untrusted::new(&url) });
        }
        services.push(SigstoreService {
            major_api_version: wire.major_api_version.ok_or(missing("majorApiVersion"))?.get(),
            operator: wire.operator.unwrap_or_default().into_owned(),
            url: url.into_owned(),
            validity,
        });
    }
    Ok(services)
}

/// The services of one kind with their selector. Without services the selector has no meaning.
fn group(
    services: Vec<SigstoreService>,
    wire: Option<&SelectorWire<'_>>,
    kind: ServiceKind,
) -> Result<ServiceGroup, SigningConfigError> {
    if services.is_empty() {
        return Ok(ServiceGroup { selector: None, services });
    }
    let count = wire.and_then(|wire| wire.count).unwrap_or_default();
    let selector = match (wire.and_then(|wire| wire.selector.as_deref()), NonZeroU32::new(count)) {
        (Some("ALL"), None) => ServiceSelector::All,
        (Some("ANY"), None) => ServiceSelector::Any,
        (Some("EXACT"), Some(count)) => ServiceSelector::Exact(count),
        (Some("ALL" | "ANY" | "EXACT"), _) => return Err(SigningConfigError::Count { kind }),
        _ => return Err(SigningConfigError::Selector { kind }),
    };
    Ok(ServiceGroup { selector: Some(selector), services })
}

/// Whether a text is an address of the web: `http` or `https`, a host, no credentials, and visible ASCII alone.
fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !authority.is_empty()
        && !authority.starts_with(':')
        && !authority.contains('@')
        && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn bounded(what: &'static str, got: u64, limit: u64) -> Result<(), SigningConfigError> {
    match got > limit {
        true => Err(SigningConfigError::Limit { what, got, limit }),
        false => Ok(()),
    }
}

fn expect_media_type(found: &str, wanted: &'static str) -> Result<(), SigningConfigError> {
    match found == wanted {
        true => Ok(()),
        false => Err(SigningConfigError::MediaType { found: Untrusted::new(found), wanted }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigWire<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow, default)]
    ca_urls: Option<Vec<ServiceWire<'a>>>,
    #[serde(borrow, default)]
    oidc_urls: Option<Vec<ServiceWire<'a>>>,
    #[serde(borrow, default)]
    rekor_tlog_urls: Option<Vec<ServiceWire<'a>>>,
    #[serde(borrow, default)]
    rekor_tlog_config: Option<SelectorWire<'a>>,
    #[serde(borrow, default)]
    tsa_urls: Option<Vec<ServiceWire<'a>>>,
    #[serde(borrow, default)]
    tsa_config: Option<SelectorWire<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ServiceWire<'a> {
    #[serde(borrow, default)]
    url: Option<Cow<'a, str>>,
    #[serde(default)]
    major_api_version: Option<NonZeroU32>,
    #[serde(borrow, default)]
    valid_for: Option<PeriodWire<'a>>,
    #[serde(borrow, default)]
    operator: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SelectorWire<'a> {
    #[serde(borrow, default)]
    selector: Option<Cow<'a, str>>,
    #[serde(default)]
    count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientWire<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow)]
    trusted_root: &'a RawValue,
    #[serde(borrow)]
    signing_config: &'a RawValue,
}

const CLIENT_TRUST_CONFIG: &str = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";
const SIGNING_CONFIG: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
