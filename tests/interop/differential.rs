//! The bundles of the conformance suite and of the test suites of clients: cosign, sigstore-go, the package `sigstore` of PyPI
//! and the package `@sigstore/verify` of npm say of each what bulla says, or the difference stands in a table with its reason
//! (docs/keyless.md, "Compared with other clients").

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::FulcioClaims;
use serde_json::Value;
use serde_json::json;

use crate::libraries::JAVASCRIPT;
use crate::libraries::LIBRARIES;
use crate::libraries::PYTHON;
use crate::peers::PeerOutput;
use crate::peers::Peers;
use crate::vectors;

/// Cases that a peer accepts and bulla does not, and the other way round: the case, the peer, who accepts it, the reason.
const DIFFER: &[(&str, &str, &str, &str)] = &[
    ("py-tsa-bundle.duplicate", "cosign", "peer", DUPLICATE),
    ("py-tsa-bundle.duplicate", "sigstore-go", "peer", DUPLICATE),
    ("py-tsa-bundle.many_timestamp", "cosign", "peer", "33 timestamps are more than the limit of 32"),
    ("go-othername", PYTHON, "bulla", "it does not read the trusted root"),
    ("intoto-with-custom-trust-root", PYTHON, "bulla", "it does not use the time of entries of `intoto`"),
    ("java-PKIX_RSA_PKCS1V15_2048_SHA256.sigstore.json", PYTHON, "bulla", "it has no RSA keys of signers"),
    ("java-bundle.dsse.rekor-v2.bad-entry-type.sigstore", JAVASCRIPT, "peer", "an entry of an unknown kind"),
    ("java-github-private-no-tlog", PYTHON, "bulla", "it has no rule without a log"),
    ("managed-key-and-trusted-root", PYTHON, "bulla", "it has no keys"),
    ("managed-key-happy-path", PYTHON, "bulla", "it has no keys"),
    ("py-tsa-bundle.txt", JAVASCRIPT, "bulla", "one timestamp that is not verified is enough for a no"),
    ("trust-root-tsa-validity-end-inclusive", PYTHON, "bulla", "the end of a period is not in it"),
];
const DUPLICATE: &str = "a timestamp is about other data, and two are the same";

/// A case of a suite, with files that are in the folder of the peers.
struct Case {
    artifact: Option<String>,
    bundle: Value,
    digest: Option<String>,
    expect: String,
    files: SuiteFiles,
    identity: Option<(String, Option<String>)>,
    key: bool,
    /// GitHub's private instance has no log.
    logged: bool,
}

/// The files of a case in the folder of its suite.
struct SuiteFiles {
    artifact: Option<PathBuf>,
    bundle: PathBuf,
    key: Option<PathBuf>,
    root: PathBuf,
}

impl Case {
    /// Puts the files of a case into the folder; `None` for a case without a file and without a digest.
    fn put(peers: &Peers, suite: &Path, name: &str, stated: &Value) -> Option<Self> {
        let folder = suite.join("open").join(name);
        let path = |field: &str| stated[field].as_str().map(|file| folder.join(file));
        let files = ["bundle.sigstore.json", "bundle.json"].map(|file| folder.join(file));
        let key = path("key").or_else(|| Some(folder.join("key.pub"))).filter(|key| key.exists());
        let files = SuiteFiles {
            artifact: path("artifact"),
            bundle: files.into_iter().find(|file| file.exists()).unwrap(),
            key: key.filter(|_| stated["certificate_identity"].is_null()),
            root: path("trusted_root").unwrap_or_else(|| suite.join("shared/trusted_root.production.json")),
        };
        let bundle = fs::read(&files.bundle).unwrap();
        peers.write("bundle.json", &bundle);
        let (root, logged) = root_of(&files.root);
        peers.write("root.json", root);
        let artifact = files.artifact.as_ref().map(|artifact| {
            peers.write("artifact", fs::read(artifact).unwrap());
            "artifact".to_owned()
        });
        let digest = stated["digest"].as_str().map(str::to_owned);
        files.key.iter().for_each(|key| peers.write("key.pub", fs::read(key).unwrap()));
        let bundle = serde_json::from_slice(&bundle).unwrap_or_default();
        let text = |field: &str| stated[field].as_str().map(str::to_owned);
        let identity = text("certificate_identity").map(|name| (name, text("certificate_oidc_issuer")));
        let identity = identity.or_else(|| own_identity(&bundle));
        let expect = stated["expect"].as_str().unwrap().to_owned();
        let case = Self { artifact, bundle, digest, expect, key: files.key.is_some(), files, identity, logged };
        (case.artifact.is_some() || case.digest.is_some()).then_some(case)
    }

    fn is_attestation(&self) -> bool {
        !self.bundle["dsseEnvelope"].is_null()
    }

    /// The predicate type that the attestation has.
    fn predicate_type(&self) -> Option<String> {
        let payload = STANDARD.decode(self.bundle["dsseEnvelope"]["payload"].as_str()?).ok()?;
        let statement: Value = serde_json::from_slice(&payload).ok()?;
        statement["predicateType"].as_str().map(str::to_owned)
    }

    fn by_bulla(&self, peers: &Peers) -> PeerOutput {
        let mut args = vec!["verify-blob", "--type", "any", "--trusted-root", "root.json", "--bundle", "bundle.json"];
        match &self.identity {
            _ if self.key => args.extend(["--key", "key.pub", "--logged-keys"]),
            Some((name, issuer)) => {
                args.extend(["--certificate-identity", name]);
                match issuer {
                    Some(issuer) => args.extend(["--certificate-oidc-issuer", issuer]),
                    None => args.push("--certificate-oidc-issuer-any"),
                }
            }
            None => args.extend(["--certificate-identity-any", "--certificate-oidc-issuer", "https://issuer.example"]),
        }
        if !self.logged {
            args.extend(["--transparency-logs", "0", "--certificate-logs", "0", "--timestamps", "1"]);
        }
        args.extend(self.artifact.as_deref().or(self.digest.as_deref()));
        peers.bulla(&args)
    }

    fn by_sigstore_go(&self, peers: &Peers) -> PeerOutput {
        let mut args = vec!["-trustedrootJSONpath", "root.json"];
        match (&self.artifact, &self.digest) {
            (Some(artifact), _) => args.extend(["-artifact", artifact]),
            (None, digest) => {
                args.extend(["-artifact-digest", digest.as_deref().unwrap().trim_start_matches("sha256:")])
            }
        }
        match &self.identity {
            _ if self.key => args.extend(["-publicKey", "key.pub", "-requireCTlog=false"]),
            Some((name, Some(issuer))) => args.extend(["-expectedSAN", name, "-expectedIssuer", issuer]),
            Some((name, None)) => args.extend(["-expectedSAN", name, "-expectedIssuerRegex", ".*"]),
            None => args.extend(["-expectedSANRegex", ".*", "-expectedIssuerRegex", ".*"]),
        }
        if !self.logged {
            args.extend(["-requireTlog=false", "-requireCTlog=false"]);
        }
        args.push("bundle.json");
        peers.sigstore_go(&args)
    }

    /// What the scripts read that ask libraries.
    fn for_libraries(&self, name: &str) -> Value {
        let identity = self.identity.as_ref().filter(|_| !self.key);
        json!({
            "name": name,
            "artifact": self.files.artifact,
            "bundle": self.files.bundle,
            "identity": identity.map(|(name, _)| name),
            "issuer": identity.and_then(|(_, issuer)| issuer.as_ref()),
            "key": self.files.key,
            "logged": self.logged,
            "root": self.files.root,
            "sha256": self.digest.as_deref().map(|digest| digest.trim_start_matches("sha256:")),
        })
    }

    /// `None` for a message signature over a digest: cosign needs the file.
    fn by_cosign(&self, peers: &Peers) -> Option<PeerOutput> {
        let verb = if self.is_attestation() { "verify-blob-attestation" } else { "verify-blob" };
        let mut args = vec![verb, "--bundle", "bundle.json", "--trusted-root", "root.json"];
        match &self.identity {
            _ if self.key => args.extend(["--key", "key.pub"]),
            Some((name, Some(issuer))) => {
                args.extend(["--certificate-identity", name, "--certificate-oidc-issuer", issuer]);
            }
            Some((name, None)) => {
                args.extend(["--certificate-identity", name, "--certificate-oidc-issuer-regexp", ".*"]);
            }
            None => {
                args.extend(["--certificate-identity-regexp", ".*", "--certificate-oidc-issuer-regexp", ".*"]);
            }
        }
        if !self.logged {
            args.extend(["--insecure-ignore-tlog", "--insecure-ignore-sct", "--use-signed-timestamps"]);
        }
        let predicate_type = self.predicate_type();
        predicate_type.iter().for_each(|predicate_type| args.extend(["--type", predicate_type]));
        match (&self.artifact, &self.digest) {
            (Some(artifact), _) => args.push(artifact),
            (None, Some(digest)) if self.is_attestation() => {
                args.extend(["--digest", digest.trim_start_matches("sha256:"), "--digestAlg", "sha256"]);
            }
            (None, _) => return None,
        }
        Some(peers.cosign(&args))
    }
}

/// The trusted root, and whether its instance has a log: of several in lines, the last one, which is GitHub's own.
fn root_of(path: &PathBuf) -> (Vec<u8>, bool) {
    let bytes = fs::read(path).unwrap();
    match path.extension().is_some_and(|end| end == "jsonl") {
        false => (bytes, true),
        true => {
            let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            (lines.next_back().unwrap().to_vec(), false)
        }
    }
}

/// The name and issuer in the certificate itself, for cases that state none.
fn own_identity(bundle: &Value) -> Option<(String, Option<String>)> {
    let material = &bundle["verificationMaterial"];
    let chain = &material["x509CertificateChain"]["certificates"][0]["rawBytes"];
    let encoded = material["certificate"]["rawBytes"].as_str().or(chain.as_str())?;
    let certificate = Certificate::parse(&STANDARD.decode(encoded).unwrap(), &Limits::DEFAULT).unwrap();
    let claims = FulcioClaims::of(&certificate).unwrap();
    Some((claims.name().to_owned(), FulcioClaims::issuer_of(&certificate).unwrap()))
}

pub fn clients_agree_about_bundles() {
    let suites = ["sigstore-conformance", "sigstore-bundles"].map(vectors::suite);
    let (Some(peers), [Some(conformance), Some(bundles)]) = (Peers::find(), suites) else { return };
    let mut differ = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut compared = 0;
    let mut for_libraries = Vec::new();
    let mut by_bulla = BTreeMap::new();
    for suite in [conformance, bundles] {
        let cases: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
        for (name, stated) in cases.as_object().unwrap() {
            let Some(case) = Case::put(&peers, &suite, name, stated) else { continue };
            let ours = case.by_bulla(&peers);
            if !matches!(case.expect.as_str(), "info" | "disputed") && (case.expect == "accept") != ours.yes() {
                wrong.push((name.clone(), ours.whole()));
            }
            for_libraries.push(case.for_libraries(name));
            by_bulla.insert(name.clone(), (ours.yes(), ours.whole()));
            let theirs = [("sigstore-go", Some(case.by_sigstore_go(&peers))), ("cosign", case.by_cosign(&peers))];
            for (peer, output) in theirs.into_iter().filter_map(|(peer, output)| Some((peer, output?))) {
                compared += 1;
                if output.yes() != ours.yes() {
                    let accepted_by = if ours.yes() { "bulla" } else { "peer" };
                    let said = format!("{}\n{}", output.whole(), ours.whole());
                    differ.insert((name.clone(), peer, accepted_by), said);
                }
            }
        }
    }
    let mut not_asked = BTreeSet::new();
    for library in &LIBRARIES {
        let Some(reasons) = library.ask(&for_libraries) else {
            not_asked.insert(library.name);
            continue;
        };
        for (name, reason) in reasons.into_iter().filter_map(|(name, reason)| Some((name, reason?))) {
            compared += 1;
            let (accepted, said) = &by_bulla[&name];
            if reason.is_empty() != *accepted {
                let accepted_by = if *accepted { "bulla" } else { "peer" };
                differ.insert((name, library.name, accepted_by), format!("{reason}\n{said}"));
            }
        }
    }
    let asked = DIFFER.iter().filter(|(_, peer, ..)| !not_asked.contains(peer));
    let table: BTreeSet<_> = asked.map(|(name, peer, by, _)| ((*name).to_owned(), *peer, *by)).collect();
    let found: BTreeSet<_> = differ.keys().cloned().collect();
    assert_eq!(found, table, "the table is not what was met: {differ:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Where it is asked, each library adds at least 60.
    let least = 110 + 60 * (LIBRARIES.len() - not_asked.len());
    assert!(compared > least, "{compared}");
}
