//! Changes every field of request and response in turn: the result is refused, or adds nothing to the original.

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use bulla::request::RequestDraft;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;

use crate::maker::BIG;
use crate::maker::Format;
use crate::maker::attestation;
use crate::maker::file;
use crate::maker::limits;
use crate::maker::respond;
use crate::maker::signature;
use crate::notary::ALL;
use crate::notary::draft;
use crate::notary::item;
use crate::notary::options;
use crate::notary::signer;

/// A request with everything in it that a request can have.
fn example() -> RequestDraft {
    let mut named = signature(2, Format::Both);
    let bulla::request::Action::Sign(sign) = &mut named.action else { panic!() };
    sign.name = Some("app two".to_owned());
    let attested = attestation(3, Format::Both, r#"{"builder":{"id":"x"}}"#);
    let items = vec![signature(1, Format::Bundle), named, attested, item(4, &ALL, options())];
    let mut draft = RequestDraft { items, ..draft(&["p256", "other", "p384"], 2, 1) };
    let second = draft.owners.remove(1);
    draft.owners[0].keys.extend(second.keys);
    draft.files = vec![file("SUMS", b"0123  app\n", &draft.owners), file("big.tar", &BIG, &draft.owners)];
    draft
}

/// All places in a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| places(item, &format!("{at}/{number}"), found));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            places(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        _ => {}
    }
}

/// The document with the value at one place changed in every way that there is for it.
fn mutants(document: &Value, place: &str) -> Vec<Value> {
    let present = document.pointer(place).unwrap();
    let mut others = vec![Value::Null, json!(0), json!(-1), json!(1.5), json!(""), json!([]), json!({}), json!(true)];
    match present {
        Value::String(text) => {
            others.extend([
                json!(format!("{text} ")),
                json!(format!("{text}x")),
                json!(text.to_uppercase()),
                json!([text]),
            ]);
            let shorter: String = text.chars().skip(1).collect();
            others.push(json!(shorter));
        }
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            others.extend([
                json!(number + 1),
                json!(number.wrapping_sub(1)),
                json!(u64::MAX),
                json!(number.to_string()),
            ]);
        }
        Value::Array(items) => {
            others.extend((0..items.len()).map(|left_out| {
                let left = items.iter().enumerate().filter(|(number, _)| *number != left_out);
                Value::Array(left.map(|(_, item)| item.clone()).collect())
            }));
            let twice = items.iter().chain(items).cloned().collect();
            others.extend([Value::Array(twice), Value::Array(items.iter().rev().cloned().collect())]);
        }
        Value::Object(fields) => {
            others.extend(fields.keys().map(|left_out| {
                let mut fields = fields.clone();
                fields.remove(left_out);
                Value::Object(fields)
            }));
            let mut more = fields.clone();
            more.insert("surprise".to_owned(), json!("!"));
            others.push(Value::Object(more));
            others.push(Value::Array(fields.values().cloned().collect()));
        }
        _ => {}
    }
    let changed = others.into_iter().filter(|other| other != present).map(|other| {
        let mut document = document.clone();
        *document.pointer_mut(place).unwrap() = other;
        document
    });
    changed.collect()
}

/// No signature in `response` that is not in `whole`, and none by anybody else.
fn says_no_more(response: &SigningResponse, whole: &SigningResponse, request: &SigningRequest) -> bool {
    response.signers().all(|signed| {
        let Some(original) = whole.signer(signed.key().id()) else { return false };
        let same = (0..request.items().len()).all(|item| {
            request.payloads()[item].iter().all(|payload| {
                let signature = signed.signature(item, payload.kind());
                signature.is_none() || signature == original.signature(item, payload.kind())
            })
        });
        let files = (0..request.files().len()).all(|file| {
            let signature = signed.file_signature(file);
            signature.is_none() || signature == original.file_signature(file)
        });
        same && files && signed.owner() == original.owner() && signed.time() == original.time()
    })
}

#[test]
fn a_changed_request_is_another_request_or_an_error() {
    let bytes = example().to_json(&limits()).unwrap();
    let request = SigningRequest::parse(&bytes, &limits()).unwrap();
    let answer = String::from_utf8(respond(&request, &[&signer("p256"), &signer("p384")]).to_json().unwrap()).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let mut all = Vec::new();
    places(&document, "", &mut all);
    let (mut refused, mut other) = (0, 0);
    for place in &all {
        for mutant in mutants(&document, place) {
            let Ok(changed) = SigningRequest::parse(mutant.to_string().as_bytes(), &limits()) else {
                refused += 1;
                continue;
            };
            other += 1;
            assert_ne!(changed.digest(), request.digest(), "{place}");
            // The answer is not one to the changed request, and no new label makes it one: the countersignature covers the bytes.
            assert!(SigningResponse::parse(answer.as_bytes(), &changed, &limits()).is_err(), "{place}: {mutant}");
            let relabelled = answer.replace(&request.digest().to_string(), &changed.digest().to_string());
            assert!(SigningResponse::parse(relabelled.as_bytes(), &changed, &limits()).is_err(), "{place}: {mutant}");
        }
    }
    assert!(refused > 1_000 && other > 100, "{refused} refused, {other} other requests");
}

#[test]
fn a_changed_response_never_adds_a_signature() {
    let request = crate::maker::read(&example());
    let whole = respond(&request, &[&signer("p256"), &signer("p384")]);
    let document: Value = serde_json::from_slice(&whole.to_json().unwrap()).unwrap();
    let mut all = Vec::new();
    places(&document, "", &mut all);
    let (mut refused, mut read) = (0, 0);
    for place in &all {
        for mutant in mutants(&document, place) {
            match SigningResponse::parse(mutant.to_string().as_bytes(), &request, &limits()) {
                Err(_) => refused += 1,
                Ok(response) => {
                    read += 1;
                    assert!(says_no_more(&response, &whole, &request), "{place}: {mutant}");
                }
            }
        }
    }
    assert!(refused > 500 && read > 5, "{refused} refused, {read} read");
}

#[test]
fn a_changed_byte_of_a_response_never_adds_a_signature() {
    let request = crate::maker::read(&example());
    let whole = respond(&request, &[&signer("p256")]);
    let bytes = whole.to_json().unwrap();
    for at in 0..bytes.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            if let Ok(response) = SigningResponse::parse(&changed, &request, &limits()) {
                assert!(says_no_more(&response, &whole, &request), "byte {at}");
            }
        }
    }
}

#[test]
fn a_duplicate_key_is_refused() {
    let bytes = String::from_utf8(example().to_json(&limits()).unwrap()).unwrap();
    let request = SigningRequest::parse(bytes.as_bytes(), &limits()).unwrap();
    let answer = String::from_utf8(respond(&request, &[&signer("p256")]).to_json().unwrap()).unwrap();
    // Every object opens with a field; the same field once more, with whatever value, makes two readings.
    for (at, _) in bytes.match_indices("{\n") {
        let name = bytes[at..].split('"').nth(1).unwrap();
        let twice = format!("{}{{\"{name}\":0,{}", &bytes[..at], &bytes[at + 1..]);
        assert!(SigningRequest::parse(twice.as_bytes(), &limits()).is_err(), "{name}");
    }
    for (at, _) in answer.match_indices('{') {
        let name = answer[at..].split('"').nth(1).unwrap();
        let twice = format!("{}{{\"{name}\":0,{}", &answer[..at], &answer[at + 1..]);
        assert!(SigningResponse::parse(twice.as_bytes(), &request, &limits()).is_err(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn spliced_documents_never_add_a_signature(at in 0_usize..4_000, cut in 0_usize..40, put in proptest::collection::vec(any::<u8>(), 0..8)) {
        let request = crate::maker::read(&example());
        let whole = respond(&request, &[&signer("p256")]);
        let mut bytes = whole.to_json().unwrap();
        let at = at % bytes.len();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, put);
        if let Ok(response) = SigningResponse::parse(&bytes, &request, &limits()) {
            prop_assert!(says_no_more(&response, &whole, &request));
        }
    }

    #[test]
    fn no_bytes_make_a_request_panic(text in "[\\x00-\\x7f\u{e9}]{0,200}") {
        prop_assert!(SigningRequest::parse(text.as_bytes(), &limits()).is_err());
    }
}
