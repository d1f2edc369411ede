//! Reports in JSON: one versioned object for each command. The library accepts none of them as input.

use serde_json::Value;
use serde_json::json;

use crate::flow::copy::Copied;
use crate::flow::import::Admitted;
use crate::flow::naming::Before;
use crate::flow::naming::Named;
use crate::flow::sign::Signed;
use crate::flow::tree::Link;
use crate::flow::tree::Node;
use crate::flow::tree::SignedDocument;
use crate::flow::tree::Trust;
use crate::flow::verify::Outcome;
use crate::flow::verify::Verdict;
use crate::key::Signer;
use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::verify::Counted;
use crate::verify::Finding;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;

use super::Exit;
use super::Failure;
use super::move_image::Moved;

/// The version of all reports. It changes when a field changes its meaning or goes away, not when one is added.
const VERSION: u32 = 1;

/// The object around the results of a command.
pub(super) fn whole(command: &str, results: Vec<Value>) -> Value {
    json!({ "version": VERSION, "command": command, "results": results })
}

pub(super) fn outcome(reference: &str, result: &Result<Outcome, Failure>) -> Value {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(failure) => return failed(reference, failure),
    };
    let mut report = verdict(&outcome.verdict);
    let children = outcome.children.iter().map(|(platform, digest, child)| {
        let mut report = verdict(child);
        set(&mut report, "digest", json!(digest));
        set(&mut report, "platform", json!(platform.as_ref().map(ToString::to_string)));
        report
    });
    let children: Vec<_> = children.collect();
    set(&mut report, "reference", json!(reference));
    set(&mut report, "digest", json!(outcome.chosen.unwrap_or(outcome.subject)));
    set(&mut report, "mediaType", json!(outcome.media_type.as_ref().filter(|_| outcome.chosen.is_none())));
    if outcome.chosen.is_some() {
        set(&mut report, "index", json!(outcome.subject));
    }
    if !children.is_empty() {
        set(&mut report, "platforms", Value::Array(children));
    }
    report
}

fn failed(reference: &str, failure: &Failure) -> Value {
    let verdict = if failure.exit == Exit::Refused { "refused" } else { "unknown" };
    json!({ "reference": reference, "verdict": verdict, "code": failure.code, "error": failure.message })
}

fn verdict(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Accepted(verified) => accepted(verified),
        Verdict::Refused(refusal) => refused("refused", refusal, &[]),
        Verdict::Unknown { refusal, open } => refused("unknown", refusal, open),
    }
}

fn accepted(verified: &VerifiedSubject) -> Value {
    json!({
        "verdict": "verified",
        "counted": verified.counted().iter().map(counted).collect::<Vec<_>>(),
        "findings": verified.findings().iter().map(finding).collect::<Vec<_>>(),
    })
}

fn refused(verdict: &str, refusal: &Refusal, open: &[StoreError]) -> Value {
    json!({
        "verdict": verdict,
        "keys": { "got": refusal.got, "want": refusal.want },
        "counted": refusal.counted.iter().map(counted).collect::<Vec<_>>(),
        "findings": refusal.ranked().into_iter().map(finding).collect::<Vec<_>>(),
        "open": open.iter().map(|error| json!({ "code": error.code(), "message": error.to_string() })).collect::<Vec<_>>(),
    })
}

fn counted(counted: &Counted) -> Value {
    let mut report = signature(counted);
    if let Some(predicate) = &counted.predicate {
        // What nests deeper than other readers of the report may follow is given as the text that it is.
        match serde_json::from_slice::<Value>(predicate) {
            Ok(value) => set(&mut report, "predicate", value),
            Err(_) => set(&mut report, "predicateText", String::from_utf8_lossy(predicate).into()),
        }
    }
    report
}

fn signature(counted: &Counted) -> Value {
    json!({
        "key": counted.key.to_string(),
        "owner": counted.owner.to_string(),
        "scheme": counted.scheme.to_string(),
        "kind": counted.kind.to_string(),
        "format": counted.evidence.sealed().format(),
        "place": counted.evidence.place().to_string(),
        "evidence": counted.evidence.digest(),
        "annotations": counted.annotations,
        "signedReference": counted.reference,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.reason.code(),
        "message": finding.reason.to_string(),
        "place": finding.place.to_string(),
        "evidence": finding.digest,
    })
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

pub(super) fn copied(source: &str, target: &str, dry_run: bool, result: &Result<Moved, Failure>) -> Value {
    let moved = match result {
        Ok(moved) => moved,
        Err(failure) => {
            return json!({
                "source": source, "target": target, "dryRun": dry_run, "code": failure.code, "error": failure.message,
            });
        }
    };
    let names = names(moved);
    let mut result = json!({
        "source": source, "target": target, "dryRun": dry_run, "digest": moved.digest, "index": moved.index, "names": names,
    });
    amounts(&mut result, &moved.copied);
    left(&mut result, &moved.copied);
    result
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

pub(super) fn imported(source: &str, target: &str, admitted: &Admitted, moved: &Moved) -> Value {
    let copied = &moved.copied;
    let mut proofs = admitted.verified().iter();
    let mut result = proofs.next().map_or_else(|| json!({}), accepted);
    let children = proofs.map(|verified| {
        let mut report = accepted(verified);
        set(&mut report, "digest", json!(verified.digest()));
        report
    });
    let children: Vec<_> = children.collect();
    if !children.is_empty() {
        set(&mut result, "platforms", Value::Array(children));
    }
    for (field, value) in
        [("reference", json!(source)), ("target", json!(target)), ("digest", json!(admitted.digest()))]
    {
        set(&mut result, field, value);
    }
    set(&mut result, "names", Value::Array(names(moved)));
    amounts(&mut result, copied);
    set(&mut result, "leftOut", json!(copied.left_out));
    left(&mut result, copied);
    result
}

/// What was not carried along.
fn left(result: &mut Value, copied: &Copied) {
    let layers = copied.layers_left_out.iter().map(|left| {
        let Descriptor { digest, media_type, size, .. } = &left.layer;
        json!({ "digest": digest, "mediaType": media_type, "size": size, "urls": left.urls })
    });
    set(result, "layersLeftOut", layers.collect());
    let referrers = copied.left_behind.iter();
    let referrers = referrers
        .map(|left| json!({ "digest": left.digest, "mediaType": left.media_type, "reason": left.why }))
        .collect();
    set(result, "leftBehind", referrers);
}

fn amounts(result: &mut Value, copied: &Copied) {
    let Copied { blobs, bytes, blobs_present, manifests, referrers, .. } = copied;
    for (field, value) in [
        ("blobsMoved", json!(blobs)),
        ("blobsPresent", json!(blobs_present)),
        ("bytesMoved", json!(bytes)),
        ("manifests", json!(manifests)),
        ("referrers", json!(referrers)),
    ] {
        set(result, field, value);
    }
}

pub(super) fn tree(reference: &str, root: &Node) -> Value {
    let mut result = node(root);
    set(&mut result, "reference", json!(reference));
    set(&mut result, "complete", json!(!root.has_problems()));
    whole("tree", vec![result])
}

fn node(node: &Node) -> Value {
    let (link, detail) = match &node.link {
        Link::Child(platform) => ("child", platform.as_ref().map(ToString::to_string)),
        Link::Referrer => ("referrer", None),
        Link::Root => ("root", None),
        Link::Tag(tag) => ("tag", Some(tag.clone())),
    };
    json!({
        "digest": node.digest,
        "mediaType": node.media_type,
        "artifactType": node.artifact_type,
        "created": node.created,
        "link": link,
        "linkDetail": detail,
        "size": node.size,
        "signed": node.signed.iter().map(document).collect::<Vec<_>>(),
        "problems": node.problems,
        "hanging": node.hanging.iter().map(self::node).collect::<Vec<_>>(),
    })
}

fn document(document: &SignedDocument) -> Value {
    let (trusted, keys, why) = match &document.trust {
        Trust::NotAsked => (None, Vec::new(), None),
        Trust::Trusted(keys) => (Some(true), keys.iter().map(ToString::to_string).collect(), None),
        Trust::Damaged(why) | Trust::Untrusted(why) => (Some(false), Vec::new(), Some(why)),
    };
    json!({
        "format": document.format,
        "kind": document.kind.as_ref().map(ToString::to_string),
        "claimedKey": document.claimed_key,
        "trusted": trusted,
        "keys": keys,
        "reason": why,
    })
}

fn set(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(field.to_owned(), value);
    }
}
