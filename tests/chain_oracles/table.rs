//! The table of verdicts.

use bulla::x509::Profile;

use super::cases;
use super::others;

/// A row: the case, our verdict by `rfc5280-strict` and by `notary`, who accepts it of openssl (`o`), rustls-webpki (`w`)
/// and `cryptography` (`c`), and the reason if they do not all say the same.
const ROWS: &[(&str, &str, &str, &str, &str)] = &[
    ("nothing is wrong", "accepted", "accepted", "owc", ""),
    (
        "the issuers are in another order",
        "accepted",
        "chain-order",
        "owc",
        "The Notary Project wants the chain in order.",
    ),
    (
        "there are unrelated certificates as well",
        "accepted",
        "chain-order",
        "owc",
        "The Notary Project wants no other certificates.",
    ),
    ("an issuer is missing", "path", "path", "", ""),
    ("cross-signed, to the other root", "accepted", "accepted", "owc", ""),
    ("cross-signed, both ways", "accepted", "chain-order", "owc", "The Notary Project wants one path."),
    (
        "cross-signed, the other way first",
        "accepted",
        "path",
        "wc",
        "The Notary Project wants one path; openssl takes the first issuer of a name and no second one.",
    ),
    ("the root is not trusted", "path", "trust", "", ""),
    ("another key of the issuer's name", "signature", "signature", "", ""),
    (
        "an intermediate is trusted, not the root",
        "accepted",
        "chain-order",
        "owc",
        "The Notary Project wants the root in the chain, also where it is not the certificate that is trusted.",
    ),
    ("the signer's certificate has expired", "expired", "expired", "", ""),
    ("the signer's certificate is from tomorrow", "not-yet-valid", "not-yet-valid", "", ""),
    ("an intermediate has expired", "expired", "expired", "", ""),
    ("a path length is exceeded", "path-length", "path-length", "", ""),
    ("a path length of 0 is kept", "accepted", "accepted", "owc", ""),
    ("an issuer says that it is no authority", "basic-constraints", "basic-constraints", "", ""),
    ("an issuer has no basic constraints", "basic-constraints", "basic-constraints", "", ""),
    (
        "the basic constraints of an issuer are not critical",
        "basic-constraints-critical",
        "accepted",
        "w",
        "RFC 5280 section 4.2.1.9 wants them critical; notation and rustls-webpki read them either way.",
    ),
    ("an issuer has no key usage", "key-usage", "key-usage", "w", "rustls-webpki does not read the key usage."),
    (
        "the key usage of an issuer lacks keyCertSign",
        "key-usage",
        "key-usage",
        "w",
        "rustls-webpki does not read the key usage.",
    ),
    ("an issuer has an unknown critical extension", "?critical-extension", "?critical-extension", "", ""),
    (
        "an issuer is for servers only",
        "extended-key-usage",
        "accepted",
        "o",
        "openssl and notation do not read the purposes of issuers.",
    ),
    ("a name is inside the constraints", "accepted", "accepted", "owc", ""),
    ("a name is outside the constraints", "name-constraints", "name-constraints", "", ""),
    ("an issuer has an RSA key of 1024 bits", "key", "key", "o", "openssl sets no size at its default level."),
    ("no extended key usage", "accepted", "accepted", "owc", ""),
    (
        "an extended key usage for servers",
        "extended-key-usage",
        "extended-key-usage",
        "o",
        "openssl 3.0 has no purpose for signing code, so none is asked of it.",
    ),
    (
        "no key usage",
        "accepted",
        "key-usage",
        "owc",
        "RFC 5280 section 4.2.1.3 makes it optional; the Notary Project wants it.",
    ),
    (
        "a key usage without digitalSignature",
        "key-usage",
        "key-usage",
        "owc",
        "The others verify the chain, not what the key is used for.",
    ),
    (
        "a signer that is an authority",
        "?ca-as-signer",
        "ca-as-signer",
        "oc",
        "rustls-webpki takes no authority for a signer; RFC 5280 allows it, so it is could-not-tell by its profile.",
    ),
    ("an unknown critical extension", "?critical-extension", "?critical-extension", "", ""),
    (
        "an extension stands twice",
        "unreadable",
        "unreadable",
        "ow",
        "RFC 5280 section 4.2 forbids it; openssl and rustls-webpki do not compare extensions that they do not know.",
    ),
    (
        "the signer has an RSA key of 1024 bits",
        "key",
        "key",
        "owc",
        "The others do not look at the key that the signer's certificate is about.",
    ),
    (
        "a signature with SHA-1",
        "signature-algorithm",
        "signature-algorithm",
        "o",
        "openssl allows SHA-1 at its default level.",
    ),
    (
        "a timestamp authority",
        "accepted",
        "accepted",
        "oc",
        "rustls-webpki asks the purpose of the issuers too, where it is asked of the signer's certificate.",
    ),
    ("a timestamp authority without extended key usage", "extended-key-usage", "extended-key-usage", "", ""),
    (
        "a timestamp authority for code, too",
        "extended-key-usage",
        "extended-key-usage",
        "c",
        "RFC 3161 section 2.3 wants this purpose alone; that is no rule of cryptography. rustls-webpki: see above.",
    ),
    ("nothing is revoked", "accepted", "accepted", "owc", ""),
    ("the signer's certificate is revoked", "revoked", "revoked", "c", "cryptography reads no CRLs."),
    ("an intermediate is revoked", "revoked", "revoked", "c", "cryptography reads no CRLs."),
];

#[test]
fn every_difference_stands_in_the_table() {
    let Some(cases) = cases::all() else { return };
    let folder = tempfile::tempdir().unwrap();
    let python = others::cryptography_accepts(&cases);
    for (number, (case, row)) in cases.iter().zip(ROWS).enumerate() {
        let (name, strict, notary, by, why) = *row;
        let mut found = String::new();
        found.extend(others::openssl_accepts(case, folder.path()).then_some('o'));
        found.extend(others::webpki_accepts(case).then_some('w'));
        // Without the package, its column is taken from the table.
        found.extend(python.as_ref().map_or(by.contains('c'), |python| python[number]).then_some('c'));
        let ours = (others::ours(case, &Profile::RFC5280_STRICT), others::ours(case, &Profile::NOTARY));
        assert_eq!((case.name, &*ours.0, &*ours.1, &*found), (name, strict, notary, by));
        let we_accept = [strict, notary].map(|verdict| verdict == "accepted");
        // What nobody else accepts, we do not accept.
        assert!(!by.is_empty() || we_accept == [false, false], "{name}");
        let all_agree = matches!((we_accept, by), ([true, true], "owc") | ([false, false], ""));
        assert_eq!(all_agree, why.is_empty(), "{name}: a difference has a reason");
    }
    assert_eq!(cases.len(), ROWS.len());
}

#[test]
fn the_page_lists_every_difference() {
    let page = include_str!("../../docs/x509.md");
    for (name, strict, notary, by, why) in ROWS.iter().filter(|row| !row.4.is_empty()) {
        let others = [('o', "openssl"), ('w', "rustls-webpki"), ('c', "cryptography")];
        let others: Vec<_> = others.iter().filter(|(letter, _)| by.contains(*letter)).map(|(_, name)| *name).collect();
        let row = format!("| {name} | `{strict}` | `{notary}` | {} | {why} |\n", others.join(", "));
        assert!(page.contains(&row), "docs/x509.md lacks the row\n{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.matches(" | ").count() == 4);
    let listed = ROWS.iter().filter(|row| !row.4.is_empty()).count();
    assert_eq!(rows.count(), listed + 2, "the page lists rows that are not in the table");
}
