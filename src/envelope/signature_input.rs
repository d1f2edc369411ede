//! `SignatureInput`: the messages that signatures of images, attestations, tokens and certificates are over, recognized in
//! files.
//!
//! A signature says nothing about what it was made for. So a signature over a file with such a message, by a key that also
//! signs images, would be a valid signature of an image or an attestation. Files are scanned as a stream; false alarms are
//! possible in files that no verifier reads, a message that one reads is always found.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

use crate::envelope::simple;
use crate::envelope::x509_to_be_signed::X509Scan;

/// A kind of message that signatures other than those of files are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureInput {
    /// A Sig_structure of COSE (RFC 9052, section 4.4): the Notary Project.
    CoseSigStructure,
    /// The pre-authentication encoding of DSSE: image signatures in bundles, and attestations.
    DssePreAuthenticationEncoding,
    /// A signing input of JWS (RFC 7515, section 5.1): the Notary Project, and tokens.
    JwsSigningInput,
    /// A simple signing payload: image signatures of cosign.
    SimpleSigningPayload,
    /// The to-be-signed part of a certificate, a CRL (RFC 5280), a certification request (RFC 2986, RFC 4211) or an OCSP
    /// response (RFC 6960).
    X509ToBeSigned,
}

/// Looks for a [`SignatureInput`] in a message that arrives in pieces, in bounded memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignatureInputScan {
    head: Vec<u8>,
    json: SimpleSigningScan,
    jws: JwsScan,
    x509: X509Scan,
}

impl SignatureInputScan {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let missing = COSE_SIG_STRUCTURE.len().saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        self.json.update(bytes);
        self.jws.update(bytes);
        self.x509.update(bytes);
    }

    /// What the whole message is, if it is one of them.
    pub(crate) fn finish(&self) -> Option<SignatureInput> {
        match () {
            () if self.head.starts_with(DSSE) => Some(SignatureInput::DssePreAuthenticationEncoding),
            () if self.head.starts_with(COSE_SIG_STRUCTURE) => Some(SignatureInput::CoseSigStructure),
            () if self.json.found => Some(SignatureInput::SimpleSigningPayload),
            () if self.jws.is_signing_input() => Some(SignatureInput::JwsSigningInput),
            () if self.x509.may_be_one() => Some(SignatureInput::X509ToBeSigned),
            () => None,
        }
    }
}

/// Looks for a JSON object with a member `critical`, an object with `image` or with the type of cosign. It need not stand
/// at the beginning, and some parsers ignore upper and lower case.
#[derive(Clone, Debug, Default)]
struct SimpleSigningScan {
    depth: u64,
    found: bool,
    in_critical: bool,
    in_type: bool,
    over: bool,
    state: ScanState,
    /// The last string in the object or in `critical`, as it is written; cut off where it is too long to be one of the names.
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ScanState {
    #[default]
    Between,
    Escaped,
    String,
}

impl SimpleSigningScan {
    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.over || self.found {
                return;
            }
            match self.state {
                ScanState::Between => self.between(*byte),
                ScanState::Escaped => self.within(*byte, ScanState::String),
                ScanState::String if *byte == b'"' => self.end_of_string(),
                ScanState::String if *byte == b'\\' => self.within(*byte, ScanState::Escaped),
                ScanState::String => self.within(*byte, ScanState::String),
            }
        }
    }

    fn between(&mut self, byte: u8) {
        match (byte, self.depth) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => {}
            (b'{', 0) => self.depth = 1,
            // Not an object.
            (_, 0) => self.over = true,
            (b'{' | b'[', _) => self.depth = self.depth.saturating_add(1),
            (b'}' | b']', _) => {
                self.depth = self.depth.saturating_sub(1);
                self.over = self.depth == 0;
            }
            (b'"', _) => {
                self.text.clear();
                self.state = ScanState::String;
            }
            (b':', 1) => self.in_critical = self.text_is("critical"),
            (b',', 1) => self.in_critical = false,
            (b':', 2) if self.in_critical => {
                self.found = self.text_is("image");
                self.in_type = self.text_is("type");
            }
            (b',', 2) => self.in_type = false,
            _ => {}
        }
    }

    fn within(&mut self, byte: u8, next: ScanState) {
        self.state = next;
        if self.depth <= 2 && self.text.len() <= STRING_BYTES {
            self.text.push(byte);
        }
    }

    fn end_of_string(&mut self) {
        self.state = ScanState::Between;
        self.found = self.depth == 2 && self.in_critical && self.in_type && self.text_is(simple::TYPE);
    }

    fn text_is(&self, name: &str) -> bool {
        let quoted = [b"\"", self.text.as_slice(), b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|text| text.eq_ignore_ascii_case(name))
    }
}

/// Looks for two parts in base64url with a dot between them, and a JSON object in the first part.
#[derive(Clone, Debug, Default)]
struct JwsScan {
    dots: u8,
    foreign: bool,
    /// The beginning of the first part.
    header: Vec<u8>,
}

impl JwsScan {
    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                _ if self.foreign => return,
                b'.' => {
                    self.foreign = self.dots > 0;
                    self.dots = 1;
                }
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {
                    if self.dots == 0 && self.header.len() < HEADER_BYTES {
                        self.header.push(*byte);
                    }
                }
                _ => self.foreign = true,
            }
        }
    }

    fn is_signing_input(&self) -> bool {
        if self.foreign || self.dots != 1 {
            return false;
        }
        let engine = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
        let Ok(header) = engine.decode(&self.header) else { return false };
        match header.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            Some(first) => *first == b'{',
            // A longer header may have an object after what was kept.
            None => self.header.len() == HEADER_BYTES,
        }
    }
}

impl fmt::Display for SignatureInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CoseSigStructure => "a COSE Sig_structure, over which signatures of the Notary Project are",
            Self::DssePreAuthenticationEncoding => {
                "a DSSE pre-authentication encoding, over which image signatures and attestations are"
            }
            Self::JwsSigningInput => "a JWS signing input, over which signatures of the Notary Project and tokens are",
            Self::SimpleSigningPayload => "a simple signing payload, over which image signatures of cosign are",
            Self::X509ToBeSigned => {
                "the to-be-signed part of a certificate, a CRL, a certification request (PKCS#10) or an OCSP response"
            }
        })
    }
}

/// The beginning of every pre-authentication encoding of DSSE v1.
const DSSE: &[u8] = b"DSSEv1 ";

/// The beginning of every Sig_structure of COSE_Sign1: an array of four, the first of them the text `Signature1`. Verifiers
/// encode it themselves, in the one deterministic form.
const COSE_SIG_STRUCTURE: &[u8] = b"\x84\x6aSignature1";

/// The bytes of the longest spelling of [`simple::TYPE`]: each character as `\u0000`.
const STRING_BYTES: usize = 6 * simple::TYPE.len();

/// The bytes of the beginning of a JWS header that are kept; a multiple of four.
const HEADER_BYTES: usize = 4096;
