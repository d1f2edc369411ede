//! Properties: what is printed is read back as the same, and a changed byte is never the same content.
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

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::json;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Document;
use bulla::oci::Platform;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::store::Archive;
use bulla::store::Layout;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use proptest::prelude::*;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}

fn digest() -> impl Strategy<Value = Digest> {
    let algorithm = prop_oneof![Just(DigestAlgorithm::Sha256), Just(DigestAlgorithm::Sha512)];
    (algorithm, any::<[u8; 8]>()).prop_map(|(algorithm, bytes)| Digest::of(algorithm, &bytes))
}

fn platform() -> impl Strategy<Value = Platform> {
    let optional = || proptest::option::of("[a-z0-9.]{1,8}");
    ("[a-z0-9]{1,8}", "[a-z]{1,8}", optional(), optional(), proptest::collection::vec(any::<String>(), 0..3)).prop_map(
        |(architecture, os, os_version, variant, os_features)| Platform {
            architecture,
            os,
            os_version,
            os_features,
            variant,
        },
    )
}

fn annotations() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4)
}

fn descriptor() -> impl Strategy<Value = Descriptor> {
    let urls = proptest::collection::vec("https://[a-z]{1,8}/[a-z0-9%/]{0,8}", 0..3);
    let data = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40));
    let media_type = "[A-Za-z0-9][a-z0-9.+!#$&^_-]{0,20}/[A-Za-z0-9][a-z0-9.+!#$&^_;=-]{0,20}";
    let optional = (proptest::option::of(platform()), proptest::option::of(any::<String>()));
    (media_type, digest(), 0..=i64::MAX as u64, urls, annotations(), data, optional).prop_map(
        |(media_type, digest, size, urls, annotations, data, (platform, artifact_type))| Descriptor {
            urls,
            annotations,
            data,
            platform,
            artifact_type,
            ..Descriptor::new(&media_type, digest, size)
        },
    )
}

/// Texts that look like references, many of them wrong.
fn typed() -> impl Strategy<Value = String> {
    let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let place = prop_oneof![
        "(docker://)?([a-z0-9-]{1,5}\\.)?[a-z0-9.-]{1,8}(:[0-9]{1,5})?(/[a-z0-9._-]{1,6}){1,3}",
        "(oci|oci-archive|docker-archive):[a-zA-Z0-9/._ -]{1,12}",
        "[a-z:/@.]{0,12}",
        any::<String>(),
    ];
    let name =
        prop_oneof![Just(String::new()), ":[a-zA-Z0-9_.:/-]{0,12}", Just(format!("@sha256:{hex}")), "@[a-z0-9:]{0,10}"];
    (place, name).prop_map(|(place, name)| place + &name)
}

/// A string as Go's `encoding/json` writes it, character by character.
fn go_string(text: &str, written: &mut String) {
    written.push('"');
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\u{8}' => written.push_str("\\b"),
            '\u{c}' => written.push_str("\\f"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '<' | '>' | '&' | '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                written.push_str(&format!("\\u{:04x}", character as u32));
            }
            other => written.push(other),
        }
    }
    written.push('"');
}

fn go_value(value: &serde_json::Value, written: &mut String) {
    match value {
        serde_json::Value::String(text) => go_string(text, written),
        serde_json::Value::Array(items) => {
            written.push('[');
            for (position, item) in items.iter().enumerate() {
                written.push_str(if position > 0 { "," } else { "" });
                go_value(item, written);
            }
            written.push(']');
        }
        serde_json::Value::Object(members) => {
            written.push('{');
            for (position, (key, item)) in members.iter().enumerate() {
                written.push_str(if position > 0 { "," } else { "" });
                go_string(key, written);
                written.push(':');
                go_value(item, written);
            }
            written.push('}');
        }
        other => written.push_str(&other.to_string()),
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![any::<String>(), "[<>&\u{2028}\u{2029}\"\\\\\u{0}-\u{20}\u{7f}a]{0,12}"];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-(1_i64 << 53)..=1 << 53).prop_map(Into::into),
        text.clone().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let members = proptest::collection::btree_map(text.clone(), inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Into::into),
            members.prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn a_digest_is_read_as_it_is_printed(digest in digest(), other in any::<String>()) {
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        if let Ok(read) = other.parse::<Digest>() {
            prop_assert_eq!(read.to_string(), other);
        }
    }

    #[test]
    fn a_reference_is_read_as_it_is_printed(typed in typed()) {
        if let Ok(reference) = typed.parse::<Reference>() {
            let printed = reference.to_string();
            prop_assert_eq!(printed.parse::<Reference>().unwrap(), reference, "{:?} was printed as {:?}", typed, printed);
        }
    }

    #[test]
    fn a_descriptor_is_read_as_it_is_written(descriptor in descriptor()) {
        let written = json::to_go(&descriptor).unwrap();
        prop_assert_eq!(json::parse::<Descriptor>(&written, &Limits::DEFAULT).unwrap(), descriptor);
    }

    #[test]
    fn json_is_written_as_go_writes_it(value in value()) {
        let mut wanted = String::new();
        go_value(&value, &mut wanted);
        let written = String::from_utf8(json::to_go(&value).unwrap()).unwrap();
        prop_assert_eq!(&written, &wanted);
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
    }

    #[test]
    fn there_is_one_canonical_form(value in value()) {
        let written = json::to_go(&value).unwrap();
        let canonical = json::canonical(&written, &Limits::DEFAULT).unwrap();
        prop_assert_eq!(&json::canonical(&canonical, &Limits::DEFAULT).unwrap(), &canonical);
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(&json::canonical(&pretty, &Limits::DEFAULT).unwrap(), &canonical);
        prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&canonical).unwrap(), value);
    }

    #[test]
    fn a_double_is_written_canonically_so_that_it_is_read_as_the_same(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
        let canonical = json::canonical(format!("{number:e}").as_bytes(), &Limits::DEFAULT).unwrap();
        let read = String::from_utf8(canonical).unwrap().parse::<f64>().unwrap();
        prop_assert!(read == number);
    }

    #[test]
    fn strict_json_reads_nothing_that_another_reader_refuses(bytes in proptest::collection::vec(any::<u8>(), 0..60), value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut spoiled = serde_json::to_vec(&value).unwrap();
        let at = at.index(spoiled.len());
        spoiled[at] = byte;
        for bytes in [bytes, spoiled] {
            if json::check(&bytes, &Limits::DEFAULT).is_ok() {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
            }
        }
    }

    #[test]
    fn a_changed_byte_gives_another_manifest_or_an_error(annotations in annotations(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let content = image("x", &annotations);
        let mut bytes = content.bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(Content::check(content.descriptor(), bytes.clone()).is_err());
        prop_assert!(Content::check_digest(*content.digest(), media_type::OCI_MANIFEST, bytes.clone()).is_err());
        let changed = Content::from_bytes(media_type::OCI_MANIFEST, bytes);
        prop_assert!(changed.digest() != content.digest());
        if let Ok(document) = Document::parse(&changed, &Limits::DEFAULT) {
            prop_assert!(matches!(document, Document::Manifest(_)));
        }
    }
}

// ---------------------------------------------------------------------------------------------- stores

fn config(text: &str) -> Content {
    Content::from_bytes(media_type::OCI_CONFIG, format!(r#"{{"architecture":"amd64","os":"{text}"}}"#).into_bytes())
}

fn image(text: &str, annotations: &BTreeMap<String, String>) -> Content {
    let layer = Descriptor::of(media_type::OCI_EMPTY, b"{}");
    let value = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": config(text).descriptor(), "layers": [layer], "annotations": annotations,
    });
    Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&value).unwrap())
}

fn seal(subject: &Content, text: &str) -> Content {
    let layer = Descriptor::of(media_type::OCI_EMPTY, b"{}");
    let value = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": "application/vnd.example.seal",
        "config": config(text).descriptor(), "layers": [layer], "subject": subject.descriptor().bare(),
    });
    Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&value).unwrap())
}

#[derive(Clone, Debug)]
enum Step {
    Finish,
    /// Push image `.0`, perhaps under name `.1`.
    Image(u8, Option<u8>),
    Reopen,
    /// Push a seal `.1` on image `.0`.
    Seal(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Finish),
        4 => (0..3_u8, proptest::option::of(0..3_u8)).prop_map(|(image, name)| Step::Image(image, name)),
        1 => Just(Step::Reopen),
        4 => (0..3_u8, 0..3_u8).prop_map(|(image, seal)| Step::Seal(image, seal)),
    ]
}

fn numbered(number: u8) -> Content {
    image(&format!("image-{number}"), &BTreeMap::new())
}

fn take(sink: &dyn Sink, step: &Step) {
    now(sink.push_content(&Content::from_bytes(media_type::OCI_EMPTY, b"{}".to_vec()))).unwrap();
    match step {
        Step::Image(number, name) => {
            now(sink.push_content(&config(&format!("image-{number}")))).unwrap();
            let name = name.map(|name| format!("v{name}"));
            assert!(!now(sink.push_manifest(&numbered(*number), name.as_deref())).unwrap().listed);
        }
        Step::Seal(number, text) => {
            let text = format!("seal-{text}");
            now(sink.push_content(&config(&text))).unwrap();
            assert!(now(sink.push_manifest(&seal(&numbered(*number), &text), None)).unwrap().listed);
        }
        Step::Finish | Step::Reopen => now(sink.finish()).unwrap(),
    }
}

/// Everything that can be asked.
fn answers(source: &dyn Source) -> (Vec<Option<Digest>>, Vec<BTreeSet<Digest>>) {
    let names = (0..3).map(|name| TagOrDigest::Tag(format!("v{name}")));
    let images = (0..3).map(|image| TagOrDigest::Digest(*numbered(image).digest()));
    let resolved = names.chain(images).map(|tag_or_digest| match now(source.resolve(&tag_or_digest)) {
        Ok(content) => Some(*content.digest()),
        Err(error) if error.is_not_found() => None,
        Err(error) => panic!("{error}"),
    });
    let referrers = (0..3).map(|image| {
        let listing = now(source.referrers(numbered(image).digest(), None)).unwrap().unwrap();
        listing.entries.iter().map(|entry| entry.digest).collect()
    });
    (resolved.collect(), referrers.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Layout and archive answer as the store in memory does, at every moment, whatever is done to them.
    #[test]
    fn every_store_answers_the_same(steps in proptest::collection::vec(step(), 1..12)) {
        let place = tempfile::tempdir().unwrap();
        let memory = Memory::new(Limits::DEFAULT);
        let layout = || Layout::create(place.path().join("layout"), Limits::DEFAULT).unwrap();
        let archive = || Archive::create(place.path().join("image.tar"), Limits::DEFAULT).unwrap();
        let (mut open_layout, mut open_archive) = (layout(), archive());
        for step in &steps {
            take(&memory, step);
            take(&open_layout, step);
            take(&open_archive, step);
            if matches!(step, Step::Reopen) {
                (open_layout, open_archive) = (layout(), archive());
            }
            let wanted = answers(&memory);
            prop_assert_eq!(&answers(&open_layout), &wanted);
            prop_assert_eq!(&answers(&open_archive), &wanted);
        }
    }
}
