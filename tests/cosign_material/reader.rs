//! What is read of the annotations, and what is an error of the certificate path only.

use std::collections::BTreeMap;

use bulla::envelope::EnvelopeError;
use bulla::envelope::MaterialForm;
use bulla::envelope::SignedDocument;
use bulla::envelope::SignedWith;
use bulla::envelope::StoredForm;
use bulla::envelope::VerificationMaterial;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::referrer::COSIGN_BUNDLE;
use bulla::oci::referrer::COSIGN_CERTIFICATE;
use bulla::oci::referrer::COSIGN_CHAIN;
use bulla::oci::referrer::COSIGN_TIMESTAMP;
use bulla::policy::StatementKind;
use bulla::transparency::RequiredInclusion;
use bulla::transparency::TransparencyLogEntry;
use bulla::transparency::TransparencyRule;

use crate::certificates::SIGNER;
use crate::proof::attestation;
use crate::proof::forms::Format;
use crate::proof::forms::TestPayload;

/// A document of cosign v2 that the signer's key signed, with these annotations.
fn document(format: Format, annotations: &[(&str, &str)]) -> SignedDocument {
    let digest = bulla::digest::Digest::sha256(b"an image");
    let kind = match format {
        Format::Simple => StatementKind::ImageSignature,
        Format::Bundle | Format::Dsse => attestation("https://example.com/predicate/v1"),
    };
    let mut layer = TestPayload::about(format, &kind, &digest).sign(format, &[&SIGNER.key]);
    layer.annotations.extend(annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let content = Content::check(&layer.descriptor(), layer.bytes.clone()).unwrap();
    SignedDocument::parse(&content, &Limits::DEFAULT).unwrap()
}

fn read(annotations: &[(&str, &str)]) -> Result<VerificationMaterial, EnvelopeError> {
    let annotations = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    VerificationMaterial::of_annotations(&annotations.collect::<BTreeMap<_, _>>(), &Limits::DEFAULT)
}

#[test]
fn both_formats_have_the_material_of_their_annotations() {
    let (leaf, chain) = (SIGNER.leaf(), SIGNER.issuers());
    let annotations = [
        (COSIGN_BUNDLE, "{}"),
        (COSIGN_CERTIFICATE, leaf.as_str()),
        (COSIGN_CHAIN, chain.as_str()),
        (COSIGN_TIMESTAMP, r#"{"SignedRFC3161Timestamp":"MAA="}"#),
    ];
    for format in [Format::Dsse, Format::Simple] {
        let document = document(format, &annotations);
        let material = document.verification_material().unwrap().unwrap();
        let certificates: Vec<_> = SIGNER.chain.iter().map(|one| one.der().to_vec()).collect();
        assert_eq!(material.certificates, certificates, "{format:?}");
        assert_eq!(material.form, MaterialForm::Annotations);
        assert_eq!(RequiredInclusion::from(material.form), RequiredInclusion::Promise);
        assert_eq!(material.key_hint, None);
        assert_eq!(material.log_entries[0].form(), StoredForm::Annotation);
        let entry = TransparencyLogEntry::parse(&material.log_entries[0], &Limits::DEFAULT);
        assert_eq!(entry.unwrap_err().rule(), TransparencyRule::EntryMalformed);
        assert_eq!(material.timestamps[0].response(&Limits::DEFAULT).unwrap(), [0x30, 0]);
        assert_eq!(document.signed_with(), SignedWith::KeyOrCertificate);
        assert!(document.verify(SIGNER.key.public_key()).is_ok(), "{format:?}");
    }
}

/// cosign writes an empty chain beside a certificate without one.
#[test]
fn an_empty_annotation_is_one_that_is_not_there() {
    let leaf = SIGNER.leaf();
    let empty = [(COSIGN_BUNDLE, ""), (COSIGN_CERTIFICATE, ""), (COSIGN_CHAIN, ""), (COSIGN_TIMESTAMP, "")];
    assert_eq!(read(&empty).unwrap(), VerificationMaterial::empty(MaterialForm::Annotations));
    assert_eq!(read(&[(COSIGN_CERTIFICATE, &leaf), (COSIGN_CHAIN, "")]).unwrap().certificates.len(), 1);
    for format in [Format::Dsse, Format::Simple] {
        assert_eq!(document(format, &empty).signed_with(), SignedWith::Key);
    }
}

/// RFC 7468 section 2: explanatory text may surround PEM, as `openssl x509 -text` writes it.
#[test]
fn text_around_pem_is_skipped() {
    let leaf = SIGNER.leaf();
    let texts =
        [format!("Certificate:\n    Data:\n{leaf}"), leaf.replace('\n', "\r\n"), format!("\n\n{leaf}\nafter\n")];
    for text in texts {
        let material = read(&[(COSIGN_CERTIFICATE, &text)]).unwrap();
        assert_eq!(material.certificates, [SIGNER.chain[0].der()], "{text}");
    }
}

#[test]
fn material_that_cannot_be_read_hides_nothing_from_pinned_keys() {
    let leaf = SIGNER.leaf();
    let private = SIGNER.key.to_pkcs8_pem();
    let (two, many, hundred) = (leaf.repeat(2), leaf.repeat(80), leaf.repeat(100));
    let large = format!("{}{leaf}", "text\n".repeat(300_000));
    let nul = leaf.replace("MII", "M\0II");
    let cut = &leaf[..leaf.len() / 2];
    let wrong_base64 = leaf.replacen("MII", "M*I", 1);
    let dashes = format!("-----\n{leaf}");
    let cases: [(&str, &[(&str, &str)]); 14] = [
        ("has 2 certificates, not one", &[(COSIGN_CERTIFICATE, &two)]),
        ("has more than 10 certificates", &[(COSIGN_CERTIFICATE, &many)]),
        ("has more than 9 certificates", &[(COSIGN_CERTIFICATE, &leaf), (COSIGN_CHAIN, &many)]),
        ("bytes of one annotation", &[(COSIGN_CERTIFICATE, &leaf), (COSIGN_CHAIN, &hundred)]),
        ("`dev.sigstore.cosign/chain` without", &[(COSIGN_CHAIN, &leaf)]),
        ("PEM block `PRIVATE KEY`, wanted `CERTIFICATE`", &[(COSIGN_CERTIFICATE, private.as_str())]),
        ("PEM block `PRIVATE KEY`", &[(COSIGN_CERTIFICATE, &leaf), (COSIGN_CHAIN, private.as_str())]),
        ("bytes of one annotation", &[(COSIGN_CERTIFICATE, &large)]),
        ("bytes of one annotation", &[(COSIGN_BUNDLE, &large)]),
        ("bytes of one annotation", &[(COSIGN_TIMESTAMP, &large)]),
        ("not base64", &[(COSIGN_CERTIFICATE, &nul)]),
        ("no end line", &[(COSIGN_CERTIFICATE, cut)]),
        ("not base64", &[(COSIGN_CERTIFICATE, &wrong_base64)]),
        ("not a begin line", &[(COSIGN_CERTIFICATE, &dashes)]),
    ];
    for (want, annotations) in cases {
        let error = read(annotations).unwrap_err();
        assert!(error.to_string().contains(want), "{want}: {error}");
        assert!(!error.to_string().contains("MI"), "{error}");
        // Limits are could-not-tell, the others are refused.
        assert_eq!(error.is_limit(), want.contains("more than") || want.contains("bytes of"), "{error}");
        for format in [Format::Dsse, Format::Simple] {
            let document = document(format, annotations);
            assert_eq!(document.verification_material().unwrap().unwrap_err(), &error);
            assert_eq!(document.signed_with(), SignedWith::KeyOrCertificate);
            assert!(document.verify(SIGNER.key.public_key()).is_ok(), "{format:?}: {want}");
        }
    }
}

/// Log entries and timestamps are read where they decide: nothing in them is an error before.
#[test]
fn log_entries_and_timestamps_are_refused_where_they_are_read() {
    let set = r#"{"SignedEntryTimestamp":"AA==","SignedEntryTimestamp":"AA==","Payload":{}}"#;
    let base64 =
        r#"{"SignedEntryTimestamp":"*","Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":"00"}}"#;
    for entry in [set, base64, "null", "[]", "\0", "{}"] {
        let material = read(&[(COSIGN_BUNDLE, entry)]).unwrap();
        let error = TransparencyLogEntry::parse(&material.log_entries[0], &Limits::DEFAULT).unwrap_err();
        let rules = [TransparencyRule::EntryMalformed, TransparencyRule::EntryBody];
        assert!(rules.contains(&error.rule()), "{entry}: {error}");
    }
    let twice = r#"{"SignedRFC3161Timestamp":"MAA=","SignedRFC3161Timestamp":"MAA="}"#;
    for timestamp in [twice, r#"{"SignedRFC3161Timestamp":"MAA"}"#, r#"{"signedTimestamp":"MAA="}"#, "null", "\0"] {
        let material = read(&[(COSIGN_TIMESTAMP, timestamp)]).unwrap();
        assert!(material.timestamps[0].response(&Limits::DEFAULT).is_err(), "{timestamp}");
    }
}
