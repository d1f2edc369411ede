//! `Target`: where several images go, and what each of them is called there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::oci::ImageName;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::store::Sink;

use super::exit::Failure;
use super::stores::Stores;

/// Where images go.
pub(super) enum Target {
    /// Each into the repository of its own name, below this host and path: `host/prefix/`.
    Below(String),
    /// All into one layout, archive or repository.
    Place(String),
}

/// The stores that are written to, each opened once, and what was written there by this command.
#[derive(Default)]
pub(super) struct Sinks {
    named: BTreeMap<(String, String), Digest>,
    opened: BTreeMap<String, Arc<dyn Sink>>,
    used: Vec<String>,
}

impl Target {
    /// Reads a destination as typed; `images` go there.
    pub(super) fn parse(typed: &str) -> Result<Self, Failure> {
        let local = ["oci:", "oci-archive:", "docker-archive:"].iter().any(|transport| typed.starts_with(transport));
        match typed.strip_suffix('/').filter(|_| !local) {
            Some(prefix) => {
                let below = format!("{prefix}/image");
                match below.parse::<Reference>() {
                    Ok(Reference::Registry(_)) => Ok(Self::Below(prefix.to_owned())),
                    // The error is about what was typed.
                    _ => Err(typed.parse::<Reference>().err().map_or_else(|| Failure::unknown(typed), Failure::from)),
                }
            }
            None => Ok(Self::Place(typed.to_owned())),
        }
    }

    /// A reference to something there, for its host.
    pub(super) fn somewhere(&self) -> String {
        match self {
            Self::Below(prefix) => format!("{prefix}/image"),
            Self::Place(place) => place.clone(),
        }
    }

    /// Refuses to give one name to several images.
    pub(super) fn takes(&self, images: &[String]) -> Result<(), Failure> {
        let Self::Place(place) = self else { return Ok(()) };
        let reference: Reference = place.parse()?;
        match super::stores::names_one(place)? && images.len() > 1 {
            true => {
                let message = format!("`{place}` is one name, and {} images go there", images.len());
                Err(Failure::unknown(message).hint(reference.place()))
            }
            false => Ok(()),
        }
    }

    /// Where the image goes that is `source`, with these names.
    pub(super) fn of(&self, source: &str, names: &[String]) -> Result<String, Failure> {
        let prefix = match self {
            Self::Place(place) => return Ok(place.clone()),
            Self::Below(prefix) => prefix,
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
                let message = format!("`{source}`: its name has no repository, and so none below `{prefix}/`");
                Err(Failure::unknown(message).hint(format!("{prefix}/<repository>:<tag>, for this image alone")))
            }
            [first, ..] => {
                let message = format!("`{source}`: it has several names, and so several places below `{prefix}/`");
                Err(Failure::unknown(message).hint(format!("{first}, for this image alone")))
            }
        }
    }
}

impl Sinks {
    /// The store of `target`.
    pub(super) fn open(&mut self, stores: &Stores, target: &str) -> Result<(String, Arc<dyn Sink>), Failure> {
        let place = target.parse::<Reference>()?.place();
        if let Some(sink) = self.opened.get(&place) {
            return Ok((place, Arc::clone(sink)));
        }
        let sink = stores.new_sink(target)?;
        self.opened.insert(place.clone(), Arc::clone(&sink));
        Ok((place, sink))
    }

    /// Refuses a name that another image of the same command got.
    pub(super) fn are_free(&self, place: &str, names: &[String], digest: &Digest) -> Result<(), Failure> {
        for name in names {
            if let Some(other) = self.named.get(&(place.to_owned(), name.clone())).filter(|other| *other != digest) {
                let message = format!("{place}: `{name}` is the name of {other}, which was given it just now");
                return Err(Failure::unknown(message).hint("give each image a destination of its own"));
            }
        }
        Ok(())
    }

    /// Remembers that an image is there.
    pub(super) fn wrote(&mut self, place: &str, names: &[String], digest: &Digest) {
        self.named.extend(names.iter().map(|name| ((place.to_owned(), name.clone()), *digest)));
        if !self.used.iter().any(|used| used == place) {
            self.used.push(place.to_owned());
        }
    }

    /// Whether what is written to `place` is held back until [`Sinks::finish`].
    pub(super) fn holds_back(&self, place: &str) -> bool {
        self.opened.get(place).is_some_and(|sink| !sink.moves_names())
    }

    /// Makes visible what was written, store by store; why not, where that could not be.
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
