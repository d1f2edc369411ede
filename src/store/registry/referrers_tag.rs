//! The referrers tag: the list of referrers of a registry without the referrers API. Distribution specification,
//! "Referrers Tag Schema". Entries are merged into the list; it is never replaced.
//!
//! Invariant: `Ok` only after the list was seen to hold all entries, some time after it was written. No registry has
//! conditional writes of tags, so two writers can overwrite each other's list:
//!
//! 1. Take the lock of the tag, against other writers of this process.
//! 2. Read the list. If it has all entries before anything was written, end.
//! 3. If it is, byte for byte, the list that was written in the first attempt, end: nobody else wrote meanwhile.
//! 4. If it has all entries, but another writer wrote too, count a confirmation, and end after enough of them: more after
//!    each further write.
//! 5. Otherwise add the missing entries, write the list, and start to count anew.
//! 6. Wait for writers that read the list before it was written: after the first write longer than three of our own
//!    rounds took, later longer than one, with some randomness. Go back to 2, a bounded number of times.
//!
//! What this cannot prevent: a writer that needs longer than the pause of step 6 from its read to its write overwrites
//! the list unseen. The entry is then missing from the list, and the manifest that it names is not found, until it is
//! added again. No entry that somebody else wrote before our read is lost by our write.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::manifests;
use super::repository::Repository;
use super::retry::jitter;
use crate::digest::Digest;
use crate::json;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer::fallback_tag;
use crate::ordered;
use crate::store::StoreError;
use crate::store::error::ProtocolFault;
use crate::store::error::ReadBackFault;
use crate::store::error::ReferrersTagFault;

/// Adds `entries` to the list of referrers at the referrers tag of `subject`. `Ok` only after the list was read back with
/// all of them, since another writer may overwrite it: once if nobody else wrote, several times otherwise. The wait for
/// the lock and the pauses count towards the timeout of the command, as the requests do.
pub(super) async fn add(repository: &Repository, subject: &Digest, entries: &[Descriptor]) -> Result<(), StoreError> {
    let place = repository.place(&TagOrDigest::Tag(fallback_tag(subject)));
    let describe = || (place.clone(), "adding to the list of referrers".to_owned());
    repository.client.transport.within(describe, merge(repository, subject, entries)).await
}

/// Steps 1 to 6.
async fn merge(repository: &Repository, subject: &Digest, entries: &[Descriptor]) -> Result<(), StoreError> {
    let tag = fallback_tag(subject);
    let tag_or_digest = TagOrDigest::Tag(tag.clone());
    let place = repository.place(&tag_or_digest);
    let lock = repository.tag_locks().of(&place);
    let _turn = lock.lock().await;
    let mut slowest = repository.client.transport.settings.retry.settle;
    let mut confirmed = 0;
    let mut writes = 0;
    // The list that the first write left at the tag.
    let mut first = None;
    for _ in 0..MAX_ROUNDS {
        let since = Instant::now();
        let there = read(repository, &tag_or_digest).await?;
        match merged(there.as_ref(), entries, repository).map_err(|fault| unreadable(&place, fault))? {
            // The list was complete before we wrote: every later writer has read all entries.
            None if writes == 0 => return Ok(()),
            // Only the first read-back is compared: later ones come after a list of another writer.
            None if writes == 1 && confirmed == 0 && there.map(|there| *there.digest()) == first => return Ok(()),
            None => confirmed += 1,
            Some(list) => {
                let pushed = write(repository, &list, &tag).await?;
                first = pushed.then(|| *list.digest());
                confirmed = 0;
                writes += 1;
            }
        }
        // After each overwritten list more confirmations are needed, since other writers are active.
        if confirmed >= CONFIRMATIONS + writes.min(MAX_EXTRA_CONFIRMATIONS) {
            return Ok(());
        }
        // Another writer that read the list before our write may still write it for as long as our own round takes.
        slowest = slowest.max(since.elapsed());
        tokio::time::sleep(match (writes, confirmed) {
            (1, 0) => slowest.saturating_mul(FIRST_PAUSE) + jitter(slowest),
            _ => slowest + jitter(slowest.saturating_mul(2)),
        })
        .await;
    }
    Err(StoreError::ReadBack { place, reason: ReadBackFault::Overwritten(MAX_ROUNDS) })
}

/// Writes the list to its tag. `false` if another list was there right afterwards.
async fn write(repository: &Repository, list: &Content, tag: &str) -> Result<bool, StoreError> {
    let limit = repository.limits().oci.manifest_bytes;
    if u64::try_from(list.bytes().len()).unwrap_or(u64::MAX) > limit {
        return Err(StoreError::TooLarge { what: repository.place(&TagOrDigest::Tag(tag.to_owned())), limit });
    }
    match manifests::push(repository, list, Some(tag)).await {
        Ok(_) => Ok(true),
        // Another writer's list is an expected conflict, and the next round retries. Other errors stay errors.
        Err(StoreError::ReadBack { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn read(repository: &Repository, tag_or_digest: &TagOrDigest) -> Result<Option<Content>, StoreError> {
    match manifests::resolve(repository, tag_or_digest).await {
        Ok(content) => Ok(Some(content)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unreadable(place: &str, fault: ReferrersTagFault) -> StoreError {
    StoreError::Protocol { place: place.to_owned(), reason: ProtocolFault::ReferrersTag(fault) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListWire<'a> {
    media_type: Option<String>,
    #[serde(borrow, default, deserialize_with = "raw")]
    manifests: Option<&'a RawValue>,
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
}

/// A field in its raw form, even `null`.
fn raw<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryWire {
    digest: Option<String>,
    #[serde(default)]
    media_type: serde_json::Value,
    #[serde(default)]
    size: serde_json::Value,
}

/// The list with `entries` added; `None` if it has them all. Existing entries keep their bytes.
fn merged(
    there: Option<&Content>,
    entries: &[Descriptor],
    repository: &Repository,
) -> Result<Option<Content>, ReferrersTagFault> {
    let Some(there) = there else {
        return fresh(entries).map(Some);
    };
    let kind = &there.descriptor().media_type;
    let json = |error| ReferrersTagFault::Json { checked: false, error };
    if !media_type::is_index(kind) {
        return Err(ReferrersTagFault::OtherType { digest: *there.digest(), media_type: kind.clone() });
    }
    json::check(there.bytes(), repository.limits())
        .map_err(|error| ReferrersTagFault::Json { checked: true, error })?;
    let wire: ListWire<'_> = json::read(there.bytes()).map_err(json)?;
    let text = std::str::from_utf8(there.bytes()).map_err(|_| ReferrersTagFault::NotAnArray)?;
    if wire.layers.is_some() || wire.media_type.as_ref().is_some_and(|own| own != kind) {
        return Err(ReferrersTagFault::Ambiguous);
    }
    let list = wire.manifests.ok_or(ReferrersTagFault::NoManifests)?.get();
    let listed: Option<Vec<EntryWire>> = json::read(list.as_bytes()).map_err(json)?;
    let identity =
        |entry: EntryWire| Some((entry.digest?, entry.size.as_u64()?, entry.media_type.as_str()?.to_owned()));
    let listed = ordered::set(listed.into_iter().flatten().filter_map(identity));
    // An entry with the same digest but another size or media type is a different one.
    let is_new =
        |entry: &&Descriptor| !listed.contains(&(entry.digest.to_string(), entry.size, entry.media_type.clone()));
    let new: Vec<&Descriptor> = entries.iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(None);
    }
    let inserted = insert(text, list, &new).ok_or(ReferrersTagFault::NotAnArray)?;
    Ok(Some(Content::from_bytes(kind, inserted.into_bytes())))
}

/// Appends `new` to the array `list`, which is a part of `text`; `null` counts as an empty array.
fn insert(text: &str, list: &str, new: &[&Descriptor]) -> Option<String> {
    let at = list.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let (before, rest) = text.split_at_checked(at)?;
    let (_, after) = rest.split_at_checked(list.len())?;
    let open = if list == "null" { "[" } else { list.strip_suffix(']')?.trim_end() };
    let comma = if open.ends_with('[') { "" } else { "," };
    Some(format!("{before}{open}{comma}{}]{after}", joined(new)?))
}

fn fresh(entries: &[Descriptor]) -> Result<Content, ReferrersTagFault> {
    let entries = joined(&entries.iter().collect::<Vec<_>>()).ok_or(ReferrersTagFault::Entry)?;
    let list = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{entries}]}}"#, media_type::OCI_INDEX);
    Ok(Content::from_bytes(media_type::OCI_INDEX, list.into_bytes()))
}

fn joined(entries: &[&Descriptor]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let once = entries.iter().filter(|entry| seen.insert(entry.identity()));
    let texts: Option<Vec<String>> = once.map(|entry| serde_json::to_string(entry).ok()).collect();
    Some(texts?.join(","))
}

/// How often in a row the list must be read with all entries, in addition to once for each of our writes, after another
/// writer was seen.
const CONFIRMATIONS: u32 = 2;
/// The pause between the first write and the first read-back, in durations of our slowest round.
const FIRST_PAUSE: u32 = 3;
/// The largest number of our writes that require further confirmations.
const MAX_EXTRA_CONFIRMATIONS: u32 = 8;
/// The limit of rounds.
const MAX_ROUNDS: u32 = 200;
