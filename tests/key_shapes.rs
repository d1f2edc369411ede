//! Key files in the shapes in which people have them: read where no doubt is left, else named with what converts them.
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

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::key::Container;
use bulla::key::KeyError;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;

const NAMES: [&str; 5] = ["release", "second", "third", "p521", "rsa"];

fn testdata(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys").join(name)).unwrap()
}

fn utf16(text: &str, mark: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(unit)).collect()
}

fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

/// Every shape of a PEM file that leaves no doubt which key it is.
fn shapes(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (begin, rest) = pem.split_once('\n').unwrap();
    let body = rest.split_once("-----END").unwrap().0;
    let with = |headers: &str| pem.replacen('\n', headers, 1).into_bytes();
    let spelled = pem.replace('\n', "\\n");
    vec![
        ("as it is", pem.into()),
        ("byte order mark", format!("\u{feff}{pem}").into()),
        ("CRLF", pem.replace('\n', "\r\n").into()),
        ("lone CR", pem.replace('\n', "\r").into()),
        ("CRLF and a mark", format!("\u{feff}{}", pem.replace('\n', "\r\n")).into()),
        ("UTF-16, little end first", utf16(&pem.replace('\n', "\r\n"), b"\xff\xfe", u16::to_le_bytes)),
        ("UTF-16, big end first", utf16(pem, b"\xfe\xff", u16::to_be_bytes)),
        ("UTF-16 without a mark", utf16(pem, b"", u16::to_le_bytes)),
        ("UTF-16 without a mark, big end first", utf16(pem, b"", u16::to_be_bytes)),
        ("one line", pem.replace('\n', "").into()),
        ("one line with spaces", pem.replace('\n', " ").into()),
        ("one line in quotes", format!("\"{}\"\n", pem.replace('\n', " ")).into()),
        ("line ends spelled out", spelled.clone().into()),
        ("line ends spelled out, in quotes", format!("\"{spelled}\"").into()),
        ("line ends spelled out, in apostrophes", format!("'{spelled}'\n").into()),
        ("CRLF spelled out", pem.replace('\n', "\\r\\n").into()),
        ("indented", pem.lines().map(|line| format!("    {line}\n")).collect::<String>().into()),
        (
            "one character a line",
            format!(
                "{begin}\n{}\n{}",
                body.replace('\n', "").chars().map(|c| format!("{c}\n")).collect::<String>(),
                &pem[pem.find("-----END").unwrap()..]
            )
            .into(),
        ),
        ("empty lines", pem.replace('\n', "\n\n").into()),
        ("text before and after", format!("Bag Attributes\n    friendlyName: x\n{pem}the end\n").into()),
        ("Comment header", with("\nComment: made by hand\n\n")),
        ("Comment header without an empty line", with("\nComment: made by hand\n")),
        ("folded header", with("\nX-Note: one\n and more: two\n\n")),
        ("continued header", with("\nComment: one \\\nand more\n\n")),
        ("base64 of PEM", STANDARD.encode(pem).into()),
        ("base64 of PEM in lines", STANDARD.encode(pem).as_bytes().chunks(76).collect::<Vec<_>>().join(&b"\n"[..])),
        ("bare base64 of DER", STANDARD.encode(der(pem)).into()),
        ("bare base64 of DER, quoted", format!("\"{}\"\n", STANDARD.encode(der(pem))).into()),
        ("DER", der(pem)),
    ]
}

#[test]
fn a_public_key_is_read_in_every_shape() {
    for name in NAMES {
        let pem = testdata(&format!("{name}.pub"));
        let key = PublicKey::parse(pem.as_bytes()).unwrap();
        for (shape, bytes) in shapes(&pem) {
            let read =
                PublicKey::read(&bytes, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}, {shape}: {error}"));
            assert_eq!(read, (key.clone(), Container::Bare), "{name}, {shape}");
        }
    }
}

#[test]
fn a_private_key_is_read_in_every_shape() {
    for name in NAMES {
        let pem = testdata(&format!("{name}.key"));
        let public = PublicKey::parse(testdata(&format!("{name}.pub")).as_bytes()).unwrap();
        for (shape, bytes) in shapes(&pem) {
            let read = PrivateKey::parse(&bytes, &Limits::DEFAULT, || Err(KeyError::PassphraseMissing));
            let read = read.unwrap_or_else(|error| panic!("{name}, {shape}: {error}"));
            assert_eq!(*read.public_key(), public, "{name}, {shape}");
            assert!(PrivateKey::form(&bytes).is_some(), "{name}, {shape}: not seen to be private");
            assert!(
                PublicKey::read(&bytes, &Limits::DEFAULT).is_err(),
                "{name}, {shape}: a private key was read as a public one"
            );
        }
    }
}

/// A file is refused if it is not certain which key is meant, or whether the key is complete.
#[test]
fn an_ambiguous_or_incomplete_key_is_refused() {
    let (one, other) = (testdata("release.pub"), testdata("second.pub"));
    let flat = |pem: &str| pem.replace('\n', " ");
    let cut = &one[..one.len() - 30];
    for (shape, bytes) in [
        ("two keys", format!("{one}{other}").into_bytes()),
        ("two keys in one line", format!("{}{}", flat(&one), flat(&other)).into()),
        ("two keys, one of them in one line", format!("{one}{}\n", other.replace('\n', "")).into()),
        ("two keys, the first in one line", format!("{}\n{other}", one.replace('\n', "")).into()),
        ("two keys, line ends spelled out", format!("{one}{other}").replace('\n', "\\n").into()),
        ("text before a line", format!("key: {}", flat(&one)).into()),
        ("text after a line", format!("{} # mine", flat(&one)).into()),
        ("commented out", one.lines().map(|line| format!("# {line}\n")).collect::<String>().into()),
        ("cut off", cut.into()),
        ("cut off in one line", flat(cut).into()),
        ("other end", one.replace("-----END PUBLIC", "-----END PRIVATE").into()),
        ("header in the middle", one.replacen("\ni+", "\nComment: x\ni+", 1).into()),
        ("UTF-16 of odd length", [&utf16(&one, b"\xff\xfe", u16::to_le_bytes)[..], b"x"].concat()),
        ("half of a pair in UTF-16", utf16(&one, b"\xff\xfe\x00\xd8", u16::to_le_bytes)),
        ("base64 twice", STANDARD.encode(STANDARD.encode(&one)).into()),
        ("base64url of DER", URL_SAFE_NO_PAD.encode(der(&one)).into()),
        ("old encryption", one.replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1).into()),
    ] {
        assert!(PublicKey::read(&bytes, &Limits::DEFAULT).is_err(), "{shape} was read");
        assert!(PublicKey::parse(&bytes).is_err(), "{shape} was read");
    }
}

#[test]
fn openssh_keys_certificates_and_jwks_are_the_same_key() {
    let release = PublicKey::parse(testdata("release.pub").as_bytes()).unwrap();
    let pem = testdata("certificate.pem");
    for (shape, bytes) in shapes(&pem) {
        let read = PublicKey::read(&bytes, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{shape}: {error}"));
        assert_eq!(read, (release.clone(), Container::Certificate), "{shape}");
    }
    // A certificate is a key only where a person names it: never in a request or another format.
    assert!(PublicKey::parse(pem.as_bytes()).is_err_and(|error| error.to_string().contains("a certificate")));
    assert!(PublicKey::read(format!("{pem}{pem}").as_bytes(), &Limits::DEFAULT).is_err());
    assert!(PublicKey::read(&[&der(&pem)[..], b"\0"].concat(), &Limits::DEFAULT).is_err());
    for (name, line) in OPENSSH {
        let key = PublicKey::parse(testdata(&format!("{name}.pub")).as_bytes()).unwrap();
        for text in [line.to_owned(), format!("{line} someone@host\n"), format!("\u{feff}# a comment\n{line}\r\n")] {
            let read =
                PublicKey::read(text.as_bytes(), &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(read, (key.clone(), Container::OpenSsh), "{text}");
        }
        assert!(PublicKey::parse(line.as_bytes()).is_err());
        assert!(
            PublicKey::read(format!("{line}\n{line}\n").as_bytes(), &Limits::DEFAULT).is_err(),
            "two lines of {name} were read"
        );
        let (kind, encoded) = line.split_once(' ').unwrap();
        let longer = STANDARD.encode([STANDARD.decode(encoded).unwrap(), vec![0]].concat());
        assert!(
            PublicKey::read(format!("{kind} {longer}").as_bytes(), &Limits::DEFAULT).is_err(),
            "more than {name} was read"
        );
        let other = if kind == "ssh-rsa" { "ssh-ed25519" } else { "ssh-rsa" };
        assert!(
            PublicKey::read(format!("{other} {encoded}").as_bytes(), &Limits::DEFAULT).is_err(),
            "{name} was read as {other}"
        );
    }
    for (name, jwk) in jwks() {
        let key = PublicKey::parse(testdata(&format!("{name}.pub")).as_bytes()).unwrap();
        assert_eq!(PublicKey::read(jwk.as_bytes(), &Limits::DEFAULT).unwrap(), (key, Container::Jwk), "{jwk}");
        for (from, to) in [
            ("{", "{\"d\":\"AA\","),
            ("{", "{\"use\":\"enc\","),
            ("{", "{\"kty\":\"EC\","),
            ("\"kty\"", "\"KTY\""),
            ("\"x\":\"", "\"x\":\"AA"),
            ("\"n\":\"", "\"n\":\"="),
        ] {
            let broken = jwk.replacen(from, to, 1);
            assert!(
                broken == jwk || PublicKey::read(broken.as_bytes(), &Limits::DEFAULT).is_err(),
                "{broken} was read"
            );
        }
    }
}

fn jwks() -> Vec<(&'static str, String)> {
    let point = |name: &str, length: usize| {
        let der = der(&testdata(&format!("{name}.pub")));
        let numbers = &der[der.len() - 2 * length..];
        (URL_SAFE_NO_PAD.encode(&numbers[..length]), URL_SAFE_NO_PAD.encode(&numbers[length..]))
    };
    let mut jwks = Vec::new();
    for (name, curve, length) in [("release", "P-256", 32), ("third", "P-384", 48), ("p521", "P-521", 66)] {
        let (x, y) = point(name, length);
        jwks.push((name, format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}","kid":"one"}}"#)));
    }
    let second = der(&testdata("second.pub"));
    let x = URL_SAFE_NO_PAD.encode(&second[second.len() - 32..]);
    jwks.push(("second", format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","alg":"EdDSA"}}"#)));
    let rsa = der(&testdata("rsa.pub"));
    // 256 bytes of modulus, then the exponent: INTEGER, 3 bytes, 65537.
    let n = URL_SAFE_NO_PAD.encode(&rsa[rsa.len() - 5 - 256..rsa.len() - 5]);
    jwks.push(("rsa", format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#)));
    jwks
}

/// Key files of other programs: the name that the message gives them, and a part of its hint, for a public and a private key.
#[test]
fn files_of_other_programs_are_named() {
    let signed_data = b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x82";
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n").into_bytes();
    for (bytes, found, public, private) in [
        (pem("OPENSSH PRIVATE KEY"), "an OpenSSH private key", "ssh-keygen -y -f FILE", "ssh-keygen -p -m PKCS8"),
        (pem("PGP PUBLIC KEY BLOCK"), "an OpenPGP key", "bulla key new", "bulla key new"),
        (b"\x98\x33\x04\x6b\x07\x86\x8d".to_vec(), "an OpenPGP key", "bulla key new", "bulla key new"),
        (b"\x99\x01\x0d\x04\x6b\x07\x86".to_vec(), "an OpenPGP key", "bulla key new", "bulla key new"),
        (b"\xc6\x33\x04\x6b\x07\x86\x8d".to_vec(), "an OpenPGP key", "bulla key new", "bulla key new"),
        (pem("CERTIFICATE REQUEST"), "a certificate request", "openssl req -in FILE", "no private key"),
        (pem("PKCS7"), "a PKCS#7 or CMS file", "openssl pkcs7 -in FILE", "no private key"),
        (signed_data.to_vec(), "a PKCS#7 or CMS file", "openssl pkcs7 -in FILE", "no private key"),
        (
            b"\x30\x82\x03\xfc\x02\x01\x03\x30\x82\x03\xb2\x06\x09".to_vec(),
            "a PKCS#12 file",
            "openssl pkcs12 -in FILE -clcerts -nokeys",
            "openssl pkcs12 -in FILE -nocerts",
        ),
        (b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(), "a Java key store", "keytool -exportcert", "keytool -importkeystore"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n".to_vec(), "a PuTTY key", "puttygen FILE -L", "puttygen FILE -O"),
        (
            b"---- BEGIN SSH2 PUBLIC KEY ----\nComment: x\nAAAA\n---- END SSH2 PUBLIC KEY ----\n".to_vec(),
            "an SSH2 public key",
            "ssh-keygen -i -f FILE",
            "private key",
        ),
        (b"ssh-dss AAAAB3NzaC1kc3M= x\n".to_vec(), "an OpenSSH public key", "ssh-ed25519", "without .pub"),
        (
            b"untrusted comment: minisign public key\nRWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                .to_vec(),
            "a key of minisign or signify",
            "bulla key new",
            "bulla key new",
        ),
        (
            b"age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\n".to_vec(),
            "an age key",
            "bulla key new",
            "bulla key new",
        ),
        (b"<!DOCTYPE html><html>".to_vec(), "a web page", "download", "download"),
        (b"apiVersion: v1\nkind: Secret\n".to_vec(), "a Kubernetes Secret", "cosign\\.pub", "cosign\\.key"),
        (b"{\"keys\":[{\"kty\":\"EC\"}]}".to_vec(), "a JSON Web Key", "P-256", "PKCS#8"),
        (b"{\"PublicKey\":\"MFkw\"}".to_vec(), "a JSON document", "in PEM", "in PEM"),
        (Vec::new(), "an empty file", "variable", "variable"),
        (b" \r\n".to_vec(), "an empty file", "variable", "variable"),
        (b"\xef\xbb\xbf\r\n".to_vec(), "an empty file", "variable", "variable"),
    ] {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        for (error, hint) in [
            (PublicKey::read(&bytes, &Limits::DEFAULT).unwrap_err(), public),
            (PublicKey::parse(&bytes).unwrap_err(), public),
            (PrivateKey::parse(&bytes, &Limits::DEFAULT, || panic!("asked for a passphrase")).unwrap_err(), private),
        ] {
            assert!(error.to_string().starts_with(found), "{shown:?}: {error}");
            let conversion_hint = error.conversion_hint().unwrap_or_else(|| panic!("{shown:?}: {error}"));
            assert!(conversion_hint.contains(hint), "{shown:?}: {conversion_hint}");
        }
    }
}

/// The public keys of testdata as `ssh-keygen -i -m PKCS8` writes them; Ed25519, which it does not convert, by RFC 8709.
const OPENSSH: [(&str, &str); 5] = [
    (
        "release",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKqbepDooyUw5VknlPIJ5NmTizbRgYvotvdBoz3b4BcgMIxQ6ND/Ru1Zj3zS466YqrHlfYaH5Rnroe8d0wdZuY8=",
    ),
    (
        "third",
        "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBPRxW8RHiTDX0U5yCcpF4wf/8iwSbvD2XqRgXymKwJdm7ncuzl3jpSY+/xB9lwqXhH9M1/AruaTHjqF7jl3d2PeXWJ8xkjCIgt7/vUxzhrDypyQ/gXqd2UEQeTblhxMuQw==",
    ),
    (
        "p521",
        "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBADGxFFxVRPWJsPbvVScQrGUc0lsJ7XkUae0bh/aEh0Vy9phPl0ukLprhfi8gaCuE6K/49pJtoro+pFmj+tiHle7tgEY4b0XTjQxsX9KfGOgb+GEr/6J36dD4ZC+qyMtJxuxVxPkR0N0qoUXkshCaoW7H8ZFQ6b6iSCX3JVCGkNXxL8WCQ==",
    ),
    (
        "rsa",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDaVV31YTLENEkWadAy6CG4RBBaZqSr2WX8F23sFy/LlesBPzZxJVj2mjpAF9CA0xLzjL8W9vMME5TeWYtrm27zFM12JnesWRYzVEreHXvn+LhqB78k3mi0daseuevlxmvvRtwmvsWV1Qg8UheUE1sZQhRXGm3VMwZbwyXcq2VHdhuVPc64WS8WcuN2c8GtS36A+1359/r3A+qq4AdbYFw6Sg1KNbIvjVJvf+fnNvShOVIPdRJBmPfcm6RGkj1o9jTfxbo+Uox/NzcFiPdLOb4a4LhZoP70W2mJZa3AnieZ688CVDst31Q+LTrwrWPmu7lGSuNMF7XLGBxDAwMhfJfx",
    ),
    ("second", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtik2tGGed/3K2GaAx7dNCeGtms9hvwO6uWgC3e2jmZ"),
];
