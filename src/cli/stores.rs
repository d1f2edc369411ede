//! References as typed, and the stores behind them.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::oci::Reference;
use crate::oci::ReferenceError;
use crate::oci::TagOrDigest;
use crate::ops::naming;
use crate::ops::naming::Destination;
use crate::ops::naming::Named;
use crate::store::Metered;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::archive::Archive;
use crate::store::docker_archive::DockerArchive;
use crate::store::layout::Layout;

#[cfg(feature = "registry")]
use crate::store::registry::Registries;

use super::args::RegistryArgs;
use super::args::SidesArgs;
use super::exit::Failure;
#[cfg(feature = "registry")]
use super::line::Foreign;
#[cfg(feature = "registry")]
use super::render;

/// The stores that a command line names. Nothing else is ever contacted.
pub(super) struct Stores {
    limits: Limits,
    /// The layouts and archives that are open: one that is named several times is read once.
    opened: Mutex<Opened>,
    #[cfg(feature = "registry")]
    registries: Option<Registries>,
}

/// What is about to be done: a registry gives one token for all of it.
#[derive(Clone, Copy)]
enum Access {
    Reading,
    Writing,
}

#[derive(Default)]
struct Opened {
    archives: BTreeMap<PathBuf, Arc<Archive>>,
    dockers: BTreeMap<PathBuf, Arc<DockerArchive>>,
    layouts: BTreeMap<PathBuf, Arc<Layout>>,
}

#[cfg(feature = "registry")]
impl Drop for Stores {
    /// Says at the end what registries wanted people to know. Nothing is done because of it.
    fn drop(&mut self) {
        for (host, text) in self.registries.iter().flat_map(Registries::warnings) {
            render::note(format_args!("note: {host} says: {}", Foreign(text)));
        }
    }
}

impl Stores {
    /// Prepares for these references; the machinery of registries is only made if one of them is in a registry.
    pub(super) fn new<T: AsRef<str>>(
        args: &RegistryArgs,
        references: impl IntoIterator<Item = T>,
    ) -> Result<Self, Failure> {
        Self::prepared(args, hosts(references)?, Vec::new())
    }

    /// Prepares the stores of `sources` and `target`. Each side may have its own scheme: plain http or TLS.
    pub(super) fn for_sides(
        args: &RegistryArgs,
        sides: &SidesArgs,
        sources: &[String],
        target: &str,
    ) -> Result<Self, Failure> {
        let (from, to) = (hosts(sources)?, hosts([target])?);
        let SidesArgs { from_plain_http, to_plain_http } = sides;
        let both = from.iter().find(|host| to.contains(host));
        if let Some(host) = both.filter(|_| from_plain_http != to_plain_http) {
            let option = if *from_plain_http { "--from-plain-http" } else { "--to-plain-http" };
            let message = format!("`{host}` is source and destination, and {option} is about one of them");
            return Err(Failure::unknown(message).hint("--plain-http, if that registry has no TLS"));
        }
        let side = |plain: &bool, hosts: &[String]| if *plain { hosts.to_vec() } else { Vec::new() };
        let plain = [side(from_plain_http, &from), side(to_plain_http, &to)].concat();
        Self::prepared(args, [from, to].concat(), plain)
    }

    #[cfg(feature = "registry")]
    fn prepared(args: &RegistryArgs, hosts: Vec<String>, plain: Vec<String>) -> Result<Self, Failure> {
        let registries = match hosts.is_empty() {
            true => None,
            false => Some(super::registry::registries(args, hosts, plain)?),
        };
        Ok(Self { limits: Limits::DEFAULT, opened: Mutex::default(), registries })
    }

    /// In this build there are no registries.
    #[cfg(not(feature = "registry"))]
    fn prepared(_args: &RegistryArgs, _hosts: Vec<String>, _plain: Vec<String>) -> Result<Self, Failure> {
        Ok(Self { limits: Limits::DEFAULT, opened: Mutex::default() })
    }

    /// The store of `reference` for reading, and which image is meant. A layout without a name must have just one.
    pub(super) fn source(&self, reference: &str) -> Result<(Arc<dyn Source>, TagOrDigest), Failure> {
        match parse(reference)? {
            Reference::DockerArchive(local) => {
                let open = |path: &Path| DockerArchive::open(path, self.limits.clone());
                let store = share(&mut self.opened().dockers, &local.path, open)?;
                let tag_or_digest = store.choose(local.tag_or_digest)?;
                Ok((store, tag_or_digest))
            }
            Reference::LayoutArchive(local) => {
                let open = |path: &Path| Archive::open(path, self.limits.clone());
                let store = share(&mut self.opened().archives, &local.path, open)?;
                if !store.is_for_docker() {
                    let tag_or_digest = tag_or_digest(local.tag_or_digest, || store.sole())?;
                    return Ok((store, tag_or_digest));
                }
                let open = |path: &Path| DockerArchive::open_as_layout(path, self.limits.clone());
                let store = share(&mut self.opened().dockers, &local.path, open)?;
                let tag_or_digest = store.choose(local.tag_or_digest)?;
                Ok((store, tag_or_digest))
            }
            _ => self
                .open(reference, Access::Reading)
                .map(|(sink, tag_or_digest)| -> (Arc<dyn Source>, _) { (sink, tag_or_digest) }),
        }
    }

    /// The store of `reference`, which names no image in it, to be listed.
    pub(super) fn listed(&self, reference: &str) -> Result<Arc<dyn Source>, Failure> {
        let parsed = parse(reference)?;
        if names_one(reference)? {
            let message = format!("`{reference}` names one image, and a list is of all of them");
            return Err(Failure::unknown(message).hint(parsed.place()));
        }
        match parsed {
            Reference::DockerArchive(local) => {
                let open = |path: &Path| DockerArchive::open(path, self.limits.clone());
                Ok(share(&mut self.opened().dockers, &local.path, open)?)
            }
            Reference::LayoutArchive(local) => {
                let open = |path: &Path| Archive::open(path, self.limits.clone());
                Ok(share(&mut self.opened().archives, &local.path, open)?)
            }
            Reference::Layout(local) => {
                let open = |path: &Path| Layout::open(path, self.limits.clone());
                Ok(share(&mut self.opened().layouts, &local.path, open)?)
            }
            Reference::Registry(_) => {
                self.open(reference, Access::Reading).map(|(sink, _)| -> Arc<dyn Source> { sink })
            }
        }
    }

    /// As [`Stores::source`], for a first look that ends where more than `bytes` are wanted.
    pub(super) fn glance(&self, reference: &str, bytes: u64) -> Result<(Metered, TagOrDigest), Failure> {
        #[cfg(feature = "registry")]
        if let (Reference::Registry(registry), Some(registries)) = (parse(reference)?, &self.registries) {
            let repository = registries.repository(&registry)?.within(bytes);
            return Ok((Metered::new(Arc::new(repository), bytes), registry.tag_or_digest().clone()));
        }
        let (source, tag_or_digest) = self.source(reference)?;
        Ok((Metered::new(source, bytes), tag_or_digest))
    }

    /// Whether the store of `reference`, which was opened, is an archive that `docker load` takes.
    pub(super) fn is_for_docker(&self, reference: &str) -> Result<bool, Failure> {
        Ok(match parse(reference)? {
            Reference::DockerArchive(_) => true,
            Reference::LayoutArchive(local) => self.opened().dockers.contains_key(&local.path),
            Reference::Layout(_) | Reference::Registry(_) => false,
        })
    }

    /// The store of an image that is there and gets company: signatures.
    pub(super) fn existing_sink(&self, reference: &str) -> Result<(Arc<dyn Sink>, TagOrDigest), Failure> {
        self.open(reference, Access::Writing)
    }

    fn open(&self, reference: &str, access: Access) -> Result<(Arc<dyn Sink>, TagOrDigest), Failure> {
        match parse(reference)? {
            Reference::Layout(local) => {
                let open = |path: &Path| Layout::open(path, self.limits.clone());
                let store = share(&mut self.opened().layouts, &local.path, open)?;
                let tag_or_digest = tag_or_digest(local.tag_or_digest, || store.sole())?;
                Ok((store, tag_or_digest))
            }
            Reference::LayoutArchive(local) => {
                let open = |path: &Path| Archive::open(path, self.limits.clone());
                let store = share(&mut self.opened().archives, &local.path, open)?;
                let tag_or_digest = tag_or_digest(local.tag_or_digest, || store.sole())?;
                Ok((store, tag_or_digest))
            }
            Reference::DockerArchive(_) => Err(docker_archive(reference)),
            #[cfg(feature = "registry")]
            Reference::Registry(registry) => match &self.registries {
                Some(registries) => {
                    let repository = registries.repository(&registry)?;
                    let repository = match access {
                        Access::Reading => repository,
                        Access::Writing => repository.for_writing(),
                    };
                    Ok((Arc::new(repository), registry.tag_or_digest().clone()))
                }
                None => Err(no_registries(reference)),
            },
            #[cfg(not(feature = "registry"))]
            Reference::Registry(_) => match access {
                Access::Reading | Access::Writing => Err(no_registries(reference)),
            },
        }
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store of `reference` for writing; a layout or archive that is not there is made.
    pub(super) fn new_sink(&self, reference: &str) -> Result<Arc<dyn Sink>, Failure> {
        match parse(reference)? {
            Reference::Layout(local) => Ok(Arc::new(Layout::create(&local.path, self.limits.clone())?)),
            Reference::LayoutArchive(local) => Ok(Arc::new(Archive::create(&local.path, self.limits.clone())?)),
            Reference::DockerArchive(_) => Err(docker_archive(reference)),
            Reference::Registry(_) => self.existing_sink(reference).map(|(sink, _)| sink),
        }
    }

    /// The names under which an image that `source` calls `names` goes to `target`.
    pub(super) fn names(
        &self,
        source: &str,
        target: &str,
        names: &[String],
        digest: &Digest,
    ) -> Result<Vec<String>, Failure> {
        let reference = parse(target)?;
        // What is typed by digest has no name that anybody typed; a tag of a registry would be moved by it.
        let by_digest = matches!(parse(source)?.tag_or_digest(), Some(TagOrDigest::Digest(_)));
        let names = if by_digest && matches!(reference, Reference::Registry(_)) { &[] } else { names };
        let destination = match &reference {
            Reference::Registry(registry) => {
                Destination::Repository(Some(registry.tag_or_digest()).filter(|_| is_named(target)))
            }
            Reference::DockerArchive(local) | Reference::Layout(local) | Reference::LayoutArchive(local) => {
                Destination::Local(local.tag_or_digest.as_ref())
            }
        };
        Ok(naming::names(destination, target, names, digest)?)
    }
}

/// The registries that references name.
fn hosts<T: AsRef<str>>(references: impl IntoIterator<Item = T>) -> Result<Vec<String>, Failure> {
    let mut hosts = Vec::new();
    for reference in references {
        if let Reference::Registry(registry) = parse(reference.as_ref())? {
            hosts.push(registry.host().to_owned());
        }
    }
    Ok(hosts)
}

/// The references under which an image is now at `target`, as they can be typed.
pub(super) fn written(target: &str, names: &[Named]) -> Result<Vec<String>, Failure> {
    let reference = parse(target)?;
    Ok(names.iter().map(|named| reference.with(TagOrDigest::Tag(named.name.clone())).to_string()).collect())
}

/// The reference of an image in the store of `place`, by its name, else by its digest. Names are somebody's free choice:
/// one whose reference would be read as that of another image is not used.
pub(super) fn reference_of(place: &str, name: Option<&str>, digest: Option<Digest>) -> Result<String, Failure> {
    let place = parse(place)?;
    let Some(name) = name else {
        return Ok(digest.map_or_else(|| place.place(), |digest| place.with(TagOrDigest::Digest(digest)).to_string()));
    };
    let named = place.with(TagOrDigest::Tag(name.to_owned()));
    let is_it = |read: &Reference| match read.tag_or_digest() {
        Some(TagOrDigest::Digest(read)) => Some(*read) == digest,
        _ => *read == named,
    };
    match (named.to_string().parse().is_ok_and(|read| is_it(&read)), digest) {
        (true, _) => Ok(named.to_string()),
        (false, Some(digest)) => Ok(place.with(TagOrDigest::Digest(digest)).to_string()),
        (false, None) => Err(Failure::unknown(format!("{}: `{name}` is listed there, and is no tag", place.place()))),
    }
}

/// Whether a reference says which image is meant.
pub(super) fn names_one(reference: &str) -> Result<bool, Failure> {
    Ok(match parse(reference)? {
        Reference::Registry(_) => is_named(reference),
        local => local.tag_or_digest().is_some(),
    })
}

/// Whether a reference to a registry says which image is meant.
fn is_named(reference: &str) -> bool {
    let last = reference.rsplit('/').next().unwrap_or_default();
    reference.contains('@') || last.contains(':')
}

/// The store at `path`, opened once however often it is named.
fn share<T>(
    opened: &mut BTreeMap<PathBuf, Arc<T>>,
    path: &Path,
    open: impl FnOnce(&Path) -> Result<T, StoreError>,
) -> Result<Arc<T>, StoreError> {
    if let Some(store) = opened.get(path) {
        return Ok(Arc::clone(store));
    }
    let store = Arc::new(open(path)?);
    opened.insert(path.to_owned(), Arc::clone(&store));
    Ok(store)
}

/// What was typed, else the one and only.
fn tag_or_digest(
    typed: Option<TagOrDigest>,
    sole: impl FnOnce() -> Result<Descriptor, StoreError>,
) -> Result<TagOrDigest, StoreError> {
    typed.map_or_else(|| sole().map(|sole| TagOrDigest::Digest(sole.digest)), Ok)
}

fn parse(reference: &str) -> Result<Reference, Failure> {
    reference.parse::<Reference>().map_err(|error| match (&error, on_disk(reference)) {
        // What is there under this name was meant, whatever else the name could mean.
        (ReferenceError::Host { .. }, Some(transport)) => Failure::from(error).hint(format!("{transport}:{reference}")),
        _ => error.into(),
    })
}

/// How a layout or archive is typed that is there under `reference`, which may end in the name of an image.
fn on_disk(reference: &str) -> Option<&'static str> {
    let without_name = reference.split_once(':').map(|(path, _)| path);
    [Some(reference), without_name].into_iter().flatten().map(Path::new).find_map(|path| match path {
        path if path.join("oci-layout").is_file() => Some("oci"),
        path if path.is_file() => Some("oci-archive"),
        _ => None,
    })
}

fn no_registries(reference: &str) -> Failure {
    Failure::unknown(format!("{reference}: this build of bulla has no network code and cannot reach registries"))
        .hint("use oci:DIR or oci-archive:FILE here, or a build with the feature `registry`")
}

fn docker_archive(reference: &str) -> Failure {
    Failure::unknown(format!(
        "{reference}: a docker-archive is only read: it does not keep the manifest that was signed"
    ))
    .hint("use oci-archive:FILE instead")
}
