//! Pagination of the lists of a registry: referrers and tags. Distribution specification, "Listing Tags" and "Listing
//! Referrers"; RFC 8288.
//!
//! Invariant: a list is complete, or an error, or marked as cut off; it never ends early without notice. For each page:
//!
//! 1. Refuse a URL that was read before (a loop), and more pages than the limit.
//! 2. Request the page; its body is bounded.
//! 3. Find the next page in its `Link` header (`link.rs`): at most one, on the same host, not the page itself.
//! 4. Read the entries, and refuse more of them than the limit.
//! 5. Go on with the next page; the list is complete when a page names none.

use std::collections::BTreeSet;

use reqwest::Url;

use super::repository::Repository;
use super::request::ApiRequest;
use super::request::BodyMode;
use super::response::ApiResponse;
use crate::digest::Digest;
use crate::limits::count;
use crate::store::StoreError;
use crate::store::error::ProtocolFault;

/// The URLs of the pages of one list that were requested, as digests: a registry chooses how long they are.
#[derive(Default)]
pub(super) struct PageUrls(BTreeSet<Digest>);

impl PageUrls {
    /// Step 1: records that `url` is requested next; rejects loops and lists with too many pages
    /// (threats: pagination-loop).
    ///
    /// # Errors
    /// [`StoreError`] if it was requested before, or more than `limit` pages were.
    pub(super) fn follow(&mut self, url: &Url, limit: u64, place: &str) -> Result<(), StoreError> {
        if !self.0.insert(Digest::sha256(url.as_str().as_bytes())) {
            return Err(StoreError::Protocol { place: place.to_owned(), reason: ProtocolFault::PaginationLoop });
        }
        match count(self.0.len()) > limit {
            true => Err(StoreError::TooMany { place: place.to_owned(), what: "pages", limit }),
            false => Ok(()),
        }
    }

    /// Whether only the first page was requested so far.
    pub(super) fn is_first(&self) -> bool {
        self.0.len() == 1
    }
}

/// Step 2: requests the page of a list at `url`.
pub(super) async fn page(repository: &Repository, url: Url, place: &str) -> Result<ApiResponse, StoreError> {
    let body_mode = BodyMode::AtMost(repository.limits().oci.manifest_bytes);
    let mut request = ApiRequest::get(url, repository.name(), body_mode, place.to_owned()).accept(ACCEPTED);
    request.scope.access = repository.reading();
    repository.client.send(&request).await
}

/// The accepted media types of lists.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/json";
