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

/// The current PEM label, and the older one that cosign wrote before.
pub(super) const LABELS: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// The JSON form, in the field order of the reference implementation.
#[derive(Serialize, Deserialize)]
struct WireContainer {
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

/// Decrypts the PKCS#8 key in a container. `passphrase` is called only after everything else was checked.
pub(super) fn open(
    bytes: &[u8],
    limits: &Limits,
    passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let sealed = Sealed::read(bytes, limits)?;
    let key = derive(&passphrase()?, &sealed.salt, &sealed.cost)?;
    sealed.open(&key)
}

/// Encrypts `plain` into a container with a new salt and nonce.
pub(super) fn seal(plain: &[u8], passphrase: &Passphrase) -> Result<Vec<u8>, KeyError> {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    getrandom::fill(&mut salt).map_err(KeyError::Random)?;
    getrandom::fill(&mut nonce).map_err(KeyError::Random)?;
    let key = derive(passphrase, &salt, &check_cost(&WRITTEN_COST)?)?;
    write(plain, &key, &salt, &nonce)
}

/// A container that was parsed and checked, still encrypted.
struct Sealed {
    ciphertext: Vec<u8>,
    cost: scrypt::Params,
    nonce: [u8; 24],
    salt: [u8; 32],
    tag: [u8; 16],
}

impl Sealed {
    fn read(bytes: &[u8], limits: &Limits) -> Result<Self, KeyError> {
        let WireContainer { kdf, cipher, ciphertext } = json::parse(bytes, limits).map_err(KeyError::Json)?;
        if kdf.name != KDF || cipher.name != CIPHER {
            let found = format!("{:?} and {:?}", kdf.name, cipher.name);
            return Err(KeyError::Cipher { found, wanted: "scrypt and nacl/secretbox" });
        }
        let cost = check_cost(&kdf.params)?;
        let sealed = decode(&ciphertext)?;
        let (tag, ciphertext) = sealed.split_first_chunk().ok_or_else(|| malformed("its ciphertext is too short"))?;
        let (salt, nonce) = (field(&kdf.salt)?, field(&cipher.nonce)?);
        Ok(Self { ciphertext: ciphertext.to_vec(), cost, nonce, salt, tag: *tag })
    }

    fn open(&self, key: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (mut cipher, mac) = secretbox(key, &self.nonce);
        let tag = mac.compute_unpadded(&self.ciphertext);
        if !bool::from(tag.as_slice().ct_eq(&self.tag)) {
            return Err(KeyError::PassphraseWrong);
        }
        let mut plain = Zeroizing::new(self.ciphertext.clone());
        cipher.apply_keystream(&mut plain);
        Ok(plain)
    }
}

fn write(plain: &[u8], key: &[u8; 32], salt: &[u8; 32], nonce: &[u8; 24]) -> Result<Vec<u8>, KeyError> {
    let (mut cipher, mac) = secretbox(key, nonce);
    let mut sealed = plain.to_vec();
    cipher.apply_keystream(&mut sealed);
    let tag = mac.compute_unpadded(&sealed);
    let container = WireContainer {
        kdf: Derivation { name: KDF.to_owned(), params: WRITTEN_COST, salt: STANDARD.encode(salt) },
        cipher: Cipher { name: CIPHER.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode([tag.as_slice(), &sealed].concat()),
    };
    json::to_go(&container).map_err(KeyError::Json)
}

/// The parts of NaCl's `crypto_secretbox`: XSalsa20 positioned after its first 32 bytes, and Poly1305 keyed with those.
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

/// Accepts only the scrypt parameter sets of the reference implementation: a key file must not cause unlimited work.
fn check_cost(params: &Cost) -> Result<scrypt::Params, KeyError> {
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

/// The parameters that cosign writes.
const WRITTEN_COST: Cost = Cost { n: 65_536, r: 8, p: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [1; 32];
    const PLAIN: &[u8] = b"a private key of forty-one bytes, and odd";

    fn container() -> Vec<u8> {
        write(PLAIN, &KEY, &[2; 32], &[3; 24]).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_and_writes_cosigns_bytes() {
        let container = container();
        assert_eq!(Sealed::read(&container, &Limits::DEFAULT).unwrap().open(&KEY).unwrap().as_slice(), PLAIN);
        let text = String::from_utf8(container).unwrap();
        let (head, tail) = text.split_at(text.find(r#","ciphertext""#).unwrap());
        let salt = STANDARD.encode([2; 32]);
        let nonce = STANDARD.encode([3; 24]);
        let wanted = [
            r#"{"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":""#,
            &salt,
            r#""},"cipher":{"name":"nacl/secretbox","nonce":""#,
            &nonce,
            r#""}"#,
        ];
        assert_eq!(head, wanted.concat());
        assert!(tail.ends_with(r#""}"#), "{tail}");
    }

    #[test]
    fn another_key_does_not_open_it() {
        let sealed = Sealed::read(&container(), &Limits::DEFAULT).unwrap();
        assert!(matches!(sealed.open(&[2; 32]), Err(KeyError::PassphraseWrong)));
    }

    // With any bit of the container flipped, it cannot be parsed, needs another key, does not decrypt, or decrypts to
    // the same key.
    #[test]
    fn no_flipped_bit_opens_as_something_else() {
        let container = container();
        let original = Sealed::read(&container, &Limits::DEFAULT).unwrap();
        let (mut unreadable, mut other_key, mut closed) = (0, 0, 0);
        for index in 0..container.len() * 8 {
            let mut flipped = container.clone();
            flipped[index / 8] ^= 1 << (index % 8);
            match Sealed::read(&flipped, &Limits::DEFAULT) {
                Err(_) => unreadable += 1,
                Ok(sealed) if sealed.salt != original.salt || sealed.cost.log_n() != 16 => other_key += 1,
                Ok(sealed) => match sealed.open(&KEY) {
                    Err(_) => closed += 1,
                    Ok(plain) => assert_eq!(plain.as_slice(), PLAIN, "bit {index}"),
                },
            }
        }
        assert!(unreadable > 0 && other_key > 0 && closed > 0);
    }

    // A key file must not cause unlimited work: the passphrase is not even requested.
    #[test]
    fn other_costs_are_refused_before_any_work() {
        let text = String::from_utf8(container()).unwrap();
        let wanted = r#"{"N":65536,"r":8,"p":1}"#;
        for (n, r, p) in [
            (0, 8, 1),
            (1, 8, 1),
            (16_384, 8, 1),
            (65_535, 8, 1),
            (65_537, 8, 1),
            (262_144, 8, 1),
            (1_u64 << 40, 8, 1),
            (65_536, 7, 1),
            (65_536, 9, 1),
            (65_536, 1 << 20, 1),
            (65_536, 8, 0),
            (65_536, 8, 2),
            (65_536, 8, 1 << 30),
        ] {
            let changed = text.replace(wanted, &format!(r#"{{"N":{n},"r":{r},"p":{p}}}"#));
            let opened = open(changed.as_bytes(), &Limits::DEFAULT, || panic!("asked for a passphrase"));
            assert!(matches!(opened, Err(KeyError::Cost { .. })), "N={n} r={r} p={p}");
        }
    }

    #[test]
    fn containers_that_are_not_one_are_refused_before_any_work() {
        let text = String::from_utf8(container()).unwrap();
        let salt = STANDARD.encode([2; 32]);
        for changed in [
            String::new(),
            "{}".to_owned(),
            "[]".to_owned(),
            text.replace("scrypt", "pbkdf2"),
            text.replace("nacl/secretbox", "aes"),
            text.replace("\"N\":65536", "\"N\":-1"),
            text.replace("\"N\":65536", "\"N\":65536.5"),
            text.replace("\"N\":65536", "\"N\":65536,\"N\":32768"),
            text.replace("{\"kdf\"", "{\"ciphertext\":\"\",\"kdf\""),
            text.replace(&salt, &STANDARD.encode([2; 31])),
            text.replace(&salt, salt.trim_end_matches('=')),
            text.replace("\"ciphertext\":\"", "\"ciphertext\":\"AAAA\",\"x\":\""),
            [&text, " {}"].concat(),
            text[..text.len() - 1].to_owned(),
        ] {
            let opened = open(changed.as_bytes(), &Limits::DEFAULT, || panic!("asked for a passphrase"));
            assert!(opened.is_err(), "{changed} was accepted");
        }
    }
}
