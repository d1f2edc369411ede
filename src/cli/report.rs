//! Reports in JSON: one versioned object for each command, written as it is made. The library accepts none of them as input.

use serde_json::Value;
use serde_json::json;

use crate::key::Signer;
use crate::oci::Descriptor;
use crate::ops::copy::Copied;
use crate::ops::copy::LeftOut;
use crate::ops::graph::LeftBehind;
use crate::ops::import::Admitted;
use crate::ops::layers::Layers;
use crate::ops::layers::Read;
use crate::ops::naming::Before;
use crate::ops::naming::Named;
use crate::ops::sign::Signed;
use crate::ops::tree::Link;
use crate::ops::tree::Node;
use crate::ops::tree::TreeDocument;
use crate::ops::tree::Trust;
use crate::ops::verify::Child;
use crate::ops::verify::Outcome;
use crate::ops::verify::Verdict;
use crate::store::StoreError;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;

use super::Exit;
use super::Failure;
use super::args::ResultsOutput;
use super::move_image::Moved;
use super::object::Object;
use super::results::Results;
use super::verify;

/// The version of all reports. It changes when a field changes its meaning or goes away, not when one is added.
pub(super) const VERSION: u32 = 1;

/// The object around the results of a command.
pub(super) fn whole(command: &str, results: Vec<Value>) -> Value {
    json!({ "version": VERSION, "command": command, "results": results })
}

/// Writes the report of a command that has one result.
pub(super) fn one(command: &'static str, result: Object<'_>) {
    let mut results = Results::of(command, ResultsOutput::Json);
    results.add(result);
    results.end();
}

pub(super) fn outcome<'a>(reference: &str, result: &'a Result<Outcome, Failure>) -> Object<'a> {
    match result {
        Ok(outcome) => judged(reference, outcome),
        Err(failure) => failed(reference, failure),
    }
}

pub(super) fn judged<'a>(reference: &str, outcome: &'a Outcome) -> Object<'a> {
    let mut report = verdict(&outcome.verdict)
        .with("reference", json!(reference))
        .with("accepted", json!(verify::exit_of(outcome) == Exit::Yes))
        .with("layers", layers(&outcome.layers))
        .with("digest", json!(outcome.chosen.unwrap_or(outcome.subject)))
        .with("mediaType", json!(outcome.media_type.as_ref().filter(|_| outcome.chosen.is_none())));
    if outcome.chosen.is_some() {
        report = report.with("index", json!(outcome.subject));
    }
    let child = |(platform, digest, child): &'a Child| {
        let platform = platform.as_ref().map(ToString::to_string);
        verdict(child).with("digest", json!(digest)).with("platform", json!(platform))
    };
    match outcome.children.is_empty() {
        true => report,
        false => report.listing("platforms", move || outcome.children.iter().map(child)),
    }
}

pub(super) fn failed<'a>(reference: &str, failure: &Failure) -> Object<'a> {
    let verdict = if failure.exit == Exit::Refused { "refused" } else { "unknown" };
    Object::of(json!({
        "reference": reference, "accepted": false, "verdict": verdict, "code": failure.code, "error": failure.message,
    }))
}

fn verdict(verdict: &Verdict) -> Object<'_> {
    match verdict {
        Verdict::Accepted(verified) => accepted(verified),
        Verdict::Incomplete { accepted: counted, findings, why } => {
            Object::of(json!({ "verdict": "unknown", "code": why.code(), "error": why.to_string() }))
                .listing("counted", move || counted.iter().map(self::counted))
                .listing("findings", move || findings.iter().map(|found| finding(found)))
        }
        Verdict::Refused(refusal) => refused("refused", refusal, &[]),
        Verdict::Unknown { refusal, open } => refused("unknown", refusal, open),
    }
}

/// Whether configs and layers were read.
fn layers(layers: &Layers) -> Value {
    match layers {
        Layers::NotRead => json!({ "read": false }),
        Layers::Partly(read, faults) => {
            let mut report = self::read(read);
            let faults = faults.iter().map(|error| json!({ "code": error.code(), "message": error.to_string() }));
            set(&mut report, "faults", faults.collect());
            set(&mut report, "read", json!(false));
            report
        }
        Layers::Read(read) => self::read(read),
    }
}

fn read(read: &Read) -> Value {
    let Read { blobs, bytes, not_held } = read;
    json!({ "read": true, "blobs": blobs, "bytes": bytes, "notHeld": not_held.iter().map(left_out).collect::<Vec<_>>() })
}

fn accepted(verified: &VerifiedSubject) -> Object<'_> {
    Object::of(json!({ "verdict": "verified" }))
        .listing("counted", || verified.accepted().iter().map(counted))
        .listing("findings", || verified.findings().iter().map(|found| finding(found)))
}

fn refused<'a>(verdict: &str, refusal: &'a Refusal, open: &'a [StoreError]) -> Object<'a> {
    let unread = |error: &'a StoreError| Object::of(json!({ "code": error.code(), "message": error.to_string() }));
    Object::of(json!({ "verdict": verdict, "keys": { "got": refusal.got, "want": refusal.want } }))
        .listing("counted", || refusal.accepted.iter().map(counted))
        .listing("findings", || refusal.ranked().into_iter().map(finding))
        .listing("open", move || open.iter().map(unread))
}

fn counted(counted: &AcceptedSignature) -> Object<'_> {
    let report = signature(counted);
    let Some(predicate) = &counted.predicate else { return report };
    // What nests deeper than other readers of the report may follow is given as the text that it is.
    match serde_json::from_slice::<Value>(predicate) {
        Ok(value) => report.with("predicate", value),
        Err(_) => report.with("predicateText", String::from_utf8_lossy(predicate).into()),
    }
}

fn signature(counted: &AcceptedSignature) -> Object<'_> {
    Object::of(json!({
        "key": counted.key.to_string(),
        "owner": counted.owner.to_string(),
        "scheme": counted.scheme.to_string(),
        "kind": counted.kind.to_string(),
        "format": counted.evidence.document().format(),
        "place": counted.evidence.found_at().to_string(),
        "evidence": counted.evidence.digest(),
        "annotations": counted.annotations,
        "signedReference": counted.reference,
    }))
}

fn finding(finding: &Finding) -> Object<'_> {
    Object::of(json!({
        "code": finding.reason.code(),
        "message": finding.reason.to_string(),
        "place": finding.place.to_string(),
        "evidence": finding.digest,
    }))
}

pub(super) fn signed(reference: &str, result: &Result<Vec<Signed>, Failure>, signers: &[&dyn Signer]) -> Value {
    let signed = match result {
        Ok(signed) => signed,
        Err(failure) => {
            return json!({ "reference": reference, "done": false, "code": failure.code, "error": failure.message });
        }
    };
    let keys = signers.iter().map(|signer| signer.public_key().id().to_string()).cycle();
    let signatures = signed.iter().zip(keys).map(
        |(Signed { subject, referrer, tag, already }, key)| json!({ "digest": subject, "key": key, "referrer": referrer, "tag": tag, "alreadySigned": already }),
    );
    json!({ "reference": reference, "done": true, "signatures": signatures.collect::<Vec<_>>() })
}

/// What would have been done: nothing was.
pub(super) fn dry_run(mut report: Value) -> Value {
    set(&mut report, "done", json!(false));
    set(&mut report, "dryRun", json!(true));
    report
}

pub(super) fn copied<'a>(source: &str, target: &str, dry_run: bool, result: &'a Result<Moved, Failure>) -> Object<'a> {
    let fields = json!({ "source": source, "target": target, "dryRun": dry_run });
    match result {
        Ok(moved) => {
            let result = Object::of(fields)
                .with("digest", json!(moved.digest))
                .with("index", json!(moved.index))
                .with("names", json!(names(moved)));
            left(amounts(result, &moved.copied), &moved.copied)
        }
        Err(failure) => Object::of(fields).with("code", json!(failure.code)).with("error", json!(failure.message)),
    }
}

/// The names that were written, and what they stood for before.
fn names(moved: &Moved) -> Vec<Value> {
    let name = |(reference, named): (&String, &Named)| {
        let (was, unknown) = match &named.before {
            Before::Free | Before::Same => (None, None),
            Before::Other(held) => (held.first(), None),
            Before::Unknown(error) => (None, Some(error.to_string())),
        };
        json!({ "reference": reference, "was": was, "wasUnknown": unknown })
    };
    moved.written.iter().zip(&moved.copied.named).map(name).collect()
}

pub(super) fn imported<'a>(
    source: &str,
    target: &str,
    dry_run: bool,
    admitted: &'a Admitted,
    moved: &'a Moved,
) -> Object<'a> {
    let copied = &moved.copied;
    let proofs = admitted.verified();
    let result = proofs.first().map_or_else(|| Object::of(json!({})), accepted);
    let result = result
        .with("reference", json!(source))
        .with("accepted", json!(true))
        .with("target", json!(target))
        .with("digest", json!(admitted.digest()))
        .with("names", json!(names(moved)))
        .with("leftOut", json!(copied.left_out));
    let result = left(amounts(result, copied), copied).with("dryRun", json!(dry_run));
    let result = match &moved.read {
        Some(read) => result.with("layers", self::read(read)),
        None => result,
    };
    let child = |verified: &'a VerifiedSubject| accepted(verified).with("digest", json!(verified.digest()));
    match proofs.len() > 1 {
        true => result.listing("platforms", move || proofs.iter().skip(1).map(child)),
        false => result,
    }
}

/// What was not carried along.
fn left<'a>(result: Object<'a>, copied: &'a Copied) -> Object<'a> {
    let layer = |left: &'a LeftOut| Object::of(left_out(left));
    let referrer = |left: &'a LeftBehind| {
        Object::of(json!({ "digest": left.digest, "mediaType": left.media_type, "reason": left.why }))
    };
    result
        .listing("layersLeftOut", move || copied.layers_left_out.iter().map(layer))
        .listing("leftBehind", move || copied.left_behind.iter().map(referrer))
}

fn left_out(left: &LeftOut) -> Value {
    let Descriptor { digest, media_type, size, .. } = &left.layer;
    json!({ "digest": digest, "mediaType": media_type, "size": size, "urls": left.urls })
}

fn amounts<'a>(result: Object<'a>, copied: &Copied) -> Object<'a> {
    let Copied { blobs, bytes, blobs_present, manifests, referrers, .. } = copied;
    result
        .with("blobsMoved", json!(blobs))
        .with("blobsPresent", json!(blobs_present))
        .with("bytesMoved", json!(bytes))
        .with("manifests", json!(manifests))
        .with("referrers", json!(referrers))
}

pub(super) fn tree<'a>(reference: &str, root: &'a Node) -> Object<'a> {
    node(root).with("reference", json!(reference)).with("complete", json!(!root.has_problems()))
}

fn node(node: &Node) -> Object<'_> {
    let (link, detail) = match &node.link {
        Link::Child(platform) => ("child", platform.as_ref().map(ToString::to_string)),
        Link::Referrer => ("referrer", None),
        Link::Root => ("root", None),
        Link::Tag(tag) => ("tag", Some(tag.clone())),
    };
    let fields = json!({
        "digest": node.digest,
        "mediaType": node.media_type,
        "artifactType": node.artifact_type,
        "created": node.created,
        "link": link,
        "linkDetail": detail,
        "size": node.size,
        "problems": node.problems,
    });
    Object::of(fields)
        .listing("signed", || node.signed.iter().map(document))
        .listing("hanging", || node.hanging.iter().map(self::node))
}

fn document(document: &TreeDocument) -> Object<'_> {
    let (trusted, keys, why) = match &document.trust {
        Trust::NotAsked => (None, Vec::new(), None),
        Trust::Trusted(keys) => (Some(true), keys.iter().map(ToString::to_string).collect(), None),
        Trust::Damaged(why) | Trust::Untrusted(why) => (Some(false), Vec::new(), Some(why)),
    };
    Object::of(json!({
        "format": document.format,
        "kind": document.kind.as_ref().map(ToString::to_string),
        "claimedKey": document.claimed_key,
        "trusted": trusted,
        "keys": keys,
        "reason": why,
    }))
}

fn set(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(field.to_owned(), value);
    }
}
