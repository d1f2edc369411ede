//! Files of certificates and of CRLs.

use bulla::limits::Limits;
use bulla::x509::BundleError;
use bulla::x509::Certificate;
use bulla::x509::CertificateRevocationList;

use super::Family;
use super::author::List;
use super::certificate;
use super::vectors;

fn block(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, BundleError> {
    let all = Certificate::parse_bundle(bytes, &Limits::DEFAULT)?;
    Ok(all.iter().map(|one| one.der().to_vec()).collect())
}

#[test]
fn blocks_and_values_are_read_in_their_order() {
    let Some(family) = Family::new() else { return };
    let [leaf, root] = [&family.leaf, &family.root].map(|made| made.certificate.der().to_vec());
    let both = vec![leaf.clone(), root.clone()];
    let text =
        format!("subject=CN=leaf\n{}\n\n# the root\n{}", block("CERTIFICATE", &leaf), block("X509 CERTIFICATE", &root));
    assert_eq!(read(text.as_bytes()), Ok(both.clone()));
    assert_eq!(read(text.replace('\n', "\r\n").as_bytes()), Ok(both.clone()));
    assert_eq!(read(&[leaf.as_slice(), &root].concat()), Ok(both));
    assert_eq!(read(&leaf), Ok(vec![leaf]));
    let lists = [1, 2].map(|number| List { number: Some(number), ..List::of(&family.middle, family.now()) });
    let lists = lists.map(|list| list.signed_by(&family.middle));
    let text = block("X509 CRL", &lists[0]) + &block("CRL", &lists[1]);
    for bytes in [text.into_bytes(), lists.concat()] {
        let read = CertificateRevocationList::parse_bundle(&bytes, &Limits::DEFAULT).unwrap();
        let read: Vec<_> = read.iter().map(|crl| crl.der().to_vec()).collect();
        assert_eq!(read, lists);
    }
}

/// Nothing in a file is skipped: what is damaged or of another kind is an error with its place.
#[test]
fn what_cannot_be_read_is_an_error_with_its_line() {
    let Some(family) = Family::new() else { return };
    let der = family.leaf.certificate.der().to_vec();
    let good = block("CERTIFICATE", &der);
    let cases = [
        ("", "there is no certificate in it"),
        ("hello\n", "number 1: neither PEM (RFC 7468) nor DER (X.690 section 10)"),
        (
            &format!("{good}{}", block("X509 CRL", b"x")),
            "number 2, line 4: PEM block `X509 CRL`, wanted `CERTIFICATE` (RFC 7468)",
        ),
        (
            &format!("{good}{}", block("CERTIFICATE", b"x")),
            "number 2, line 4: certificate cannot be read (RFC 5280 section 4.1): \
             SHA-256 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        ),
        (
            &format!("\n{good}{}", block("PRIVATE KEY", b"x")),
            "number 2, line 5: PEM block `PRIVATE KEY`, wanted `CERTIFICATE` (RFC 7468)",
        ),
        (
            &good.replace("-----END CERTIFICATE-----\n", ""),
            "line 1: PEM block cannot be read: it has no end line (RFC 7468)",
        ),
        (
            &format!("{good}----BEGIN CERTIFICATE-----\n"),
            "line 4: PEM block cannot be read: it is not a begin line (RFC 7468)",
        ),
        (
            &format!("{good}-----END CERTIFICATE-----\n"),
            "line 4: PEM block cannot be read: it is not a begin line (RFC 7468)",
        ),
        (
            &format!("{good}-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"),
            "line 4: PEM block cannot be read: it is not base64 (RFC 7468)",
        ),
    ];
    for (text, says) in cases {
        assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), says, "{text}");
    }
    let trailing = [der.as_slice(), b"\n"].concat();
    assert_eq!(read(&trailing).unwrap_err().to_string(), "number 2: neither PEM (RFC 7468) nor DER (X.690 section 10)");
    let short = &der[..der.len() - 1];
    assert!(matches!(read(short), Err(BundleError::Encoding { .. })));
    let error = CertificateRevocationList::parse_bundle(&der, &Limits::DEFAULT).unwrap_err();
    assert_eq!(error.to_string(), "number 1: CRL cannot be read (RFC 5280 section 5.1)");
    let error = CertificateRevocationList::parse_bundle(b"", &Limits::DEFAULT).unwrap_err();
    assert_eq!(error, BundleError::None { wanted: "CRL" });
}

#[test]
fn a_file_is_bounded() {
    let Some(family) = Family::new() else { return };
    let der = family.leaf.certificate.der().to_vec();
    for bytes in [der.repeat(3), block("CERTIFICATE", &der).repeat(3).into_bytes()] {
        let read = |most, most_bytes| {
            let limits = Limits::DEFAULT.with(|limits| {
                limits.envelope.bundle_certificates = most;
                limits.envelope.bundle_bytes = most_bytes;
            });
            Certificate::parse_bundle(&bytes, &limits).map(|all| all.count())
        };
        let length = bytes.len() as u64;
        assert_eq!(read(3, length), Ok(3));
        assert_eq!(read(4, length + 1), Ok(3));
        assert_eq!(read(2, length), Err(BundleError::TooMany { limit: 2 }));
        assert_eq!(read(3, length - 1), Err(BundleError::TooLarge { limit: length - 1 }));
    }
}

#[test]
fn the_chains_of_notation_are_read() {
    let Some(suite) = vectors::suite("notation-revocation") else { return };
    let shared = suite.join("shared");
    for (file, count) in [("certchain_with_crl.pem", 3), ("root.crt", 1), ("ocsp/certchain_with_ocsp.pem", 2)] {
        let all = read(&std::fs::read(shared.join(file)).unwrap()).unwrap();
        assert_eq!(all.len(), count, "{file}");
        assert!(all.iter().all(|der| certificate(der).der() == der));
    }
}
