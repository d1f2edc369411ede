//! Helpers of the interop tests: keys of each algorithm, registries with and without the referrers API, images.

use std::fs;
use std::sync::OnceLock;

use crate::peers::DockerRegistry;
use crate::peers::PeerOutput;
use crate::peers::Peers;
use crate::support::image;
use crate::support::registry::Quirks;
use crate::support::registry::Registry;

/// An algorithm as openssl makes a key of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    P256,
    P384,
    P521,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

/// The location of a signature: cosign v3's bundle in a referrer, cosign v2's `.sig` tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Bundle,
    Tag,
}

/// Whether a registry has the referrers API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Absent,
    Present,
}

/// A test's own folder, registry and images.
pub struct Suite {
    pub peers: Peers,
    pub registry: TestRegistry,
    faults: Vec<String>,
}

/// A registry that runs until it is dropped.
pub enum TestRegistry {
    Debian(DockerRegistry),
    Quirk(Box<Registry>),
}

impl Algorithm {
    pub const ALL: [Self; 7] =
        [Self::P256, Self::P384, Self::P521, Self::Ed25519, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }

    pub fn genpkey(self) -> &'static [&'static str] {
        match self {
            Self::Ed25519 => &["-algorithm", "ed25519"],
            Self::P256 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Self::P384 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            Self::P521 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
            Self::Rsa2048 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            Self::Rsa3072 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
            Self::Rsa4096 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
        }
    }

    /// What cosign 3.1.1 makes of its *own* signatures with an imported key. It signs P-384 over SHA-384, P-521 over
    /// SHA-512 and Ed25519 as Ed25519ph, and then verifies over SHA-256 and as plain Ed25519
    /// (sigstore/cosign issues 5091 and 5092, pull request 5074).
    pub fn cosign_verifies_its_own(self) -> bool {
        !matches!(self, Self::Ed25519 | Self::P384 | Self::P521)
    }
}

impl Form {
    pub const BOTH: [Self; 2] = [Self::Bundle, Self::Tag];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Tag => "tag",
        }
    }
}

impl Suite {
    /// A fresh folder and registry with one key pair of each algorithm; none where there are no peers.
    ///
    /// `NAME.pem` is what openssl made; `NAME.key` and `NAME.pub` are what cosign imported from it.
    pub fn start(api: Api) -> Option<Self> {
        let suite = Self::start_without_keys(api)?;
        for (name, bytes) in key_files(&suite.peers) {
            suite.peers.write(name, bytes);
        }
        suite.peers.cosign(&["signing-config", "create", "--out", "sc.json"]).must();
        Some(suite)
    }

    /// The same without any file.
    pub fn start_without_keys(api: Api) -> Option<Self> {
        let peers = Peers::find()?;
        let registry = TestRegistry::start(api, &peers);
        Some(Self { peers, registry, faults: Vec::new() })
    }

    /// Pushes an image of its own to `repository:v1` with skopeo; where it is, by digest.
    pub fn image(&self, repository: &str, seed: u64) -> String {
        let (image, layout) = (image::image(seed), format!("image-{seed}"));
        let dir = self.peers.dir().join(&layout);
        if !dir.exists() {
            fs::create_dir(&dir).unwrap();
            image::layout(&dir, &[(Some("v1"), &image)]);
        }
        let target = format!("docker://{}/{repository}:v1", self.registry.address());
        let args = ["--insecure-policy", "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"];
        self.peers.skopeo(&[&args[..], &[&format!("oci:{layout}:v1"), &target]].concat()).must();
        format!("{}/{repository}@{}", self.registry.address(), image.digest())
    }

    /// Signs with cosign.
    pub fn cosign_signs(&self, key: &str, form: Form, image: &str, more: &[&str]) -> PeerOutput {
        let old = ["--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format=false"];
        let form: &[&str] = match form {
            Form::Bundle => &["--signing-config", "sc.json"],
            Form::Tag => &old,
        };
        let first = ["sign", "-y", "--key", key, "--allow-http-registry"];
        self.peers.cosign(&[&first[..], form, more, &[image]].concat())
    }

    /// Verifies with cosign.
    pub fn cosign_verifies(&self, key: &str, image: &str, more: &[&str]) -> PeerOutput {
        let first = ["verify", "--key", key, "--insecure-ignore-tlog=true", "--allow-http-registry"];
        self.peers.cosign(&[&first[..], more, &[image]].concat())
    }

    /// Verifies an attestation with cosign.
    pub fn cosign_verifies_attestation(&self, key: &str, kind: &str, image: &str) -> PeerOutput {
        let first = ["verify-attestation", "--key", key, "--type", kind, "--insecure-ignore-tlog=true"];
        self.peers.cosign(&[&first[..], &["--allow-http-registry", image]].concat())
    }

    /// Signs with bulla.
    pub fn bulla_signs(&self, key: &str, form: Form, image: &str, more: &[&str]) -> PeerOutput {
        self.peers.bulla(&[&["sign", "--key", key, "--format", form.name()], more, &[image]].concat())
    }

    /// Verifies with bulla.
    pub fn bulla_verifies(&self, key: &str, image: &str, more: &[&str]) -> PeerOutput {
        self.peers.bulla(&[&["verify", "--key", key], more, &[image]].concat())
    }

    /// Notes a command that did not end as it should: the others are still run.
    pub fn expect(&mut self, why: &str, printed: &PeerOutput, code: i32) {
        if printed.code != Some(code) {
            self.faults.push(format!("{why}: wanted exit status {code}\n{}", printed.whole()));
        }
    }

    /// The same for a peer that is to say no, in whatever way it says so.
    pub fn expect_no(&mut self, why: &str, printed: &PeerOutput) {
        if printed.yes() {
            self.faults.push(format!("{why}: wanted a refusal\n{}", printed.whole()));
        }
    }

    pub fn expect_that(&mut self, why: &str, holds: bool, printed: &PeerOutput) {
        if !holds {
            self.faults.push(format!("{why}\n{}", printed.whole()));
        }
    }

    /// The end: nothing may have been noted.
    #[track_caller]
    pub fn done(self) {
        assert!(self.faults.is_empty(), "{} faults:\n\n{}", self.faults.len(), self.faults.join("\n\n"));
    }
}

impl TestRegistry {
    pub fn start(api: Api, peers: &Peers) -> Self {
        match api {
            Api::Absent => Self::Debian(DockerRegistry::start(peers)),
            Api::Present => Self::Quirk(Box::new(Registry::start(Quirks::polite()))),
        }
    }

    pub fn address(&self) -> String {
        match self {
            Self::Debian(registry) => registry.address.clone(),
            Self::Quirk(registry) => registry.address(),
        }
    }
}

impl Api {
    pub fn other(self) -> Self {
        match self {
            Self::Absent => Self::Present,
            Self::Present => Self::Absent,
        }
    }
}

/// The key files, made once for all tests of this run.
fn key_files(peers: &Peers) -> &'static [(String, Vec<u8>)] {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let make = |algorithm: Algorithm| {
            let (name, pem) = (algorithm.name(), format!("{}.pem", algorithm.name()));
            peers.openssl(&[&["genpkey", "-out", &pem], algorithm.genpkey()].concat()).must();
            peers.cosign(&["import-key-pair", "--key", &pem, "--output-key-prefix", name]).must();
            [pem, format!("{name}.key"), format!("{name}.pub")].map(|file| (file.clone(), peers.read(&file)))
        };
        let mut files: Vec<_> = Algorithm::ALL.into_iter().flat_map(make).collect();
        peers.cosign(&["generate-key-pair", "--output-key-prefix", "other"]).must();
        files.extend(["other.key", "other.pub"].map(|file| (file.to_owned(), peers.read(file))));
        files
    })
}
