//! The bounds of `Limits`: one below, at and one above each of them. A bound without a test here does not compile.
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

mod proof;

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::EnvelopeError;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::envelope::base64;
use bulla::json;
use bulla::key::KeyError;
use bulla::key::Signer as _;
use bulla::key::file;
use bulla::limits::EnvelopeLimits;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Document;
use bulla::oci::Manifest;
use bulla::oci::ManifestError;
use bulla::oci::Platform;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::ops::OpsError;
use bulla::ops::attest;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::graph::Closure;
use bulla::ops::graph::Graph;
use bulla::ops::graph::Node;
use bulla::ops::request;
use bulla::ops::sign;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::tree;
use bulla::ops::verify;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::policy::StatementKind;
use bulla::request::Attestation;
use bulla::request::AttestationContent;
use bulla::store::Layout;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;
use bulla::time::Time;
use proof::Ask;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::SignedLayer;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::forms::blobs;
use proof::forms::signature_manifest;
use proof::now;
use proof::scripted::Scripted;
use proof::scripted::StoreRequest;
use proof::word;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;

/// Each limit has a test, here or in another file.
#[test]
fn every_limit_has_a_test() {
    let tested = [
        ("envelope.bundle_bytes", "tests/revocation/bundle.rs", "a_file_is_bounded"),
        ("envelope.bundle_certificates", "tests/revocation/bundle.rs", "a_file_is_bounded"),
        ("envelope.certificate_bytes", "tests/limits.rs", "certificates_are_measured"),
        ("envelope.certificate_chain", "tests/limits.rs", "parts_of_a_bundle_are_counted"),
        ("envelope.certificates", "tests/limits.rs", "parts_of_a_bundle_are_counted"),
        ("envelope.header_parameters", "tests/notary_envelope/rules.rs", "each_limit_is_could_not_tell"),
        ("envelope.log_entries", "tests/limits.rs", "parts_of_a_bundle_are_counted"),
        ("envelope.signatures", "tests/limits.rs", "signatures_of_an_envelope_are_counted"),
        ("envelope.statement_digests", "tests/limits.rs", "digests_of_a_subject_are_counted"),
        ("envelope.statement_subjects", "tests/limits.rs", "subjects_are_counted"),
        ("envelope.timestamp_bytes", "tests/timestamp/rules.rs", "limits_are_could_not_tell"),
        ("envelope.timestamps", "tests/limits.rs", "parts_of_a_bundle_are_counted"),
        ("evidence.attestation_bytes", "tests/limits.rs", "attestations_are_measured"),
        ("evidence.bytes", "tests/limits.rs", "evidence_is_measured_together"),
        ("evidence.finding_bytes", "tests/limits.rs", "findings_below_an_image_are_measured"),
        (
            "evidence.pairing_steps",
            "tests/certificates/owners.rs",
            "owners_who_cannot_be_paired_within_the_limit_are_could_not_tell",
        ),
        ("evidence.signature_bytes", "tests/limits.rs", "signatures_are_measured"),
        ("evidence.signature_checks", "tests/limits.rs", "signature_checks_are_counted"),
        ("evidence.signature_manifests", "tests/limits.rs", "signature_manifests_are_counted"),
        (
            "file.message_bytes",
            "tests/file_signatures/verify.rs",
            "a_file_over_the_limit_is_undetermined_for_ed25519_alone",
        ),
        ("graph.bytes", "tests/limits.rs", "manifests_below_an_image_are_measured"),
        ("graph.index_depth", "tests/limits.rs", "indexes_are_followed_to_a_depth"),
        ("graph.layer_bytes", "tests/policy_load/blocked.rs", "layers_that_are_compared_are_measured"),
        ("graph.manifests", "tests/limits.rs", "manifests_below_an_image_are_counted"),
        ("graph.referrer_depth", "tests/limits.rs", "referrers_are_followed_to_a_depth"),
        ("graph.referrers", "tests/limits.rs", "referrers_are_counted"),
        ("json.depth", "tests/limits.rs", "json_is_nested_to_a_depth"),
        ("json.predicate_depth", "tests/limits.rs", "a_predicate_is_nested_to_a_depth"),
        ("json.string_bytes", "tests/limits.rs", "json_strings_are_measured"),
        ("json.values", "tests/limits.rs", "json_values_are_counted"),
        ("key.file_bytes", "tests/limits.rs", "key_files_are_measured"),
        ("key.plugin_bytes", "tests/plugin.rs", "a_misbehaving_plugin_is_killed"),
        ("oci.annotation_bytes", "tests/limits.rs", "annotations_are_measured"),
        ("oci.annotations", "tests/limits.rs", "annotations_are_counted"),
        ("oci.archive_members", "tests/limits.rs", "files_of_a_layout_are_counted"),
        ("oci.descriptors", "tests/limits.rs", "descriptors_are_counted"),
        ("oci.layers", "tests/limits.rs", "layers_are_counted"),
        ("oci.manifest_bytes", "tests/limits.rs", "manifests_are_measured"),
        ("oci.unpacked_bytes", "tests/saved_archive/packed.rs", "unpacking_has_bounds"),
        ("oci.unpacked_ratio", "tests/saved_archive/packed.rs", "unpacking_has_bounds"),
        ("registry.error_body_bytes", "tests/registry_client/pull.rs", "an_error_body_is_read_up_to_a_limit"),
        ("registry.link_hops", "tests/registry_client/lists.rs", "pagination_loops_end"),
        ("registry.redirects", "tests/registry_client/redirect.rs", "redirect_loops_end"),
        ("registry.token_bytes", "tests/registry_client/auth.rs", "a_token_over_the_limit_is_refused"),
        ("registry.token_response_bytes", "tests/registry_client/auth.rs", "a_token_answer_over_the_limit_is_refused"),
        ("request.bytes", "tests/signing_request.rs", "a_request_is_bounded"),
        ("request.certificates", "tests/signing_request/notary.rs", "certificates_of_a_request_are_bounded"),
        (
            "request.file_bytes",
            "tests/signing_request/files.rs",
            "the_files_of_a_request_and_their_content_are_bounded",
        ),
        ("request.files", "tests/signing_request/files.rs", "the_files_of_a_request_and_their_content_are_bounded"),
        ("request.items", "tests/signing_request.rs", "a_request_is_bounded"),
        ("request.keys", "tests/signing_request.rs", "a_request_is_bounded"),
        ("request.log_line_bytes", "tests/signing_request.rs", "a_log_cannot_be_changed_unnoticed"),
        ("request.response_bytes", "tests/signing_request.rs", "a_response_is_bounded_and_strict"),
        ("request.text_bytes", "tests/signing_request.rs", "a_request_is_bounded"),
        (
            "revocation.bytes",
            "tests/revocation/crl.rs",
            "a_pool_is_bounded_and_what_is_not_looked_at_is_could_not_tell",
        ),
        ("revocation.crl_bytes", "tests/revocation/crl.rs", "what_is_not_a_list_is_not_read"),
        (
            "revocation.documents",
            "tests/revocation/crl.rs",
            "a_pool_is_bounded_and_what_is_not_looked_at_is_could_not_tell",
        ),
        ("revocation.ocsp_bytes", "tests/revocation/ocsp.rs", "what_is_not_a_response_is_not_read"),
        ("revocation.requests", "tests/revocation_fetch/faults.rs", "requests_are_counted"),
        (
            "revocation.signature_checks",
            "tests/revocation/crl.rs",
            "a_pool_is_bounded_and_what_is_not_looked_at_is_could_not_tell",
        ),
        ("transparency.certificate_timestamps", "tests/transparency/sct.rs", "certificate_timestamps_are_counted"),
        ("transparency.checkpoint_bytes", "tests/transparency/checkpoint.rs", "a_checkpoint_is_bounded"),
        ("transparency.checkpoint_signatures", "tests/transparency/checkpoint.rs", "a_checkpoint_is_bounded"),
        ("transparency.entry_bytes", "tests/witnesses/program.rs", "an_answer_of_a_log_is_bounded"),
        ("transparency.proof_hashes", "tests/transparency/entry.rs", "a_proof_is_bounded"),
        ("transparency.trusted_root_bytes", "tests/transparency/roots.rs", "a_root_is_bounded"),
        ("transparency.trusted_root_entries", "tests/transparency/roots.rs", "a_root_is_bounded"),
        ("tuf.metadata_bytes", "tests/tuf/limits.rs", "what_is_read_is_bounded"),
        ("tuf.root_versions", "tests/tuf/limits.rs", "what_is_read_is_bounded"),
        ("tuf.signatures", "tests/tuf/limits.rs", "what_is_read_is_bounded"),
        ("yaml.bytes", "tests/policy_file/limits.rs", "a_file_is_bounded"),
        ("yaml.depth", "tests/policy_file/limits.rs", "a_file_is_bounded"),
        ("yaml.values", "tests/policy_file/limits.rs", "a_file_is_bounded"),
    ];
    let limits: Vec<_> = defaults().into_iter().map(|(name, _)| name).collect();
    assert_eq!(limits, tested.map(|(name, _, _)| name));
    for (name, file, test) in tested {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains(&format!("fn {test}(")), "{name}: {file} has no test `{test}`");
    }
}

/// The published limits: changing one of them changes a public promise.
#[test]
fn the_default_limits_are_the_published_ones() {
    let promised = [
        ("envelope.bundle_bytes", 4_194_304),
        ("envelope.bundle_certificates", 1_000),
        ("envelope.certificate_bytes", 65_536),
        ("envelope.certificate_chain", 10),
        ("envelope.certificates", 32),
        ("envelope.header_parameters", 256),
        ("envelope.log_entries", 32),
        ("envelope.signatures", 16),
        ("envelope.statement_digests", 32),
        ("envelope.statement_subjects", 1_024),
        ("envelope.timestamp_bytes", 1_048_576),
        ("envelope.timestamps", 32),
        ("evidence.attestation_bytes", 67_108_864),
        ("evidence.bytes", 134_217_728),
        ("evidence.finding_bytes", 16_777_216),
        ("evidence.pairing_steps", 500_000),
        ("evidence.signature_bytes", 1_048_576),
        ("evidence.signature_checks", 100_000),
        ("evidence.signature_manifests", 100),
        ("file.message_bytes", 134_217_728),
        ("graph.bytes", 16_777_216),
        ("graph.index_depth", 3),
        ("graph.layer_bytes", 274_877_906_944),
        ("graph.manifests", 1_000),
        ("graph.referrer_depth", 4),
        ("graph.referrers", 1_000),
        ("json.depth", 64),
        ("json.predicate_depth", 100_000),
        ("json.string_bytes", 8_388_608),
        ("json.values", 200_000),
        ("key.file_bytes", 65_536),
        ("key.plugin_bytes", 1_048_576),
        ("oci.annotation_bytes", 65_536),
        ("oci.annotations", 256),
        ("oci.archive_members", 1_000_000),
        ("oci.descriptors", 1_000),
        ("oci.layers", 8_192),
        ("oci.manifest_bytes", 4_194_304),
        ("oci.unpacked_bytes", 274_877_906_944),
        ("oci.unpacked_ratio", 400),
        ("registry.error_body_bytes", 65_536),
        ("registry.link_hops", 20),
        ("registry.redirects", 5),
        ("registry.token_bytes", 65_536),
        ("registry.token_response_bytes", 262_144),
        ("request.bytes", 12_582_912),
        ("request.certificates", 640),
        ("request.file_bytes", 1 << 20),
        ("request.files", 256),
        ("request.items", 4_000),
        ("request.keys", 64),
        ("request.log_line_bytes", 16_384),
        ("request.response_bytes", 16_777_216),
        ("request.text_bytes", 4_096),
        ("revocation.bytes", 33_554_432),
        ("revocation.crl_bytes", 16_777_216),
        ("revocation.documents", 1_000),
        ("revocation.ocsp_bytes", 65_536),
        ("revocation.requests", 100),
        ("revocation.signature_checks", 1_000),
        ("transparency.certificate_timestamps", 32),
        ("transparency.checkpoint_bytes", 65_536),
        ("transparency.checkpoint_signatures", 32),
        ("transparency.entry_bytes", 1 << 20),
        ("transparency.proof_hashes", 64),
        ("transparency.trusted_root_bytes", 4_194_304),
        ("transparency.trusted_root_entries", 256),
        ("tuf.metadata_bytes", 4_194_304),
        ("tuf.root_versions", 1_024),
        ("tuf.signatures", 64),
        ("yaml.bytes", 1_048_576),
        ("yaml.depth", 16),
        ("yaml.values", 100_000),
    ];
    assert_eq!(defaults(), promised.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(Limits::default(), Limits::DEFAULT);
}

/// The fields of the default limits by their whole name, read from how they print, so that none is left out.
fn defaults() -> Vec<(String, u64)> {
    let (mut group, mut found) = (String::new(), Vec::new());
    for line in format!("{:#?}", Limits::DEFAULT).lines() {
        let Some((name, value)) = line.trim().trim_end_matches(',').split_once(": ") else { continue };
        match value.parse() {
            Ok(value) => found.push((format!("{group}.{name}"), value)),
            Err(_) => name.clone_into(&mut group),
        }
    }
    found
}

/// One below, at, and one above a bound: yes, yes, no.
fn around(limit: u64, accepts: impl Fn(usize) -> bool) {
    let limit = bytes(limit);
    for (count, want) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
        assert_eq!(accepts(count), want, "{count} with a limit of {limit}");
    }
}

fn bytes(limit: u64) -> usize {
    usize::try_from(limit).unwrap()
}

// ----------------------------------------------------------------------------------------------------- manifests

/// A manifest, changed.
fn manifest(change: impl Fn(&mut Value)) -> Content {
    let mut wire = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": Descriptor::of(media_type::OCI_EMPTY, b"{}"),
        "layers": [],
    });
    change(&mut wire);
    Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes())
}

/// Whether the content is read; if not, it must be for a limit.
fn reads(content: &Content) -> bool {
    match Document::parse(content, &Limits::DEFAULT) {
        Ok(_) => true,
        Err(ManifestError::Limit { .. } | ManifestError::Json { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn annotations_are_counted() {
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), "v".to_owned())).collect::<BTreeMap<_, _>>();
    let limit = Limits::DEFAULT.oci.annotations;
    around(limit, |count| reads(&manifest(|wire| wire["annotations"] = json!(many(count)))));
    around(limit, |count| reads(&manifest(|wire| wire["config"]["annotations"] = json!(many(count)))));
    around(limit, |count| {
        reads(&manifest(|wire| {
            wire["subject"] = wire["config"].clone();
            wire["subject"]["annotations"] = json!(many(count));
        }))
    });
    around(limit, |count| {
        reads(&manifest(|wire| {
            wire["layers"] = json!([wire["config"].clone(), wire["config"].clone()]);
            wire["layers"][1]["annotations"] = json!(many(count));
        }))
    });
}

#[test]
fn annotations_are_measured() {
    let limit = Limits::DEFAULT.oci.annotation_bytes;
    around(limit, |count| reads(&manifest(|wire| wire["annotations"] = json!({"four": "x".repeat(count - 4)}))));
    around(limit, |count| {
        let half = "x".repeat(count / 2);
        let rest = "x".repeat(count - count / 2 - 2);
        reads(&manifest(|wire| wire["config"]["annotations"] = json!({"a": half, "b": rest})))
    });
}

#[test]
fn descriptors_are_counted() {
    let limit = Limits::DEFAULT.oci.descriptors;
    let entry = |n: usize| Descriptor::of(media_type::OCI_MANIFEST, &n.to_be_bytes());
    let many = |count: usize| (0..count).map(entry).collect::<Vec<_>>();
    around(limit, |count| {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": many(count)});
        reads(&Content::from_bytes(media_type::OCI_INDEX, index.to_string().into_bytes()))
    });
}

#[test]
fn layers_are_counted() {
    let layer = Descriptor::of(media_type::OCI_MANIFEST, b"a layer");
    around(Limits::DEFAULT.oci.layers, |count| {
        reads(&manifest(|wire| wire["layers"] = json!(vec![layer.clone(); count])))
    });
    around(Limits::DEFAULT.oci.layers, |count| {
        let artifact = json!({"mediaType": media_type::OCI_ARTIFACT, "blobs": vec![layer.clone(); count]});
        reads(&Content::from_bytes(media_type::OCI_ARTIFACT, artifact.to_string().into_bytes()))
    });
}

#[test]
fn manifests_are_measured() {
    let limit = Limits::DEFAULT.oci.manifest_bytes;
    let sized = |size: usize| {
        let content = manifest(|_| {});
        let mut bytes = content.bytes().to_vec();
        bytes.resize(size, b' ');
        Content::from_bytes(media_type::OCI_MANIFEST, bytes)
    };
    around(limit, |size| reads(&sized(size)));
    // In a store: refused by what its descriptor says, before it is read.
    let memory = Memory::new(Limits::DEFAULT.with(|limits| limits.oci.manifest_bytes = u64::MAX));
    let strict = Memory::new(Limits::DEFAULT);
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path().join("layout"), Limits::DEFAULT).unwrap();
    for store in [&strict as &dyn Sink, &layout, &memory] {
        around(limit, |size| {
            let content = sized(size);
            now(store.push_content(&content)).unwrap();
            match now(store.manifest(content.descriptor())) {
                Ok(_) => true,
                Err(StoreError::TooLarge { limit: got, .. }) => {
                    assert_eq!(got, Limits::DEFAULT.oci.manifest_bytes);
                    false
                }
                Err(error) => panic!("{error}"),
            }
        });
        if store.origin() == layout.origin() {
            break;
        }
    }
}

/// Nobody could read it, so it is not signed, and nothing is pushed.
#[test]
fn nothing_is_signed_that_a_verifier_would_not_read() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let subject = Subject::of(&image);
    let signers = [SigningIdentity::new(proof::key())];
    for form in [FormName::SigstoreBundle, FormName::SimpleSigning] {
        let options = sign::SignOptions {
            annotations: BTreeMap::from([("a".to_owned(), "x".repeat(10_000))]),
            created: Time::EPOCH,
            forms: Forms::of(form),
            reference: None,
            expiry: None,
            notary_manifest: bulla::oci::NotaryManifest::default(),
            timestamping: None,
            witnessing: None,
        };
        for (bytes, want) in [(20_000, false), (1 << 20, true)] {
            let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_bytes = bytes);
            let (sink, when) = (fixture.sink.as_ref(), sign::SignWhen::Always);
            let planned = now(sign::plan(sink, &subject, &signers, &options, when, &limits));
            assert_eq!(planned.is_ok(), want, "{form:?}: {planned:?}");
            let signed = now(sign::sign(sink, &subject, &signers, &options, when, &limits));
            assert_eq!(signed.is_ok(), want, "{form:?}: {signed:?}");
        }
    }
}

#[test]
fn indexes_are_followed_to_a_depth() {
    let limit = Limits::DEFAULT.graph.index_depth;
    let fixture = TestStore::new();
    let nested = |depth: usize| {
        let inner = fixture.image(1);
        (0..depth).fold(inner, |inner, _| fixture.index(&[inner.descriptor().bare()], None))
    };
    around(limit, |depth| {
        let root = nested(depth);
        match now(Graph::collect(fixture.sink.as_ref(), root, Closure::Image, &Limits::DEFAULT)) {
            Ok(graph) => graph.manifests.len() == depth + 1,
            Err(OpsError::TooDeep { limit: got, .. }) => got != limit,
            Err(error) => panic!("{error}"),
        }
    });
    around(limit, |depth| {
        let tag_or_digest = TagOrDigest::Digest(*nested(depth).digest());
        let sink = fixture.sink.as_ref();
        match now(sign::subjects(sink, &tag_or_digest, SignedPlatforms::All, &Limits::DEFAULT)) {
            Ok(subjects) => subjects.len() == depth + 1,
            Err(OpsError::TooDeep { limit: got, .. }) => got != limit,
            Err(error) => panic!("{error}"),
        }
    });
}

#[test]
fn referrers_are_followed_to_a_depth() {
    around(Limits::DEFAULT.graph.referrer_depth, |depth| {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let mut subject = image.clone();
        for n in 0..depth {
            let signed_layer = SignedLayer::of_text(Format::Dsse, &format!("{{\"n\":{n}}}"));
            subject = fixture
                .attach(&subject, Location::Referrers, &StatementKind::ImageSignature, Format::Dsse, &[signed_layer])
                .remove(0);
        }
        match now(Graph::collect(fixture.sink.as_ref(), image, Closure::WithReferrers, &Limits::DEFAULT)) {
            Ok(graph) => graph.manifests.len() == depth + 1,
            Err(OpsError::ReferrersTooDeep { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    });
}

// ---------------------------------------------------------------------------------------------------------- JSON

#[test]
fn json_is_nested_to_a_depth() {
    // A value inside as many arrays.
    around(Limits::DEFAULT.json.depth, |depth| {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        json::check(text.as_bytes(), &Limits::DEFAULT).is_ok()
    });
    around(Limits::DEFAULT.json.depth, |depth| {
        let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        json::check(text.as_bytes(), &Limits::DEFAULT).is_ok()
    });
    let endless = "[".repeat(1_000_000);
    assert!(json::check(endless.as_bytes(), &Limits::DEFAULT).is_err());
}

#[test]
fn a_predicate_is_nested_to_a_depth() {
    around(Limits::DEFAULT.json.predicate_depth, |depth| {
        // The object of the predicate is one of them.
        let text = format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        Attestation::predicate(text.as_bytes(), &Limits::DEFAULT).is_ok()
    });
}

#[test]
fn json_values_are_counted() {
    // The array is a value too.
    let of = |count: usize| format!("[{}]", vec!["0"; count - 1].join(","));
    around(Limits::DEFAULT.json.values, |count| json::check(of(count).as_bytes(), &Limits::DEFAULT).is_ok());
    around(10, |count| {
        let limits = Limits::DEFAULT.with(|limits| limits.json.values = 10);
        json::check(of(count).as_bytes(), &limits).is_ok()
    });
}

#[test]
fn json_strings_are_measured() {
    let limit = Limits::DEFAULT.json.string_bytes;
    around(limit, |size| json::check(format!("\"{}\"", "x".repeat(size)).as_bytes(), &Limits::DEFAULT).is_ok());
    around(limit, |size| json::check(format!("{{\"{}\":0}}", "x".repeat(size)).as_bytes(), &Limits::DEFAULT).is_ok());
    // Measured in bytes of what it says, not of how it is written.
    around(10, |size| {
        let limits = Limits::DEFAULT.with(|limits| limits.json.string_bytes = 10);
        json::check(format!("\"{}\"", "\\u0078".repeat(size)).as_bytes(), &limits).is_ok()
    });
}

// ----------------------------------------------------------------------------------------------------- documents

fn over(error: EnvelopeError, limit: u64) -> bool {
    match error {
        EnvelopeError::Limit { limit: got, .. } => {
            assert_eq!(got, limit);
            false
        }
        other => panic!("{other}"),
    }
}

#[test]
fn signatures_of_an_envelope_are_counted() {
    let limit = Limits::DEFAULT.envelope.signatures;
    let word = TestPayload::statement(b"{}".to_vec());
    for format in [Format::Bundle, Format::Dsse] {
        around(limit, |count| {
            let signed_layer = word.within(format, &json!(vec![json!({"sig": "AA=="}); count]));
            let parsed = match format {
                Format::Bundle => Bundle::parse(&signed_layer.bytes, &Limits::DEFAULT).map(drop),
                Format::Dsse | Format::Simple => Envelope::parse(&signed_layer.bytes, &Limits::DEFAULT).map(drop),
            };
            parsed.map_or_else(|error| over(error, limit), |()| true)
        });
    }
}

#[test]
fn parts_of_a_bundle_are_counted() {
    let signed_layer = TestPayload::statement(b"{}".to_vec()).within(Format::Bundle, &json!([{"sig": "AA=="}]));
    let bundle: Value = serde_json::from_slice(&signed_layer.bytes).unwrap();
    let within = |limits: &Limits, limit: u64, change: &dyn Fn(&mut Value)| {
        let mut bundle = bundle.clone();
        let material = &mut bundle["verificationMaterial"];
        change(material);
        // A chain stands alone (`DocumentFault::TwoMaterials`).
        if material.get("x509CertificateChain").is_some() {
            material.as_object_mut().unwrap().remove("publicKey");
        }
        let parsed = Bundle::parse(bundle.to_string().as_bytes(), limits);
        parsed.map_or_else(|error| over(error, limit), |_| true)
    };
    let reads = |limit: u64, change: &dyn Fn(&mut Value)| within(&Limits::DEFAULT, limit, change);
    let EnvelopeLimits { certificate_chain, certificates, log_entries, timestamps, .. } = Limits::DEFAULT.envelope;
    around(log_entries, |count| {
        reads(log_entries, &|material| material["tlogEntries"] = json!(vec![json!({"logIndex": "1"}); count]))
    });
    around(timestamps, |count| {
        reads(timestamps, &|material| {
            let list = json!(vec![json!({"signedTimestamp": "AA=="}); count]);
            material["timestampVerificationData"] = json!({"rfc3161Timestamps": list});
        })
    });
    let long = Limits::DEFAULT.with(|limits| limits.envelope.certificate_chain = u64::MAX);
    for (limits, limit) in [(&long, certificates), (&Limits::DEFAULT, certificate_chain)] {
        around(limit, |count| {
            within(limits, limit, &|material| {
                let list = json!(vec![json!({"rawBytes": "AA=="}); count]);
                material["x509CertificateChain"] = json!({"certificates": list});
            })
        });
    }
}

#[test]
fn certificates_are_measured() {
    let signed_layer = TestPayload::statement(b"{}".to_vec()).within(Format::Bundle, &json!([{"sig": "AA=="}]));
    let bundle: Value = serde_json::from_slice(&signed_layer.bytes).unwrap();
    // Lengths of every remainder by three, as base64 fills them up.
    for limit in [65_536, 65_535, 65_534, 1_000] {
        let limits = Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = limit);
        for place in ["certificate", "x509CertificateChain"] {
            around(limit, |length| {
                let certificate = json!({"rawBytes": base64::encode(&vec![7; length])});
                let mut bundle = bundle.clone();
                let content = match place {
                    "certificate" => certificate,
                    _ => json!({"certificates": [{"rawBytes": "AA=="}, certificate]}),
                };
                bundle["verificationMaterial"] = json!({place: content});
                let parsed = Bundle::parse(bundle.to_string().as_bytes(), &limits);
                parsed.map_or_else(|error| over(error, limit), |_| true)
            });
        }
    }
    assert_eq!(Limits::DEFAULT.envelope.certificate_bytes, 65_536);
}

/// The verdict on an image whose statement has these subjects besides the right one, which comes last.
fn with_subjects(subjects: impl Fn(&Content) -> Value) -> bool {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects(&image),
        "predicateType": media_type::COSIGN_SIGN_PREDICATE,
        "predicate": {},
    });
    let signed_layer = TestPayload::json(&statement).sign(Format::Bundle, &[proof::key()]);
    fixture.attach(&image, Location::Referrers, &StatementKind::ImageSignature, Format::Bundle, &[signed_layer]);
    let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
    match word(&verdict) {
        "accepted" => true,
        _ => {
            assert!(proof::codes(&verdict).contains("payload-unreadable"), "{verdict:#?}");
            false
        }
    }
}

// The digest in position 1,024 is found, in position 1,025 it is not looked for (threats: much-evidence-together).
#[test]
fn subjects_are_counted() {
    around(Limits::DEFAULT.envelope.statement_subjects, |count| {
        with_subjects(|image| {
            let other = |n: usize| json!({"digest": {"sha256": Digest::sha256(&n.to_be_bytes()).hex()}});
            let mut subjects: Vec<_> = (1..count).map(other).collect();
            subjects.push(json!({"digest": {"sha256": image.digest().hex()}}));
            json!(subjects)
        })
    });
}

#[test]
fn digests_of_a_subject_are_counted() {
    around(Limits::DEFAULT.envelope.statement_digests, |count| {
        with_subjects(|image| {
            let mut digests: BTreeMap<_, _> = (1..count).map(|n| (format!("other{n}"), "00".to_owned())).collect();
            digests.insert("sha256".to_owned(), image.digest().hex());
            json!([{"digest": digests}])
        })
    });
}

/// The exit code of `verify` and what it prints about an image with this signature, wherever it is, and of `verify-blob`
/// about a file. The right subject comes last.
fn of_the_program(
    subjects: &dyn Fn(&str) -> Value,
    material: &dyn Fn(&mut Value),
    format: Format,
) -> Vec<(Option<i32>, String)> {
    let kind = StatementKind::Attestation { predicate_type: "https://a.example/t".to_owned() };
    let signed = |digest: &Digest| {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects(&digest.hex()),
            "predicateType": "https://a.example/t",
            "predicate": {},
        });
        let mut signed_layer = TestPayload::json(&statement).sign(format, &[proof::key()]);
        if format == Format::Bundle {
            let mut bundle: Value = serde_json::from_slice(&signed_layer.bytes).unwrap();
            material(&mut bundle["verificationMaterial"]);
            signed_layer.bytes = bundle.to_string().into_bytes();
        }
        signed_layer
    };
    let mut all = Vec::new();
    for location in [Location::Referrers, Location::Tag] {
        let fixture = TestStore::layout(Limits::DEFAULT);
        let image = fixture.image(1);
        fixture.attach(&image, location, &kind, format, &[signed(image.digest())]);
        fixture.settle();
        let image = format!("oci:{}:v1", fixture.path().display());
        all.push(ends(&fixture.path(), &["verify", &image, "--type", "https://a.example/t"]));
    }
    if format == Format::Bundle {
        let folder = tempfile::tempdir().unwrap();
        let [file, bundle] = ["app.txt", "app.json"].map(|name| folder.path().join(name));
        std::fs::write(&file, "any file").unwrap();
        std::fs::write(&bundle, signed(&Digest::sha256(b"any file")).bytes).unwrap();
        let [file, bundle] = [&file, &bundle].map(|path| path.to_str().unwrap());
        all.push(ends(folder.path(), &["verify-blob", file, "--bundle", bundle, "--type", "https://a.example/t"]));
    }
    all
}

/// The exit code of the program, and what it prints. The key of the tests is put into the folder.
fn ends(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String) {
    let key = folder.join("test.pub");
    std::fs::write(&key, proof::public(proof::key()).to_pem()).unwrap();
    let mut bulla = std::process::Command::new(env!("CARGO_BIN_EXE_bulla"));
    let out = bulla.args(arguments).arg("--key").arg(&key).env_clear().output().unwrap();
    (out.status.code(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
}

// As many as the limit says pass; one more ends the program with 2, and it says which limit that is, on each path.
#[test]
fn the_program_names_the_limit_that_was_reached() {
    let one = |hex: &str| json!([{"digest": {"sha256": hex}}]);
    let many_subjects = |count: usize| {
        move |hex: &str| {
            let other = |n: usize| json!({"digest": {"sha256": Digest::sha256(&n.to_be_bytes()).hex()}});
            let last = json!({"digest": {"sha256": hex}});
            Value::Array((1..count).map(other).chain([last]).collect())
        }
    };
    let many_digests = |count: usize| {
        move |hex: &str| {
            let mut digests: BTreeMap<_, _> = (1..count).map(|n| (format!("other{n}"), "00")).collect();
            digests.insert("sha256".to_owned(), hex);
            json!([{"digest": digests}])
        }
    };
    let entries = |count: usize| {
        move |material: &mut Value| material["tlogEntries"] = json!(vec![json!({"logIndex": "1"}); count])
    };
    let timestamps = |count: usize| {
        move |material: &mut Value| {
            let list = json!(vec![json!({"signedTimestamp": "AA=="}); count]);
            material["timestampVerificationData"] = json!({"rfc3161Timestamps": list});
        }
    };
    let none = |_: &mut Value| {};
    for (name, limit) in [
        ("envelope.statement_subjects", 1_024),
        ("envelope.statement_digests", 32),
        ("envelope.log_entries", 32),
        ("envelope.timestamps", 32),
    ] {
        for format in [Format::Bundle, Format::Dsse] {
            for count in [limit, limit + 1] {
                let all = match name {
                    "envelope.statement_subjects" => of_the_program(&many_subjects(count), &none, format),
                    "envelope.statement_digests" => of_the_program(&many_digests(count), &none, format),
                    _ if format == Format::Dsse => continue,
                    "envelope.log_entries" => of_the_program(&one, &entries(count), format),
                    _ => of_the_program(&one, &timestamps(count), format),
                };
                for (at, (code, said)) in all.into_iter().enumerate() {
                    let reached = format!("({name}): {count}, more than the limit of {limit}");
                    let want = if count > limit { Some(2) } else { Some(0) };
                    assert_eq!(
                        (code, said.contains(&reached)),
                        (want, count > limit),
                        "{at} {format:?} {name}: {said}"
                    );
                }
            }
        }
    }
}

// ------------------------------------------------------------------------------------------------------ evidence

/// A signed_layer by the trusted key, filled up with white space to this size.
fn sized(format: Format, kind: &StatementKind, image: &Content, size: usize) -> SignedLayer {
    let mut signed_layer = TestPayload::about(format, kind, image.digest()).sign(format, &[proof::key()]);
    match format {
        Format::Simple => {
            let mut word = TestPayload::about(format, kind, image.digest());
            word.payload.resize(size, b' ');
            signed_layer = word.sign(format, &[proof::key()]);
        }
        Format::Bundle | Format::Dsse => signed_layer.bytes.resize(size, b' '),
    }
    signed_layer
}

fn hears(format: Format, kind: &StatementKind, size: usize) -> bool {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let signed_layer = sized(format, kind, &image, size);
    fixture.attach(&image, Location::Referrers, kind, format, &[signed_layer]);
    let source = Scripted::honest(fixture.memory.clone().unwrap());
    let verdict = Ask::new().kind(kind.clone()).of(&source, *image.digest());
    match word(&verdict) {
        "accepted" => true,
        _ => {
            assert_eq!(proof::codes(&verdict), ["too-large"].into());
            assert!(!source.calls().iter().any(|call| matches!(call, StoreRequest::Blob(_))), "it was fetched");
            false
        }
    }
}

#[test]
fn signatures_are_measured() {
    for format in Format::ALL {
        around(Limits::DEFAULT.evidence.signature_bytes, |size| hears(format, &StatementKind::ImageSignature, size));
    }
}

#[test]
fn attestations_are_measured() {
    let kind = proof::attestation("https://slsa.dev/provenance/v1");
    around(Limits::DEFAULT.evidence.attestation_bytes, |size| hears(Format::Dsse, &kind, size));
}

/// An attestation whose predicate has this many bytes, no string of it longer than a string may be.
fn attests(image: &Content, sink: &dyn Sink, size: usize) -> Result<(), OpsError> {
    const PARTS: usize = 8;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    // Of each name and text: four quotation marks, a colon, and a comma or one of the braces; one brace more.
    let part = (size - 1 - PARTS * 7) / PARTS;
    let last = size - 1 - PARTS * 7 - (PARTS - 1) * part;
    let field = |(at, name): (usize, &&str)| {
        let length = if at + 1 == PARTS { last } else { part };
        format!(r#""{name}":"{}""#, "x".repeat(length))
    };
    let predicate = format!("{{{}}}", names.iter().enumerate().map(field).collect::<Vec<_>>().join(","));
    assert_eq!(predicate.len(), size);
    let attestation = Attestation {
        content: AttestationContent::Predicate {
            name: None,
            predicate: RawValue::from_string(predicate).unwrap(),
            predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
        },
        forms: Forms::of(FormName::SigstoreBundle).and(FormName::Dsse),
    };
    let subject = Subject::of(image);
    let epoch = Time::from_unix(0).unwrap();
    now(attest::attest(
        sink,
        &subject,
        &[SigningIdentity::new(proof::key())],
        &attestation,
        &attest::AttestOptions::new(epoch, sign::SignWhen::Always),
        &Limits::DEFAULT,
    ))
    .map(drop)
}

// An attestation up to the limit is signed and can be read again, in both forms; a larger one is not signed.
#[test]
fn signed_attestations_can_be_read() {
    let encoded = |payload: usize| payload.div_ceil(3) * 4;
    // Beside the predicate a statement has 250 bytes at most here, an envelope or bundle around it 16 KiB at most.
    let most = (bytes(Limits::DEFAULT.evidence.attestation_bytes) - (16 << 10)) / 4 * 3 - 250;
    assert!(encoded(most) < bytes(Limits::DEFAULT.evidence.attestation_bytes));
    let fixture = TestStore::new();
    let image = fixture.image(1);
    attests(&image, fixture.sink.as_ref(), most).unwrap();
    let ask = Ask::new().kind(proof::attestation("https://slsa.dev/provenance/v1"));
    let verdict = ask.of(fixture.sink.as_ref(), *image.digest());
    assert_eq!(word(&verdict), "accepted", "{:?}", proof::codes(&verdict));

    let fixture = TestStore::new();
    let image = fixture.image(1);
    let refused = attests(&image, fixture.sink.as_ref(), most + 250);
    assert!(matches!(refused, Err(OpsError::Envelope(EnvelopeError::Limit { .. }))), "{refused:?}");
    assert!(now(fixture.sink.referrers(image.digest(), None)).unwrap().unwrap().entries.is_empty());
}

// A list of packages has more values than other documents may have; who signed it is trusted with that.
#[test]
fn values_of_a_predicate_are_bounded_by_its_bytes() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let many = vec!["1234567"; bytes(Limits::DEFAULT.json.values) + 10].join(",");
    let predicate = Attestation::predicate(format!(r#"{{"packages":[{many}]}}"#).as_bytes(), &Limits::DEFAULT).unwrap();
    let predicate_type = "https://slsa.dev/provenance/v1".to_owned();
    let attestation = Attestation {
        content: AttestationContent::Predicate { name: None, predicate, predicate_type },
        forms: Forms::of(FormName::SigstoreBundle).and(FormName::Dsse),
    };
    let (subject, epoch) = (Subject::of(&image), Time::from_unix(0).unwrap());
    now(attest::attest(
        fixture.sink.as_ref(),
        &subject,
        &[SigningIdentity::new(proof::key())],
        &attestation,
        &attest::AttestOptions::new(epoch, sign::SignWhen::Always),
        &Limits::DEFAULT,
    ))
    .unwrap();
    let ask = Ask::new().kind(proof::attestation("https://slsa.dev/provenance/v1"));
    let verdict = ask.of(fixture.sink.as_ref(), *image.digest());
    assert_eq!(word(&verdict), "accepted", "{:?}", proof::codes(&verdict));
}

// More than we read is no answer, wherever it is met.
#[test]
fn content_over_a_limit_is_could_not_tell() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let signed_layer = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest())
        .sign(Format::Simple, &[proof::key()]);
    let junk = (0..9).map(|n| noise(Format::Simple, &image, n));
    let signed_layers: Vec<_> = junk.chain([signed_layer]).collect();
    fixture.attach(&image, Location::Tag, &StatementKind::ImageSignature, Format::Simple, &signed_layers);
    for (layers, want) in [(10, "accepted"), (9, "unknown")] {
        let limits = Limits::DEFAULT.with(|limits| limits.oci.layers = layers);
        assert_eq!(word(&Ask::new().limits(limits).of(fixture.sink.as_ref(), *image.digest())), want);
    }

    let fixture = TestStore::new();
    let image = fixture.image(1);
    let word_of = TestPayload::about(Format::Dsse, &StatementKind::ImageSignature, image.digest());
    let many = json!(vec![json!({"sig": "AA=="}); bytes(Limits::DEFAULT.envelope.signatures) + 1]);
    fixture.attach(
        &image,
        Location::Referrers,
        &StatementKind::ImageSignature,
        Format::Bundle,
        &[word_of.within(Format::Bundle, &many)],
    );
    assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "unknown");
}

/// A document signed by another key, different for each number.
fn noise(format: Format, image: &Content, n: usize) -> SignedLayer {
    let annotations = BTreeMap::from([("n".to_owned(), n.to_string())]);
    let word = TestPayload::with(format, &StatementKind::ImageSignature, image.digest(), &annotations, None);
    match format {
        Format::Simple => word.beside("AA=="),
        Format::Bundle | Format::Dsse => word.within(format, &json!([{"sig": "AA=="}])),
    }
}

// Beyond the limit it is not known what there is, so there is no answer.
#[test]
fn signature_manifests_are_counted() {
    for (artifact_type, location) in [
        (media_type::SIGSTORE_BUNDLE, Location::Referrers),
        (media_type::SIGSTORE_BUNDLE, Location::Fallback),
        // Beyond the limit a signature may hide behind a wrong type as well.
        ("application/spdx+json", Location::Fallback),
    ] {
        around(Limits::DEFAULT.evidence.signature_manifests, |count| {
            let fixture = match location {
                Location::Fallback => TestStore::memory(Memory::without_referrers(Limits::DEFAULT)),
                _ => TestStore::new(),
            };
            let image = fixture.image(1);
            for n in 0..count {
                let signed_layer = noise(Format::Bundle, &image, n);
                let manifest = signature_manifest(
                    Some(&image.descriptor().bare()),
                    Format::Bundle,
                    std::slice::from_ref(&signed_layer),
                );
                fixture.push(
                    &[blobs(&[signed_layer]).remove(0), bulla::oci::referrer::empty_config()],
                    &manifest,
                    None,
                );
                if location == Location::Fallback {
                    let listed =
                        Descriptor { artifact_type: Some(artifact_type.to_owned()), ..manifest.descriptor().bare() };
                    fixture.list(&image, &[listed]);
                }
            }
            let source = Scripted::honest(fixture.memory.clone().unwrap());
            let verdict = Ask::new().of(&source, *image.digest());
            let fetched = source.calls().iter().filter(|call| matches!(call, StoreRequest::Manifest(_))).count();
            assert_eq!(fetched, count.min(bytes(Limits::DEFAULT.evidence.signature_manifests)));
            match word(&verdict) {
                "refused" => true,
                "unknown" => {
                    assert!(proof::codes(&verdict).contains("too-many"));
                    false
                }
                other => panic!("{other}"),
            }
        });
    }
}

#[test]
fn signatures_under_a_tag_are_counted() {
    for format in Format::ALL {
        around(Limits::DEFAULT.evidence.signature_manifests, |count| {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let signed_layers: Vec<_> = (0..count).map(|n| noise(format, &image, n)).collect();
            fixture.attach(&image, Location::Tag, &StatementKind::ImageSignature, format, &signed_layers);
            match word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())) {
                "refused" => true,
                "unknown" => false,
                other => panic!("{other}"),
            }
        });
    }
}

// Each signature is checked with each trusted key. Beyond the limit nobody can tell, and a yes stays a yes.
#[test]
fn signature_checks_are_counted() {
    for format in Format::ALL {
        let keys = vec![proof::public(proof::key()), proof::public(&proof::KEYS[1])];
        for (checks, want) in [(3, "unknown"), (4, "refused")] {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let signed_layers: Vec<_> = (0..2).map(|n| noise(format, &image, n)).collect();
            fixture.attach(&image, Location::Tag, &StatementKind::ImageSignature, format, &signed_layers);
            let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = checks);
            let verdict = Ask::by(keys.clone()).limits(limits).of(fixture.sink.as_ref(), *image.digest());
            assert_eq!(word(&verdict), want, "{format:?}");
            assert_eq!(proof::codes(&verdict).contains("signatures-not-checked"), want == "unknown");
        }
    }
}

// One signature is tried with the key that the document names first, and with no other after one verified it. What it names
// decides nothing else.
#[test]
fn the_key_that_a_document_names_is_tried_first() {
    let kind = StatementKind::ImageSignature;
    let keys: Vec<_> = proof::KEYS[..3].iter().map(proof::public).collect();
    for named in 0..3 {
        for (checks, enough) in [(1, named == 2), (2, named == 2), (3, true)] {
            let fixture = TestStore::new();
            let image = fixture.image(1);
            let word_of_image = TestPayload::about(Format::Bundle, &kind, image.digest());
            let signature = proof::KEYS[2].sign(&word_of_image.message(Format::Bundle)).unwrap();
            let signature =
                json!([{"sig": base64::encode(signature.as_bytes()), "keyid": keys[named].id().to_string()}]);
            let layer = word_of_image.within(Format::Bundle, &signature);
            fixture.attach(&image, Location::Referrers, &kind, Format::Bundle, &[layer]);
            let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = checks);
            let verdict = Ask::by(keys.clone()).limits(limits).of(fixture.sink.as_ref(), *image.digest());
            let is_yes = !["refused", "unknown"].contains(&word(&verdict));
            assert_eq!(is_yes, enough, "{named} named, {checks} checks: {}", word(&verdict));
        }
    }
}

// Manifests and documents together, in every place; at the limit everything is still evaluated.
#[test]
fn evidence_is_measured_together() {
    for location in [Location::Referrers, Location::Tag] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let signed_layers: Vec<_> = (0..4).map(|n| noise(Format::Simple, &image, n)).collect();
        let manifest =
            fixture.attach(&image, location, &StatementKind::ImageSignature, Format::Simple, &signed_layers).remove(0);
        let documents: usize = signed_layers.iter().map(|signed_layer| signed_layer.bytes.len()).sum();
        let all = documents + if location == Location::Tag { 0 } else { manifest.bytes().len() };
        let verdict = |limit: usize| {
            let limits = Limits::DEFAULT.with(|limits| limits.evidence.bytes = limit as u64);
            word(&Ask::new().limits(limits).of(fixture.sink.as_ref(), *image.digest()))
        };
        assert_eq!([all + 1, all, all - 1].map(verdict), ["refused", "refused", "unknown"], "{location:?}");
    }
    // As large as a limit may be, nothing overflows.
    let limits = Limits::DEFAULT.with(|limits| limits.evidence.bytes = u64::MAX);
    let fixture = TestStore::new();
    let image = fixture.image(1);
    assert_eq!(word(&Ask::new().limits(limits).of(fixture.sink.as_ref(), *image.digest())), "refused");
}

#[test]
fn referrers_are_counted() {
    let limit = 20;
    let limits = Limits::DEFAULT.with(|limits| limits.graph.referrers = limit);
    let dir = tempfile::tempdir().unwrap();
    let layout = |n: usize| Layout::create(dir.path().join(n.to_string()), limits.clone()).unwrap();
    let listed = |sink: &dyn Sink, count: usize| {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        for n in 0..count {
            let signed_layer = noise(Format::Bundle, &image, n);
            let manifest = signature_manifest(
                Some(&image.descriptor().bare()),
                Format::Bundle,
                std::slice::from_ref(&signed_layer),
            );
            now(sink.push_content(&blobs(&[signed_layer])[0])).unwrap();
            now(sink.push_content(&bulla::oci::referrer::empty_config())).unwrap();
            now(sink.push_manifest(&manifest, None)).unwrap();
        }
        let unknown = word(&Ask::new().of(sink, *image.digest())) == "unknown";
        match now(sink.referrers(image.digest(), None)) {
            Ok(listing) => {
                assert!(!unknown);
                listing.unwrap().entries.len() == count
            }
            Err(StoreError::TooMany { limit: got, .. }) => {
                assert!(unknown, "what could not be listed was taken for what is not there");
                got != limit
            }
            Err(error) => panic!("{error}"),
        }
    };
    around(limit, |count| listed(&Memory::new(limits.clone()), count));
    around(limit, |count| listed(&layout(count), count));
}

// --------------------------------------------------------------------------------------------------------- files

#[test]
fn key_files_are_measured() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pub");
    let pem = proof::public(proof::key()).to_pem();
    around(Limits::DEFAULT.key.file_bytes, |size| {
        std::fs::write(&path, format!("{pem}{}", "\n".repeat(size - pem.len()))).unwrap();
        match file::read_public(&path, &Limits::DEFAULT) {
            Ok(key) => key == proof::public(proof::key()),
            Err(KeyError::TooLarge { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    });
}

/// The config of an image that stands alone, read to see for whom it is.
#[test]
fn configs_are_measured() {
    around(Limits::DEFAULT.oci.manifest_bytes, |size| {
        let fixture = TestStore::new();
        let mut text = br#"{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.to_vec();
        text.resize(size, b' ');
        let config = Content::from_bytes(media_type::OCI_CONFIG, text);
        let image = manifest(|wire| wire["config"] = json!(config.descriptor()));
        fixture.push(&[config], &image, Some("latest"));
        let platforms = Platforms::One(Platform::parse("linux/arm64").unwrap());
        let tag_or_digest = TagOrDigest::Digest(*image.digest());
        let verifier = Ask::new().verifier();
        let source = fixture.sink.as_ref();
        match proof::outcome(now(verify::verify(
            source,
            &tag_or_digest,
            &platforms,
            proof::options(&verifier, DiscoverUntil::PolicyMet, &Limits::DEFAULT),
        ))) {
            Ok(outcome) => outcome.chosen == Some(*image.digest()),
            Err(OpsError::Store(StoreError::TooLarge { limit, .. })) => {
                assert_eq!(limit, Limits::DEFAULT.oci.manifest_bytes);
                false
            }
            Err(error) => panic!("{error}"),
        }
    });
}

#[test]
fn files_of_a_layout_are_counted() {
    let fixture = TestStore::layout(Limits::DEFAULT);
    let image = fixture.image(1);
    fixture.settle();
    let files = std::fs::read_dir(fixture.path().join("blobs/sha256")).unwrap().count();
    around(files as u64, |count| {
        // As many files as there are, with a limit that moves instead.
        let limits = Limits::DEFAULT.with(|limits| limits.oci.archive_members = (2 * files - count) as u64);
        let layout = Layout::open(fixture.path(), limits).unwrap();
        match now(layout.referrers(image.digest(), None)) {
            Ok(_) => true,
            Err(StoreError::TooMany { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    });
}

// ------------------------------------------------------------------------------------------------ below one image

/// An index of two indexes, below which there are `count` manifests in all.
fn family(fixture: &TestStore, count: usize) -> Content {
    let image = |n: usize| fixture.image(n as u64).descriptor().bare();
    let first: Vec<_> = (0..4).map(image).collect();
    let second: Vec<_> = (4..count - 2).map(image).collect();
    let indexes = [fixture.index(&first, None), fixture.index(&second, None)];
    fixture.index(&indexes.map(|index| index.descriptor().bare()), None)
}

/// Whether each kind of walk visits everything below `root`.
fn walks(fixture: &TestStore, root: &Content, limits: &Limits) -> Vec<bool> {
    let sink = fixture.sink.as_ref();
    let tag_or_digest = TagOrDigest::Digest(*root.digest());
    let whole = |result: Result<(), OpsError>| match result {
        Ok(()) => true,
        Err(OpsError::Store(StoreError::TooMany { .. })) => false,
        Err(error) => panic!("{error}"),
    };
    let graph = |closure| now(Graph::collect(sink, root.clone(), closure, limits)).map(drop);
    let verifier = Ask::new().limits(limits.clone()).verifier();
    let verified = verify::verify(
        sink,
        &tag_or_digest,
        &Platforms::All,
        proof::options(&verifier, DiscoverUntil::PolicyMet, limits),
    );
    let tree = now(tree::tree(sink, root.clone(), None, proof::NOW, limits)).unwrap();
    vec![
        whole(graph(Closure::Image)),
        whole(graph(Closure::WithReferrers)),
        whole(now(sign::subjects(sink, &tag_or_digest, SignedPlatforms::All, limits)).map(drop)),
        whole(proof::outcome(now(verified)).map(drop)),
        !tree.has_problems(),
        whole(now(request::find(sink, &tag_or_digest, SignedPlatforms::All, limits)).map(drop)),
    ]
}

// Three indexes inside each other have room for a billion manifests.
#[test]
fn manifests_below_an_image_are_counted() {
    let limit = 10;
    let limits = Limits::DEFAULT.with(|limits| limits.graph.manifests = limit);
    around(limit, |count| {
        let fixture = TestStore::new();
        let root = family(&fixture, count);
        let whole = walks(&fixture, &root, &limits);
        assert!(whole.iter().all(|went| *went == whole[0]), "{whole:?}");
        whole[0]
    });
}

#[test]
fn manifests_below_an_image_are_measured() {
    let fixture = TestStore::new();
    let root = family(&fixture, 9);
    let graph = now(Graph::collect(fixture.sink.as_ref(), root.clone(), Closure::Image, &Limits::DEFAULT)).unwrap();
    let size = |kind: &str| -> u64 {
        let below = graph.manifests.iter().filter(|node| node.content.digest() != root.digest());
        below
            .map(|node| node.content.descriptor())
            .filter(|entry| entry.media_type.contains(kind))
            .map(|entry| entry.size)
            .sum()
    };
    let at =
        |graph_bytes: u64| walks(&fixture, &root, &Limits::DEFAULT.with(|limits| limits.graph.bytes = graph_bytes));
    // `request new` reads the configs too.
    let is_config = |blob: &&Descriptor| blob.media_type == media_type::OCI_CONFIG;
    let images =
        || graph.manifests.iter().filter(|node| node.content.descriptor().media_type == media_type::OCI_MANIFEST);
    let manifest = |node: &Node| Manifest::parse(&node.content, &Limits::DEFAULT).unwrap();
    let configs: u64 =
        images().map(|node| Some(manifest(node).config).as_ref().filter(is_config).map_or(0, |it| it.size)).sum();
    assert_eq!(at(size("json") + configs), [true; 6]);
    assert_eq!(at(size("json") + configs - 1), [true, true, true, true, true, false]);
    assert_eq!(at(size("json")), [true, true, true, true, true, false]);
    assert_eq!(at(size("json") - 1), [false; 6]);
    assert_eq!(at(size("index")), [false; 6]);
}

// Referrers of the last one were not requested, so the tree is incomplete.
#[test]
fn a_truncated_tree_is_reported_as_incomplete() {
    let limit = Limits::DEFAULT.graph.referrer_depth + Limits::DEFAULT.graph.index_depth;
    around(limit, |depth| {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let mut subject = image.clone();
        for n in 0..depth {
            let signed_layer = SignedLayer::of_text(Format::Dsse, &format!("{{\"n\":{n}}}"));
            let fields = signature_manifest(
                Some(&subject.descriptor().bare()),
                Format::Dsse,
                std::slice::from_ref(&signed_layer),
            );
            let mut wire: Value = serde_json::from_slice(fields.bytes()).unwrap();
            wire["layers"] = json!([]);
            let referrer = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
            fixture.push(&[bulla::oci::referrer::empty_config()], &referrer, None);
            subject = referrer;
        }
        let tree = now(tree::tree(fixture.sink.as_ref(), image, None, proof::NOW, &Limits::DEFAULT)).unwrap();
        let mut shown = 0;
        let mut node = &tree;
        while let Some(next) = node.attached.first() {
            (node, shown) = (next, shown + 1);
        }
        assert_eq!(shown, depth);
        !tree.has_problems()
    });
}

/// The signature of a layer that is beside its payload.
fn beside(fixture: &TestStore, image: &Content, layers: &[Descriptor], blob: &Content) {
    let mut wire: Value = serde_json::from_slice(signature_manifest(None, Format::Simple, &[]).bytes()).unwrap();
    wire["layers"] = json!(layers);
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, wire.to_string().into_bytes());
    fixture.place(
        image,
        Location::Tag,
        &StatementKind::ImageSignature,
        Format::Simple,
        &manifest,
        std::slice::from_ref(blob),
    );
}

fn findings(verdict: &Verdict) -> usize {
    match verdict {
        Verdict::Accepted(verified) => verified.findings().len(),
        Verdict::Incomplete { findings, .. } => findings.len(),
        Verdict::NotRequired => 0,
        Verdict::Refused(refusal) | Verdict::Unknown { refusal, .. } => refusal.findings.len(),
    }
}

// A blob that is shared costs as often as it is read.
#[test]
fn evidence_that_is_read_twice_counts_twice() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
    let signatures = ["AA==", "AQ==", "Ag==", "Aw=="];
    let layers: Vec<_> = signatures.iter().map(|signature| word.beside(signature).descriptor()).collect();
    let blob = Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload.clone());
    beside(&fixture, &image, &layers, &blob);
    let size = blob.descriptor().size;
    for (evidence_bytes, want) in [(4 * size, "refused"), (4 * size - 1, "unknown"), (size, "unknown")] {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.bytes = evidence_bytes);
        let verdict = Ask::new().limits(limits).of(fixture.sink.as_ref(), *image.digest());
        assert_eq!((proof::word(&verdict), findings(&verdict)), (want, 4));
    }
}

// A repeated document is not read again; another signature over it is (threats: key-counted-twice).
#[test]
fn a_repeated_layer_is_skipped() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
    let blob = Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload.clone());
    let bad = word.beside("AA==").descriptor();
    beside(&fixture, &image, &vec![bad.clone(); 500], &blob);
    let limits = Limits::DEFAULT.with(|limits| limits.evidence.bytes = blob.descriptor().size);
    let verdict = Ask::new().limits(limits).of(fixture.sink.as_ref(), *image.digest());
    assert_eq!((proof::word(&verdict), findings(&verdict)), ("refused", 1));

    // A wrong size, a wrong copy and a wrong signature hide nothing.
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let good = word.sign(Format::Simple, &[proof::key()]).descriptor();
    let longer = Descriptor { size: good.size + 1, ..good.clone() };
    let inlined = Descriptor { data: Some(b"other".to_vec()), ..good.clone() };
    beside(&fixture, &image, &[longer, inlined, bad, good], &blob);
    let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
    assert_eq!((proof::word(&verdict), findings(&verdict)), ("accepted", 3));
}

// What stands beside a signature is part of the evidence: a copy with other material hides nothing. Anybody can make such
// copies, so eight of one signature are looked at; to a key all of them are the same.
#[test]
fn variants_of_a_signature_are_counted() {
    let variant = |layer: &Descriptor, n: usize| {
        let mut layer = layer.clone();
        layer.annotations.insert("dev.sigstore.cosign/certificate".to_owned(), n.to_string());
        layer
    };
    // Variants of a signature by another key do not hide a good one.
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
    let blob = Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload.clone());
    let signed = |signer| word.sign(Format::Simple, &[signer]).descriptor();
    let other = signed(proof::untrusted_key());
    let mut layers: Vec<_> = (0..20).map(|n| variant(&other, n)).collect();
    layers.push(signed(proof::key()));
    beside(&fixture, &image, &layers, &blob);
    assert_eq!(proof::word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "accepted");
    // Further variants of a signature that does not count are not read.
    for count in [8, 9, 50] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
        let blob = Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload.clone());
        let other = word.sign(Format::Simple, &[proof::untrusted_key()]).descriptor();
        let layers: Vec<_> = (0..count).map(|n| variant(&other, n)).collect();
        beside(&fixture, &image, &layers, &blob);
        let verdict = Ask::new().of(fixture.sink.as_ref(), *image.digest());
        assert_eq!((proof::word(&verdict), findings(&verdict)), ("refused", count.min(8)));
    }
}

// Every manifest of an index has room for thousands of findings of its own.
#[test]
fn findings_below_an_image_are_counted() {
    let limits = Limits::DEFAULT.with(|limits| {
        limits.graph.manifests = 4;
        limits.evidence.signature_manifests = 2;
    });
    let verified = |bad: &[&str]| {
        let fixture = TestStore::new();
        let images: Vec<_> = (0..4).map(|n| fixture.image(n)).collect();
        for image in &images {
            let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
            let layers: Vec<_> = bad.iter().map(|signature| word.beside(signature).descriptor()).collect();
            beside(&fixture, image, &layers, &Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload));
        }
        let root = fixture.index(&images.iter().map(|image| image.descriptor().bare()).collect::<Vec<_>>(), None);
        let tag_or_digest = TagOrDigest::Digest(*root.digest());
        let verifier = Ask::new().limits(limits.clone()).verifier();
        proof::outcome(now(verify::verify(
            fixture.sink.as_ref(),
            &tag_or_digest,
            &Platforms::All,
            proof::options(&verifier, DiscoverUntil::PolicyMet, &limits),
        )))
    };
    let told = verified(&["AA==", "AQ=="]).unwrap();
    assert_eq!(told.children.iter().map(|(_, _, verdict)| findings(verdict)).sum::<usize>(), 8);
    // The third is not looked at, which is a finding as well.
    let error = verified(&["AA==", "AQ==", "Ag=="]).unwrap_err();
    assert!(matches!(error, OpsError::Store(StoreError::TooMany { limit: 8, .. })), "{error}");
}

// What is the same about several manifests is kept once, and what is not only as far as there is room.
#[test]
fn findings_below_an_image_are_measured() {
    let verified = |finding_bytes: u64, layers: usize, images: u64| {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.finding_bytes = finding_bytes);
        let fixture = TestStore::new();
        let images: Vec<_> = (0..images).map(|n| fixture.image(n)).collect();
        for image in &images {
            let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
            let layers: Vec<_> =
                (0..layers).map(|n| word.beside(&base64::encode(&n.to_be_bytes())).descriptor()).collect();
            beside(&fixture, image, &layers, &Content::from_bytes(media_type::SIMPLE_SIGNING, word.payload));
        }
        let root = fixture.index(&images.iter().map(|image| image.descriptor().bare()).collect::<Vec<_>>(), None);
        let tag_or_digest = TagOrDigest::Digest(*root.digest());
        let verifier = Ask::new().limits(limits.clone()).verifier();
        proof::outcome(now(verify::verify(
            fixture.sink.as_ref(),
            &tag_or_digest,
            &Platforms::All,
            proof::options(&verifier, DiscoverUntil::PolicyMet, &limits),
        )))
    };
    // Ten findings say the same about the same manifest: they are one.
    assert!(verified(1_000, 10, 1).is_ok());
    assert!(verified(100_000, 10, 40).is_ok());
    let error = verified(1_000, 10, 40).unwrap_err();
    assert!(matches!(error, OpsError::Store(StoreError::TooMany { limit: 1_000, .. })), "{error}");
}

// A thousand verdicts are reported without their documents.
#[test]
fn children_are_reported_without_documents() {
    let fixture = TestStore::new();
    let image = fixture.image(1);
    let signed_layer = TestPayload::about(Format::Bundle, &StatementKind::ImageSignature, image.digest())
        .sign(Format::Bundle, &[proof::key()]);
    let signature_manifest = fixture
        .attach(&image, Location::Referrers, &StatementKind::ImageSignature, Format::Bundle, &[signed_layer])
        .remove(0);
    let root = fixture.index(&[image.descriptor().bare()], None);
    let tag_or_digest = TagOrDigest::Digest(*root.digest());
    let ask = Ask::new();
    let verifier = ask.verifier();
    for (until, contents) in [(DiscoverUntil::PolicyMet, 0), (DiscoverUntil::AllFound, 2)] {
        let told = verify::verify(
            fixture.sink.as_ref(),
            &tag_or_digest,
            &Platforms::All,
            proof::options(&verifier, until, &Limits::DEFAULT),
        );
        let told = proof::outcome(now(told)).unwrap();
        let Verdict::Accepted(verified) = &told.children[0].2 else { panic!("{told:?}") };
        let evidence = &verified.accepted().first().evidence;
        assert_eq!(evidence.digest(), Some(signature_manifest.digest()));
        assert_eq!(evidence.contents().len(), contents);
        assert_eq!(evidence.document().format().as_str(), "sigstore-bundle");
        // The decoded content is dropped in either case.
        assert!(evidence.document().verify(&ask.keys[0]).is_err());
    }
}
