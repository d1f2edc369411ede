//! Private keys in DER: PKCS#8 (plain and encrypted), SEC1, PKCS#1.

use ::pkcs8::AlgorithmIdentifierRef;
use ::pkcs8::ObjectIdentifier;
use ::pkcs8::PrivateKeyInfoRef;
use ::pkcs8::SubjectPublicKeyInfoRef;
use ::pkcs8::pkcs5::pbes2;
use ::pkcs8::pkcs5::pbes2::Kdf;
use ::pkcs8::pkcs5::pbes2::Parameters;
use ::pkcs8::pkcs5::pbes2::Pbkdf2Prf;
use der::Decode as _;
use der::Encode as _;
use der::Sequence;
use der::asn1::AnyRef;
use der::asn1::BitStringRef;
use der::asn1::OctetStringRef;
use der::asn1::UintRef;
use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::Passphrase;
use crate::key::identifier;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;

/// An EC private key. RFC 5915 section 3, SEC1.
#[derive(Sequence)]
pub(super) struct EcPrivateKey<'a> {
    pub(super) version: u8,
    pub(super) private_key: &'a OctetStringRef,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) parameters: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) public_key: Option<BitStringRef<'a>>,
}

/// An encrypted private key, `EncryptedPrivateKeyInfo`. RFC 5208 section 6.
#[derive(Sequence)]
struct Encrypted<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: &'a OctetStringRef,
}

/// The PBES2 parameters, parsed far enough to name an unsupported one. RFC 8018 appendix A.4.
#[derive(Sequence)]
struct Pbes2<'a> {
    derivation: AlgorithmIdentifierRef<'a>,
    cipher: AlgorithmIdentifierRef<'a>,
}

/// The DER structure of a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrivateKeyForm {
    Encrypted,
    Pkcs1,
    Pkcs8,
    Sec1,
}

impl PrivateKeyForm {
    /// Recognizes the structure by its first fields; the error for anything else names it.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, KeyError> {
        if PrivateKeyInfoRef::from_der(bytes).is_ok() {
            return Ok(Self::Pkcs8);
        }
        if Encrypted::from_der(bytes).is_ok() {
            return Ok(Self::Encrypted);
        }
        if EcPrivateKey::from_der(bytes).is_ok() {
            return Ok(Self::Sec1);
        }
        match Vec::<UintRef<'_>>::from_der(bytes).map(|numbers| numbers.len()) {
            Ok(9) => Ok(Self::Pkcs1),
            Ok(6) => Err(KeyError::Algorithm { found: "DSA".to_owned() }),
            _ if SubjectPublicKeyInfoRef::from_der(bytes).is_ok() || is_pkcs1_public(bytes) => {
                Err(KeyError::Kind { found: "a public key".to_owned(), wanted: "a private key" })
            }
            _ => Err(KeyError::Encoding { what: "private key", reason: "it is neither PEM nor DER of a key" }),
        }
    }
}

/// Whether these bytes are a public key in PKCS#1: a sequence of two integers.
pub(super) fn is_pkcs1_public(bytes: &[u8]) -> bool {
    Vec::<UintRef<'_>>::from_der(bytes).is_ok_and(|numbers| numbers.len() == 2)
}

/// Wraps a key in PKCS#8 version 1.
pub(super) fn wrap(key_type: KeyType, inner: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let inner = OctetStringRef::new(inner).map_err(|_| malformed("it is too long"))?;
    let info = PrivateKeyInfoRef::new(key_type.identifier(), inner);
    info.to_der().map(Zeroizing::new).map_err(|_| malformed("it cannot be written"))
}

/// Writes a SEC1 key without its curve, which the surrounding PKCS#8 names.
pub(super) fn ec_private_key(scalar: &[u8], point: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let write = || {
        let private_key = OctetStringRef::new(scalar)?;
        let public_key = point.map(BitStringRef::from_bytes).transpose()?;
        EcPrivateKey { version: 1, private_key, parameters: None, public_key }.to_der()
    };
    write().map(Zeroizing::new).map_err(|_| malformed("it cannot be written"))
}

/// Converts a SEC1 key, which must name its curve, to PKCS#8.
pub(super) fn from_sec1(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let malformed = |reason| KeyError::Encoding { what: "EC private key", reason };
    let key = EcPrivateKey::from_der(bytes).map_err(|_| malformed("it is not an ECPrivateKey structure"))?;
    let parameters = key.parameters.ok_or_else(|| malformed("it does not name its curve"))?;
    wrap(KeyType::Ecdsa(Curve::of(parameters)?), bytes)
}

/// Converts an RSA key in PKCS#1 to PKCS#8.
pub(super) fn from_pkcs1(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    wrap(KeyType::Rsa, bytes)
}

/// Decrypts a PKCS#8 key (PBES2). `passphrase` is called only after the parameters were checked.
///
/// # Errors
/// [`KeyError::PassphraseWrong`]; [`KeyError::Cipher`] and [`KeyError::Cost`] for parameters that are unsupported or
/// too expensive.
pub(super) fn decrypt(
    bytes: &[u8],
    passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let encrypted = Encrypted::from_der(bytes).map_err(|_| malformed("it is not an EncryptedPrivateKeyInfo"))?;
    let parameters = parameters(&encrypted.algorithm)?;
    check_cost(&parameters.kdf)?;
    let passphrase = passphrase()?;
    let mut buffer = Zeroizing::new(encrypted.data.as_bytes().to_vec());
    let plain =
        parameters.decrypt_in_place(passphrase.as_bytes(), &mut buffer).map_err(|_| KeyError::PassphraseWrong)?;
    // CBC padding accepts one wrong passphrase in 256, but the result is not valid PKCS#8 then.
    match PrivateKeyInfoRef::from_der(plain) {
        Ok(_) => Ok(Zeroizing::new(plain.to_vec())),
        Err(_) => Err(KeyError::PassphraseWrong),
    }
}

/// Encrypts PKCS#8 with PBES2: scrypt and AES-256-CBC, which OpenSSL reads.
pub(super) fn encrypt(plain: &[u8], passphrase: &Passphrase) -> Result<Vec<u8>, KeyError> {
    let (mut salt, mut vector) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).map_err(KeyError::Random)?;
    getrandom::fill(&mut vector).map_err(KeyError::Random)?;
    let (log_n, r, p) = WRITTEN_SCRYPT;
    let cost = scrypt::Params::new(log_n, r, p).map_err(|_| malformed("it cannot be written"))?;
    let write = || {
        let parameters = Parameters::generate_scrypt_aes256cbc(cost, &salt, vector).ok()?;
        let data = parameters.encrypt(passphrase.as_bytes(), plain).ok()?;
        let any = parameters.to_der().ok()?;
        let algorithm = AlgorithmIdentifierRef { oid: pbes2::PBES2_OID, parameters: AnyRef::from_der(&any).ok() };
        Encrypted { algorithm, data: OctetStringRef::new(&data).ok()? }.to_der().ok()
    };
    write().ok_or_else(|| malformed("it cannot be written"))
}

/// Parses PBES2 parameters; the error names an unsupported cipher or key derivation.
fn parameters(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Parameters, KeyError> {
    let cipher = |oid: ObjectIdentifier| KeyError::Cipher { found: identifier::name(oid), wanted: SUPPORTED };
    let garbled = |_| malformed("its encryption parameters are not PBES2");
    if algorithm.oid != pbes2::PBES2_OID {
        return Err(cipher(algorithm.oid));
    }
    let any = algorithm.parameters.unwrap_or(AnyRef::NULL);
    let named: Pbes2<'_> = any.decode_as().map_err(garbled)?;
    if ![pbes2::PBKDF2_OID, pbes2::SCRYPT_OID].contains(&named.derivation.oid) {
        return Err(cipher(named.derivation.oid));
    }
    if !CIPHERS.contains(&named.cipher.oid) {
        return Err(cipher(named.cipher.oid));
    }
    let parameters = Parameters::try_from(any).map_err(garbled)?;
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.prf == Pbkdf2Prf::HmacWithSha1 => Err(cipher(pbes2::HMAC_WITH_SHA1_OID)),
        _ => Ok(parameters),
    }
}

/// Refuses key derivation costs over [`MAX_SCRYPT_MEMORY`] or [`MAX_SCRYPT_WORK`], and zero: a key file must not
/// exhaust the machine.
fn check_cost(derivation: &Kdf) -> Result<(), KeyError> {
    match derivation {
        Kdf::Pbkdf2(pbkdf2) if (1..=MAX_PBKDF2_ITERATIONS).contains(&pbkdf2.iteration_count) => Ok(()),
        Kdf::Pbkdf2(pbkdf2) => Err(KeyError::Cost {
            found: format!("PBKDF2 with {} iterations", pbkdf2.iteration_count),
            wanted: "1 to 10000000",
        }),
        Kdf::Scrypt(scrypt) => {
            let (n, r, p) = (scrypt.cost_parameter, u64::from(scrypt.block_size), u64::from(scrypt.parallelization));
            let memory = n.checked_mul(r);
            let work = memory.and_then(|memory| memory.checked_mul(p));
            match (memory, work) {
                (Some(1..=MAX_SCRYPT_MEMORY), Some(1..=MAX_SCRYPT_WORK)) if n.is_power_of_two() && n > 1 => Ok(()),
                _ => Err(KeyError::Cost {
                    found: format!("scrypt with N={n}, r={r}, p={p}"),
                    wanted: "N a power of two, N*r up to 2^20 and N*r*p up to 2^21",
                }),
            }
        }
        _ => Err(malformed("its passphrase derivation is not one that we know")),
    }
}

fn malformed(reason: &'static str) -> KeyError {
    KeyError::Encoding { what: "PKCS#8 private key", reason }
}

/// The supported ciphers.
const CIPHERS: [ObjectIdentifier; 5] = [
    pbes2::AES_128_CBC_OID,
    pbes2::AES_192_CBC_OID,
    pbes2::AES_256_CBC_OID,
    pbes2::AES_128_GCM_OID,
    pbes2::AES_256_GCM_OID,
];

/// The limit of PBKDF2 iterations: the number that RFC 8018 section 4.2 considers appropriate for especially critical
/// keys.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// The limit of scrypt memory, in units of 128 bytes: 128 MiB, as in the largest parameter set of cosign.
const MAX_SCRYPT_MEMORY: u64 = 1 << 20;

/// The limit of scrypt work, in the same unit: twice the memory.
const MAX_SCRYPT_WORK: u64 = 1 << 21;

const SUPPORTED: &str = "PBES2 with scrypt or PBKDF2 (HMAC-SHA-2), and AES";

/// log2(N), r and p of scrypt for new files: of OWASP's sets, the one with the most memory that OpenSSL accepts.
const WRITTEN_SCRYPT: (u8, u32, u32) = (14, 8, 5);
