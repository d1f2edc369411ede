//! The referrers API: the list of referrers of a manifest. Distribution specification, "Listing Referrers".
//!
//! Invariant (see `pagination.rs` for the pages): `None` only if the response to the first page shows that the registry
//! has no referrers API, and no earlier response showed that it has one. Every other failure is an error, or marks the
//! list as cut off. An error is not absence.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use reqwest::StatusCode;
use reqwest::Url;
use tracing::debug;

use super::link;
use super::pagination::PageUrls;
use super::pagination::page;
use super::repository::Repository;
use super::response::ApiResponse;
use super::text::shown;
use crate::digest::Digest;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::store::Listing;
use crate::store::StoreError;
use crate::store::error::ProtocolFault;

/// The referrers of `subject` from the referrers API; `None` if the registry does not have it.
///
/// 1. Request the first page, filtered by `artifact_type` if one is given.
/// 2. If the registry refuses the filter (400), request the list without it, once, and remember that.
/// 3. If the first page shows that there is no referrers API, return `None`, unless the API was seen before.
/// 4. Read all further pages. If one cannot be read, keep the earlier entries and mark the list as cut off: it can lead
///    to a yes, but never to a no.
pub(super) async fn list(
    repository: &Repository,
    subject: &Digest,
    artifact_type: Option<&str>,
) -> Result<Option<Listing>, StoreError> {
    let capabilities = &repository.client.capabilities;
    let refuses_filter = capabilities.no_referrers_filter.load(Ordering::Relaxed);
    let filter = artifact_type.filter(|_| !refuses_filter);
    match read(repository, subject, filter).await? {
        ReferrersAnswer::Listed(listing) => Ok(Some(listing)),
        ReferrersAnswer::NoApi(response) if filter.is_some() && may_refuse_filter(repository, &response) => {
            match read(repository, subject, None).await? {
                ReferrersAnswer::Listed(listing) => {
                    capabilities.no_referrers_filter.store(true, Ordering::Relaxed);
                    debug!("the registry refuses to filter referrers");
                    Ok(Some(listing))
                }
                ReferrersAnswer::NoApi(response) => no_api(repository, &response),
            }
        }
        ReferrersAnswer::NoApi(response) => no_api(repository, &response),
    }
}

/// Whether a response to a filtered request may refuse the filter and not the API: 400, from a registry that is not
/// known to lack the referrers API.
fn may_refuse_filter(repository: &Repository, response: &ApiResponse) -> bool {
    response.status == StatusCode::BAD_REQUEST && repository.referrers_api() != Some(false)
}

/// The outcome of requesting a list.
enum ReferrersAnswer {
    Listed(Listing),
    /// The response shows that the registry has no referrers API.
    NoApi(Box<ApiResponse>),
}

/// Reads the list of referrers, all pages.
async fn read(repository: &Repository, subject: &Digest, filter: Option<&str>) -> Result<ReferrersAnswer, StoreError> {
    let place = format!("{} (referrers)", repository.place_of(subject));
    let mut url = repository.url(&format!("referrers/{subject}"));
    if let Some(artifact_type) = filter {
        url.query_pairs_mut().append_pair("artifactType", artifact_type);
    }
    let mut list = ReferrersList::new();
    let mut next = Some(url);
    while let Some(url) = next {
        match list.read_on(repository, url, &place).await {
            Ok(ReferrersPage::Page(further)) => next = further,
            Ok(ReferrersPage::NoApi(response)) => return Ok(ReferrersAnswer::NoApi(response)),
            Err(error) if list.began => {
                list.listing.unread = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    remember(repository, true);
    Ok(ReferrersAnswer::Listed(list.listing))
}

/// A list of referrers that is being read, page by page.
struct ReferrersList {
    /// Whether a page of it was read.
    began: bool,
    listing: Listing,
    pages: PageUrls,
    /// The entries so far. A wrong entry for a manifest must not hide the right one.
    seen: HashSet<(Digest, u64, String)>,
}

/// The outcome of requesting a page of the list.
enum ReferrersPage {
    /// The registry has no referrers API.
    NoApi(Box<ApiResponse>),
    /// Entries, and the URL of the next page.
    Page(Option<Url>),
}

impl ReferrersList {
    fn new() -> Self {
        let listing = Listing { entries: Vec::new(), filtered: false, unread: None };
        Self { began: false, listing, pages: PageUrls::default(), seen: HashSet::new() }
    }

    /// Reads the page at `url`.
    async fn read_on(&mut self, repository: &Repository, url: Url, place: &str) -> Result<ReferrersPage, StoreError> {
        let limits = repository.limits();
        self.pages.follow(&url, limits.registry.link_hops, place)?;
        let response = page(repository, url.clone(), place).await?;
        if NO_API.contains(&response.status.as_u16()) && self.pages.is_first() {
            return Ok(ReferrersPage::NoApi(Box::new(response)));
        }
        let response = response.expect(&[StatusCode::OK]).map_err(not_an_absence)?;
        let filtered = is_filtered(&response);
        let next =
            link::next(&url, &response.headers).map_err(|fault| response.protocol_error(ProtocolFault::Link(fault)));
        let fresh = entries(repository, response)?;
        self.began = true;
        self.listing.filtered |= filtered;
        for entry in fresh {
            if !self.seen.insert(entry.identity()) {
                continue;
            }
            if count(self.listing.entries.len()) >= limits.graph.referrers {
                return Err(StoreError::TooMany {
                    place: place.to_owned(),
                    what: "referrers",
                    limit: limits.graph.referrers,
                });
            }
            self.listing.entries.push(referrer::bounded_entry(entry));
        }
        next.map(ReferrersPage::Page)
    }
}

/// The result for a registry without the referrers API; an error if it was seen in this repository before.
fn no_api(repository: &Repository, response: &ApiResponse) -> Result<Option<Listing>, StoreError> {
    if repository.has_listed() {
        return Err(response.protocol_error(ProtocolFault::ReferrersApiGone));
    }
    remember(repository, false);
    Ok(None)
}

/// Remembers whether the registry has a referrers API; a later 404 does not undo it
/// (threats: referrers-api-disappears).
fn remember(repository: &Repository, there: bool) {
    let mut known = repository.client.capabilities.referrers.lock().unwrap_or_else(PoisonError::into_inner);
    if *known != Some(true) && *known != Some(there) {
        debug!(there, "learned whether there is a referrers API");
    }
    *known = Some(there || *known == Some(true));
    if there {
        repository.set_listed();
    }
}

fn entries(repository: &Repository, response: ApiResponse) -> Result<Vec<Descriptor>, StoreError> {
    response.refuse_html()?;
    let place = response.what.clone();
    let limits = repository.limits();
    if response.media_type() != media_type::OCI_INDEX {
        let kind = shown(&response.media_type(), &repository.client.transport.settings.secrets);
        return Err(response.protocol_error(ProtocolFault::NotReferrers(kind)));
    }
    let content = Content::from_bytes(media_type::OCI_INDEX, response.into_bytes());
    match Index::parse(&content, limits) {
        Ok(index) => Ok(index.manifests),
        Err(ManifestError::Limit { what: "descriptors", .. }) => {
            Err(StoreError::TooMany { place, what: "referrers", limit: limits.graph.referrers })
        }
        Err(error) => Err(StoreError::Manifest { place, error }),
    }
}

/// Whether the response states that a filter was applied. Any filter counts, the known `artifactType` or another one, and
/// also where no filter was requested: entries may have been left out.
fn is_filtered(response: &ApiResponse) -> bool {
    let claims = response.headers.get_all(FILTERS_APPLIED);
    claims.iter().any(|claim| !claim.as_bytes().trim_ascii().is_empty())
}

/// Converts a missing page to an error: the list cannot be read, which is not an absence.
fn not_an_absence(error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound { content } => {
            StoreError::Protocol { place: content.to_string(), reason: ProtocolFault::PageMissing }
        }
        error => error,
    }
}

/// The header that names the filters that a list was filtered by.
const FILTERS_APPLIED: &str = "oci-filters-applied";
/// The statuses of the first page that mean that there is no referrers API: the specification's 404, and those of
/// registries and gateways that do not know the path (Artifactory responds with 406). The referrers tag is used then.
const NO_API: &[u16] = &[400, 404, 405, 406, 501];
