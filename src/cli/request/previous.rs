//! The rows `before` and `claimed` of the page that people read before they sign: what has changed since the previous
//! request.
//!
//! The invariant: against the reader's own copy, each statement that is asked for and was not is shown to be new, and of
//! the others every difference in what the signature says, in owners, keys and threshold has a row. No value that a
//! signature covers is compared by its name alone.

use std::collections::BTreeMap;

use crate::cli::line::Lines;
use crate::cli::request::page::RequestPage;
use crate::cli::request::rows::INDENT;
use crate::cli::request::rows::fact;
use crate::cli::request::rows::label;
use crate::cli::request::rows::row;
use bulla::digest::Digest;
use bulla::request::Action;
use bulla::request::RequestFile;
use bulla::request::RequestItem;
use bulla::request::SigningRequest;
use bulla::time::Time;

/// What a request asks, in pairs of a word of the page and a value.
type Asked = Vec<(&'static str, String)>;

/// What is shown where the previous request has no such item or file.
const NEW: &str = "not in your previous request";

impl RequestPage<'_> {
    /// What has changed in the request as a whole: owners, keys, threshold, and what is not asked for any more.
    pub(super) fn previous_summary(&self, page: &mut Lines) {
        let Some(own) = self.previous else { return };
        differences(&owners_of(own), &owners_of(self.request), "", page);
        let replaced: Vec<_> = self.request.items().iter().filter_map(|item| counterpart(own, item)).collect();
        let is_gone = |item: &&RequestItem| !replaced.iter().any(|other| std::ptr::eq(*other, *item));
        for item in own.items().iter().filter(is_gone) {
            row(page, "", "before", &format!("asked too: {} of {}", item.kind(), item.reference));
        }
        let is_there = |file: &&RequestFile| self.request.files().iter().any(|other| other.name() == file.name());
        for file in own.files().iter().filter(|file| !is_there(file)) {
            row(page, "", "before", &format!("asked too: file {}", file.name()));
        }
    }

    /// The item of the previous request that this one replaces: from the reader's own copy, else as the requester claims.
    pub(super) fn previous_item(&self, item: &RequestItem, page: &mut Lines) {
        let Some(own) = self.previous else {
            if let Some(previous) = &item.previous {
                let reference = &previous.reference;
                row(page, INDENT, "claimed", &format!("by the requester: the previous image was {reference}"));
                fact(page, INDENT, "claimed", &previous.digest.to_string());
                changes(&previous.labels, item).for_each(|(key, value)| label(page, INDENT, "claimed", key, value));
            }
            return;
        };
        match counterpart(own, item) {
            None => row(page, INDENT, "before", NEW),
            Some(previous) => {
                let same = if previous.digest == item.digest { "the same image, " } else { "" };
                row(page, INDENT, "before", &format!("{same}{}", previous.reference));
                fact(page, INDENT, "before", &previous.digest.to_string());
                changes(&previous.labels, item).for_each(|(key, value)| label(page, INDENT, "before", key, value));
                differences(&signed_by(previous), &signed_by(item), INDENT, page);
            }
        }
        if item.previous.is_some() && item.previous != own.predecessor(item) {
            row(page, INDENT, "warning", "the request describes the previous request differently than your own copy");
        }
    }

    /// The file of the previous request with the same name.
    pub(super) fn previous_file(&self, file: &RequestFile, page: &mut Lines) {
        let Some(own) = self.previous else { return };
        match own.files().iter().find(|other| other.name() == file.name()) {
            None => row(page, INDENT, "before", NEW),
            Some(previous) => {
                let same = if previous.digest() == file.digest() { "the same file" } else { "another file" };
                row(page, INDENT, "before", same);
                fact(page, INDENT, "before", &previous.digest().to_string());
            }
        }
    }
}

/// The item of the previous request that asks for the same signatures, else the one that `item` replaces.
fn counterpart<'a>(own: &'a SigningRequest, item: &RequestItem) -> Option<&'a RequestItem> {
    let named = own.items().iter().filter(|other| other.reference == item.reference && other.digest == item.digest);
    let mut same = named.filter(|other| other.kind() == item.kind() && signed_by(other) == signed_by(item));
    same.next().or_else(|| own.replaced_by(item))
}

/// A row for each value that was asked before and is not now, and for each that is asked now and was not.
fn differences(before: &Asked, now: &Asked, indent: &str, page: &mut Lines) {
    let of = |word: &str, (name, value): &(&'static str, String)| format!("{word} {name} {value}");
    for gone in before.iter().filter(|asked| !now.contains(asked)) {
        row(page, indent, "before", &of("with:", gone));
    }
    for new in now.iter().filter(|asked| !before.contains(asked)) {
        row(page, indent, "before", &of("without:", new));
    }
}

/// The threshold, and each owner with each key.
fn owners_of(request: &SigningRequest) -> Asked {
    let threshold = ("threshold", format!("{} of {} owners", request.threshold().count(), request.owners().len()));
    let owners = request.owners().iter().flat_map(|owner| owner.keys.iter().map(move |key| (owner, key.id())));
    [threshold].into_iter().chain(owners.map(|(owner, key)| ("owner", format!("{}, key {key}", owner.name)))).collect()
}

/// All that the signatures for an item say besides the image, and their formats. Times are left out: each request has its
/// own. How long a signature is valid is not.
fn signed_by(item: &RequestItem) -> Asked {
    let mut asked: Asked = item.forms().iter().map(|form| ("format", form.name.as_str().to_owned())).collect();
    match &item.action {
        Action::Attest(attest) => {
            asked.push(("attest", attest.predicate_type().to_owned()));
            asked.extend(attest.name().map(|name| ("as", name.to_owned())));
            let what = if attest.finished().is_some() { "statement" } else { "predicate" };
            asked.push((what, Digest::sha256(attest.given().get().as_bytes()).to_string()));
        }
        Action::Sign(sign) => {
            asked.extend(sign.name.iter().map(|name| ("bundle as", name.clone())));
            asked.extend(sign.identity.iter().map(|name| ("tag as", name.clone())));
            if let Some(notary) = &sign.notary {
                let seconds = |end: Time| end.unix().saturating_sub(notary.signing_time.unix());
                let valid = notary.expiry.map(|end| format!("for {} seconds", seconds(end)));
                asked.push(("valid", valid.unwrap_or_else(|| "without an end".to_owned())));
                asked.push(("manifest", notary.manifest.as_str().to_owned()));
                asked.push(("mediaType", item.media_type.clone()));
            }
            asked.extend(sign.annotations.iter().map(|(key, value)| ("signed", format!("{key}={value}"))));
        }
    }
    asked
}

/// The labels that changed, with their previous values; none for a new label.
fn changes<'a>(
    previous: &'a BTreeMap<String, String>,
    item: &'a RequestItem,
) -> impl Iterator<Item = (&'a String, Option<&'a str>)> {
    let added = item.labels.keys().filter(|key| !previous.contains_key(*key)).map(|key| (key, None));
    let other = previous.iter().filter(|(key, was)| item.labels.get(*key) != Some(was));
    other.map(|(key, was)| (key, Some(was.as_str()))).chain(added)
}
