//! The content of the registry: blobs, manifests, tags, referrers and unfinished uploads.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::digest::Hasher;
use serde_json::Value;
use serde_json::json;

use super::http::Body;

/// Everything that a registry holds. Big blobs lie in files, everything else in memory.
pub struct Store {
    dir: PathBuf,
    remove: bool,
    names: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    blobs: HashMap<Digest, Blob>,
    repositories: BTreeMap<String, Repository>,
    uploads: HashMap<String, Arc<Mutex<Upload>>>,
}

#[derive(Clone)]
enum Blob {
    Memory(Arc<Vec<u8>>),
    File(PathBuf, u64),
}

#[derive(Default)]
struct Repository {
    blobs: BTreeSet<Digest>,
    manifests: BTreeMap<Digest, Manifest>,
    tags: BTreeMap<String, Digest>,
    /// By subject, in the order in which they came.
    referrers: HashMap<Digest, Vec<(Digest, Value)>>,
}

/// A manifest as it was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub media_type: String,
    pub bytes: Arc<Vec<u8>>,
}

/// An upload under way.
pub struct Upload {
    pub repository: String,
    pub path: PathBuf,
    pub received: u64,
    /// The number of times that bytes were added: older locations are stale.
    pub generation: u64,
    /// The hash of the received bytes, unless they have to be read again.
    hasher: Hasher,
}

/// Everything visible in a registry, to be compared with a later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub repositories: BTreeMap<String, RepositorySnapshot>,
}

/// The visible content of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositorySnapshot {
    /// Blobs and their sizes.
    pub blobs: BTreeMap<String, u64>,
    pub manifests: BTreeMap<String, Manifest>,
    pub tags: BTreeMap<String, String>,
}

impl Store {
    /// An empty store that keeps its files in `dir`, else in a temporary directory that is removed with it.
    pub fn new(dir: Option<PathBuf>) -> io::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let remove = dir.is_none();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        if remove && number == 0 {
            sweep();
        }
        let dir = dir.unwrap_or_else(|| std::env::temp_dir().join(format!("{PREFIX}{}-{number}", process::id())));
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, remove, names: AtomicUsize::new(0), inner: Mutex::default() })
    }

    /// Stores a blob, whatever it is, and returns its digest.
    pub fn put_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256(bytes);
        let path = self.fresh_file();
        let blob = match bytes.len() > SPOOL_FROM {
            true => {
                fs::write(&path, bytes).expect("the spool directory can be written");
                Blob::File(path, bytes.len() as u64)
            }
            false => Blob::Memory(Arc::new(bytes.to_vec())),
        };
        self.link(repository, digest, blob);
        digest
    }

    /// Stores a manifest without looking at what it says, and returns its digest. A `subject` in it makes it a
    /// referrer.
    pub fn put_manifest(&self, repository: &str, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Digest {
        let digest = Digest::sha256(bytes);
        self.put_manifest_as(repository, digest, bytes, media_type, tag);
        digest
    }

    /// Stores a manifest under a digest that need not be its own.
    pub fn put_manifest_as(&self, repository: &str, digest: Digest, bytes: &[u8], media_type: &str, tag: Option<&str>) {
        let referrer = referrer(digest, bytes, media_type);
        let mut inner = self.lock();
        let into = inner.repositories.entry(repository.to_owned()).or_default();
        if let Some((subject, descriptor)) = referrer {
            let list = into.referrers.entry(subject).or_default();
            if !list.iter().any(|(have, _)| *have == digest) {
                list.push((digest, descriptor));
            }
        }
        let manifest = Manifest { media_type: media_type.to_owned(), bytes: Arc::new(bytes.to_vec()) };
        into.manifests.insert(digest, manifest);
        if let Some(tag) = tag {
            into.tags.insert(tag.to_owned(), digest);
        }
    }

    /// The manifest that a tag or digest names.
    pub fn find(&self, repository: &str, reference: &str) -> Option<(Digest, Manifest)> {
        let inner = self.lock();
        let repository = inner.repositories.get(repository)?;
        let digest = match reference.parse() {
            Ok(digest) => digest,
            Err(_) => *repository.tags.get(reference)?,
        };
        Some((digest, repository.manifests.get(&digest)?.clone()))
    }

    /// The bytes of the manifest that a tag or digest names.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        self.find(repository, reference).map(|(_, manifest)| manifest.bytes.to_vec())
    }

    /// The target of a tag.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<Digest> {
        self.lock().repositories.get(repository)?.tags.get(tag).copied()
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.lock().repositories.get(repository).map(|it| it.tags.keys().cloned().collect()).unwrap_or_default()
    }

    /// The repositories, sorted.
    pub fn repositories(&self) -> Vec<String> {
        self.lock().repositories.keys().cloned().collect()
    }

    /// Whether the repository was ever written to.
    pub fn knows(&self, repository: &str) -> bool {
        self.lock().repositories.contains_key(repository)
    }

    /// Makes an empty repository.
    pub fn create(&self, repository: &str) {
        self.lock().repositories.entry(repository.to_owned()).or_default();
    }

    /// The descriptors of what refers to `subject`, as the referrers API gives them.
    pub fn referrers(&self, repository: &str, subject: &Digest) -> Vec<Value> {
        let inner = self.lock();
        let list = inner.repositories.get(repository).and_then(|it| it.referrers.get(subject));
        list.map(|list| list.iter().map(|(_, descriptor)| descriptor.clone()).collect()).unwrap_or_default()
    }

    /// The blob, if the repository has it.
    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<Body> {
        let inner = self.lock();
        inner.repositories.get(repository)?.blobs.get(digest)?;
        inner.blobs.get(digest).map(Blob::body)
    }

    /// The blob, from any repository.
    pub fn any_blob(&self, digest: &Digest) -> Option<Body> {
        self.lock().blobs.get(digest).map(Blob::body)
    }

    /// Links a blob of one repository into another; says whether it could.
    pub fn mount(&self, repository: &str, digest: &Digest, from: &str) -> bool {
        let mut inner = self.lock();
        let has = inner.repositories.get(from).is_some_and(|it| it.blobs.contains(digest));
        if has {
            inner.repositories.entry(repository.to_owned()).or_default().blobs.insert(*digest);
        }
        has
    }

    /// Forgets that the repository has that blob; says whether it had it.
    pub fn delete_blob(&self, repository: &str, digest: &Digest) -> bool {
        let mut inner = self.lock();
        inner.repositories.get_mut(repository).is_some_and(|it| it.blobs.remove(digest))
    }

    /// Deletes a manifest and every tag of it; says whether it was there.
    pub fn delete_manifest(&self, repository: &str, digest: &Digest) -> bool {
        let mut inner = self.lock();
        inner.repositories.get_mut(repository).is_some_and(|it| it.delete(digest))
    }

    /// Deletes a tag; says whether it was there.
    pub fn delete_tag(&self, repository: &str, tag: &str) -> bool {
        let mut inner = self.lock();
        inner.repositories.get_mut(repository).is_some_and(|it| it.tags.remove(tag).is_some())
    }

    /// Garbage collection: deletes manifests that no tag reaches. A careful one counts children of indexes and
    /// referrers as reached; a careless one only what a tag names. Returns what was deleted.
    pub fn collect_garbage(&self, careful: bool) -> Vec<Digest> {
        let mut inner = self.lock();
        inner.repositories.values_mut().flat_map(|repository| repository.collect_garbage(careful)).collect()
    }

    /// Everything visible. Uploads under way are not.
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        let size = |digest: &Digest| inner.blobs.get(digest).map_or(0, |blob| blob.body().len());
        let shot = |it: &Repository| RepositorySnapshot {
            blobs: it.blobs.iter().map(|digest| (digest.to_string(), size(digest))).collect(),
            manifests: it.manifests.iter().map(|(digest, it)| (digest.to_string(), it.clone())).collect(),
            tags: it.tags.iter().map(|(tag, digest)| (tag.clone(), digest.to_string())).collect(),
        };
        Snapshot { repositories: inner.repositories.iter().map(|(name, it)| (name.clone(), shot(it))).collect() }
    }

    /// Opens an upload and returns its name.
    pub fn open_upload(&self, repository: &str) -> io::Result<String> {
        let path = self.fresh_file();
        File::create(&path)?;
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let hasher = Hasher::new(DigestAlgorithm::Sha256);
        let upload = Upload { repository: repository.to_owned(), path, received: 0, generation: 0, hasher };
        self.lock().uploads.insert(id.clone(), Arc::new(Mutex::new(upload)));
        Ok(id)
    }

    /// The upload of that name in that repository.
    pub fn upload(&self, repository: &str, id: &str) -> Option<Arc<Mutex<Upload>>> {
        let upload = self.lock().uploads.get(id).cloned()?;
        let ours = upload.lock().unwrap_or_else(PoisonError::into_inner).repository == repository;
        ours.then_some(upload)
    }

    /// Whether an upload of that name is under way in any repository.
    pub fn has_upload(&self, id: &str) -> bool {
        self.lock().uploads.contains_key(id)
    }

    /// Forgets an upload and what it received.
    pub fn cancel_upload(&self, id: &str) {
        if let Some(upload) = self.lock().uploads.remove(id) {
            let upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
            fs::remove_file(&upload.path).ok();
        }
    }

    /// The number of unfinished uploads.
    pub fn open_uploads(&self) -> usize {
        self.lock().uploads.len()
    }

    /// Makes a blob of an upload if it has that digest, and says so.
    pub fn finish_upload(&self, id: &str, upload: &Mutex<Upload>, digest: Digest) -> io::Result<bool> {
        let (path, len, have, repository) = {
            let upload = upload.lock().unwrap_or_else(PoisonError::into_inner);
            (upload.path.clone(), upload.received, upload.digest(digest.algorithm())?, upload.repository.clone())
        };
        if have != digest {
            return Ok(false);
        }
        let blob = match len > SPOOL_FROM as u64 {
            true => Blob::File(path, len),
            false => {
                let bytes = fs::read(&path)?;
                fs::remove_file(&path)?;
                Blob::Memory(Arc::new(bytes))
            }
        };
        self.lock().uploads.remove(id);
        self.link(&repository, digest, blob);
        Ok(true)
    }

    fn link(&self, repository: &str, digest: Digest, blob: Blob) {
        let mut inner = self.lock();
        match (inner.blobs.contains_key(&digest), blob) {
            (true, Blob::File(path, _)) => drop(fs::remove_file(path)),
            (true, Blob::Memory(_)) => {}
            (false, blob) => drop(inner.blobs.insert(digest, blob)),
        }
        inner.repositories.entry(repository.to_owned()).or_default().blobs.insert(digest);
    }

    fn fresh_file(&self) -> PathBuf {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("blob-{number}"))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.remove {
            fs::remove_dir_all(&self.dir).ok();
        }
    }
}

impl Blob {
    fn body(&self) -> Body {
        match self {
            Self::Memory(bytes) => Body::Bytes(Arc::clone(bytes)),
            Self::File(path, len) => Body::File { path: path.clone(), start: 0, len: *len },
        }
    }
}

impl Repository {
    fn delete(&mut self, digest: &Digest) -> bool {
        self.tags.retain(|_, to| to != digest);
        self.referrers.values_mut().for_each(|list| list.retain(|(have, _)| have != digest));
        self.manifests.remove(digest).is_some()
    }

    fn collect_garbage(&mut self, careful: bool) -> Vec<Digest> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<Digest> = self.tags.values().copied().collect();
        while let Some(digest) = next.pop() {
            if reached.insert(digest) && careful {
                next.extend(self.manifests.get(&digest).map(children).unwrap_or_default());
                next.extend(self.referrers.get(&digest).into_iter().flatten().map(|(digest, _)| *digest));
            }
        }
        let lost: Vec<Digest> = self.manifests.keys().filter(|digest| !reached.contains(digest)).copied().collect();
        for digest in &lost {
            self.delete(digest);
        }
        lost
    }
}

impl Upload {
    /// Adds bytes at the end, as many as come before an error.
    pub fn append(&mut self, from: &mut dyn Read) -> io::Result<u64> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        let mut chunk = vec![0; 256 << 10];
        let mut added = 0;
        for _ in 0..MAX_READS {
            let got = from.read(&mut chunk)?;
            if got == 0 {
                return Ok(added);
            }
            file.write_all(&chunk[..got])?;
            self.hasher.update(&chunk[..got]);
            self.received += got as u64;
            added += got as u64;
        }
        Err(io::ErrorKind::FileTooLarge.into())
    }

    /// Forgets what was received.
    pub fn restart(&mut self) -> io::Result<()> {
        File::create(&self.path)?;
        self.hasher = Hasher::new(DigestAlgorithm::Sha256);
        self.received = 0;
        Ok(())
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> io::Result<Digest> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(self.hasher.clone().finish()),
            _ => digest_of_file(&self.path, algorithm),
        }
    }
}

/// The digests of the manifests that an index lists.
pub fn children(manifest: &Manifest) -> Vec<Digest> {
    let Ok(json) = serde_json::from_slice::<Value>(&manifest.bytes) else {
        return Vec::new();
    };
    let list = json.get("manifests").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|it| it.get("digest")?.as_str()?.parse().ok()).collect()
}

// Removes what registries left behind whose process was killed.
fn sweep() {
    let processes = Path::new("/proc");
    let Ok(entries) = fs::read_dir(std::env::temp_dir()).map(|it| it.take(MAX_SWEEP)) else {
        return;
    };
    for entry in entries.flatten().filter(|_| processes.join("self").exists()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|id| id.parse::<u32>().is_ok() && !processes.join(id).exists()) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

const PREFIX: &str = "quirk-registry-";
const MAX_SWEEP: usize = 100_000;
/// Blobs longer than this lie in files.
const SPOOL_FROM: usize = 256 << 10;
const MAX_READS: usize = 100_000_000;

// distribution-spec, "Listing Referrers": the descriptor of a referrer has the artifact type of the manifest, else the
// media type of its config, and all annotations of the manifest.
fn referrer(digest: Digest, bytes: &[u8], media_type: &str) -> Option<(Digest, Value)> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let subject = json.get("subject")?.get("digest")?.as_str()?.parse().ok()?;
    let mut descriptor = json!({"mediaType": media_type, "size": bytes.len(), "digest": digest.to_string()});
    let artifact_type = json.get("artifactType").and_then(Value::as_str).filter(|text| !text.is_empty());
    let config_type = json.get("config").and_then(|config| config.get("mediaType")).and_then(Value::as_str);
    if let Some(artifact_type) = artifact_type.or(config_type) {
        descriptor["artifactType"] = artifact_type.into();
    }
    if let Some(annotations) = json.get("annotations").filter(|it| it.is_object()) {
        descriptor["annotations"] = annotations.clone();
    }
    Some((subject, descriptor))
}

fn digest_of_file(path: &Path, algorithm: DigestAlgorithm) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new(algorithm);
    let mut chunk = vec![0; 256 << 10];
    loop {
        let got = file.read(&mut chunk)?;
        if got == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&chunk[..got]);
    }
}
