//! Certificates of a test authority, as the annotations of cosign v2 have them.

use std::sync::LazyLock;

use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::Name;
use bulla::x509::Purpose;
use bulla::x509::SerialNumber;
use bulla::x509::TestAuthority;

/// A signer's key, and its chain: the certificate, the intermediate, the root.
pub struct Signer {
    pub chain: Vec<Certificate>,
    pub key: PrivateKey,
}

pub static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let key = || PrivateKey::generate(KeyKind::P256).unwrap();
    let serial = |byte| SerialNumber::from_random([byte; 16]);
    let validity = (Time::parse("2026-01-01T00:00:00Z").unwrap(), Time::parse("2036-01-01T00:00:00Z").unwrap());
    let authority = TestAuthority::new(key(), key(), &[serial(1), serial(2)], validity).unwrap();
    let (name, key) = (Name::parse("CN=release,O=Acme,C=US").unwrap(), key());
    let chain = authority.issue(&name, key.public_key(), Purpose::Signing, &serial(3)).unwrap();
    Signer { chain: chain.iter().cloned().collect(), key }
});

impl Signer {
    /// The certificate of the signer in PEM.
    pub fn leaf(&self) -> String {
        self.chain[0].to_pem()
    }

    /// Its issuers in PEM.
    pub fn issuers(&self) -> String {
        self.chain[1..].iter().map(Certificate::to_pem).collect()
    }
}
