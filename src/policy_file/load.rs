//! `LoadedPolicy`: a policy file with its meaning: names looked up, files read, patterns and quorums checked.

mod checks;
mod values;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy::PolicyId;
use crate::policy_file::LoadOptions;
use crate::policy_file::LoadedFile;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyFiles;
use crate::policy_file::blocks;
use crate::policy_file::blocks::LoadedBlock;
use crate::policy_file::describe;
use crate::policy_file::document::BlockedDigest;
use crate::policy_file::document::Date;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::identities::Fault;
use crate::policy_file::identities::IdentityResolver;
use crate::policy_file::last_compiled::LastCompiled;
use crate::policy_file::reader::FileReader;
use crate::trust::Owner;
use crate::trust::TrustRoot;

/// A policy file with its meaning. It is made only from bytes and files that the operator gave, and refuses everything that
/// cannot be meant: [`LoadProblem`](crate::policy_file::LoadProblem).
#[derive(Clone, Debug)]
pub struct LoadedPolicy {
    pub(super) blocks: Vec<LoadedBlock>,
    canonical: String,
    document: PolicyDocument,
    files: Vec<LoadedFile>,
    id: PolicyId,
    last: LastCompiled,
    signed_by: Vec<Owner>,
    trust: Option<TrustRoot>,
}

impl LoadedPolicy {
    /// Reads a policy file and the files that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file, at most 50: could-not-tell about every image.
    pub fn load(
        bytes: &[u8],
        files: &dyn PolicyFiles,
        options: LoadOptions<'_>,
    ) -> Result<Self, NonEmpty<PolicyFileError>> {
        let document = PolicyDocument::parse(bytes, options.limits)?;
        let mut resolver = IdentityResolver::new(FileReader::new(files), options.pins, options.limits);
        let mut owners = Vec::new();
        let mut identities = Vec::new();
        for one in &document.identities {
            if let Some(resolved) = resolver.resolve(one) {
                identities.extend(resolved.identities);
                owners.push((one, resolved.canonical));
            }
        }
        let mut faults = std::mem::take(&mut resolver.faults);
        let mut say = |found: Vec<Fault>| faults.extend(found.into_iter().map(PolicyFileError::from));
        say(checks::expiry(&document, options));
        say(checks::names(&document));
        say(values::values(&document));
        let (blocks, found) = blocks::resolve(&document);
        say(found);
        // The one error is that there are none: such a policy requires nothing of anybody.
        let trust = TrustRoot::new(identities).into_iter().next();
        // Without every identity a quorum would be called unreachable that is not.
        if let (Some(trust), true) = (&trust, owners.len() == document.identities.len()) {
            say(checks::quorums(&document, trust));
        }
        faults.sort_by_key(|fault| (fault.position.line, fault.position.column));
        faults.truncate(MOST_FAULTS);
        if let Some(faults) = NonEmpty::collect(faults) {
            return Err(faults);
        }
        let canonical = describe::policy(&document, &owners, &blocks);
        let id = PolicyId::of_file(canonical.digest());
        let canonical = canonical.write();
        let (files, last) = (resolver.reader.named(), LastCompiled::default());
        Ok(Self { blocks, canonical, document, files, id, last, signed_by: Vec::new(), trust })
    }

    /// The digest that is refused everywhere, if `digest` is one. It comes before everything else, for the image that was
    /// asked for as for each manifest below it, and nothing waives it.
    pub fn blocked(&self, digest: &Digest) -> Option<&BlockedDigest> {
        self.document.blocked.iter().find(|blocked| blocked.digest.value == *digest)
    }

    /// The text whose SHA-256 digest is the id of the policy: canonical JSON (RFC 8785).
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The policy as it is written.
    pub const fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// The last day of the policy.
    pub fn expires(&self) -> Option<Date> {
        self.document.expires.as_ref().map(|expires| expires.value)
    }

    /// The files that the policy names, each with its digest, by their paths.
    pub fn files(&self) -> &[LoadedFile] {
        &self.files
    }

    pub(super) const fn last_compiled(&self) -> &LastCompiled {
        &self.last
    }

    /// The id of the policy: equal for policies that mean the same.
    pub const fn id(&self) -> PolicyId {
        self.id
    }

    /// The owners whose signature of the policy file was verified, each once; empty if it is trusted as a file of the
    /// operator.
    pub fn signed_by(&self) -> &[Owner] {
        &self.signed_by
    }

    /// The same, signed by these owners: only for what verified their signatures of the file.
    pub(crate) fn with_verified_signers(self, signed_by: Vec<Owner>) -> Self {
        Self { signed_by, ..self }
    }

    /// The owners, and the means by which they are known; `None` if the policy has none.
    pub const fn trust(&self) -> Option<&TrustRoot> {
        self.trust.as_ref()
    }
}

impl From<Fault> for PolicyFileError {
    fn from((position, problem): Fault) -> Self {
        Self { position, problem: problem.into() }
    }
}

/// The most faults that are reported.
const MOST_FAULTS: usize = 50;
