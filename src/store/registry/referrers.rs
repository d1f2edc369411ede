//! What a registry lists: the referrers of a manifest, the tags of a repository. All pages or an error.

use std::collections::HashSet;
use std::sync::PoisonError;

use reqwest::StatusCode;
use reqwest::Url;
use serde::Deserialize;

use super::answer::Answer;
use super::call::Call;
use super::call::Reading;
use super::link;
use super::manifests::is_no_page;
use super::repository::Repository;
use crate::digest::Digest;
use crate::json;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::store::Listing;
use crate::store::StoreError;

/// What the registry lists as referring to `subject`; `None` where it says that it keeps no such lists. Distribution
/// specification, "Listing Referrers".
pub(super) async fn list(
    repository: &Repository,
    subject: &Digest,
    artifact_type: Option<&str>,
) -> Result<Option<Listing>, StoreError> {
    let place = format!("{} (referrers)", repository.place_of(subject));
    let mut url = repository.url(&format!("referrers/{subject}"));
    if let Some(artifact_type) = artifact_type {
        url.query_pairs_mut().append_pair("artifactType", artifact_type);
    }
    let mut list = List::new();
    let mut next = Some(url);
    while let Some(url) = next {
        match list.read_on(repository, url, &place).await {
            Ok(Read::Page(further)) => next = further,
            Ok(Read::NotKept(answer)) => return not_kept(repository, subject, &answer),
            // What was read before stands: a yes may come of it, never a no.
            Err(error) if list.began => {
                list.listing.unread = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    remember(repository, subject, true);
    Ok(Some(list.listing))
}

/// A list on its way, page by page.
struct List {
    /// Whether a page of it was read.
    began: bool,
    listing: Listing,
    pages: HashSet<Url>,
    seen: HashSet<Digest>,
}

/// What came of asking for a page.
enum Read {
    /// The registry keeps no lists.
    NotKept(Box<Answer>),
    /// Entries, and where there are more.
    Page(Option<Url>),
}

impl List {
    fn new() -> Self {
        let listing = Listing { entries: Vec::new(), filtered: false, unread: None };
        Self { began: false, listing, pages: HashSet::new(), seen: HashSet::new() }
    }

    async fn read_on(&mut self, repository: &Repository, url: Url, place: &str) -> Result<Read, StoreError> {
        let limits = repository.limits();
        follow(&mut self.pages, &url, limits.registry.link_hops, place)?;
        let answer = page(repository, url.clone(), place, Reading::UpTo(limits.oci.manifest_bytes)).await?;
        if NO_API.contains(&answer.status.as_u16()) && self.pages.len() == 1 {
            return Ok(Read::NotKept(Box::new(answer)));
        }
        let answer = super::download::expect(answer, &[StatusCode::OK]).map_err(not_an_absence)?;
        let filtered = is_filtered(&answer);
        let next = link::next(&url, &answer.headers).map_err(|why| answer.protocol(why));
        let fresh = entries(repository, answer)?;
        self.began = true;
        self.listing.filtered |= filtered;
        for entry in fresh {
            if count(self.listing.entries.len()) >= limits.graph.referrers && !self.seen.contains(&entry.digest) {
                return Err(StoreError::TooMany {
                    place: place.to_owned(),
                    what: "referrers",
                    limit: limits.graph.referrers,
                });
            }
            if self.seen.insert(entry.digest) {
                self.listing.entries.push(referrer::listed(entry));
            }
        }
        next.map(Read::Page)
    }
}

/// The tags of the repository.
pub(super) async fn names(repository: &Repository) -> Result<Vec<String>, StoreError> {
    let limits = repository.limits();
    let place = format!("{} (tags)", repository.shown());
    let mut url = repository.url("tags/list");
    url.query_pairs_mut().append_pair("n", "1000");
    let mut names = Vec::new();
    let mut pages = HashSet::new();
    let mut next = Some(url);
    while let Some(url) = next {
        follow(&mut pages, &url, TAG_PAGES, &place)?;
        let answer = page(repository, url.clone(), &place, Reading::UpTo(limits.oci.manifest_bytes)).await?;
        let answer = super::download::expect(answer, &[StatusCode::OK])?;
        is_no_page(&answer)?;
        next = link::next(&url, &answer.headers).map_err(|why| answer.protocol(why))?;
        let broken = answer.protocol("it answered with what is no list of tags");
        let wire: TagsWire = json::parse(&answer.into_bytes(), limits).map_err(|_| broken)?;
        names.extend(wire.tags.unwrap_or_default());
        if count(names.len()) > TAGS {
            return Err(StoreError::TooMany { place, what: "tags", limit: TAGS });
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

#[derive(Deserialize)]
struct TagsWire {
    tags: Option<Vec<String>>,
}

async fn page(repository: &Repository, url: Url, place: &str, reading: Reading) -> Result<Answer, StoreError> {
    let mut call = Call::get(url, repository.name(), reading, place.to_owned()).accept(ACCEPTED);
    call.scope.access = repository.reading();
    repository.host.ask(&call).await
}

/// Rejects pagination loops and lists with too many pages (threats: pagination-loop).
fn follow(pages: &mut HashSet<Url>, url: &Url, limit: u64, place: &str) -> Result<(), StoreError> {
    if !pages.insert(url.clone()) {
        return Err(StoreError::Protocol { place: place.to_owned(), why: "its pages lead in a circle".to_owned() });
    }
    match count(pages.len()) > limit {
        true => Err(StoreError::TooMany { place: place.to_owned(), what: "pages", limit }),
        false => Ok(()),
    }
}

/// Statuses that say, of the whole question, that there is no API; a repository in which the API was seen cannot say so.
fn not_kept(repository: &Repository, subject: &Digest, answer: &Answer) -> Result<Option<Listing>, StoreError> {
    if repository.has_listed() {
        return Err(answer.protocol("it does not know the referrers API any more, which it knew before"));
    }
    remember(repository, subject, false);
    Ok(None)
}

/// Remembers whether there is a referrers API; a later 404 does not undo it (threats: referrers-api-disappears).
fn remember(repository: &Repository, _subject: &Digest, there: bool) {
    let mut known = repository.host.knows.referrers.lock().unwrap_or_else(PoisonError::into_inner);
    *known = Some(there || *known == Some(true));
    if there {
        repository.set_listed();
    }
}

fn entries(repository: &Repository, answer: Answer) -> Result<Vec<Descriptor>, StoreError> {
    is_no_page(&answer)?;
    let place = answer.what.clone();
    let limits = repository.limits();
    if answer.media_type() != media_type::OCI_INDEX {
        let kind = super::answer::shown(&answer.media_type(), &repository.host.transport.settings.secrets);
        return Err(answer.protocol(format!("it answered with {kind:?}, which is no list of referrers")));
    }
    let content = Content::name(media_type::OCI_INDEX, answer.into_bytes());
    match Index::parse(&content, limits) {
        Ok(index) => Ok(index.manifests),
        Err(ManifestError::Limit { what: "descriptors", .. }) => {
            Err(StoreError::TooMany { place, what: "referrers", limit: limits.graph.referrers })
        }
        Err(error) => Err(StoreError::Manifest { place, error }),
    }
}

/// Whether the registry says that it left out other artifact types, in either of the ways of the specification.
fn is_filtered(answer: &Answer) -> bool {
    let said = answer.header("oci-filters-applied").unwrap_or_default();
    said.split(',').any(|filter| filter.trim().eq_ignore_ascii_case("artifactType"))
}

/// A page that is not there is a list that cannot be read.
fn not_an_absence(error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound { what } => {
            StoreError::Protocol { place: what, why: "a further page of the list is not there".to_owned() }
        }
        error => error,
    }
}

/// Statuses to the whole question that say that there is no referrers API: the specification's 404, and those of
/// registries and gateways that do not know the path (Artifactory answers 406). The fallback tag decides then.
const NO_API: &[u16] = &[400, 404, 405, 406, 501];
/// The media types of lists that we read.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/json";
/// How many pages of tags are read.
const TAG_PAGES: u64 = 1_000;
/// How many tags are listed.
const TAGS: u64 = 100_000;
