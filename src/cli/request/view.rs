//! A request as people see it before they sign: every field that is signed or bound, and nothing that is not.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::cli::render::amount;
use crate::cli::render::printable;
use crate::cli::report;
use crate::oci::media_type;
use crate::round::Action;
use crate::round::Attestation;
use crate::round::Item;
use crate::round::Keyholder;
use crate::round::Previous;
use crate::round::Request;
use crate::round::Response;
use crate::round::response::Signed;
use crate::round::tally;

/// How much of a predicate is shown unless all of it is asked for.
const PREDICATE_LINES: usize = 24;

/// What the labels that people compare most begin with.
const PREFIX: &str = "org.opencontainers.image.";

/// A request with what has been signed of it.
pub(super) struct Page<'a> {
    pub(super) request: &'a Request,
    pub(super) response: &'a Response,
    /// The reader's own copy of the round before.
    pub(super) previous: Option<&'a Request>,
    /// Whether predicates are shown to their end.
    pub(super) full: bool,
}

impl Page<'_> {
    /// Everything.
    pub(super) fn text(&self) -> String {
        let mut page = self.standing();
        for (place, item) in self.request.items().iter().enumerate() {
            page.push('\n');
            self.item(place, item, &mut page);
        }
        page
    }

    /// The request without its items, and who has signed.
    pub(super) fn standing(&self) -> String {
        let request = self.request;
        let mut page = String::new();
        row(&mut page, "", "request", &request.digest().to_string());
        row(&mut page, "", "created", &request.created().to_string());
        row(&mut page, "", "expires", &request.expires().to_string());
        if let Some(reason) = request.reason() {
            row(&mut page, "", "reason", reason);
        }
        let owners = request.owners().len();
        row(&mut page, "", "asks", &format!("{} of {owners} owners: {}", request.threshold().count(), request.asked()));
        row(&mut page, "", "items", &self.request.items().len().to_string());
        for signed in self.response.signers() {
            let (count, all) = (signed.count(), request.messages().iter().map(Vec::len).sum::<usize>());
            let (owner, key, time) = (signed.owner(), signed.key().id().short(), signed.time());
            row(&mut page, "", "signed", &format!("{owner}, key {key}, {time}: {count} of {all} signatures"));
        }
        page
    }

    fn item(&self, place: usize, item: &Item, page: &mut String) {
        const IN: &str = "   ";
        let number = place.saturating_add(1);
        page.push_str(&printable(&format!("{number}. {}", item.reference)));
        page.push('\n');
        row(page, IN, "digest", &item.digest.to_string());
        row(page, IN, "kind", &format!("{}, {} bytes", kind_of(&item.media_type), item.size));
        let platforms: Vec<_> = item.platforms.iter().map(ToString::to_string).collect();
        if !platforms.is_empty() {
            row(page, IN, "for", &platforms.join(", "));
        }
        if let Some(size) = item.content_size {
            row(page, IN, "size", &amount(size));
        }
        let previous = self.previous(item);
        let before = previous.as_ref().map(|previous| &previous.labels);
        for (key, value) in &item.labels {
            row(page, IN, key.strip_prefix(PREFIX).unwrap_or(key), &changed(value, key, before));
        }
        for (key, value) in before.into_iter().flatten().filter(|(key, _)| !item.labels.contains_key(*key)) {
            row(page, IN, key.strip_prefix(PREFIX).unwrap_or(key), &format!("none (was {value})"));
        }
        if let Some(previous) = &previous {
            let same = if previous.digest == item.digest { "the same image, " } else { "" };
            row(page, IN, "before", &format!("{same}{} {}", previous.reference, previous.digest));
        }
        if self.previous.is_some() && item.previous.is_some() && item.previous != previous {
            row(page, IN, "warning", "the request says something else about the round before than your copy of it");
        }
        self.action(item, page, IN);
        let names: Vec<_> = self.response.signers().filter(|signed| signed.has_all_of(self.request, place)).collect();
        if !names.is_empty() {
            row(page, IN, "signed by", &names.iter().map(|signed| signed.owner()).collect::<Vec<_>>().join(", "));
        }
    }

    fn action(&self, item: &Item, page: &mut String, indent: &str) {
        let sign = match &item.action {
            Action::Attest(attest) => return self.attestation(attest, page, indent),
            Action::Sign(sign) => sign,
        };
        if sign.format.has_bundle() {
            let name = sign.name.as_ref().map_or_else(String::new, |name| format!(", as {name}"));
            row(page, indent, "sign", &format!("image signature, Sigstore bundle{name}"));
        }
        if let Some(identity) = &sign.identity {
            row(page, indent, "sign", &format!("image signature, .sig tag, as {identity}"));
        }
        for (key, value) in &sign.annotations {
            row(page, indent, "signed", &format!("{key}={value}"));
        }
    }

    fn attestation(&self, attest: &Attestation, page: &mut String, indent: &str) {
        let name = attest.name.as_ref().map_or_else(String::new, |name| format!(", as {name}"));
        let forms = match (attest.format.has_bundle(), attest.format.has_tag()) {
            (true, true) => "Sigstore bundle and .att tag",
            (true, false) => "Sigstore bundle",
            _ => ".att tag",
        };
        row(page, indent, "attest", &format!("{}, {forms}{name}", attest.predicate_type));
        let text = attest.predicate.get();
        row(
            page,
            indent,
            "predicate",
            &format!("{} bytes, {}", text.len(), crate::digest::Digest::sha256(text.as_bytes())),
        );
        let lines = || pieces(text);
        let most = if self.full { usize::MAX } else { PREDICATE_LINES };
        for line in lines().take(most) {
            page.push_str(&format!("{indent}  | {}\n", printable(&line)));
        }
        let left = lines().skip(most).count();
        if left > 0 {
            page.push_str(&format!("{indent}  | … {left} more lines: --full shows them\n"));
        }
    }

    fn previous(&self, item: &Item) -> Option<Previous> {
        match self.previous {
            Some(own) => own.predecessor(item),
            None => item.previous.clone(),
        }
    }

    /// Everything, as JSON.
    pub(super) fn json(&self) -> Value {
        let items = self.request.items().iter().enumerate().map(|(place, item)| self.item_json(place, item));
        let mut result = self.standing_json();
        if let Value::Object(fields) = &mut result {
            fields.insert("items".to_owned(), items.collect());
        }
        report::whole("request show", vec![result])
    }

    /// What a command made of the request, as JSON.
    pub(super) fn outcome(&self, command: &str, out: &Path) -> Value {
        let mut result = self.standing_json();
        if let Value::Object(fields) = &mut result {
            fields.insert("written".to_owned(), json!(out.display().to_string()));
        }
        report::whole(command, vec![result])
    }

    fn standing_json(&self) -> Value {
        let request = self.request;
        let owner = |(owner, (_, whole)): (&Keyholder, (String, usize))| {
            let keys: Vec<_> = owner.keys.iter().map(|key| key.id().to_string()).collect();
            json!({ "name": owner.name, "keys": keys, "signedItems": whole })
        };
        let owners = request.owners().iter().zip(tally::standing(request, self.response)).map(owner);
        json!({
            "request": request.digest(),
            "created": request.created().to_string(),
            "expires": request.expires().to_string(),
            "reason": request.reason(),
            "threshold": request.threshold().count(),
            "owners": owners.collect::<Vec<_>>(),
            "itemCount": request.items().len(),
            "signers": self.response.signers().map(signer).collect::<Vec<_>>(),
            "approved": matches!(tally::approve(request, self.response), Ok(Ok(_))),
        })
    }

    fn item_json(&self, place: usize, item: &Item) -> Value {
        let signed = self.response.signers().filter(|signed| signed.has_all_of(self.request, place));
        let previous = self.previous(item).map(
            |previous| json!({ "reference": previous.reference, "digest": previous.digest, "labels": previous.labels }),
        );
        let (sign, attest) = match &item.action {
            Action::Attest(attest) => (None, Some(attest)),
            Action::Sign(sign) => (Some(sign), None),
        };
        let predicate = attest.map(|attest| serde_json::from_str::<Value>(attest.predicate.get()).unwrap_or_default());
        let name = sign.map_or_else(|| attest.and_then(|attest| attest.name.as_ref()), |sign| sign.name.as_ref());
        json!({
            "reference": item.reference.to_string(),
            "digest": item.digest,
            "mediaType": item.media_type,
            "size": item.size,
            "contentSize": item.content_size,
            "platforms": item.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "labels": item.labels,
            "previous": previous,
            "kind": item.kind().to_string(),
            "bundle": item.format().has_bundle(),
            "tag": item.format().has_tag(),
            "annotations": sign.map(|sign| &sign.annotations),
            "identity": sign.and_then(|sign| sign.identity.as_ref()),
            "name": name,
            "predicateType": attest.map(|attest| &attest.predicate_type),
            "predicate": predicate,
            "signedBy": signed.map(Signed::owner).collect::<Vec<_>>(),
        })
    }
}

fn signer(signed: &Signed) -> Value {
    json!({
        "owner": signed.owner(),
        "key": signed.key().id().to_string(),
        "time": signed.time().to_string(),
        "signatures": signed.count(),
    })
}

fn row(page: &mut String, indent: &str, label: &str, value: &str) {
    page.push_str(&format!("{indent}{:<9}  {}\n", printable(label), printable(value)));
}

/// A label, and what it was in the round before if it was something else.
fn changed(value: &str, key: &str, before: Option<&BTreeMap<String, String>>) -> String {
    match before.map(|before| before.get(key)) {
        None => value.to_owned(),
        Some(None) => format!("{value} (was none)"),
        Some(Some(was)) if was == value => value.to_owned(),
        Some(Some(was)) => format!("{value} (was {was})"),
    }
}

fn kind_of(media_type: &str) -> &'static str {
    match media_type::is_index(media_type) {
        true => "index",
        false => "image manifest",
    }
}

/// A text in lines of a length that is printed whole.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    const WIDTH: usize = 160;
    text.lines().flat_map(|line| {
        let characters: Vec<char> = line.chars().collect();
        characters.chunks(WIDTH).map(|piece| piece.iter().collect()).collect::<Vec<String>>()
    })
}
