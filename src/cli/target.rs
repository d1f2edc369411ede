//! `Target`: the destination of a copy or import, and the reference that each image gets there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::oci::ImageName;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::loaded::LoadedManifest;
use bulla::store::DockerArchiveWriter;
use bulla::store::Sink;

use super::exit::Failure;
use super::stores::Stores;

/// The destination of a copy or import.
pub(super) enum Target {
    /// Each image goes into the repository of its own name below this prefix: `host/prefix/`.
    Prefix(String),
    /// All images go into one layout, archive or repository.
    Single(String),
}

/// The stores that this command writes to, each opened once, and the names that it wrote.
#[derive(Default)]
pub(super) struct Sinks {
    docker_archives: BTreeMap<String, DockerArchiveWriter>,
    /// By store and normalized name, the image and the name as it was written.
    named: BTreeMap<(String, String), (Digest, String)>,
    opened: BTreeMap<String, Arc<dyn Sink>>,
    used: Vec<String>,
}

impl Target {
    /// Parses a destination.
    pub(super) fn parse(typed: &str) -> Result<Self, Failure> {
        let local = ["oci:", "oci-archive:", "docker-archive:"].iter().any(|transport| typed.starts_with(transport));
        match typed.strip_suffix('/').filter(|_| !local) {
            Some(prefix) => {
                let below = format!("{prefix}/image");
                match below.parse::<Reference>() {
                    Ok(Reference::Registry(_)) => Ok(Self::Prefix(prefix.to_owned())),
                    // Report the error for what was typed, not for the prefix.
                    _ => Err(typed.parse::<Reference>().err().map_or_else(|| Failure::unknown(typed), Failure::from)),
                }
            }
            None => Ok(Self::Single(typed.to_owned())),
        }
    }

    /// Whether the destination is a docker-archive.
    pub(super) fn is_docker_archive(&self) -> bool {
        matches!(self.any_reference().parse(), Ok(Reference::DockerArchive(_)))
    }

    /// Some reference at the destination, from which its host is read.
    pub(super) fn any_reference(&self) -> String {
        match self {
            Self::Prefix(prefix) => format!("{prefix}/image"),
            Self::Single(reference) => reference.clone(),
        }
    }

    /// Refuses several images for a destination that is one name.
    pub(super) fn check_count(&self, images: &[String]) -> Result<(), Failure> {
        let Self::Single(typed) = self else { return Ok(()) };
        let reference: Reference = typed.parse()?;
        match super::stores::names_an_image(typed)? && images.len() > 1 {
            true => {
                let message = format!("`{typed}` is one name, and {} images go there", images.len());
                Err(Failure::unknown(message).hint(reference.location()))
            }
            false => Ok(()),
        }
    }

    /// The destination reference of the image `source`. `names` are its names at the source.
    pub(super) fn reference_for(&self, source: &str, names: &[String]) -> Result<String, Failure> {
        let prefix = match self {
            Self::Single(reference) => return Ok(reference.clone()),
            Self::Prefix(prefix) => prefix,
        };
        let full = names.iter().filter(|name| ImageName::new(name.as_str()).is_some_and(|name| name.is_full()));
        let mut below: Vec<_> = full
            .filter_map(|name| match name.parse() {
                Ok(Reference::Registry(registry)) => Some(match registry.tag_or_digest() {
                    TagOrDigest::Digest(digest) => format!("{prefix}/{}@{digest}", registry.repository()),
                    TagOrDigest::Tag(tag) => format!("{prefix}/{}:{tag}", registry.repository()),
                }),
                _ => None,
            })
            .collect();
        below.sort();
        below.dedup();
        match below.as_slice() {
            [one] => Ok(one.clone()),
            [] => {
                let message = format!("`{source}`: its name has no repository to put below `{prefix}/`");
                Err(Failure::unknown(message).hint(format!("{prefix}/<repository>:<tag>, for this image alone")))
            }
            [first, ..] => {
                let message = format!("`{source}`: it has several names, so several repositories below `{prefix}/`");
                Err(Failure::unknown(message).hint(format!("{first}, for this image alone")))
            }
        }
    }
}

impl Sinks {
    /// Opens the store of `target`, once.
    pub(super) fn open(&mut self, stores: &Stores, target: &str) -> Result<(String, Arc<dyn Sink>), Failure> {
        let place = target.parse::<Reference>()?.location();
        if let Some(sink) = self.opened.get(&place) {
            return Ok((place, Arc::clone(sink)));
        }
        let sink = stores.new_sink(target)?;
        self.opened.insert(place.clone(), Arc::clone(&sink));
        Ok((place, sink))
    }

    /// As [`Sinks::open`], for a copy: the destination may also be a docker-archive, which lists the manifest `loaded` of
    /// the image.
    pub(super) fn open_for_copy(
        &mut self,
        stores: &Stores,
        target: &str,
        image: Digest,
        loaded: Option<&LoadedManifest>,
    ) -> Result<(String, Arc<dyn Sink>), Failure> {
        let place = target.parse::<Reference>()?.location();
        if !self.opened.contains_key(&place)
            && let Some(archive) = stores.new_docker_archive(target)?
        {
            self.opened.insert(place.clone(), archive.sink());
            self.docker_archives.insert(place.clone(), archive);
        }
        if let (Some(archive), Some(loaded)) = (self.docker_archives.get(&place), loaded) {
            archive.list(image, &loaded.descriptor)?;
        }
        self.open(stores, target)
    }

    /// As [`Sinks::open`], for evidence without layers.
    pub(super) fn open_for_evidence(
        &mut self,
        stores: &Stores,
        target: &str,
    ) -> Result<(String, Arc<dyn Sink>), Failure> {
        let place = target.parse::<Reference>()?.location();
        if let Entry::Vacant(entry) = self.opened.entry(place) {
            entry.insert(stores.new_evidence_sink(target)?);
        }
        self.open(stores, target)
    }

    /// Refuses a name that this command has already given to another image, in this spelling or in another one: layouts and
    /// archives have both under one name.
    pub(super) fn check_unused(&self, place: &str, names: &[String], digest: &Digest) -> Result<(), Failure> {
        for name in names {
            if let Some((other, written)) = self.named.get(&key(place, name)).filter(|(other, _)| other != digest) {
                let message = match written == name {
                    true => format!("{place}: `{name}` was just written for {other}"),
                    false => format!("{place}: `{name}` is the name `{written}`, which was just written for {other}"),
                };
                return Err(Failure::unknown(message).hint("give each image a destination of its own"));
            }
        }
        Ok(())
    }

    /// Records that an image was written under these names.
    pub(super) fn record(&mut self, place: &str, names: &[String], digest: &Digest) {
        self.named.extend(names.iter().map(|name| (key(place, name), (*digest, name.clone()))));
        if !self.used.iter().any(|used| used == place) {
            self.used.push(place.to_owned());
        }
    }

    /// Whether writes to `place` become visible only in [`Sinks::finish`].
    pub(super) fn is_deferred(&self, place: &str) -> bool {
        self.opened.get(place).is_some_and(|sink| !sink.moves_names())
    }

    /// Makes all writes visible, store by store. Returns the failure of each store that could not do so.
    pub(super) async fn finish(&self) -> BTreeMap<String, Failure> {
        let mut failed = BTreeMap::new();
        for place in &self.used {
            if let Some(sink) = self.opened.get(place)
                && let Err(error) = sink.finish().await
            {
                failed.insert(place.clone(), Failure::from(error));
            }
        }
        failed
    }
}

/// The key of a name in a store: equal for names that are the same one for Docker and containerd.
fn key(place: &str, name: &str) -> (String, String) {
    let normalized = ImageName::new(name).map(|name| name.normalized().into_owned());
    (place.to_owned(), normalized.unwrap_or_else(|| name.to_owned()))
}
