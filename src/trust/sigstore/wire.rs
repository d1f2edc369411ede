//! The JSON form of trusted roots: `sigstore_trustroot.proto`. Unknown fields are refused.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RootWire<'a> {
    #[serde(borrow)]
    pub(super) media_type: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) tlogs: Option<Vec<LogWire<'a>>>,
    #[serde(borrow, default)]
    pub(super) certificate_authorities: Option<Vec<AuthorityWire<'a>>>,
    #[serde(borrow, default)]
    pub(super) ctlogs: Option<Vec<LogWire<'a>>>,
    #[serde(borrow, default)]
    pub(super) timestamp_authorities: Option<Vec<AuthorityWire<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LogWire<'a> {
    #[serde(borrow, default)]
    pub(super) base_url: Option<Cow<'a, str>>,
    /// The beginning of the log id in checkpoints of Rekor v2, which follows from name and key.
    #[serde(default, rename = "checkpointKeyId")]
    pub(super) _checkpoint_key_id: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) hash_algorithm: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) log_id: Option<RootLogIdWire<'a>>,
    #[serde(default, rename = "operator")]
    pub(super) _operator: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) public_key: Option<KeyWire<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RootLogIdWire<'a> {
    #[serde(borrow)]
    pub(super) key_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyWire<'a> {
    #[serde(borrow, default)]
    pub(super) key_details: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) raw_bytes: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) valid_for: Option<PeriodWire<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AuthorityWire<'a> {
    #[serde(borrow, default)]
    pub(super) cert_chain: Option<ChainWire<'a>>,
    #[serde(default, rename = "operator")]
    pub(super) _operator: Option<IgnoredAny>,
    /// A name for people; the certificates say who it is.
    #[serde(default, rename = "subject")]
    pub(super) _subject: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) uri: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) valid_for: Option<PeriodWire<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChainWire<'a> {
    #[serde(borrow, default)]
    pub(super) certificates: Option<Vec<CertificateWire<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CertificateWire<'a> {
    #[serde(borrow)]
    pub(super) raw_bytes: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PeriodWire<'a> {
    #[serde(borrow, default)]
    pub(super) start: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) end: Option<Cow<'a, str>>,
}
