//! Signatures of cosign v2 at `.sig` with an entry of Rekor v1 in their annotation: of a log that is made here, and of the
//! public one in the suite `containers-image`. The entry is compared with artifact, signature, and certificate or key, as on
//! every other path (CVE-2022-36056, CVE-2026-22703).

use std::fs;

use bulla::digest::Digest;
use bulla::envelope::Evidence;
use bulla::envelope::base64;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::TextPattern;
use serde_json::Value;
use serde_json::json;

use crate::case::signer;
use crate::case::trusting;
use crate::case::verdict_on;
use crate::cosign::at;
use crate::cosign::golden;
use crate::cosign::layer;
use crate::cosign::signature;
use crate::pem;
use crate::vectors;

const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// One transparency log, and neither a certificate log nor a timestamp.
pub const LOGGED: LogRule = LogRule::NONE.with_transparency_logs(1);

/// A Rekor v1 log: it signs entry timestamps.
struct Log(PrivateKey);

impl Log {
    fn new() -> Self {
        Self(PrivateKey::generate(KeyKind::P256).unwrap())
    }

    fn id(&self) -> Digest {
        Digest::sha256(self.0.public_key().spki())
    }

    /// Its place in a trusted root.
    fn in_root(&self, period: &Value) -> Value {
        log_in_root(self.0.public_key(), period)
    }

    /// The annotation of cosign for an entry with this body.
    fn entry(&self, body: &str, time: Time) -> Value {
        let (body, id, time) = (base64::encode(body.as_bytes()), self.id().hex(), time.unix());
        let message = format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":7}}"#);
        let promise = base64::encode(self.0.sign(message.as_bytes()).unwrap().as_bytes());
        let payload = json!({"body": body, "integratedTime": time, "logIndex": 7, "logID": id});
        json!({"SignedEntryTimestamp": promise, "Payload": payload})
    }
}

fn log_in_root(key: &PublicKey, period: &Value) -> Value {
    json!({
        "baseUrl": "https://rekor.example",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64::encode(key.spki()),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": period,
        },
        "logId": {"keyId": base64::encode(Digest::sha256(key.spki()).as_bytes())},
    })
}

fn always() -> Value {
    json!({"start": "2020-01-01T00:00:00Z"})
}

/// The body of a `hashedrekord` 0.0.1 entry.
fn body(artifact: &[u8], signature: &str, verifier: &str) -> String {
    let hash = Digest::sha256(artifact).hex();
    let key = json!({"content": base64::encode(verifier.as_bytes())});
    let data = json!({"hash": {"algorithm": "sha256", "value": hash}});
    let spec = json!({"data": data, "signature": {"content": signature, "publicKey": key}});
    json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}).to_string()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// When the log took in the entry: in the validity of the certificate.
fn logged_at() -> Time {
    time("2026-12-15T00:00:00Z")
}

/// A signature that cosign made, how it is verified, and what the log must have of it.
struct Path {
    by: &'static str,
    content: Content,
    layer: Descriptor,
    manifest: Content,
    /// The certificate or the key, in PEM.
    verifier: String,
}

impl Path {
    /// By the certificate beside the signature, and by its key, pinned with a log rule.
    fn both() -> [Self; 2] {
        let (manifest, content, mut layer) = layer("cosign-tag-certificate", ".sig");
        layer.annotations.remove("dev.sigstore.cosign/rfc3161timestamp");
        let certified = layer.annotations[CERTIFICATE].clone();
        let key = fs::read_to_string(golden("cosign-tag-certificate/release.pub")).unwrap();
        let mut bare = layer.clone();
        bare.annotations.retain(|name, _| name == SIGNATURE);
        [
            Self {
                by: "certificate",
                content: content.clone(),
                layer,
                manifest: manifest.clone(),
                verifier: certified,
            },
            Self { by: "key", content, layer: bare, manifest, verifier: key },
        ]
    }

    fn own(&self) -> &str {
        &self.layer.annotations[SIGNATURE]
    }

    fn body(&self) -> String {
        body(self.content.bytes(), self.own(), &self.verifier)
    }

    /// The signature with this annotation, and the trust in these logs.
    fn logged(&self, entry: &str, logs: &[Value]) -> (Evidence, TrustRoot) {
        let mut layer = self.layer.clone();
        layer.annotations.insert(BUNDLE.to_owned(), entry.to_owned());
        let root = fs::read(golden("cosign-tag-certificate/trusted_root.json")).unwrap();
        let mut root: Value = serde_json::from_slice(&root).unwrap();
        root["tlogs"] = json!(logs);
        let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        let trust = match self.by {
            "key" => {
                let key = PublicKey::parse(self.verifier.as_bytes()).unwrap();
                let means = Means::LoggedKeys(LoggedKeys::new(NonEmpty::one(key), root.into(), LOGGED));
                TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap()
            }
            _ => {
                let names = IdentityPattern::all(NonEmpty::one(NamePattern::Email("release@example.com".to_owned())));
                trusting(root, names, LOGGED)
            }
        };
        (signature(&self.manifest, &self.content, &layer), trust)
    }

    /// The verdict on the signature with this annotation, where these logs are trusted.
    fn verdict(&self, entry: &str, logs: &[Value], now: Time) -> String {
        let (evidence, trust) = self.logged(entry, logs);
        verdict_on(&evidence, &trust, now)
    }
}

#[test]
fn an_entry_that_is_not_the_one_of_the_signature_is_refused_by_name() {
    let (log, other_log) = (Log::new(), Log::new());
    for path in Path::both() {
        let verdict = |entry: &str| path.verdict(entry, &[log.in_root(&always())], at());
        let logged = |body: &str| log.entry(body, logged_at());
        let good = logged(&path.body());
        assert_eq!(verdict(&good.to_string()), "verified", "{}", path.by);
        let (own, artifact) = (path.own(), path.content.bytes());
        let other_key = PrivateKey::generate(KeyKind::P256).unwrap();
        let other_signature = base64::encode(other_key.sign(artifact).unwrap().as_bytes());
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut entry = good.clone();
            change(&mut entry);
            entry
        };
        let edited = |from: &str, to: &str| logged(&path.body().replacen(from, to, 1));
        let another = logged(&body(b"another artifact", own, &path.verifier));
        // The key of the certificate is not the certificate, and a key is no other key.
        let key = PublicKey::parse(&fs::read(golden("cosign-tag-certificate/release.pub")).unwrap()).unwrap();
        let verifier = if path.by == "key" { other_key.public_key().to_pem() } else { key.to_pem() };
        let twice = [path.verifier.as_str(), &path.verifier].concat();
        let hash = Digest::sha256(artifact).hex();
        for (what, entry, code) in [
            ("another artifact", another.clone(), "log-entry-artifact"),
            ("the hash in capitals", edited(&hash, &hash.to_uppercase()), "log-entry-artifact"),
            ("another signature", logged(&body(artifact, &other_signature, &path.verifier)), "log-entry-signature"),
            ("another key", logged(&body(artifact, own, &verifier)), "log-entry-verifier"),
            ("two keys", logged(&body(artifact, own, &twice)), "log-entry-verifier"),
            ("an envelope", edited("hashedrekord", "dsse"), "log-entry-body"),
            ("another kind", edited("hashedrekord", "rekord"), "log-entry-kind"),
            ("another version", edited("\"0.0.1\"", "\"0.0.3\""), "log-entry-kind"),
            ("another hash function", edited("\"sha256\"", "\"sha1\""), "?log-entry-body"),
            ("another log", other_log.entry(&path.body(), logged_at()), "log-unknown"),
            (
                "the signature of another log",
                changed(&|entry| {
                    let other = other_log.entry(&path.body(), logged_at());
                    entry["SignedEntryTimestamp"] = other["SignedEntryTimestamp"].clone();
                }),
                "inclusion-promise",
            ),
            (
                "the signature of another entry",
                changed(&|entry| entry["SignedEntryTimestamp"] = another["SignedEntryTimestamp"].clone()),
                "inclusion-promise",
            ),
            (
                "the body of another entry",
                changed(&|entry| entry["Payload"]["body"] = another["Payload"]["body"].clone()),
                "log-entry-artifact",
            ),
            (
                "a body that is written in another way",
                changed(&|entry| {
                    let spaced = path.body().replacen(':', ": ", 1);
                    entry["Payload"]["body"] = base64::encode(spaced.as_bytes()).into();
                }),
                "inclusion-promise",
            ),
            (
                "another time",
                changed(&|entry| entry["Payload"]["integratedTime"] = (logged_at().unix() + 1).into()),
                "inclusion-promise",
            ),
            ("another index", changed(&|entry| entry["Payload"]["logIndex"] = 8.into()), "inclusion-promise"),
            ("no signature", changed(&|entry| entry["SignedEntryTimestamp"] = "".into()), "inclusion-promise"),
            ("no time", changed(&|entry| entry["Payload"]["integratedTime"] = 0.into()), "log-entry-malformed"),
            ("a name of the log", changed(&|entry| entry["Payload"]["logID"] = "log".into()), "log-entry-malformed"),
            (
                "no promise",
                changed(&|entry| drop(entry.as_object_mut().unwrap().remove("SignedEntryTimestamp"))),
                "log-entry-malformed",
            ),
        ] {
            assert_eq!(verdict(&entry.to_string()), code, "{}: {what}", path.by);
        }
        let twice = good.to_string().replacen('{', "{\"SignedEntryTimestamp\":\"\",", 1);
        assert_eq!(verdict(&twice), "log-entry-malformed", "{}", path.by);
        assert_eq!(verdict(""), "log-threshold", "{}", path.by);
    }
}

#[test]
fn the_time_of_the_entry_lies_in_every_period() {
    let log = Log::new();
    for path in Path::both() {
        let verdict = |at: Time, period: &Value, now: Time| {
            path.verdict(&log.entry(&path.body(), at).to_string(), &[log.in_root(period)], now)
        };
        let period = |start: &str, end: &str| json!({"start": start, "end": end});
        for (start, end, code) in [
            ("2026-12-15T00:00:00Z", "2026-12-15T00:00:00Z", "verified"),
            ("2026-12-15T00:00:01Z", "2027-12-15T00:00:00Z", "log-validity"),
            ("2026-12-14T00:00:00Z", "2026-12-14T23:59:59Z", "log-validity"),
        ] {
            assert_eq!(verdict(logged_at(), &period(start, end), at()), code, "{}: {start} {end}", path.by);
        }
        let (evidence, trust) =
            path.logged(&log.entry(&path.body(), logged_at()).to_string(), &[log.in_root(&always())]);
        assert_eq!(signer(&evidence, &trust, at()).unwrap().signed_no_later_than(), Some(logged_at()), "{}", path.by);
        let before = |seconds: i64| Time::from_unix(logged_at().unix() - seconds).unwrap();
        assert_eq!(verdict(logged_at(), &always(), before(60)), "verified", "{}", path.by);
        assert_eq!(verdict(logged_at(), &always(), before(61)), "?time-ahead", "{}", path.by);
        // The certificate is valid from 2026-11-26 to 2036-11-23; a key has no such period.
        let by_key = path.by == "key";
        let now = time("2040-01-01T00:00:00Z");
        for (at, code) in [("2026-11-26T00:00:00Z", "not-yet-valid"), ("2036-12-01T00:00:00Z", "expired")] {
            assert_eq!(verdict(time(at), &always(), now), if by_key { "verified" } else { code }, "{at}");
        }
    }
}

/// A signature of the suite `containers-image`, with an entry of the public log of 2022.
#[derive(Clone)]
pub struct PublicSignature {
    content: Content,
    layer: Descriptor,
}

impl PublicSignature {
    /// The first one of a case; `None` where the suite is missing.
    pub fn read(case: &str) -> Option<Self> {
        let file = fs::read(vectors::suite("containers-image")?.join("open").join(case).join("signature-1")).unwrap();
        let stored: Value = serde_json::from_slice(file.strip_prefix(b"\0sigstore-json\n").unwrap()).unwrap();
        let payload = base64::decode("payload", stored["payload"].as_str().unwrap()).unwrap();
        let content = Content::from_bytes(stored["mimeType"].as_str().unwrap(), payload);
        let mut layer = content.descriptor().clone();
        layer.annotations = serde_json::from_value(stored["annotations"].clone()).unwrap();
        Some(Self { content, layer })
    }

    /// The trusted root of the suite: Fulcio with its intermediate certificate, and the log.
    pub fn root() -> Option<Value> {
        let shared = vectors::suite("containers-image")?.join("shared");
        let chain = pem(&fs::read_to_string(shared.join("fulcio-chain")).unwrap());
        let certificates: Vec<_> = chain.iter().map(|der| json!({"rawBytes": base64::encode(der)})).collect();
        let key = PublicKey::parse(&fs::read(shared.join("rekor.pub")).unwrap()).unwrap();
        Some(json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log_in_root(&key, &always())],
            "certificateAuthorities": [{"certChain": {"certificates": certificates}, "validFor": always()}],
        }))
    }

    /// Whose certificate it is.
    pub fn names() -> IdentityPattern {
        let exact = |text: &str| TextPattern::exact(text).unwrap();
        IdentityPattern::keyless(exact("mitr@redhat.com"), exact("https://github.com/login/oauth")).unwrap()
    }

    pub fn evidence(&self) -> Evidence {
        signature(
            &Content::from_bytes("application/vnd.oci.image.manifest.v1+json", Vec::new()),
            &self.content,
            &self.layer,
        )
    }
}

#[test]
fn entries_of_the_public_log_are_verified_and_those_of_others_are_refused() {
    let cases = [PublicSignature::read("cosign-fulcio-rekor"), PublicSignature::read("cosign-key-rekor")];
    let [Some(certified), Some(by_key)] = cases else { return };
    let root = TrustedRoot::parse(PublicSignature::root().unwrap().to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    let key = vectors::suite("containers-image").unwrap().join("shared/cosign2.pub");
    let key = NonEmpty::one(PublicKey::parse(&fs::read(key).unwrap()).unwrap());
    let means = Means::LoggedKeys(LoggedKeys::new(key, root.clone().into(), LOGGED));
    let pinned = TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap();
    let keyless = trusting(root, PublicSignature::names(), LOGGED);
    for (own, other, trust) in [(&certified, &by_key, &keyless), (&by_key, &certified, &pinned)] {
        let entry = |one: &PublicSignature| -> Value { serde_json::from_str(&one.layer.annotations[BUNDLE]).unwrap() };
        let verdict = |entry: &Value| {
            let mut changed = own.clone();
            changed.layer.annotations.insert(BUNDLE.to_owned(), entry.to_string());
            verdict_on(&changed.evidence(), trust, at())
        };
        assert_eq!(verdict_on(&own.evidence(), trust, at()), "verified");
        assert_eq!(verdict(&entry(own)), "verified");
        assert_eq!(verdict(&entry(other)), "log-entry-artifact");
        for (part, code) in [("SignedEntryTimestamp", "inclusion-promise"), ("Payload", "log-entry-artifact")] {
            let mut mixed = entry(own);
            mixed[part] = entry(other)[part].clone();
            assert_eq!(verdict(&mixed), code, "{part}");
        }
        for part in ["integratedTime", "logIndex"] {
            let mut changed = entry(own);
            changed["Payload"][part] = (changed["Payload"][part].as_u64().unwrap() + 1).into();
            assert_eq!(verdict(&changed), "inclusion-promise", "{part}");
        }
    }
}
