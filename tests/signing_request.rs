//! Signing requests and responses as documents: what is refused, what counts, what is kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "signing_request/expected.rs"]
mod expected;
#[path = "signing_request/files.rs"]
mod files;
#[path = "signing_request/maker.rs"]
mod maker;
#[path = "signing_request/mutation.rs"]
mod mutation;
#[path = "signing_request/notary.rs"]
mod notary;
#[path = "signing_request/schemas.rs"]
mod schemas;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use bulla::digest::Digest;
use bulla::envelope::PayloadKind;
use bulla::envelope::SimpleSigningPayload;
use bulla::envelope::Statement;
use bulla::envelope::pre_authentication_encoding;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::media_type;
use bulla::policy::Threshold;
use bulla::request::Action;
use bulla::request::AttestationContent;
use bulla::request::CLOCK_SKEW;
use bulla::request::Keyholder;
use bulla::request::LogChain;
use bulla::request::RequestDraft;
use bulla::request::RequestError;
use bulla::request::SignedPart;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::request::approve;
use bulla::time::Time;
use bulla::trust::Owner;
use serde_json::Value;
use serde_json::json;

use maker::Format;
use maker::Tired;
use maker::attestation;
use maker::draft;
use maker::file;
use maker::finished;
use maker::key;
use maker::limits;
use maker::now;
use maker::read;
use maker::request;
use maker::respond;
use maker::signature;

fn after(seconds: i64) -> Time {
    Time::from_unix(now().unix() + seconds).unwrap()
}

#[test]
fn a_payload_is_rebuilt_from_the_shown_fields() {
    let annotations = BTreeMap::from([("version".to_owned(), "1.0 <&>".to_owned())]);
    let mut sign = signature(1, Format::Both);
    let Action::Sign(says) = &mut sign.action else { panic!() };
    says.annotations = annotations.clone();
    says.name = Some("registry.example/released".to_owned());
    let attest = attestation(2, Format::Both, r#"{ "a": "\u003c" }"#);
    let request =
        read(&RequestDraft { items: vec![sign.clone(), attest.clone()], ..draft(&[("alice", &[&key(1)])], 1, 1) });

    let [statement, claim] = request.payloads()[0].as_slice() else { panic!() };
    let want = Statement::image_signature(&sign.digest, Some("registry.example/released"), &annotations).unwrap();
    assert_eq!((statement.kind(), statement.bytes()), (PayloadKind::Statement, want.as_slice()));
    let alice = key(1);
    let to_sign = statement.to_sign(alice.public_key()).unwrap();
    assert_eq!(to_sign, pre_authentication_encoding(media_type::IN_TOTO, &want));
    let want = SimpleSigningPayload::payload(sign.digest, "registry.example/team/app1", &annotations).unwrap();
    assert_eq!(
        (claim.kind(), claim.bytes(), &*claim.to_sign(alice.public_key()).unwrap()),
        (PayloadKind::SimpleSigning, want.as_slice(), want.as_slice())
    );

    // One statement for both forms of an attestation, its predicate as it was written.
    let [statement] = request.payloads()[1].as_slice() else { panic!() };
    assert_eq!(statement.kind(), PayloadKind::Statement);
    let text = String::from_utf8(statement.bytes().to_vec()).unwrap();
    assert!(text.ends_with(r#","predicate":{ "a": "\u003c" }}"#), "{text}");
    assert!(text.contains(&attest.digest.hex()), "{text}");
}

#[test]
fn a_request_reads_as_it_was_drafted() {
    let (alice, bob) = (key(1), key(2));
    let drafted = draft(&[("alice", &[&alice]), ("bob", &[&bob, &key(3)])], 2, 3);
    let request = read(&drafted);
    assert_eq!((request.created(), request.expires()), (drafted.created, drafted.expires));
    assert_eq!(request.reason(), drafted.reason.as_deref());
    assert_eq!(request.owners(), drafted.owners);
    assert_eq!(request.threshold().count(), 2);
    assert_eq!(request.items().len(), 3);
    for (read, drafted) in request.items().iter().zip(&drafted.items) {
        assert_eq!(format!("{read:?}"), format!("{drafted:?}"));
    }
    let bytes = drafted.to_json(&limits()).unwrap();
    assert_eq!(*request.digest(), Digest::sha256(&bytes));
    assert_eq!(request.owner_of(bob.public_key().id()).unwrap().name, "bob");
}

#[test]
fn an_invalid_draft_is_refused() {
    let (alice, bob) = (key(1), key(2));
    let plain = || draft(&[("alice", &[&alice]), ("bob", &[&bob])], 2, 2);
    let refused = |draft: RequestDraft, why: &str| {
        let error = draft.to_json(&limits()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}: wanted {why}");
    };
    assert!(plain().to_json(&limits()).is_ok());
    refused(RequestDraft { expires: plain().created, ..plain() }, "`expires` is not after");
    refused(RequestDraft { items: Vec::new(), ..plain() }, "`items` is empty");
    refused(RequestDraft { owners: Vec::new(), ..plain() }, "no key and no certificate is trusted");
    refused(RequestDraft { threshold: Threshold::new(3).unwrap(), ..plain() }, "can never be met");
    // One owner is one, whatever keys they hold, and whatever they are called.
    refused(draft(&[("alice", &[&alice, &bob])], 2, 1), "can never be met");
    refused(draft(&[("alice", &[&alice]), ("bob", &[&alice])], 1, 1), "the key");
    refused(draft(&[("alice", &[&alice]), ("Alice", &[&bob])], 1, 1), "the owner Alice twice");
    refused(draft(&[("alice", &[&alice, &alice])], 1, 1), "the key");
    refused(draft(&[("alice", &[])], 1, 1), "`keys` of alice is empty");
    for name in ["", " alice", "alice\n", "alice\u{202e}", "a\u{0}", "<alice>", &"a".repeat(129)] {
        assert!(draft(&[(name, &[&alice])], 1, 1).to_json(&limits()).is_err(), "{name:?} was accepted");
    }
    refused(RequestDraft { items: vec![signature(1, Format::Bundle), signature(1, Format::Both)], ..plain() }, "twice");
    // The same digest at two places is two things to attach.
    let mut elsewhere = signature(1, Format::Bundle);
    elsewhere.reference = "registry.example/other:1".parse().unwrap();
    assert!(
        RequestDraft { items: vec![signature(1, Format::Bundle), elsewhere], ..plain() }.to_json(&limits()).is_ok()
    );
    refused(RequestDraft { items: vec![attestation(1, Format::Tag, "[]")], ..plain() }, "object");
}

#[test]
fn an_attestation_cannot_be_an_image_signature() {
    let mut item = attestation(1, Format::Bundle, "{}");
    let Action::Attest(attest) = &mut item.action else { panic!() };
    let AttestationContent::Predicate { predicate_type, .. } = &mut attest.content else { panic!() };
    *predicate_type = media_type::COSIGN_SIGN_PREDICATE.to_owned();
    let error =
        RequestDraft { items: vec![item], ..draft(&[("alice", &[&key(1)])], 1, 1) }.to_json(&limits()).unwrap_err();
    assert!(error.to_string().contains("image signature"), "{error}");
}

#[test]
fn a_request_is_signed_only_in_its_validity_period() {
    let alice = key(1);
    let request = request(&[("alice", &[&alice])], 1, 2);
    let mut response = SigningResponse::to(&request);
    for (at, expired) in [(request.expires().unix() + 1, true), (request.created().unix() - CLOCK_SKEW - 1, false)] {
        let at = Time::from_unix(at).unwrap();
        let error = response.sign(&request, &alice, at, usize::MAX).unwrap_err();
        assert_eq!(matches!(error, RequestError::Expired { .. }), expired, "{error}");
        assert_eq!(matches!(error, RequestError::Clock { .. }), !expired, "{error}");
        assert_eq!(response.signers().count(), 0);
    }
    for at in [request.created().unix() - CLOCK_SKEW, request.expires().unix()] {
        let mut response = SigningResponse::to(&request);
        let at = Time::from_unix(at).unwrap();
        assert!(response.sign(&request, &alice, at, usize::MAX).unwrap().stopped.is_none());
        assert_eq!(SigningResponse::parse(&response.to_json().unwrap(), &request, &limits()).unwrap(), response);
    }
}

#[test]
fn a_key_that_is_not_asked_does_not_sign() {
    let (alice, mallory) = (key(1), key(9));
    let request = request(&[("alice", &[&alice])], 1, 2);
    let error = SigningResponse::to(&request).sign(&request, &mallory, now(), usize::MAX).unwrap_err();
    assert!(matches!(error, RequestError::NotAsked { .. }), "{error}");
    assert!(error.to_string().contains("alice"), "{error}");

    // Mallory answers a request of her own for the same images, and puts another label on the answer.
    let hers = maker::request(&[("mallory", &[&mallory])], 1, 2);
    let answer = respond(&hers, &[&mallory]).to_json().unwrap();
    let error = SigningResponse::parse(&answer, &request, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::OtherRequest { .. }), "{error}");
    let answer = String::from_utf8(answer).unwrap();
    let relabelled = answer.replace(&hers.digest().to_string(), &request.digest().to_string());
    let error = SigningResponse::parse(relabelled.as_bytes(), &request, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::NotAsked { .. }), "{error}");
    let renamed = relabelled.replace("mallory", "alice");
    assert!(matches!(
        SigningResponse::parse(renamed.as_bytes(), &request, &limits()),
        Err(RequestError::NotAsked { .. })
    ));
    let claimed = renamed.replace(&mallory.public_key().id().to_string(), &alice.public_key().id().to_string());
    assert!(matches!(
        SigningResponse::parse(claimed.as_bytes(), &request, &limits()),
        Err(RequestError::Unsigned { .. })
    ));
}

/// Labels are in no payload. The countersignature detects that they were changed, and the response with them.
#[test]
fn an_altered_request_is_detected() {
    let alice = key(1);
    let bytes = draft(&[("alice", &[&alice])], 1, 2).to_json(&limits()).unwrap();
    let altered = String::from_utf8(bytes.clone()).unwrap().replace("\"version-1\"", "\"version-2\"").into_bytes();
    assert_ne!(bytes, altered);
    let sent = SigningRequest::parse(&bytes, &limits()).unwrap();
    let shown = SigningRequest::parse(&altered, &limits()).unwrap();
    assert_eq!(sent.payloads(), shown.payloads());
    let answer = String::from_utf8(respond(&shown, &[&alice]).to_json().unwrap()).unwrap();
    let error = SigningResponse::parse(answer.as_bytes(), &sent, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::OtherRequest { .. }), "{error}");
    let relabelled = answer.replace(&shown.digest().to_string(), &sent.digest().to_string());
    let error = SigningResponse::parse(relabelled.as_bytes(), &sent, &limits()).unwrap_err();
    assert!(matches!(error, RequestError::Unsigned { .. }), "{error}");
    assert!(error.to_string().contains("this request"), "{error}");
}

#[test]
fn an_owner_counts_once_and_only_with_a_finished_response() {
    let (alice, second, bob) = (key(1), key(2), key(3));
    let request = request(&[("alice", &[&alice, &second]), ("bob", &[&bob])], 2, 3);
    let missing = |response: &SigningResponse| approve(&request, response).unwrap().err();

    let nobody = missing(&SigningResponse::to(&request)).unwrap();
    assert_eq!(nobody.items.len(), 3);
    assert_eq!(nobody.owners, [("alice".to_owned(), 0), ("bob".to_owned(), 0)]);
    // Two keys of one owner are one owner.
    let twice = missing(&respond(&request, &[&alice, &second])).unwrap();
    assert_eq!(twice.items.len(), 3);
    assert_eq!(twice.items[0].signed, BTreeSet::from([Owner::Named("alice".to_owned())]));
    assert_eq!(twice.owners, [("alice".to_owned(), 3), ("bob".to_owned(), 0)]);
    assert!(missing(&respond(&request, &[&alice, &bob])).is_none());
    assert!(missing(&respond(&request, &[&second, &bob])).is_none());

    // Bob was interrupted in the middle of the second item, which has two parts: that is no answer yet.
    let mut response = respond(&request, &[&alice]);
    assert_eq!(response.sign(&request, &bob, now(), 3).unwrap().made.len(), 3);
    let late = missing(&response).unwrap();
    assert_eq!(late.items.iter().map(|item| item.place).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(late.owners, [("alice".to_owned(), 3), ("bob".to_owned(), 0)]);
    assert_eq!((late.unfinished, late.signatures), (BTreeMap::from([("bob".to_owned(), 3)]), 6));

    // Nothing that was not finished is attached for anybody, even where the threshold is met without.
    let lax = maker::request(&[("alice", &[&alice]), ("bob", &[&bob])], 1, 3);
    let mut response = respond(&lax, &[&alice]);
    response.sign(&lax, &bob, now(), 3).unwrap();
    let approved = approve(&lax, &response).unwrap().unwrap();
    let signers: Vec<_> = approved.items().map(|item| item.signers().count()).collect();
    assert_eq!(signers, [1, 1, 1]);
    // An answer to another request approves nothing.
    assert!(matches!(approve(&request, &response), Err(RequestError::OtherRequest { .. })));
}

#[test]
fn responses_of_several_signers_merge() {
    let (alice, bob) = (key(1), key(2));
    let request = request(&[("alice", &[&alice]), ("bob", &[&bob])], 2, 4);
    let (mut one, two) = (respond(&request, &[&alice]), respond(&request, &[&bob]));
    let both = respond(&request, &[&alice, &bob]);
    one.merge(two.clone()).unwrap();
    assert_eq!(one, both);
    one.merge(two).unwrap();
    assert_eq!(one.to_json().unwrap(), both.to_json().unwrap());
    let other = maker::request(&[("alice", &[&alice]), ("bob", &[&bob])], 2, 5);
    assert!(matches!(one.merge(respond(&other, &[&bob])), Err(RequestError::OtherRequest { .. })));
    assert!(matches!(one.sign(&other, &bob, now(), 9), Err(RequestError::OtherRequest { .. })));
}

#[test]
fn signatures_before_an_interruption_are_kept() {
    let alice = key(1);
    let request = request(&[("alice", &[&alice])], 1, 100);
    let all = request.signature_count();
    for tired_after in [0, 1, 2, 3, 50, all] {
        let tired = Tired::new(key(1), tired_after);
        let mut response = SigningResponse::to(&request);
        let progress = response.sign(&request, &tired, now(), usize::MAX).unwrap();
        assert!(progress.stopped.is_some());
        assert_eq!(progress.made.len(), tired_after);
        // It was asked by each thread once more than it signed at most, and not again.
        assert!((tired_after + 1..=tired_after + 8).contains(&tired.asked()), "{}", tired.asked());
        assert!(approve(&request, &response).unwrap().is_err(), "what is not countersigned does not count");
        let written = response.to_json().unwrap();
        assert!(!String::from_utf8(written.clone()).unwrap().contains("seal"));
        let mut resumed = SigningResponse::parse(&written, &request, &limits()).unwrap();
        assert_eq!(resumed, response);
        let rest = resumed.sign(&request, &alice, after(60), usize::MAX).unwrap();
        assert_eq!(rest.made.len(), all + 1 - tired_after);
        assert!(rest.stopped.is_none() && rest.made.last().unwrap().part == SignedPart::Countersignature);
        assert!(resumed.sign(&request, &alice, after(90), usize::MAX).unwrap().made.is_empty());
        assert!(approve(&request, &resumed).unwrap().is_ok());
        // The answer is of the time at which it was finished.
        assert_eq!(resumed.signers().next().unwrap().time(), Some(after(60)));
    }
}

/// The countersignature covers all signatures of its key: nobody else can exchange, remove or add one.
#[test]
fn the_countersignature_covers_every_signature() {
    let alice = key(1);
    let request = request(&[("alice", &[&alice])], 1, 3);
    let whole: Value = serde_json::from_slice(&respond(&request, &[&alice]).to_json().unwrap()).unwrap();
    let parse = |value: &Value| SigningResponse::parse(value.to_string().as_bytes(), &request, &limits());
    let count = whole["signers"][0]["signatures"].as_array().unwrap().len();
    for at in 0..count {
        // The twin of a signature holds as well, and was not given.
        let mut flipped = whole.clone();
        let signature = &mut flipped["signers"][0]["signatures"][at]["signature"];
        *signature = json!(maker::twin(signature.as_str().unwrap()));
        assert!(matches!(parse(&flipped), Err(RequestError::Unsigned { .. })), "{at}");
        // Without the countersignature the answer is not finished: it is kept, and does not count.
        for field in ["seal", "time"] {
            flipped["signers"][0].as_object_mut().unwrap().remove(field).unwrap();
            assert_eq!(parse(&flipped).is_ok(), field == "time", "half a countersignature");
        }
        let kept = parse(&flipped).unwrap();
        assert!(!kept.signers().next().unwrap().is_finished());
        assert!(approve(&request, &kept).unwrap().is_err());
        let mut less = whole.clone();
        less["signers"][0]["signatures"].as_array_mut().unwrap().remove(at);
        let error = parse(&less).unwrap_err();
        assert!(error.to_string().contains("not finished"), "{error}");
    }
    // The signatures of another answer of hers to the same request, under this countersignature.
    let one = respond(&request, &[&alice]);
    let mut other = SigningResponse::to(&request);
    other.sign(&request, &maker::Flips(key(1)), now(), usize::MAX).unwrap();
    let mut spliced = whole.clone();
    let others: Value = serde_json::from_slice(&other.to_json().unwrap()).unwrap();
    spliced["signers"][0]["signatures"] = others["signers"][0]["signatures"].clone();
    assert!(parse(&others).is_ok() && parse(&spliced).is_err());
    // A finished response takes precedence over an unfinished one, in either order.
    let mut partly = SigningResponse::to(&request);
    partly.sign(&request, &alice, now(), 2).unwrap();
    let (mut first, mut last) = (partly.clone(), one.clone());
    first.merge(one.clone()).unwrap();
    last.merge(partly).unwrap();
    assert_eq!((first, last), (one.clone(), one));
}

/// If the countersignature fails, the other signatures are kept, and the same command makes it later.
#[test]
fn a_missing_countersignature_is_made_later() {
    let request = request(&[("alice", &[&key(1)])], 1, 2);
    let mut response = SigningResponse::to(&request);
    let progress = response.sign(&request, &Tired::new(key(1), 4), now(), usize::MAX).unwrap();
    assert!(progress.stopped.is_some() && progress.made.len() == 4);
    let mut resumed = SigningResponse::parse(&response.to_json().unwrap(), &request, &limits()).unwrap();
    let once = Tired::new(key(1), 1);
    assert!(resumed.sign(&request, &once, now(), usize::MAX).unwrap().stopped.is_none());
    assert_eq!(once.asked(), 1);
    assert!(approve(&request, &resumed).unwrap().is_ok());
}

#[test]
fn arrays_and_null_do_not_stand_for_objects() {
    let alice = key(1);
    let bytes = draft(&[("alice", &[&alice])], 1, 1).to_json(&limits()).unwrap();
    let answer = respond(&SigningRequest::parse(&bytes, &limits()).unwrap(), &[&alice]).to_json().unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let (owner, id) = (document["owners"][0].clone(), document["owners"][0]["keys"][0].clone());
    for (place, value) in [
        ("/owners/0", json!([owner["name"], owner["keys"]])),
        ("/owners/0/keys/0", json!([id["id"], id["publicKey"]])),
        ("/items/0/sign/forms/0", json!({ "bundle": null })),
        ("/reason", Value::Null),
        ("/items/0/previous", Value::Null),
        ("/items/0/sign/name", Value::Null),
    ] {
        let mut document = document.clone();
        let (parent, field) = place.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
            fields => fields[field] = value,
        }
        let error = SigningRequest::parse(document.to_string().as_bytes(), &limits()).unwrap_err();
        assert!(matches!(error, RequestError::Json { .. }), "{place}: {error}");
    }
    let request = SigningRequest::parse(&bytes, &limits()).unwrap();
    let mut document: Value = serde_json::from_slice(&answer).unwrap();
    let first = document["signers"][0]["signatures"][0].clone();
    document["signers"][0]["signatures"][0] = json!([first["item"], first["part"], first["signature"]]);
    assert!(SigningResponse::parse(document.to_string().as_bytes(), &request, &limits()).is_err());
    for (place, value) in [
        ("/signers/0/time", Value::Null),
        ("/signers/0/seal", Value::Null),
        ("/signers/0/signatures/0/part", json!({ "statement": null })),
    ] {
        let mut document: Value = serde_json::from_slice(&answer).unwrap();
        *document.pointer_mut(place).unwrap() = value;
        assert!(SigningResponse::parse(document.to_string().as_bytes(), &request, &limits()).is_err(), "{place}");
    }
}

/// A limit is "could not tell": a reader with a larger limit may accept the same file.
#[test]
fn an_exceeded_limit_is_never_a_refusal() {
    let alice = key(1);
    let bytes = draft(&[("alice", &[&alice])], 1, 2).to_json(&limits()).unwrap();
    let request = SigningRequest::parse(&bytes, &limits()).unwrap();
    let answer = respond(&request, &[&alice]).to_json().unwrap();
    // The values of a request are bounded by its length, since a predicate in it may have any number of them.
    for small in
        [limits().with(|limits| limits.request.items = 1), limits().with(|limits| limits.json.string_bytes = 16)]
    {
        let error = SigningRequest::parse(&bytes, &small).unwrap_err();
        assert!(error.is_undetermined() && !error.to_string().contains("not the JSON"), "{error}");
        assert_eq!(error.code(), "limit");
    }
    for small in [
        limits().with(|limits| limits.request.response_bytes = 100),
        limits().with(|limits| limits.json.string_bytes = 16),
    ] {
        let error = SigningResponse::parse(&answer, &request, &small).unwrap_err();
        assert!(error.is_undetermined() && !error.to_string().contains("not the JSON"), "{error}");
        assert_eq!(error.code(), "limit");
    }
}

/// A request that could not be logged, or whose response would be too large to read, is refused before anything is signed.
#[test]
fn a_response_over_the_limit_is_refused_before_signing() {
    let (alice, bob) = (key(1), key(2));
    let drafted = draft(&[("alice", &[&alice]), ("bob", &[&bob])], 1, 3);
    let bytes = drafted.to_json(&limits()).unwrap();
    let small = limits().with(|limits| limits.request.log_line_bytes = 400);
    let error = SigningRequest::parse(&bytes, &small).unwrap_err();
    assert!(matches!(error, RequestError::Limit { .. }), "{error}");

    let request = SigningRequest::parse(&bytes, &limits()).unwrap();
    let response = respond(&request, &[&alice]);
    let (one, two) = (response.to_json().unwrap().len() as u64, respond(&request, &[&alice, &bob]).to_json().unwrap());
    let room = |limits: Limits, key: &PrivateKey| response.check_room(&request, key.public_key(), &limits);
    assert!(room(limits(), &bob).is_ok());
    let tight = limits().with(|limits| limits.request.response_bytes = two.len() as u64 - 1);
    assert!(room(tight.clone(), &bob).is_err() && room(tight, &alice).is_ok());
    assert!(room(limits().with(|limits| limits.request.response_bytes = one), &alice).is_ok());
    // Signers, and for each of them four values and as many for each signature.
    let error = room(limits().with(|limits| limits.json.values = 60), &bob).unwrap_err();
    assert!(error.is_undetermined(), "{error}");
}

#[test]
fn a_wrong_signature_of_a_signer_is_refused() {
    let alice = key(1);
    let request = request(&[("alice", &[&alice])], 1, 2);
    let wrong = maker::Wrong::new(&alice);
    let mut response = SigningResponse::to(&request);
    let progress = response.sign(&request, &wrong, now(), usize::MAX).unwrap();
    assert!(progress.stopped.is_some() && progress.made.is_empty());
    assert_eq!(response.signers().count(), 0);
}

#[test]
fn a_response_is_bounded_and_strict() {
    let alice = key(1);
    let request = request(&[("alice", &[&alice])], 1, 2);
    let bytes = respond(&request, &[&alice]).to_json().unwrap();
    let small = limits().with(|limits| limits.request.response_bytes = bytes.len() as u64 - 1);
    assert!(matches!(SigningResponse::parse(&bytes, &request, &small), Err(RequestError::Limit { .. })));
    let exact = limits().with(|limits| limits.request.response_bytes = bytes.len() as u64);
    assert!(SigningResponse::parse(&bytes, &request, &exact).is_ok());
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut value = value.clone();
        change(&mut value);
        SigningResponse::parse(value.to_string().as_bytes(), &request, &limits()).unwrap_err()
    };
    let signatures = |value: &Value| value["signers"][0]["signatures"].as_array().unwrap().clone();
    let error = refused(&|value| {
        let extra = json!({ "item": 7, "part": "claim", "signature": "AAAA" });
        value["signers"][0]["signatures"].as_array_mut().unwrap().push(extra);
    });
    assert!(matches!(error, RequestError::Unasked { what: SignedPart::Item { item: 8, .. }, .. }), "{error}");
    let error = refused(&|value| {
        let (one, two) = (signatures(value)[0]["signature"].clone(), signatures(value)[1]["signature"].clone());
        value["signers"][0]["signatures"][0]["signature"] = two;
        value["signers"][0]["signatures"][1]["signature"] = one;
    });
    assert!(matches!(error, RequestError::Unsigned { .. }), "{error}");
    let error = refused(&|value| {
        let first = signatures(value)[0].clone();
        value["signers"][0]["signatures"].as_array_mut().unwrap().push(first);
    });
    assert!(matches!(error, RequestError::Duplicate { .. }), "{error}");
    let error = refused(&|value| {
        let first = value["signers"][0].clone();
        value["signers"].as_array_mut().unwrap().push(first);
    });
    assert!(matches!(error, RequestError::Duplicate { .. }), "{error}");
    let error = refused(&|value| value["version"] = json!(2));
    assert!(matches!(error, RequestError::Kind { version: 2, .. }), "{error}");
    let error = refused(&|value| value["kind"] = json!("bulla signing request"));
    assert!(matches!(error, RequestError::Kind { .. }), "{error}");
    // A date that was changed afterwards breaks the countersignature; a signer with a wrong clock is told.
    let late = Time::from_unix(request.expires().unix() + 1).unwrap().to_string();
    let error = refused(&|value| value["signers"][0]["time"] = json!(late));
    assert!(matches!(error, RequestError::Dated { .. }), "{error}");
}

#[test]
fn a_request_is_bounded() {
    let drafted = draft(&[("alice", &[&key(1)]), ("bob", &[&key(2)])], 2, 3);
    let bytes = drafted.to_json(&limits()).unwrap();
    let length = bytes.len() as u64;
    let open = |limits: Limits| {
        SigningRequest::parse(&bytes, &limits).err().map(|error| matches!(error, RequestError::Limit { .. }))
    };
    assert_eq!(open(limits()), None);
    for (enough, small) in [
        (
            limits().with(|limits| limits.request.bytes = length),
            limits().with(|limits| limits.request.bytes = length - 1),
        ),
        (limits().with(|limits| limits.request.items = 3), limits().with(|limits| limits.request.items = 2)),
        (limits().with(|limits| limits.request.keys = 2), limits().with(|limits| limits.request.keys = 1)),
        (limits().with(|limits| limits.request.text_bytes = 64), limits().with(|limits| limits.request.text_bytes = 8)),
        (limits().with(|limits| limits.oci.annotations = 2), limits().with(|limits| limits.oci.annotations = 1)),
        (
            limits().with(|limits| limits.oci.annotation_bytes = 200),
            limits().with(|limits| limits.oci.annotation_bytes = 20),
        ),
        (limits().with(|limits| limits.oci.descriptors = 2), limits().with(|limits| limits.oci.descriptors = 1)),
        (
            limits().with(|limits| limits.evidence.attestation_bytes = 1_000),
            limits().with(|limits| limits.evidence.attestation_bytes = 300),
        ),
    ] {
        assert_eq!(open(enough), None);
        assert_eq!(open(small.clone()), Some(true), "{small:?}");
    }
}

#[test]
fn a_request_of_a_thousand_images_stays_small() {
    let (alice, bob, carol) = (key(1), key(2), key(3));
    let drafted = draft(&[("alice", &[&alice]), ("bob", &[&bob]), ("carol", &[&carol])], 2, 1_000);
    let bytes = drafted.to_json(&limits()).unwrap();
    let request = SigningRequest::parse(&bytes, &limits()).unwrap();
    let response = respond(&request, &[&alice, &bob]);
    let answer = response.to_json().unwrap();
    assert_eq!(SigningResponse::parse(&answer, &request, &limits()).unwrap(), response);
    for (what, bytes) in [("request", &bytes), ("response", &answer)] {
        let packed = gzip(bytes);
        println!("{what} for 1,000 digests: {} bytes, {packed} with gzip", bytes.len());
        assert!(packed < 1 << 20, "{what}: {packed} bytes");
    }
}

fn gzip(bytes: &[u8]) -> usize {
    let mut gzip = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = gzip.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let packed = gzip.wait_with_output().unwrap().stdout.len();
    writer.join().unwrap();
    packed
}

#[test]
fn a_log_cannot_be_changed_unnoticed() {
    let alice = key(1);
    let request = request(&[("alice", &[&alice])], 1, 3);
    let mut chain = LogChain::default();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut response = SigningResponse::to(&request);
    let made = response.sign(&request, &alice, now(), usize::MAX).unwrap().made;
    for made in &made {
        let entry = request.log_entry(made, alice.public_key().id(), now()).unwrap();
        lines.push(chain.append(&entry, &limits()).unwrap());
    }
    let check = |lines: &[Vec<u8>]| {
        let mut chain = LogChain::default();
        lines.iter().try_for_each(|line| chain.follow(line, &limits()).map(drop)).map(|()| chain)
    };
    assert_eq!(check(&lines).unwrap(), chain);
    assert_eq!(chain.lines(), made.len());
    // Each signature can be found by its digest, the countersignature too.
    let mut chain = LogChain::default();
    let entries: Vec<_> = lines.iter().map(|line| chain.follow(line, &limits()).unwrap()).collect();
    assert_eq!(entries.last().unwrap().digest, *request.digest());
    assert_eq!(entries[0].digest, request.items()[0].digest);
    for (entry, made) in entries.iter().zip(&made) {
        assert_eq!(entry.signature, made.signature);
        assert_eq!((entry.owner.as_str(), entry.time), ("alice", now()));
    }
    // A line left out, put in, swapped, or changed in any byte: the lines after it, or the head, say so.
    for at in 0..lines.len() {
        let mut cut = lines.clone();
        let line = cut.remove(at);
        assert!(check(&cut).is_err() || at == lines.len() - 1);
        cut.insert(at, line.clone());
        cut.insert(at, line);
        assert!(check(&cut).is_err());
        for byte in 0..lines[at].len() {
            let mut changed = lines.clone();
            changed[at][byte] ^= 1;
            let same = check(&changed).is_ok_and(|changed| changed.head() == chain.head());
            assert!(!same, "line {at}, byte {byte}");
        }
    }
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    assert!(check(&swapped).is_err());
    let tight = limits().with(|limits| limits.request.log_line_bytes = lines[0].len() as u64 - 1);
    assert!(LogChain::default().follow(&lines[0], &tight).is_err());
    assert!(LogChain::default().append(&entries[0], &tight).is_err());
}

#[test]
fn the_previous_request_is_found_by_name_then_by_place() {
    let alice = key(1);
    let old = request(&[("alice", &[&alice])], 1, 3);
    let same = signature(1, Format::Both);
    assert_eq!(old.predecessor(&same).unwrap().digest, same.digest);
    let mut renamed = signature(1, Format::Both);
    renamed.reference = "registry.example/team/app1:2.0".parse().unwrap();
    let before = old.predecessor(&renamed).unwrap();
    assert_eq!(before.reference, "registry.example/team/app1:1.0");
    assert_eq!(before.labels["org.opencontainers.image.version"], "version-1");
    let mut elsewhere = signature(1, Format::Both);
    elsewhere.reference = "registry.example/team/new:1.0".parse().unwrap();
    assert_eq!(old.predecessor(&elsewhere), None);
    assert_eq!(old.predecessor(&attestation(1, Format::Both, "{}")), None);
}

#[test]
fn keys_of_every_kind_sign() {
    for kind in [bulla::key::KeyKind::Ed25519, bulla::key::KeyKind::P256, bulla::key::KeyKind::P384] {
        let alice = PrivateKey::generate(kind).unwrap();
        let request = request(&[("alice", &[&alice])], 1, 2);
        let response = respond(&request, &[&alice]);
        assert_eq!(SigningResponse::parse(&response.to_json().unwrap(), &request, &limits()).unwrap(), response);
        assert!(approve(&request, &response).unwrap().is_ok());
    }
}

/// The request must ask exactly the owners and the threshold that the command line gives.
#[test]
fn a_request_that_asks_others_or_another_number_is_refused() {
    let (alice, bob) = (key(1), key(2));
    let keyholder = |name: &str, keys: &[&PrivateKey]| Keyholder {
        keys: keys.iter().map(|key| key.public_key().clone()).collect(),
        name: name.to_owned(),
    };
    let asked = request(&[("alice", &[&alice]), ("bob", &[&bob])], 2, 1);
    let both = [keyholder("bob", &[&bob]), keyholder("alice", &[&alice])];
    asked.check_asks(&both, Some(2)).unwrap();
    for threshold in [None, Some(1), Some(3)] {
        let error = asked.check_asks(&both, threshold).unwrap_err();
        assert!(matches!(error, RequestError::OtherThreshold { got: 2, .. }), "{error}");
    }
    let others = [
        vec![keyholder("alice", &[&alice])],
        vec![keyholder("alice", &[&bob]), keyholder("bob", &[&alice])],
        vec![keyholder("alice", &[&alice, &bob])],
        vec![keyholder("alice", &[&alice]), keyholder("bob", &[&bob, &key(3)])],
        vec![keyholder("alice", &[&alice]), keyholder("bob", &[&bob]), keyholder("carol", &[&key(3)])],
    ];
    for owners in others {
        let error = asked.check_asks(&owners, Some(2)).unwrap_err();
        assert!(matches!(error, RequestError::OtherOwners { .. }) && !error.is_undetermined(), "{error}");
    }
}

/// A request asks to sign exactly the digests that the signer expects: of images, predicates, statements and files.
#[test]
fn a_request_for_other_digests_is_refused() {
    let alice = key(1);
    let mut draft = draft(&[("alice", &[&alice])], 1, 0);
    draft.items =
        vec![signature(1, Format::Both), attestation(1, Format::Bundle, "{\"a\": 1}"), finished(2, Format::Bundle)];
    draft.files = vec![file("SHA256SUMS", b"0123  app.tar.gz\n", &draft.owners)];
    let request = read(&draft);
    let Action::Attest(statement) = &request.items()[2].action else { panic!("it is no attestation") };
    let statement = Digest::sha256(statement.given().get().as_bytes());
    let of_file = Digest::sha256(b"0123  app.tar.gz\n");
    let [first, second] = [1, 2].map(|number| Digest::sha256(format!("image {number}").as_bytes()));
    let all = [first, Digest::sha256(b"{\"a\": 1}"), second, statement, of_file];
    request.check_digests(&all).unwrap();
    // The order does not matter, nor does a digest that is given twice.
    let twice: Vec<_> = all.iter().rev().chain(&all).copied().collect();
    request.check_digests(&twice).unwrap();
    for (left_out, digest) in all.iter().enumerate() {
        let others: Vec<_> = all.iter().filter(|other| *other != digest).copied().collect();
        let error = request.check_digests(&others).unwrap_err();
        let RequestError::UnexpectedDigest { digest: named, .. } = &error else { panic!("{left_out}: {error}") };
        assert_eq!((**named, error.code(), error.is_undetermined()), (*digest, "other-digest", false), "{left_out}");
    }
    let other = Digest::sha256(b"another image");
    let error = request.check_digests(&[&all[..], &[other]].concat()).unwrap_err();
    assert!(matches!(&error, RequestError::MissingDigest { digest } if **digest == other), "{error}");
    assert_eq!((error.code(), error.is_undetermined()), ("other-digest", false));
    assert!(matches!(request.check_digests(&[]), Err(RequestError::UnexpectedDigest { .. })));
}

/// A message contains that of its cause, so no error has a source that would print it again.
#[test]
fn no_error_prints_its_cause_twice() {
    let good = draft(&[("alice", &[&key(1)])], 1, 1).to_json(&limits()).unwrap();
    let change = |pointer: &str, value: Value| {
        let mut document: Value = serde_json::from_slice(&good).unwrap();
        *document.pointer_mut(pointer).unwrap() = value;
        document.to_string().into_bytes()
    };
    let mut codes = Vec::new();
    for bytes in [
        b"[".to_vec(),
        change("/items", json!(1)),
        change("/threshold", json!(0)),
        change("/threshold", json!(2)),
        change("/owners/0/keys/0/publicKey", json!("AAAA")),
    ] {
        let error = SigningRequest::parse(&bytes, &limits()).unwrap_err();
        assert!(std::error::Error::source(&error).is_none(), "{error}");
        codes.push(error.code());
    }
    assert_eq!(codes, ["other-document", "not-json", "threshold", "threshold", "key-unreadable"]);
}
