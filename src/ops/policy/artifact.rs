//! A policy file as an OCI artifact: a manifest with the policy and each file that it names as a layer, by its title.
//!
//! The invariant: everything that is loaded has the digest that the manifest gives it, so a signature of the manifest
//! covers the policy and its files. A title is a path below the policy, each once; nothing is written to a disk.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::naming;
use crate::ops::naming::NameConflict;
use crate::ops::pinned;
use crate::ops::verify;
use crate::ops::verify::NotVerified;
use crate::ops::verify::Verdict;
use crate::ops::verify_options::Platforms;
use crate::ops::verify_options::VerifyOptions;
use crate::ordered;
use crate::policy_file;
use crate::policy_file::LoadOptions;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyFiles;
use crate::policy_file::PolicyFilesError;
use crate::store::Sink;
use crate::store::Source;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::Owner;

/// A policy file and the files that it names, as an artifact in a registry, layout or archive holds them.
///
/// ```compile_fail,E0451
/// use bulla::ops::policy::PolicyArtifact;
///
/// fn forged(artifact: PolicyArtifact) -> PolicyArtifact {
///     PolicyArtifact { policy: b"bulla-policy: 1".to_vec(), ..artifact }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PolicyArtifact {
    digest: Digest,
    files: BTreeMap<String, Vec<u8>>,
    policy: Vec<u8>,
    /// The owners whose signature of the manifest was verified.
    signers: Vec<Owner>,
}

/// Why an artifact is not a policy that can be used: could-not-tell about every image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyArtifactError {
    /// It has more or larger layers than a policy may have.
    #[error("it is larger than a policy may be: {what}, and the limit is {limit}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// What is too large.
        what: &'static str,
    },
    /// It is another kind of artifact, or an image.
    #[error("it is no policy: its artifact type is `{0}`")]
    Kind(Untrusted),
    /// It is not signed by an owner whom the operator trusts for policies, or that could not be told.
    #[error("it is not signed by a key that is trusted for policies: {0}")]
    NotSigned(Box<NotVerified>),
    /// It cannot be read.
    #[error(transparent)]
    Ops(#[from] OpsError),
    /// It has no policy, or several.
    #[error("it has {0} policy files, and one is wanted")]
    Policies(usize),
    /// A title that is no path below the policy, or that another layer has.
    #[error("`{0}` is no title of a file beside the policy, or stands there twice")]
    Title(Untrusted),
}

impl PolicyArtifact {
    /// Pushes the policy file `policy`, called `name`, with the files that it names, and tags it; returns the digest of the
    /// manifest. What was loaded is what is pushed.
    ///
    /// # Errors
    /// [`PolicyArtifactError`].
    pub async fn push(
        sink: &dyn Sink,
        (name, policy): (&str, &[u8]),
        files: &BTreeMap<String, Vec<u8>>,
        (tag, on_conflict): (Option<&str>, NameConflict),
        limits: &Limits,
    ) -> Result<Content, PolicyArtifactError> {
        let mut layers = vec![(name.to_owned(), Content::from_bytes(POLICY_TYPE, policy.to_vec()))];
        for (title, bytes) in files {
            layers.push((title.clone(), Content::from_bytes(FILE_TYPE, bytes.clone())));
        }
        let mut sizes = Sizes::default();
        let mut titles = BTreeSet::new();
        for (title, content) in &layers {
            sizes.add(content.descriptor(), limits)?;
            check_title(title, &mut titles)?;
        }
        let config = referrer::empty_config();
        let manifest = manifest(&config, &layers)?;
        let names: Vec<String> = tag.map(str::to_owned).into_iter().collect();
        let _named = naming::check_names(sink, &names, manifest.digest(), on_conflict).await.map_err(OpsError::from)?;
        for blob in std::iter::once(&config).chain(layers.iter().map(|(_, content)| content)) {
            sink.push_content(blob).await.map_err(OpsError::from)?;
        }
        let _pushed = sink.push_manifest(&manifest, tag).await.map_err(OpsError::from)?;
        sink.finish().await.map_err(OpsError::from)?;
        Ok(manifest)
    }

    /// Reads the artifact at `tag_or_digest`. Nothing says yet who made it.
    ///
    /// # Errors
    /// [`PolicyArtifactError`].
    pub async fn read(
        source: &dyn Source,
        tag_or_digest: &TagOrDigest,
        limits: &Limits,
    ) -> Result<Self, PolicyArtifactError> {
        let root = pinned::resolve(source, tag_or_digest).await.map_err(OpsError::from)?;
        Self::read_content(source, &root, limits).await
    }

    /// Reads the artifact at `tag_or_digest` if an owner of the verifier signed its manifest, as an image is signed. Nothing
    /// but the manifest is read before that is known.
    ///
    /// # Errors
    /// [`PolicyArtifactError::NotSigned`], and the others.
    pub async fn read_signed(
        source: &dyn Source,
        tag_or_digest: &TagOrDigest,
        options: VerifyOptions<'_>,
    ) -> Result<Self, PolicyArtifactError> {
        let root = pinned::resolve(source, tag_or_digest).await.map_err(OpsError::from)?;
        let by_digest = TagOrDigest::Digest(*root.digest());
        let verified = verify::verify(source, &by_digest, &Platforms::Root, options).await;
        let outcome = verified.map_err(|error| PolicyArtifactError::NotSigned(Box::new(error)))?.into_outcome();
        let mut signers: Vec<Owner> = match &outcome.verdict {
            Verdict::Accepted(subject) => {
                subject.accepted().iter().map(|accepted| accepted.signer.owner().clone()).collect()
            }
            _ => Vec::new(),
        };
        signers.sort();
        signers.dedup();
        Ok(Self { signers, ..Self::read_content(source, &root, options.limits).await? })
    }

    /// Reads the manifest `root` and its layers: exactly one policy file, and the files that it names, each by its title.
    async fn read_content(source: &dyn Source, root: &Content, limits: &Limits) -> Result<Self, PolicyArtifactError> {
        let (kind, layers) = match Document::parse(root, limits).map_err(OpsError::from)? {
            Document::Manifest(manifest) => (manifest.artifact_type, manifest.layers),
            Document::Artifact(_) | Document::Index(_) => (root.descriptor().media_type.clone(), Vec::new()),
        };
        if kind != POLICY_TYPE {
            return Err(PolicyArtifactError::Kind(Untrusted::new(&kind)));
        }
        let mut sizes = Sizes::default();
        let (mut titles, mut policies, mut files) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
        for layer in &layers {
            sizes.add(layer, limits)?;
            let title = layer.annotations.get(TITLE).map(String::as_str).unwrap_or_default();
            check_title(title, &mut titles)?;
        }
        for layer in &layers {
            let blob = pinned::blob(source, layer, limits.yaml.bytes).await.map_err(OpsError::from)?;
            let title = layer.annotations.get(TITLE).cloned().unwrap_or_default();
            match layer.media_type == POLICY_TYPE {
                true => policies.push(blob.bytes().to_vec()),
                false => drop(files.insert(title, blob.bytes().to_vec())),
            }
        }
        let found = policies.len();
        match (policies.pop(), found) {
            (Some(policy), 1) => Ok(Self { digest: *root.digest(), files, policy, signers: Vec::new() }),
            _ => Err(PolicyArtifactError::Policies(found)),
        }
    }

    /// Loads the policy with its files. One that is trusted for its signature says until when it holds, and gives the digest
    /// of each file that it names.
    ///
    /// # Errors
    /// As [`LoadedPolicy::load`].
    pub fn load(&self, now: Time, limits: &Limits) -> Result<LoadedPolicy, NonEmpty<PolicyFileError>> {
        let options = LoadOptions::new(now, limits);
        let options = if self.signers.is_empty() { options } else { options.signed() };
        let policy = LoadedPolicy::load(&self.policy, self, options)?;
        Ok(policy.with_verified_signers(self.signers.clone()))
    }

    /// The digest of the manifest.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The owners whose signature of the manifest was verified, each once; empty after [`PolicyArtifact::read`].
    pub fn signers(&self) -> &[Owner] {
        &self.signers
    }
}

impl PolicyFiles for PolicyArtifact {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        match self.files.get(path) {
            None => Err(PolicyFilesError::Absent),
            Some(bytes) if crate::limits::count(bytes.len()) > limit => Err(PolicyFilesError::TooLarge { limit }),
            Some(bytes) => Ok(bytes.clone()),
        }
    }
}

/// The layers so far: how many, and their bytes.
#[derive(Default)]
struct Sizes {
    bytes: u64,
    layers: u64,
}

impl Sizes {
    /// Counts a layer, within the limits: each is at most as large as a policy file, and so are all together, times the
    /// number of layers.
    fn add(&mut self, layer: &Descriptor, limits: &Limits) -> Result<(), PolicyArtifactError> {
        self.bytes = self.bytes.saturating_add(layer.size);
        self.layers = self.layers.saturating_add(1);
        let most = limits.yaml.bytes.saturating_mul(MOST_LAYERS);
        for (what, got, limit) in [
            ("the bytes of a layer", layer.size, limits.yaml.bytes),
            ("the number of its layers", self.layers, MOST_LAYERS),
            ("the bytes of its layers", self.bytes, most),
        ] {
            if got > limit {
                return Err(PolicyArtifactError::TooLarge { limit, what });
            }
        }
        Ok(())
    }
}

/// A title is a path below the policy that no other layer has, whatever the case of its letters.
fn check_title(title: &str, titles: &mut BTreeSet<String>) -> Result<(), PolicyArtifactError> {
    let is_new = titles.insert(title.to_lowercase());
    match policy_file::is_below(title) && title.len() <= LONGEST_TITLE && is_new {
        true => Ok(()),
        false => Err(PolicyArtifactError::Title(Untrusted::new(title))),
    }
}

fn manifest(config: &Content, layers: &[(String, Content)]) -> Result<Content, PolicyArtifactError> {
    let layer = |(title, content): &(String, Content)| WrittenLayer {
        annotations: Some(ordered::map([(TITLE, title.clone())])),
        ..WrittenLayer::of(content.descriptor())
    };
    let wire = WrittenManifest {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        artifact_type: POLICY_TYPE,
        config: WrittenLayer::of(config.descriptor()),
        layers: layers.iter().map(layer).collect(),
    };
    let bytes = json::to_go(&wire).map_err(OpsError::from)?;
    Ok(Content::from_bytes(media_type::OCI_MANIFEST, bytes))
}

/// The fields in the order of the Go types of the OCI image specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenManifest {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'static str,
    config: WrittenLayer,
    layers: Vec<WrittenLayer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLayer {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<&'static str, String>>,
}

impl WrittenLayer {
    fn of(descriptor: &Descriptor) -> Self {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        Self { media_type: media_type.clone(), digest: *digest, size: *size, annotations: None }
    }
}

/// The artifact type, and the media type of the layer with the policy.
const POLICY_TYPE: &str = "application/vnd.bulla.policy.v1+yaml";
/// The media type of a file that the policy names.
const FILE_TYPE: &str = "application/octet-stream";
/// OCI image specification, "Pre-Defined Annotation Keys": the title of a layer.
const TITLE: &str = "org.opencontainers.image.title";
/// The policy, and the files that it may name.
const MOST_LAYERS: u64 = 64;
/// The longest title, in bytes.
const LONGEST_TITLE: usize = 1_024;
