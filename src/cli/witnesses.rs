//! The timestamp authorities and logs that `sign` and `attest` ask about new signatures.

use std::path::PathBuf;
use std::sync::Arc;

use bulla::envelope::Forms;
use bulla::limits::Limits;
use bulla::ops::timestamp::TimestampAuthority;
use bulla::ops::timestamp::TimestampTrust;
use bulla::ops::timestamp::Timestamping;
use bulla::ops::witness::SignatureLog;
use bulla::ops::witness::WitnessTrust;
use bulla::ops::witness::Witnessing;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::ServiceGroup;
use bulla::trust::sigstore::SigningConfig;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::Purpose;

use super::args::WitnessArgs;
use super::exit::Failure;
use super::files;
use super::line::Foreign;
use super::rekor;
use super::render;
use super::timestamp::authority;
use super::trust;
use super::trusted_root;

/// The authorities and logs that were named, and by which their answers are verified. Nothing was sent to them yet.
pub(super) struct NamedWitnesses {
    anchors: Vec<Anchor>,
    authorities: Vec<Box<dyn TimestampAuthority>>,
    logs: Vec<Box<dyn SignatureLog>>,
    root: Option<Arc<TrustedRoot>>,
    time: VerificationTime,
}

/// The same as references, which the options of an operation hold.
pub(super) struct AskedWitnesses<'a> {
    authorities: Vec<&'a dyn TimestampAuthority>,
    logs: Vec<&'a dyn SignatureLog>,
    named: &'a NamedWitnesses,
}

/// Reads the options, checks that they fit the formats, and prints whom the command will ask. `tls_ca` are more certificate
/// authorities of their servers.
pub(super) fn read(
    args: &WitnessArgs,
    forms: &Forms,
    tls_ca: &[PathBuf],
    now: Time,
    limits: &Limits,
) -> Result<NamedWitnesses, Failure> {
    let urls = Urls::of(args, now, limits)?;
    urls.check(forms, !args.timestamp_roots.is_empty())?;
    let authorities = urls.authorities.iter().map(|url| authority::at(url, tls_ca)).collect::<Result<_, _>>()?;
    let logs = urls.logs.iter().map(|url| rekor::at(url, tls_ca)).collect::<Result<_, _>>()?;
    let named = NamedWitnesses {
        anchors: trust::anchors_of(&[(&args.timestamp_roots, Purpose::TimeStamping)], limits)?.to_vec(),
        authorities,
        logs,
        root: args.trusted_root.as_deref().map(|argument| trusted_root::only(argument, now, limits)).transpose()?,
        time: VerificationTime::now(now),
    };
    for url in &urls.authorities {
        render::note(format_args!("note: asks the timestamp authority {}", Foreign(shown(url))));
    }
    for url in &urls.logs {
        render::note(format_args!(
            "note: asks the log {}: the hash and the signer's name become public in it",
            Foreign(shown(url))
        ));
    }
    Ok(named)
}

/// The addresses that were named, on the command line or in a signing config.
struct Urls {
    authorities: Vec<String>,
    logs: Vec<String>,
}

impl Urls {
    fn of(args: &WitnessArgs, now: Time, limits: &Limits) -> Result<Self, Failure> {
        let mut urls = Self { authorities: args.timestamp_url.clone(), logs: args.log_url.clone() };
        if let Some(path) = &args.signing_config {
            let of_file = |error: String| Failure::unknown(format!("{}: {error}", path.display()));
            let bytes = files::read(path, limits.transparency.trusted_root_bytes)?;
            let config = SigningConfig::parse(&bytes, limits).map_err(|error| of_file(error.to_string()))?;
            let selected = |group: &ServiceGroup, what: &str, version: u32| {
                let services = group.select(&[version], now).map_err(|error| of_file(format!("{what}: {error}")))?;
                Ok::<Vec<String>, Failure>(services.iter().map(|service| service.url().to_owned()).collect())
            };
            let authorities = selected(config.timestamp_authorities(), "timestamp authorities", TSA_VERSION)?;
            let logs = selected(config.transparency_logs(), "logs (Rekor v2)", REKOR_V2)?;
            match (authorities.as_slice(), logs.as_slice()) {
                ([], []) => return Err(of_file("it selects no timestamp authority and no log".to_owned())),
                ([], _) => render::note(format_args!("note: {}: no timestamp authority is asked", path.display())),
                (_, []) => render::note(format_args!("note: {}: no log is asked", path.display())),
                _ => {}
            }
            urls.authorities.extend(authorities);
            urls.logs.extend(logs);
        }
        Ok(urls)
    }

    /// Checks that each is named once, and that they fit the formats.
    fn check(&self, forms: &Forms, has_roots: bool) -> Result<(), Failure> {
        for (what, urls) in [("a timestamp authority", &self.authorities), ("a log", &self.logs)] {
            let mut seen: Vec<&str> = Vec::new();
            for url in urls {
                if seen.contains(&url.trim_end_matches('/')) {
                    return Err(Failure::unknown(format!("{what} at the same address is given twice")));
                }
                seen.push(url.trim_end_matches('/'));
            }
        }
        if !self.logs.is_empty() && !forms.take_log_entries() {
            let failure = Failure::unknown("--log-url: only a bundle has a place for the entry of a Rekor v2 log");
            return Err(failure.hint("--format bundle"));
        }
        if !self.logs.is_empty() && self.authorities.is_empty() {
            let failure = Failure::unknown("--log-url: an entry of a Rekor v2 log needs a timestamp beside it");
            return Err(failure.hint("--timestamp-url URL"));
        }
        if self.authorities.len() > 1 && !forms.take_log_entries() {
            let failure = Failure::unknown("--timestamp-url: only a bundle has a place for several timestamps");
            return Err(failure.hint("--format bundle, or one --timestamp-url"));
        }
        if forms.has_certificate() && !self.authorities.is_empty() && !has_roots {
            let needed = "--timestamp-url: for the notary formats the authority's certificates are needed";
            return Err(Failure::unknown(needed).hint("--timestamp-roots FILE"));
        }
        Ok(())
    }
}

/// The address without its query, which may grant access. One with a user name is refused.
fn shown(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

impl NamedWitnesses {
    /// The same as references.
    pub(super) fn asked(&self) -> AskedWitnesses<'_> {
        AskedWitnesses {
            authorities: self.authorities.iter().map(AsRef::as_ref).collect(),
            logs: self.logs.iter().map(AsRef::as_ref).collect(),
            named: self,
        }
    }
}

impl AskedWitnesses<'_> {
    /// Who is asked about signatures in the formats of Sigstore.
    pub(super) fn witnessing(&self) -> Option<Witnessing<'_>> {
        let NamedWitnesses { anchors, root, time, .. } = self.named;
        let trust = WitnessTrust { anchors, root: root.as_deref(), time: *time };
        let is_any = !self.authorities.is_empty() || !self.logs.is_empty();
        is_any.then_some(Witnessing { authorities: &self.authorities, logs: &self.logs, trust })
    }

    /// Who is asked about signatures in the formats of the Notary Project.
    pub(super) fn timestamping(&self) -> Option<Timestamping<'_>> {
        let NamedWitnesses { anchors, time, .. } = self.named;
        let authority = *self.authorities.first()?;
        Some(Timestamping { authority, trust: TimestampTrust { anchors, time: *time } })
    }
}

/// The version of the API of timestamp authorities in signing configs.
const TSA_VERSION: u32 = 1;

/// The version of the API of Rekor v2 in signing configs.
const REKOR_V2: u32 = 2;
