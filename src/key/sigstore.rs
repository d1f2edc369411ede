//! The encrypted private key container of cosign: scrypt and NaCl's secretbox, in JSON, in PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::KeyIvInit as _;
use salsa20::cipher::StreamCipher as _;
use serde::Deserialize;
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::json;
use crate::key::KeyError;
use crate::key::Passphrase;
use crate::limits::Limits;

/// The PEM label that is written, and the one that was written before.
pub(super) const LABELS: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// The wire form, in the field order of the reference implementation.
#[derive(Serialize, Deserialize)]
struct Container {
    kdf: Derivation,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Derivation {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The PKCS#8 inside a container. The passphrase is asked for after everything else was found in order.
pub(super) fn open(
    bytes: &[u8],
    passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let container: Container = json::parse(bytes, &Limits::DEFAULT).map_err(KeyError::Json)?;
    if container.kdf.name != KDF || container.cipher.name != CIPHER {
        let found = format!("{:?} and {:?}", container.kdf.name, container.cipher.name);
        return Err(KeyError::Cipher { found, wanted: "scrypt and nacl/secretbox" });
    }
    let cost = cost(&container.kdf.params)?;
    let salt = field::<32>(&container.kdf.salt)?;
    let nonce = field::<24>(&container.cipher.nonce)?;
    let ciphertext = decode(&container.ciphertext)?;
    let (tag, sealed) =
        ciphertext.split_first_chunk::<16>().ok_or_else(|| malformed("its ciphertext is too short"))?;

    let key = derive(&passphrase()?, &salt, &cost)?;
    let (mut cipher, mac) = secretbox(&key, &nonce);
    let expected = mac.compute_unpadded(sealed);
    if !bool::from(expected.as_slice().ct_eq(tag)) {
        return Err(KeyError::PassphraseWrong);
    }
    let mut plain = Zeroizing::new(sealed.to_vec());
    cipher.apply_keystream(&mut plain);
    Ok(plain)
}

/// A container with `plain` inside, under a fresh salt and nonce.
pub(super) fn seal(plain: &[u8], passphrase: &Passphrase) -> Result<Vec<u8>, KeyError> {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    getrandom::fill(&mut salt).map_err(KeyError::Random)?;
    getrandom::fill(&mut nonce).map_err(KeyError::Random)?;

    let key = derive(passphrase, &salt, &cost(&WRITTEN)?)?;
    let (mut cipher, mac) = secretbox(&key, &nonce);
    let mut sealed = plain.to_vec();
    cipher.apply_keystream(&mut sealed);
    let tag = mac.compute_unpadded(&sealed);

    let container = Container {
        kdf: Derivation { name: KDF.to_owned(), params: WRITTEN, salt: STANDARD.encode(salt) },
        cipher: Cipher { name: CIPHER.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode([tag.as_slice(), &sealed].concat()),
    };
    json::to_go(&container).map_err(KeyError::Json)
}

/// XSalsa20 positioned after its first 32 bytes, and Poly1305 keyed with those. NaCl, `crypto_secretbox`.
fn secretbox(key: &[u8; 32], nonce: &[u8; 24]) -> (XSalsa20, Poly1305) {
    let mut cipher = XSalsa20::new(key.into(), nonce.into());
    let mut mac_key = Zeroizing::new([0; 32]);
    cipher.apply_keystream(mac_key.as_mut());
    let mac = Poly1305::new((&*mac_key).into());
    (cipher, mac)
}

fn derive(passphrase: &Passphrase, salt: &[u8], cost: &scrypt::Params) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.as_bytes(), salt, cost, key.as_mut()).map_err(|_| malformed("scrypt failed"))?;
    Ok(key)
}

/// The parameter sets that the reference implementation accepts, and no other: a key file must not be able to make
/// us work without end.
fn cost(params: &Cost) -> Result<scrypt::Params, KeyError> {
    let Cost { n, r, p } = params;
    let refused = || KeyError::Cost { found: format!("scrypt with N={n}, r={r}, p={p}"), wanted: WANTED };
    let log_n = match (n, r, p) {
        (32_768, 8, 1) => 15,
        (65_536, 8, 1) => 16,
        (131_072, 8, 1) => 17,
        _ => return Err(refused()),
    };
    scrypt::Params::new(log_n, 8, 1).map_err(|_| refused())
}

fn field<const N: usize>(text: &str) -> Result<[u8; N], KeyError> {
    decode(text)?.try_into().map_err(|_| malformed("its salt or nonce has the wrong length"))
}

fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    STANDARD.decode(text).map_err(|_| malformed("a field is not base64"))
}

fn malformed(reason: &'static str) -> KeyError {
    KeyError::Encoding { what: "sigstore key container", reason }
}

const CIPHER: &str = "nacl/secretbox";
const KDF: &str = "scrypt";
const WANTED: &str = "N one of 32768, 65536, 131072, with r=8 and p=1";

/// What cosign writes.
const WRITTEN: Cost = Cost { n: 65_536, r: 8, p: 1 };
