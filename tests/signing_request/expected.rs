//! Requests that are compared with the one that a signer has written.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::oci::NotaryManifest;
use bulla::policy::Threshold;
use bulla::request::Action;
use bulla::request::Difference;
use bulla::request::ImageSignature;
use bulla::request::NotaryOptions;
use bulla::request::RequestDraft;
use bulla::request::RequestError;
use bulla::time::Time;

use crate::after;
use crate::maker::Format;
use crate::maker::attestation;
use crate::maker::draft;
use crate::maker::file;
use crate::maker::finished;
use crate::maker::key;
use crate::maker::read;
use crate::maker::signature;
use crate::notary;

/// A request asks for exactly what the signer's own request asks for, whenever and wherever that was written.
#[test]
fn a_request_that_differs_from_the_expected_one_is_refused() {
    let (alice, bob) = (key(1), key(2));
    let mut own = draft(&[("alice", &[&alice]), ("bob", &[&bob])], 2, 0);
    own.items =
        vec![signature(1, Format::Both), attestation(1, Format::Bundle, "{\"a\": 1}"), finished(2, Format::Bundle)];
    own.files = vec![file("SHA256SUMS", b"0123  app.tar.gz\n", &own.owners)];
    let expected = read(&own);
    // What nobody signs about an image or file, and the order, may differ.
    let mut same = RequestDraft { created: after(60), expires: after(120), reason: None, ..own.clone() };
    same.items.reverse();
    for item in &mut same.items {
        item.labels = BTreeMap::from([("version".to_owned(), "9".to_owned())]);
        item.reference = "other.example/app:v2".parse().unwrap();
        item.platforms.clear();
    }
    read(&same).check_same(&expected).unwrap();

    type Change = fn(&mut RequestDraft);
    let changes: [(&str, Change); 12] = [
        ("the image", |draft| draft.items[0].digest = Digest::sha256(b"another")),
        ("the name in the bundle", |draft| signature_of(draft).name = Some("app:v2".to_owned())),
        ("the name in the tag form", |draft| signature_of(draft).identity = Some("app".to_owned())),
        ("an annotation", |draft| drop(signature_of(draft).annotations.insert("a".to_owned(), "1".to_owned()))),
        ("the formats", |draft| draft.items[1] = attestation(1, Format::Both, "{\"a\": 1}")),
        ("the predicate", |draft| draft.items[1] = attestation(1, Format::Bundle, "{\"a\": 2}")),
        ("spaces in the predicate", |draft| draft.items[1] = attestation(1, Format::Bundle, "{\"a\":1}")),
        ("the image of a predicate", |draft| draft.items[1] = attestation(2, Format::Bundle, "{\"a\": 1}")),
        ("an image signature in place of an attestation", |draft| draft.items[1] = signature(2, Format::Bundle)),
        ("the image of a statement", |draft| draft.items[2] = finished(1, Format::Bundle)),
        ("the content of a file", |draft| draft.files = vec![file("SHA256SUMS", b"4567  app.tar.gz\n", &draft.owners)]),
        ("the name of a file", |draft| draft.files = vec![file("OTHERSUMS", b"0123  app.tar.gz\n", &draft.owners)]),
    ];
    for (what, change) in changes {
        let mut other = own.clone();
        change(&mut other);
        let other = read(&other);
        for (asked, expected) in [(&other, &expected), (&expected, &other)] {
            let error = asked.check_same(expected).unwrap_err();
            assert!(matches!(&error, RequestError::Different(Difference::Unexpected(_))), "{what}: {error}");
            assert_eq!((error.code(), error.is_undetermined()), ("different", false), "{what}");
        }
    }
    for (what, left_out) in [("an item", (1, 0)), ("a file", (0, 1))] {
        let mut less = own.clone();
        less.items.truncate(own.items.len() - left_out.0);
        less.files.truncate(own.files.len() - left_out.1);
        let less = read(&less);
        let missing = less.check_same(&expected).unwrap_err();
        assert!(matches!(&missing, RequestError::Different(Difference::Missing(_))), "{what}: {missing}");
        let more = expected.check_same(&less).unwrap_err();
        assert!(matches!(&more, RequestError::Different(Difference::Unexpected(_))), "{what}: {more}");
    }
    let fewer = read(&RequestDraft { threshold: Threshold::new(1).unwrap(), ..own.clone() });
    assert!(matches!(fewer.check_same(&expected), Err(RequestError::OtherThreshold { got: 1, .. })));
    let owners = draft(&[("alice", &[&alice]), ("bob", &[&key(3)])], 2, 0).owners;
    let others = read(&RequestDraft { owners, ..own });
    assert!(matches!(others.check_same(&expected), Err(RequestError::OtherOwners { .. })));
}

fn signature_of(draft: &mut RequestDraft) -> &mut ImageSignature {
    let Action::Sign(sign) = &mut draft.items[0].action else { panic!("it is no image signature") };
    sign
}

/// Two requests with signing times of their own ask for the same if the signatures are valid for the same time.
#[test]
fn the_validity_of_signatures_is_compared_and_not_their_time() {
    let drafted = |later: i64, valid: Option<i64>| {
        let at = |seconds| Time::from_unix(notary::created().unix() + seconds).unwrap();
        let options = NotaryOptions {
            expiry: valid.map(|seconds| at(later + seconds)),
            manifest: NotaryManifest::Legacy,
            signing_time: at(later),
        };
        let mut made = notary::draft(&["p256"], 1, 0);
        (made.created, made.expires) = (at(later), at(later + 600));
        made.items = vec![notary::item(1, &notary::ALL, options)];
        read(&made)
    };
    let expected = drafted(0, Some(3600));
    drafted(60, Some(3600)).check_same(&expected).unwrap();
    drafted(60, None).check_same(&drafted(0, None)).unwrap();
    for valid in [None, Some(3599), Some(3601)] {
        let error = drafted(0, valid).check_same(&expected).unwrap_err();
        assert!(matches!(&error, RequestError::Different(Difference::Unexpected(_))), "{valid:?}: {error}");
    }
}
