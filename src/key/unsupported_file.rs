//! Key files of other programs in unsupported formats, recognized by their first bytes, so that the error names the
//! format and the command that converts it.
//!
//! No key is ever read from such a file.

use crate::key::KeyError;

/// A file format, and hints on how to convert it; `FILE` stands for the path.
#[derive(Debug)]
struct UnsupportedFile {
    found: &'static str,
    /// The hint if a public key is expected.
    public: &'static str,
    /// The hint if a private key is expected.
    private: &'static str,
}

/// Which half of a key pair is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHalf {
    Private,
    Public,
}

impl KeyHalf {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Private => "a private key",
            Self::Public => "a public key",
        }
    }
}

/// The error for a file that is recognized by its content, without a PEM label.
pub(super) fn of_content(bytes: &[u8], wanted: KeyHalf) -> Option<KeyError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim_start();
    let begins = |signs: &[&str]| signs.iter().any(|sign| text.starts_with(sign));
    let unsupported_file = match bytes {
        _ if bytes.trim_ascii().is_empty() => &EMPTY,
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => &JAVA,
        _ if is_pkcs12(bytes) => &PKCS12,
        _ if holds(bytes, SIGNED_DATA) => &PKCS7,
        _ if is_openpgp(bytes) => &OPENPGP,
        _ if begins(&["PuTTY-User-Key-File-"]) => &PUTTY,
        _ if begins(&["---- BEGIN SSH2 PUBLIC KEY"]) => &SSH2,
        _ if begins(&["untrusted comment:"]) => &MINISIGN,
        _ if begins(&["age1", "AGE-SECRET-KEY-", "AGE-PLUGIN-", "# created:"]) => &AGE,
        _ if is_ssh_line(text) => &OPENSSH_PUBLIC,
        _ if begins(&["<!DOCTYPE", "<!doctype", "<html", "<HTML"]) => &HTML,
        _ if begins(&["apiVersion:"]) && text.contains("kind: Secret") => &KUBERNETES,
        _ if begins(&["{"]) && text.contains("\"kty\"") => &JWK,
        _ if begins(&["{", "["]) => &JSON,
        _ => return None,
    };
    Some(unsupported_file.error(wanted))
}

/// The error for a PEM block with this label.
pub(super) fn of_label(label: &str, wanted: KeyHalf) -> Option<KeyError> {
    let unsupported_file = match label {
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => &REQUEST,
        "OPENSSH PRIVATE KEY" => &OPENSSH_PRIVATE,
        "PGP PRIVATE KEY BLOCK" | "PGP PUBLIC KEY BLOCK" => &OPENPGP,
        "CMS" | "PKCS7" => &PKCS7,
        _ => return None,
    };
    Some(unsupported_file.error(wanted))
}

impl UnsupportedFile {
    const fn error(&self, wanted: KeyHalf) -> KeyError {
        let conversion_hint = match wanted {
            KeyHalf::Private => self.private,
            KeyHalf::Public => self.public,
        };
        KeyError::UnsupportedFile { found: self.found, wanted: wanted.name(), conversion_hint }
    }
}

/// Whether it looks like PKCS#12. RFC 7292 section 4: a SEQUENCE that begins with the version, 3, and a ContentInfo of
/// plain data.
fn is_pkcs12(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30) && bytes.get(..12).is_some_and(|head| has(head, &[0x02, 0x01, 0x03, 0x30]))
}

fn holds(bytes: &[u8], oid: &[u8]) -> bool {
    bytes.first() == Some(&0x30) && bytes.get(..bytes.len().min(20)).is_some_and(|head| has(head, oid))
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Whether it looks like an OpenPGP key. RFC 9580 section 4.2: a packet with the tag of a public or a secret key, its
/// length, and a known version of key.
fn is_openpgp(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x98 | 0x94, _, 3..=6, ..]
            | [0x99 | 0x95, _, _, 3..=6, ..]
            | [0xc5 | 0xc6, 0..=191, 3..=6, ..]
            | [0xc5 | 0xc6, 192..=223, _, 3..=6, ..]
    )
}

/// Whether it looks like an OpenSSH public key. RFC 4253 section 6.6: the type of key, its base64, a comment.
fn is_ssh_line(text: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|kind| text.starts_with(kind)) && text.contains(" AAAA")
}

const AGE: UnsupportedFile = UnsupportedFile {
    found: "an age key, which encrypts and does not sign,",
    public: "ask the signer for a public key in PEM, as `bulla key new` and cosign make it",
    private: "bulla key new -o PREFIX",
};
const EMPTY: UnsupportedFile = UnsupportedFile {
    found: "an empty file",
    public: "where it comes from a variable or a pipe, see whether that holds the key",
    private: "where it comes from a variable or a pipe, see whether that holds the key",
};
const HTML: UnsupportedFile = UnsupportedFile {
    found: "a web page",
    public: "download the file itself, not the page about it",
    private: "download the file itself, not the page about it",
};
const JAVA: UnsupportedFile = UnsupportedFile {
    found: "a Java key store",
    public: "keytool -exportcert -rfc -keystore FILE -alias NAME -file cert.pem",
    private: "keytool -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype PKCS12 && openssl pkcs12 -in key.p12 -nocerts -out key.pem",
};
const JSON: UnsupportedFile = UnsupportedFile {
    found: "a JSON document",
    public: "give the public key itself, in PEM",
    private: "give the private key itself, in PEM",
};
const JWK: UnsupportedFile = UnsupportedFile {
    found: "a JSON Web Key, or a set of them, of a kind that is not read,",
    public: "a JSON Web Key is read where it is one public key on P-256, P-384, P-521 or Ed25519, or of RSA",
    private: "export the key as PKCS#8, in PEM or DER",
};
const KUBERNETES: UnsupportedFile = UnsupportedFile {
    found: "a Kubernetes Secret",
    public: "kubectl get -f FILE -o jsonpath='{.data.cosign\\.pub}' | base64 -d > cosign.pub",
    private: "kubectl get -f FILE -o jsonpath='{.data.cosign\\.key}' | base64 -d > cosign.key",
};
const MINISIGN: UnsupportedFile = UnsupportedFile {
    found: "a key of minisign or signify",
    public: "ask the signer for a public key in PEM, as `bulla key new` and cosign make it",
    private: "bulla key new -o PREFIX",
};
const OPENPGP: UnsupportedFile = UnsupportedFile {
    found: "an OpenPGP key",
    public: "ask the signer for a public key in PEM, as `bulla key new` and cosign make it",
    private: "bulla key new -o PREFIX",
};
const OPENSSH_PRIVATE: UnsupportedFile = UnsupportedFile {
    found: "an OpenSSH private key",
    public: "ssh-keygen -y -f FILE > FILE.pub",
    private: "cp FILE copy.key && ssh-keygen -p -m PKCS8 -f copy.key   # ECDSA and RSA; for Ed25519: bulla key new --type ed25519",
};
const OPENSSH_PUBLIC: UnsupportedFile = UnsupportedFile {
    found: "an OpenSSH public key, or a list of them, of a kind that is not read,",
    public: "give a file with one key of type ssh-ed25519, ecdsa-sha2-nistp256, -nistp384, -nistp521 or ssh-rsa",
    private: "give the private key, which ssh-keygen keeps in the file without .pub",
};
const PKCS12: UnsupportedFile = UnsupportedFile {
    found: "a PKCS#12 file",
    public: "openssl pkcs12 -in FILE -clcerts -nokeys -out cert.pem",
    private: "openssl pkcs12 -in FILE -nocerts -out key.pem",
};
const PKCS7: UnsupportedFile = UnsupportedFile {
    found: "a PKCS#7 or CMS file",
    public: "openssl pkcs7 -in FILE -print_certs -out certs.pem, and keep the certificate whose key is meant",
    private: "it holds no private key",
};
const PUTTY: UnsupportedFile = UnsupportedFile {
    found: "a PuTTY key",
    public: "puttygen FILE -L -o key.pub",
    private: "puttygen FILE -O private-openssh -o copy.key && ssh-keygen -p -m PKCS8 -f copy.key",
};
const REQUEST: UnsupportedFile = UnsupportedFile {
    found: "a certificate request",
    public: "openssl req -in FILE -noout -pubkey -out key.pub",
    private: "it holds no private key",
};
const SSH2: UnsupportedFile = UnsupportedFile {
    found: "an SSH2 public key (RFC 4716)",
    public: "ssh-keygen -i -f FILE > key.pub",
    private: "give the private key",
};

/// The object identifier of CMS SignedData (RFC 5652 section 5.1), with tag and length.
const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
