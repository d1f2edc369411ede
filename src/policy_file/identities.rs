//! From the identities of a policy file to those of a trust root: files are read, keys and names resolved.

mod certificate;
mod keyless;
mod own_authority;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::Digest;
use crate::key::Container;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::policy_file::LoadProblem;
use crate::policy_file::Pins;
use crate::policy_file::PolicyFileError;
use crate::policy_file::canonical::Canonical;
use crate::policy_file::document::IdentityDocument;
use crate::policy_file::document::KeyDocument;
use crate::policy_file::document::KeysDocument;
use crate::policy_file::document::LogRuleDocument;
use crate::policy_file::document::MeansDocument;
use crate::policy_file::document::NamedFile;
use crate::policy_file::document::NamedFileSource;
use crate::policy_file::reader::FileReader;
use crate::policy_file::reader::shown;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::Identity;
use crate::trust::LogRule;
use crate::trust::LoggedKeys;
use crate::trust::Means;
use crate::trust::Owner;
use crate::trust::SigningTimeRule;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootFile;
use crate::x509::IdentityPattern;
use crate::yaml::Position;

/// Makes the identities of a trust root, and gathers what is wrong with them.
pub(super) struct IdentityResolver<'a> {
    covered: Vec<KnownNames>,
    pub(super) faults: Vec<PolicyFileError>,
    held: BTreeMap<KeyId, String>,
    limits: &'a Limits,
    pins: Pins,
    pub(super) reader: FileReader<'a>,
}

/// An identity of certificates that came before: its owner, the digests of its roots, and its names.
struct KnownNames {
    names: IdentityPattern,
    owner: String,
    roots: BTreeSet<Digest>,
}

/// An owner: the identities of the trust root, and how the canonical policy describes them.
pub(super) struct ResolvedOwner {
    pub(super) canonical: Canonical,
    pub(super) identities: Vec<Identity>,
}

/// A problem, where it stands.
pub(super) type Fault = (Position, LoadProblem);

impl<'a> IdentityResolver<'a> {
    pub(super) const fn new(reader: FileReader<'a>, pins: Pins, limits: &'a Limits) -> Self {
        Self { covered: Vec::new(), faults: Vec::new(), held: BTreeMap::new(), limits, pins, reader }
    }

    /// The identities of one owner; `None` if something is wrong with them, which is then among the faults.
    pub(super) fn resolve(&mut self, document: &IdentityDocument) -> Option<ResolvedOwner> {
        let resolved = match &document.means {
            MeansDocument::Certificate(certificate) => self.certificate(&document.name.value, certificate),
            MeansDocument::Keyless(keyless) => self.keyless(&document.name.value, keyless),
            MeansDocument::Keys(keys) => self.keys(&document.name.value, document.name.position, keys),
        };
        match resolved {
            Ok(resolved) => Some(resolved),
            Err((position, problem)) => {
                self.faults.push(PolicyFileError { position, problem: problem.into() });
                None
            }
        }
    }

    fn keys(&mut self, owner: &str, position: Position, document: &KeysDocument) -> Result<ResolvedOwner, Fault> {
        let mut keys = Vec::new();
        let mut ends: Vec<(KeyId, Time)> = Vec::new();
        let mut described = Vec::new();
        for one in &document.keys {
            let key = self.key(owner, one)?;
            let until = one.until.as_ref().map(|until| until.value);
            // The last second of the last day.
            let last = until.and_then(|until| Time::from_unix(until.end().unix().saturating_sub(1)));
            ends.extend(last.map(|last| (key.id(), last)));
            let until = until.map(Canonical::text);
            described.push(Canonical::map([("id", Some(Canonical::text(key.id()))), ("until", until)]));
            keys.push(key);
        }
        let keys = NonEmpty::collect(keys).ok_or((position, LoadProblem::NoNames))?;
        let (means, logs) = match &document.logs {
            None => (vec![Means::Keys(keys)], None),
            Some(logs) => {
                let (rule, roots, described) = self.logs(logs)?;
                let logged = |root: &Arc<TrustedRoot>| LoggedKeys::new(keys.clone(), Arc::clone(root), rule);
                (roots.iter().map(|root| Means::LoggedKeys(logged(root))).collect(), Some(described))
            }
        };
        let identity = |means| {
            let identity = Identity::new(Owner::Named(owner.to_owned()), means);
            ends.iter().fold(identity, |identity, (key, end)| identity.with_key_end(*key, *end))
        };
        let canonical = Canonical::map([("keys", Some(Canonical::Set(described))), ("logs", logs)]);
        Ok(ResolvedOwner { canonical, identities: means.into_iter().map(identity).collect() })
    }

    fn key(&mut self, owner: &str, document: &KeyDocument) -> Result<PublicKey, Fault> {
        let file = &document.file;
        let path = shown(file);
        let fault = |problem| (file.position, problem);
        if self.pins == Pins::Required && document.key_id.is_none() {
            pinned(file, true)?;
        }
        let bytes = self.reader.bytes(file, self.limits.key.file_bytes).map_err(fault)?;
        let (key, container) = PublicKey::read(&bytes, self.limits).map_err(|error| {
            fault(LoadProblem::Key { error: Untrusted::new(&error.to_string()), path: path.clone() })
        })?;
        if container == Container::Certificate {
            return Err(fault(LoadProblem::KeyInCertificate(path)));
        }
        if let Some(wanted) = &document.key_id
            && wanted.value.as_bytes() != key.id().as_bytes()
        {
            return Err((wanted.position, LoadProblem::KeyId { found: key.id(), path }));
        }
        match self.held.insert(key.id(), owner.to_owned()) {
            Some(other) => Err(fault(LoadProblem::KeyTwice { key: key.id(), owner: Untrusted::new(&other), path })),
            None => Ok(key),
        }
    }

    /// The rule about logs, the trusted roots, and how the canonical policy describes both.
    fn logs(&mut self, document: &LogRuleDocument) -> Result<(LogRule, Vec<Arc<TrustedRoot>>, Canonical), Fault> {
        let rule = LogRule::NONE
            .with_certificate_logs(document.certificate_logs)
            .with_signing_time(document.signing_time)
            .with_timestamps(document.timestamps)
            .with_transparency_logs(document.transparency_logs);
        let file = &document.trusted_root;
        self.require_pin(file)?;
        let fault = |problem| (file.position, problem);
        let bytes = self.reader.bytes(file, self.limits.transparency.trusted_root_bytes).map_err(fault)?;
        let read = TrustedRootFile::parse(&bytes, self.limits).map_err(|error| {
            fault(LoadProblem::TrustedRoot { error: Untrusted::new(&error.to_string()), path: shown(file) })
        })?;
        let number = |number: u32| Some(Canonical::Number(u64::from(number)));
        let described = Canonical::map([
            ("certificate-logs", number(document.certificate_logs)),
            ("signing-time", Some(Canonical::text(signing_time(document.signing_time)))),
            ("timestamps", number(document.timestamps)),
            ("transparency-logs", number(document.transparency_logs)),
            ("trusted-root", Some(Canonical::text(read.digest()))),
        ]);
        Ok((rule, read.roots().to_vec(), described))
    }

    /// Refuses an identity whose certificates all belong to an earlier one, and remembers it.
    fn remember(
        &mut self,
        position: Position,
        owner: &str,
        names: &IdentityPattern,
        roots: BTreeSet<Digest>,
    ) -> Result<(), Fault> {
        let covers = |known: &&KnownNames| known.roots.is_superset(&roots) && known.names.covers(names);
        if let Some(known) = self.covered.iter().find(covers) {
            return Err((position, LoadProblem::IdentityCovered(Untrusted::new(&known.owner))));
        }
        self.covered.push(KnownNames { names: names.clone(), owner: owner.to_owned(), roots });
        Ok(())
    }

    fn require_pin(&self, file: &NamedFile) -> Result<(), Fault> {
        match self.pins {
            Pins::Optional => Ok(()),
            Pins::Required => pinned(file, false),
        }
    }
}

/// Whether a file has its digest beside it, or its text stands in the policy.
fn pinned(file: &NamedFile, key: bool) -> Result<(), Fault> {
    match (&file.source, &file.sha256) {
        (NamedFileSource::Path(_), None) => Err((file.position, LoadProblem::PinMissing { key })),
        (NamedFileSource::Path(_), Some(_)) | (NamedFileSource::Pem(_), _) => Ok(()),
    }
}

const fn signing_time(rule: SigningTimeRule) -> &'static str {
    match rule {
        SigningTimeRule::PresentIfMissing => "present-if-missing",
        SigningTimeRule::Verified => "verified",
    }
}
