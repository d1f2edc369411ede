//! `TrustedRoot`: a trusted root of Sigstore, `trusted_root.json`.

use crate::json;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::transparency::CertificateLog;
use crate::transparency::TransparencyLog;
use crate::trust::sigstore::RootPart;
use crate::trust::sigstore::RootPlace;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRootError;
use crate::trust::sigstore::UnsupportedLog;
use crate::trust::sigstore::read::Log;
use crate::trust::sigstore::wire::AuthorityWire;
use crate::trust::sigstore::wire::LogWire;
use crate::trust::sigstore::wire::RootWire;
use crate::x509::VerifiedChain;

/// A trusted root of Sigstore (`sigstore_trustroot.proto`): the authorities and logs that an operator trusts, each with its
/// validity period, in which both ends are included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRoot {
    certificate_authorities: Vec<SigstoreAuthority>,
    certificate_logs: Vec<CertificateLog>,
    timestamp_authorities: Vec<SigstoreAuthority>,
    transparency_logs: Vec<TransparencyLog>,
    unsupported_logs: Vec<UnsupportedLog>,
}

impl TrustedRoot {
    /// Parses a trusted root, in any spelling of its media type.
    ///
    /// It is strict: duplicate and unknown fields, a validity period without a start, a log id that is not the one of the
    /// key, and a key of another algorithm than the one that is stated are refused.
    ///
    /// # Errors
    /// [`TrustedRootError`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, TrustedRootError> {
        bounded("bytes of a trusted root", limits::count(bytes.len()), limits.transparency.trusted_root_bytes)?;
        let wire: RootWire<'_> = json::parse(bytes, limits).map_err(|error| TrustedRootError::Json { error })?;
        if !MEDIA_TYPES.contains(&&*wire.media_type) {
            return Err(TrustedRootError::MediaType { found: Untrusted::new(&wire.media_type) });
        }
        let mut root = Self {
            certificate_authorities: authorities(
                wire.certificate_authorities,
                RootPart::CertificateAuthorities,
                limits,
            )?,
            certificate_logs: Vec::new(),
            timestamp_authorities: authorities(wire.timestamp_authorities, RootPart::TimestampAuthorities, limits)?,
            transparency_logs: Vec::new(),
            unsupported_logs: Vec::new(),
        };
        root.add_logs(wire.tlogs, RootPart::TransparencyLogs, limits)?;
        root.add_logs(wire.ctlogs, RootPart::CertificateLogs, limits)?;
        Ok(root)
    }

    /// Parses trusted roots, one on each line, as GitHub publishes them; empty lines are skipped.
    ///
    /// # Errors
    /// [`TrustedRootError`] of the first line that is not a trusted root.
    pub fn parse_lines(bytes: &[u8], limits: &Limits) -> Result<Vec<Self>, TrustedRootError> {
        let most = &limits.transparency;
        bounded("bytes of trusted roots", limits::count(bytes.len()), most.trusted_root_bytes)?;
        let lines = || bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        bounded("trusted roots in one file", limits::count(lines().count()), most.trusted_root_entries)?;
        lines().map(|line| Self::parse(line, limits)).collect()
    }

    /// The certificate authorities, for signers.
    pub fn certificate_authorities(&self) -> &[SigstoreAuthority] {
        &self.certificate_authorities
    }

    /// The certificate logs, for certificate timestamps.
    pub fn certificate_logs(&self) -> &[CertificateLog] {
        &self.certificate_logs
    }

    /// The timestamp authorities.
    pub fn timestamp_authorities(&self) -> &[SigstoreAuthority] {
        &self.timestamp_authorities
    }

    /// Whether `authority`, which is one of this root, made the timestamp with this chain. Where an authority lists the
    /// certificate of the signer, those that list it decide, not others under the same anchor: anybody can add certificates
    /// to a timestamp.
    pub(crate) fn is_timestamp_by(&self, authority: &SigstoreAuthority, chain: &VerifiedChain) -> bool {
        let is_listed = self.timestamp_authorities.iter().any(|one| one.lists(chain.signer()));
        authority.is_authority_of(chain.path()) && (authority.lists(chain.signer()) || !is_listed)
    }

    /// The transparency logs, for signatures.
    pub fn transparency_logs(&self) -> &[TransparencyLog] {
        &self.transparency_logs
    }

    /// The logs whose keys are not supported.
    pub fn unsupported_logs(&self) -> &[UnsupportedLog] {
        &self.unsupported_logs
    }

    fn add_logs(
        &mut self,
        logs: Option<Vec<LogWire<'_>>>,
        part: RootPart,
        limits: &Limits,
    ) -> Result<(), TrustedRootError> {
        let logs = logs.unwrap_or_default();
        bounded("logs of one kind", limits::count(logs.len()), limits.transparency.trusted_root_entries)?;
        for (index, wire) in logs.into_iter().enumerate() {
            match Log::read(&wire, RootPlace { index, part })? {
                Log::Certificate(log) => self.certificate_logs.push(log),
                Log::Transparency(log) => self.transparency_logs.push(log),
                Log::Unsupported(log) => self.unsupported_logs.push(log),
            }
        }
        Ok(())
    }
}

fn authorities(
    wires: Option<Vec<AuthorityWire<'_>>>,
    part: RootPart,
    limits: &Limits,
) -> Result<Vec<SigstoreAuthority>, TrustedRootError> {
    let wires = wires.unwrap_or_default();
    bounded("authorities of one kind", limits::count(wires.len()), limits.transparency.trusted_root_entries)?;
    let read = |(index, wire)| SigstoreAuthority::read(wire, RootPlace { index, part }, limits);
    wires.into_iter().enumerate().map(read).collect()
}

pub(super) fn bounded(what: &'static str, got: u64, limit: u64) -> Result<(), TrustedRootError> {
    match got > limit {
        true => Err(TrustedRootError::Limit { what, got, limit }),
        false => Ok(()),
    }
}

/// The spellings of the media type: those of the first version, and those of the second, which says the same.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];
