//! Owners, images and statements, signed once each.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::Mutex;

use bulla::digest::Digest;
use bulla::envelope::Envelope;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::Statement;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::media_type;
use bulla::policy::About;
use bulla::policy::Condition;
use bulla::policy::Decision;
use bulla::policy::FieldRule;
use bulla::policy::MaxAgeRule;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::Rule;
use bulla::policy::SbomRule;
use bulla::policy::ScanRule;
use bulla::policy::StatementKind;
use bulla::policy::StatementKinds;
use bulla::policy::TestRule;
use bulla::policy::Threshold;
use bulla::policy::TimeEvidence;
use bulla::policy::VexRequirement;
use bulla::predicate::FieldComparison;
use bulla::predicate::FieldLiteral;
use bulla::predicate::FindingRule;
use bulla::predicate::FindingsCounted;
use bulla::predicate::JsonPointer;
use bulla::predicate::PredicateKind;
use bulla::predicate::SbomFormat;
use bulla::predicate::ScanFormat;
use bulla::predicate::Severity;
use bulla::predicate::TestOutcome;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;

/// The keys: the last one is trusted by nobody.
pub static KEYS: LazyLock<Vec<PrivateKey>> =
    LazyLock::new(|| (0..4).map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap()).collect());
pub const FOREIGN: usize = 3;

/// The keys of each owner: the third one shares a key with the second.
pub const HELD: [&[usize]; 3] = [&[0], &[1], &[1, 2]];

pub fn now() -> Time {
    Time::parse("2026-11-26T12:00:00Z").unwrap()
}

/// A time so many days ago.
pub fn days_ago(days: i64) -> Time {
    Time::from_unix(now().unix() - days * 86_400).unwrap()
}

pub fn owner(number: usize) -> Owner {
    Owner::Named(format!("owner {number}"))
}

pub fn trust() -> TrustRoot {
    trust_of(HELD)
}

/// The trust root of owners who hold these keys.
pub fn trust_of(held: [&[usize]; 3]) -> TrustRoot {
    trust_with(held, &[])
}

/// So many days ago the keys ended that have ended.
pub const END: i64 = 3;

/// The same, where some keys have ended.
pub fn trust_with(held: [&[usize]; 3], ended: &[usize]) -> TrustRoot {
    TrustRoot::new(held.iter().enumerate().map(|(number, keys)| {
        let all = NonEmpty::collect(keys.iter().map(|key| KEYS[*key].public_key().clone())).unwrap();
        let identity = Identity::new(owner(number), Means::Keys(all));
        let ended = ended.iter().filter(|key| keys.contains(key));
        ended.fold(identity, |identity, key| identity.with_key_end(KEYS[*key].public_key().id(), days_ago(END)))
    }))
    .unwrap()
}

/// A document about an image. Times are days ago; a negative one lies ahead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doc {
    Approval {
        approved: bool,
        days: Option<i64>,
    },
    Sbom {
        components: bool,
        days: Option<i64>,
    },
    Scan {
        findings: Vec<&'static str>,
        days: Option<i64>,
    },
    Signature,
    Test {
        passed: bool,
        days: Option<i64>,
    },
    /// What it says about each vulnerability: whether it clears it.
    Vex {
        says: Vec<(&'static str, bool)>,
        days: Option<i64>,
    },
}

pub const APPROVAL: &str = "https://example.com/approval/v1";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";
pub const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";
const OPENVEX: &str = "https://openvex.dev/ns";

impl Doc {
    pub fn days(&self) -> Option<i64> {
        match self {
            Self::Signature => None,
            Self::Approval { days, .. }
            | Self::Sbom { days, .. }
            | Self::Scan { days, .. }
            | Self::Test { days, .. }
            | Self::Vex { days, .. } => *days,
        }
    }

    /// Its predicate type and predicate.
    pub fn predicate(&self) -> (&'static str, Value) {
        let time = |days: &Option<i64>| days.map(|days| days_ago(days).to_string());
        match self {
            Self::Signature => unreachable!("it has no predicate"),
            Self::Approval { approved, days } => {
                let decision = if *approved { "approved" } else { "rejected" };
                (APPROVAL, json!({"decision": decision, "timestamp": time(days)}))
            }
            Self::Sbom { components, days } => {
                let list: &[Value] = if *components { &[json!({"type": "library", "name": "a"})] } else { &[] };
                let metadata = json!({"timestamp": time(days)});
                let bom =
                    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": metadata, "components": list});
                (CYCLONEDX, bom)
            }
            Self::Scan { findings, days } => {
                let finding = |id: &&str| json!({"id": id, "severity": [{"method": "nvd", "score": "HIGH"}]});
                let result: Vec<_> = findings.iter().map(finding).collect();
                let scanner = json!({"uri": "https://example.com/scanner", "result": result});
                (VULNS, json!({"scanner": scanner, "metadata": {"scanFinishedOn": time(days)}}))
            }
            Self::Test { passed, days } => {
                let result = if *passed { "PASSED" } else { "FAILED" };
                (TEST, json!({"result": result, "configuration": [], "timestamp": time(days)}))
            }
            Self::Vex { says, days } => {
                let statement = |(id, clears): &(&str, bool)| json!({"vulnerability": {"name": id}, "status": if *clears { "fixed" } else { "affected" }});
                let statements: Vec<_> = says.iter().map(statement).collect();
                let context = "https://openvex.dev/ns/v0.2.0";
                let head = json!({"@context": context, "@id": "https://example.com/vex", "author": "a", "version": 1});
                let mut document = head;
                document["timestamp"] = json!(time(days));
                document["statements"] = json!(statements);
                (OPENVEX, document)
            }
        }
    }
}

/// A signed statement: by which key, about which manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signed {
    pub key: usize,
    pub about: Digest,
    pub doc: Doc,
}

/// The payload of a statement.
pub fn payload(about: &Digest, doc: &Doc) -> Vec<u8> {
    match doc {
        Doc::Signature => Statement::image_signature(about, None, &BTreeMap::new()).unwrap(),
        doc => {
            let (kind, predicate) = doc.predicate();
            let predicate = without_nulls(predicate);
            Statement::attestation(about, None, kind, &RawValue::from_string(predicate.to_string()).unwrap()).unwrap()
        }
    }
}

/// A time that is not known is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let known = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(known.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        other => other,
    }
}

pub fn sign(key: usize, payload: &[u8]) -> Evidence {
    let envelope = Envelope::sign(media_type::IN_TOTO, payload, &KEYS[key]).unwrap();
    Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
}

/// The evidence of a statement; each is signed once in a run.
pub fn evidence(signed: &Signed) -> Evidence {
    static MADE: LazyLock<Mutex<BTreeMap<Signed, Evidence>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    made.entry(signed.clone()).or_insert_with(|| sign(signed.key, &payload(&signed.about, &signed.doc))).clone()
}

/// An image: an index with platforms, or one manifest.
#[derive(Clone, Debug)]
pub struct Image {
    pub root: Content,
    pub is_index: bool,
    pub platforms: Vec<Digest>,
}

/// A manifest of an image, another one for each seed.
pub fn manifest(seed: usize) -> Content {
    let config = Content::from_bytes(media_type::OCI_CONFIG, format!("{{\"seed\":{seed}}}").into_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(), "layers": [],
    });
    Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes())
}

impl Image {
    pub fn single() -> Self {
        Self { root: manifest(0), is_index: false, platforms: Vec::new() }
    }

    pub fn index(count: usize) -> Self {
        let manifests: Vec<_> = (1..=count).map(manifest).collect();
        let entries: Vec<_> = manifests.iter().map(Content::descriptor).collect();
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries});
        let root = Content::from_bytes(media_type::OCI_INDEX, index.to_string().into_bytes());
        Self { root, is_index: true, platforms: manifests.iter().map(|one| *one.digest()).collect() }
    }

    /// The root, then the platforms.
    pub fn manifests(&self) -> Vec<Digest> {
        std::iter::once(*self.root.digest()).chain(self.platforms.iter().copied()).collect()
    }

    /// The code of the verdict by `verifier` on `list`: `yes`, `no` or `unknown`.
    pub fn verdict(&self, verifier: &Verifier, list: &[Evidence], about: &[Digest]) -> &'static str {
        let of = |digest: &Digest| -> Vec<&Evidence> {
            list.iter().zip(about).filter(|(_, about)| *about == digest).map(|(one, _)| one).collect()
        };
        match verifier.verify_image(&self.root, of, now()) {
            Ok(accepted) => {
                assert_eq!(accepted.digest(), self.root.digest());
                "yes"
            }
            Err(refusal) if refusal.is_undetermined() => "unknown",
            Err(_) => "no",
        }
    }

    /// What an import by `verifier` carries along, each statement with the manifest that it is about; `None` if it is not
    /// accepted.
    pub fn carried(&self, verifier: &Verifier, signed: &[Signed]) -> Option<Vec<(Evidence, Digest)>> {
        let list: Vec<_> = signed.iter().map(|one| (evidence(one), one.about)).collect();
        let of = |digest: &Digest| -> Vec<&Evidence> {
            list.iter().filter(|(_, about)| about == digest).map(|(one, _)| one).collect()
        };
        let accepted = verifier.verify_image(&self.root, of, now()).ok()?;
        let statements = accepted.parts().iter().flat_map(|part| {
            let all = part.accepted.iter().chain(&part.not_counted);
            all.map(|one| (one.evidence.clone(), part.digest))
        });
        Some(statements.collect())
    }

    /// The decision of `verifier` on each requirement over this evidence; `None` if the image is not accepted.
    pub fn decided(&self, verifier: &Verifier, list: &[(Evidence, Digest)]) -> Option<Vec<Decision>> {
        let of = |digest: &Digest| -> Vec<&Evidence> {
            list.iter().filter(|(_, about)| about == digest).map(|(one, _)| one).collect()
        };
        let accepted = verifier.verify_image(&self.root, of, now()).ok()?;
        Some(accepted.requirements().iter().map(|one| one.decision).collect())
    }

    pub fn judge(&self, verifier: &Verifier, signed: &[Signed]) -> &'static str {
        let list: Vec<_> = signed.iter().map(evidence).collect();
        let about: Vec<_> = signed.iter().map(|one| one.about).collect();
        self.verdict(verifier, &list, &about)
    }
}

/// What a requirement wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Approval,
    Sbom,
    /// A scan without findings, except those that VEX statements of these owners clear, no older than so many days.
    Scan {
        vex: Option<(BTreeSet<usize>, Option<i64>)>,
    },
    Signature,
    Test,
}

/// A requirement of a policy, as tests write it.
#[derive(Clone, Debug)]
pub struct Want {
    pub wanted: Wanted,
    pub by: BTreeSet<usize>,
    pub at_least: u32,
    pub about: About,
    pub max_age: Option<i64>,
    pub newest: bool,
}

/// A policy, as tests write it.
#[derive(Clone, Debug)]
pub enum Wants {
    All(Vec<Self>),
    Any(Vec<Self>),
    One(Want),
}

impl Want {
    pub fn new(wanted: Wanted) -> Self {
        let newest = !matches!(wanted, Wanted::Sbom | Wanted::Signature);
        let max_age = newest.then_some(10);
        Self { wanted, by: [0].into(), at_least: 1, about: About::Either, max_age, newest }
    }

    pub fn requirement(&self, id: &str, trust: &TrustRoot) -> Option<Requirement> {
        let quorum = |by: &BTreeSet<usize>, at_least: u32| {
            Quorum::among(trust, by.iter().map(|number| owner(*number)).collect(), Threshold::new(at_least).unwrap())
                .ok()
        };
        let age = |days: Option<i64>| {
            let limit = days.map(|days| u64::try_from(days).unwrap() * 86_400);
            MaxAgeRule { limit, time: TimeEvidence::Document }
        };
        let predicate = |kind| StatementKinds::predicates(NonEmpty::one(kind));
        let (kinds, condition): (StatementKinds, Option<Condition>) = match &self.wanted {
            Wanted::Approval => {
                let test = FieldComparison::Equals(FieldLiteral::Text("approved".to_owned()));
                let rule = FieldRule { at: JsonPointer::parse("/decision").unwrap(), test };
                let kind = StatementKind::Attestation { predicate_type: APPROVAL.to_owned() };
                (kind.into(), Some(Condition::Field(rule)))
            }
            Wanted::Sbom => {
                let rule = SbomRule::new([SbomFormat::CycloneDx].into());
                (predicate(PredicateKind::Sbom(SbomFormat::CycloneDx)), Some(Condition::Sbom(rule)))
            }
            Wanted::Scan { .. } => {
                let (count, highest_allowed) = (FindingsCounted::All, Some(Severity::Medium));
                let rule = ScanRule::new(FindingRule { count, highest_allowed, ignored: Vec::new() });
                (predicate(PredicateKind::Scan(ScanFormat::InTotoVulns)), Some(Condition::Scan(rule)))
            }
            Wanted::Signature => (StatementKind::ImageSignature.into(), None),
            Wanted::Test => {
                let rule = TestRule::new(NonEmpty::one(TestOutcome::Passed));
                (predicate(PredicateKind::TestResult), Some(Condition::Test(rule)))
            }
        };
        let mut requirement = Requirement::new(id, kinds, quorum(&self.by, self.at_least)?).with_about(self.about);
        if let Some(condition) = condition {
            requirement = requirement.and(condition);
        }
        if self.max_age.is_some() {
            requirement = requirement.and(Condition::MaxAge(age(self.max_age)));
        }
        if self.newest {
            requirement = requirement.newest_only();
        }
        if let Wanted::Scan { vex: Some((by, days)) } = &self.wanted {
            requirement = requirement.with_vex(VexRequirement::new(quorum(by, 1)?, age(*days)));
        }
        Some(requirement)
    }
}

impl Wants {
    pub fn rule(&self, trust: &TrustRoot, next: &mut usize) -> Option<Rule> {
        let mut inner = |wants: &[Self]| {
            let rules: Option<Vec<_>> = wants.iter().map(|want| want.rule(trust, next)).collect();
            NonEmpty::collect(rules?)
        };
        match self {
            Self::All(wants) => inner(wants).map(Rule::All),
            Self::Any(wants) => inner(wants).map(Rule::Any),
            Self::One(want) => {
                *next += 1;
                want.requirement(&format!("requirement {next}"), trust).map(Rule::One)
            }
        }
    }

    /// The verifier of this policy; `None` if its quorums can never be met.
    pub fn verifier(&self) -> Option<Verifier> {
        self.verifier_of(trust())
    }

    /// The same for these owners.
    pub fn verifier_of(&self, trust: TrustRoot) -> Option<Verifier> {
        let rule = self.rule(&trust, &mut 0)?;
        Verifier::new(trust, Policy::new(rule).unwrap(), Limits::DEFAULT).ok()
    }

    /// The same policy with each requirement changed.
    pub fn map(&self, change: &impl Fn(&Want) -> Want) -> Self {
        match self {
            Self::All(wants) => Self::All(wants.iter().map(|want| want.map(change)).collect()),
            Self::Any(wants) => Self::Any(wants.iter().map(|want| want.map(change)).collect()),
            Self::One(want) => Self::One(change(want)),
        }
    }
}
