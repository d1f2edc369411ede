//! The tags of a repository. Distribution specification, "Listing Tags".

use reqwest::StatusCode;
use serde::Deserialize;

use super::link;
use super::manifests::TAG_LENGTH;
use super::pagination::PageUrls;
use super::pagination::page;
use super::repository::Repository;
use crate::json;
use crate::limits::count;
use crate::store::StoreError;
use crate::store::error::ProtocolFault;
use crate::text::Untrusted;

/// The tags of the repository, sorted and unique: all pages, or an error. A name that is not longer than a tag may still
/// be none.
pub(super) async fn list(repository: &Repository) -> Result<Vec<String>, StoreError> {
    let limits = repository.limits();
    let place = format!("{} (tags)", repository.shown());
    let mut url = repository.url("tags/list");
    url.query_pairs_mut().append_pair("n", "1000");
    let mut names = Vec::new();
    let mut pages = PageUrls::default();
    let mut next = Some(url);
    while let Some(url) = next {
        pages.follow(&url, TAG_PAGES, &place)?;
        let response = page(repository, url.clone(), &place).await?;
        let response = response.expect(&[StatusCode::OK])?;
        response.refuse_html()?;
        next =
            link::next(&url, &response.headers).map_err(|fault| response.protocol_error(ProtocolFault::Link(fault)))?;
        let broken = response.protocol_error(ProtocolFault::NotTags);
        let wire: TagsWire = json::parse(&response.into_bytes(), limits).map_err(|_| broken)?;
        let tags = wire.tags.unwrap_or_default();
        // A bound for each name bounds the bytes of the list (threats: oversized-tags).
        if let Some(long) = tags.iter().find(|tag| tag.len() > TAG_LENGTH) {
            let reason = ProtocolFault::LongTag(Untrusted::within(long, TAG_LENGTH));
            return Err(StoreError::Protocol { place, reason });
        }
        names.extend(tags);
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

/// The limit of pages of tags.
const TAG_PAGES: u64 = 1_000;
/// The limit of tags.
const TAGS: u64 = 100_000;
