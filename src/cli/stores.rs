//! `Stores`: opens the stores of the references on the command line.

use std::path::Path;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::LocalReference;
use bulla::oci::Reference;
use bulla::oci::ReferenceError;
use bulla::oci::TagOrDigest;
use bulla::ops::naming;
use bulla::ops::naming::Destination;
use bulla::ops::naming::WrittenName;
use bulla::store::DockerArchiveWriter;
use bulla::store::Images;
use bulla::store::LimitedSource;
use bulla::store::OpenError;
use bulla::store::SavedArchive;
use bulla::store::Sink;
use bulla::store::Source;

use super::args::RegistryArgs;
use super::args::SidesArgs;
use super::exit::Failure;
use super::files;
#[cfg(feature = "registry")]
use super::line::Foreign;
#[cfg(feature = "registry")]
use super::render;

/// The stores of the references on the command line. No other host is contacted, apart from token services and redirects.
pub(super) struct Stores(Images);

#[cfg(feature = "registry")]
impl Drop for Stores {
    /// Prints the warnings of registries at the end (OCI distribution-spec, "Warnings"). They have no other effect.
    fn drop(&mut self) {
        for (host, text) in self.0.warnings() {
            render::note(format_args!("note: {host} says: {}", Foreign(text)));
        }
    }
}

impl Stores {
    /// Layouts and archives alone: references to registries are refused.
    pub(super) fn local() -> Self {
        Self(Images::local(Limits::DEFAULT))
    }

    /// Prepares the stores of these references. The registry client is set up only if one of them needs it.
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
        Ok(Self(match hosts.is_empty() {
            true => Images::local(Limits::DEFAULT),
            false => Images::with_registries(super::registry::registries(args, hosts, plain)?, Limits::DEFAULT),
        }))
    }

    /// Prepares local stores only: this build has no network code.
    #[cfg(not(feature = "registry"))]
    fn prepared(_args: &RegistryArgs, _hosts: Vec<String>, _plain: Vec<String>) -> Result<Self, Failure> {
        Ok(Self(Images::local(Limits::DEFAULT)))
    }

    /// Opens the store of `reference` for reading, and returns which image is meant.
    pub(super) fn source(&self, reference: &str) -> Result<(Arc<dyn Source>, TagOrDigest), Failure> {
        not_standard_input(reference)?;
        Ok(self.0.open(&parse(reference)?)?)
    }

    /// Opens the store of `reference` to list its images. The reference must not name an image.
    pub(super) fn open_to_list(&self, reference: &str) -> Result<Arc<dyn Source>, Failure> {
        not_standard_input(reference)?;
        let parsed = parse(reference)?;
        if names_an_image(reference)? {
            let message = format!("`{reference}` names one image, but all images of its location are listed");
            return Err(Failure::unknown(message).hint(parsed.location()));
        }
        Ok(self.0.open_store(&parsed)?)
    }

    /// As [`Stores::source`], with a limit of `bytes` on what is read.
    pub(super) fn limited_source(&self, reference: &str, bytes: u64) -> Result<(LimitedSource, TagOrDigest), Failure> {
        not_standard_input(reference)?;
        Ok(self.0.open_within(&parse(reference)?, bytes)?)
    }

    /// Opens the store of an existing image for writing, to attach signatures.
    pub(super) fn existing_sink(&self, reference: &str) -> Result<(Arc<dyn Sink>, TagOrDigest), Failure> {
        Ok(self.0.open_to_write(&parse(reference)?)?)
    }

    /// Opens the store of `reference` for writing. A missing layout or archive is created.
    pub(super) fn new_sink(&self, reference: &str) -> Result<Arc<dyn Sink>, Failure> {
        Ok(self.0.create(&parse(reference)?)?)
    }

    /// Opens the place of evidence `reference` for reading. Without a name in a layout or archive, all its images are meant.
    pub(super) fn evidence(&self, reference: &str) -> Result<(Arc<dyn Source>, Option<TagOrDigest>), Failure> {
        let parsed = parse(reference)?;
        let image = parsed.tag_or_digest().cloned();
        Ok((self.0.open_store(&parsed)?, image))
    }

    /// Opens a docker-archive to verify what `docker load` loads from it: a file, or standard input (`-`).
    pub(super) fn saved(&self, local: &LocalReference) -> Result<SavedArchive, Failure> {
        if !is_standard_input(local) {
            return Ok(self.0.open_saved(local)?);
        }
        files::take_standard_input()?;
        Ok(SavedArchive::read(std::io::stdin().lock(), Limits::DEFAULT)?)
    }

    /// Opens the layout or archive of `reference` for evidence without layers. A missing one is created.
    pub(super) fn new_evidence_sink(&self, reference: &str) -> Result<Arc<dyn Sink>, Failure> {
        Ok(self.0.create_evidence(&parse(reference)?)?)
    }

    /// Opens the docker-archive of `reference` for writing, if it is one. A missing archive is created.
    pub(super) fn new_docker_archive(&self, reference: &str) -> Result<Option<DockerArchiveWriter>, Failure> {
        match parse(reference)? {
            Reference::DockerArchive(local) => Ok(Some(self.0.create_docker_archive(&local)?)),
            _ => Ok(None),
        }
    }

    /// The names that an image gets at `target`. `names` are its names at `source`.
    pub(super) fn names(
        &self,
        source: &str,
        target: &str,
        names: &[String],
        digest: &Digest,
    ) -> Result<Vec<String>, Failure> {
        let reference = parse(target)?;
        // An image given by digest has no name that the user typed, so no tag of a registry may be moved for it.
        let by_digest = matches!(parse(source)?.tag_or_digest(), Some(TagOrDigest::Digest(_)));
        let names = if by_digest && matches!(reference, Reference::Registry(_)) { &[] } else { names };
        let destination = match &reference {
            Reference::Registry(registry) => {
                Destination::Repository(Some(registry.tag_or_digest()).filter(|_| is_named(target)))
            }
            local => Destination::Local(local.tag_or_digest()),
        };
        Ok(naming::names(destination, target, names, digest)?)
    }
}

/// Whether a docker-archive is read from standard input.
fn is_standard_input(local: &LocalReference) -> bool {
    local.path == Path::new("-")
}

/// Refuses `docker-archive:-` where manifests and signatures are read from the archive: it passes only once.
fn not_standard_input(reference: &str) -> Result<(), Failure> {
    match parse(reference)? {
        Reference::DockerArchive(local) if is_standard_input(&local) => {
            let message = format!("`{reference}` is read once, so manifests and signatures cannot be taken from it");
            Err(Failure::unknown(message).hint("bulla verify docker-archive:- --evidence PLACE, or save it to a file"))
        }
        _ => Ok(()),
    }
}

/// The hosts of the references to registries.
fn hosts<T: AsRef<str>>(references: impl IntoIterator<Item = T>) -> Result<Vec<String>, Failure> {
    let mut hosts = Vec::new();
    for reference in references {
        if let Reference::Registry(registry) = parse(reference.as_ref())? {
            hosts.push(registry.host().to_owned());
        }
    }
    Ok(hosts)
}

/// Whether none of the references is to a registry.
pub(super) fn are_local(references: &[String]) -> Result<bool, Failure> {
    Ok(hosts(references)?.is_empty())
}

/// The references of an image at `target`, one for each name.
pub(super) fn written(target: &str, names: &[WrittenName]) -> Result<Vec<String>, Failure> {
    let reference = parse(target)?;
    Ok(names.iter().map(|named| reference.with(TagOrDigest::Tag(named.name.clone())).to_string()).collect())
}

/// The reference of an image in the store of `place`: by name if it has one, else by digest.
pub(super) fn reference_of(place: &str, name: Option<&str>, digest: Option<Digest>) -> Result<String, Failure> {
    Ok(naming::reference_to(&parse(place)?, name, digest)?)
}

/// Whether a reference names an image, by tag, name or digest, and not only a store.
pub(super) fn names_an_image(reference: &str) -> Result<bool, Failure> {
    Ok(match parse(reference)? {
        Reference::Registry(_) => is_named(reference),
        local => local.tag_or_digest().is_some(),
    })
}

/// Whether a reference to a registry has a tag or digest.
fn is_named(reference: &str) -> bool {
    let last = reference.rsplit('/').next().unwrap_or_default();
    reference.contains('@') || last.contains(':')
}

fn parse(reference: &str) -> Result<Reference, Failure> {
    reference.parse::<Reference>().map_err(|error| match (&error, local_transport(reference)) {
        // A layout or archive of this name exists, so it was probably meant.
        (ReferenceError::Host { .. }, Some(transport)) => Failure::from(error).hint(format!("{transport}:{reference}")),
        _ => error.into(),
    })
}

/// The transport of the layout or archive at the path `reference`, which may end in an image name; none if there is no
/// such path.
fn local_transport(reference: &str) -> Option<&'static str> {
    let without_name = reference.split_once(':').map(|(path, _)| path);
    [Some(reference), without_name].into_iter().flatten().map(Path::new).find_map(|path| match path {
        path if path.join("oci-layout").is_file() => Some("oci"),
        path if path.is_file() => Some("oci-archive"),
        _ => None,
    })
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NoRegistries { reference } => {
                let why = "this build of bulla has no network code and cannot reach registries";
                Self::unknown(format!("{reference}: {why}"))
                    .hint("use oci:DIR or oci-archive:FILE here, or a build with the feature `registry`")
            }
            OpenError::NoEvidence { .. } => Self::unknown(error.to_string()).hint("use oci-archive:FILE instead"),
            OpenError::ReadOnly { .. } => Self::unknown(error.to_string()).hint("use oci-archive:FILE instead"),
            OpenError::Store(error) => error.into(),
            other => Self::unknown(other.to_string()),
        }
    }
}
