//! Each rule broken once, in both formats, by envelopes that break no other rule before it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryRule;
use bulla::limits::Limits;
use bulla::oci::media_type::NOTARY_PAYLOAD;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::cbor::Data;
use super::cbor::epoch;
use super::cbor::text;
use super::cbor::texts;
use super::made::Maker;
use super::read;
use super::read_as_notation;
use super::verdict;

const SCHEME: &str = "io.cncf.notary.signingScheme";
const TIME: &str = "io.cncf.notary.signingTime";
const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";
const EXPIRY: &str = "io.cncf.notary.expiry";
const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
const PLUGIN_VERSION: &str = "io.cncf.notary.verificationPluginMinVersion";
const TOKEN: &str = "io.cncf.notary.timestampSignature";
const AGENT: &str = "io.cncf.notary.signingAgent";

/// A JWS envelope whose parts can be changed. Its signature is not one.
pub struct Jws {
    pub protected: Value,
    pub envelope: Value,
}

impl Jws {
    pub fn new() -> Self {
        let protected = json!({
            "alg": "ES256", "cty": NOTARY_PAYLOAD, "crit": [SCHEME], SCHEME: "notary.x509", TIME: "2026-11-20T16:01:20Z",
        });
        let x5c = [Maker::of(NotaryAlgorithm::Es256).certificate_text()];
        let envelope = json!({ "payload": "e30", "header": { "x5c": x5c, AGENT: "test" }, "signature": "AAAA" });
        Self { protected, envelope }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with(&self.protected.to_string())
    }

    /// The envelope with this text as its protected header.
    pub fn bytes_with(&self, protected: &str) -> Vec<u8> {
        let mut envelope = self.envelope.clone();
        if envelope.get("protected").is_none() {
            envelope["protected"] = json!(URL_SAFE_NO_PAD.encode(protected));
        }
        envelope.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        envelope.to_string().into_bytes()
    }

    fn header(&mut self) -> &mut Map<String, Value> {
        self.envelope["header"].as_object_mut().unwrap()
    }

    fn set(&mut self, changes: Value) {
        for (name, value) in changes.as_object().unwrap() {
            self.protected[name] = value.clone();
        }
        self.protected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
}

/// A COSE envelope whose parts can be changed. Its signature is not one.
pub struct Cose {
    pub protected: Vec<(Data, Data)>,
    pub unprotected: Vec<(Data, Data)>,
}

impl Cose {
    pub fn new() -> Self {
        let certificate = Maker::of(NotaryAlgorithm::Es256).certificate;
        Self {
            protected: vec![
                (Data::Integer(1), Data::Integer(-7)),
                (Data::Integer(2), texts(&[SCHEME])),
                (Data::Integer(3), text(NOTARY_PAYLOAD)),
                (text(TIME), epoch(1_795_190_480)),
                (text(SCHEME), text("notary.x509")),
            ],
            unprotected: vec![
                (Data::Integer(33), Data::Array(vec![Data::Bytes(certificate)])),
                (text(AGENT), text("test")),
            ],
        }
    }

    pub fn items(&self) -> Vec<Data> {
        let protected = Data::Map(sorted(&self.protected)).encode();
        let unprotected = Data::Map(sorted(&self.unprotected));
        vec![Data::Bytes(protected), unprotected, Data::Bytes(b"{}".to_vec()), Data::Bytes(vec![0; 3])]
    }

    pub fn bytes(&self) -> Vec<u8> {
        sign1(self.items())
    }

    /// Sets protected parameters; `None` takes one away.
    fn set(&mut self, changes: Vec<(Data, Option<Data>)>) {
        put(&mut self.protected, changes);
    }

    fn set_unprotected(&mut self, changes: Vec<(Data, Option<Data>)>) {
        put(&mut self.unprotected, changes);
    }
}

fn put(entries: &mut Vec<(Data, Data)>, changes: Vec<(Data, Option<Data>)>) {
    for (key, value) in changes {
        entries.retain(|(other, _)| other.encode() != key.encode());
        entries.extend(value.map(|value| (key, value)));
    }
}

fn sorted(entries: &[(Data, Data)]) -> Vec<(Data, Data)> {
    let mut entries = entries.to_vec();
    entries.sort_by_key(|(key, _)| key.encode());
    entries
}

pub fn sign1(items: Vec<Data>) -> Vec<u8> {
    Data::Tagged(18, Box::new(Data::Array(items))).encode()
}

/// What an envelope is broken by, and the verdicts: of the strict reader, and of the one that reads as notation does.
struct Broken {
    bytes: Vec<u8>,
    format: NotaryFormat,
    lenient: &'static str,
    strict: &'static str,
    what: String,
}

/// A JWS envelope that both readers refuse alike.
fn jws(strict: &'static str, change: impl FnOnce(&mut Jws)) -> Broken {
    jws_but(strict, strict, change)
}

fn jws_but(strict: &'static str, lenient: &'static str, change: impl FnOnce(&mut Jws)) -> Broken {
    let mut jws = Jws::new();
    change(&mut jws);
    let what = format!("{} {}", jws.protected, jws.envelope);
    Broken { bytes: jws.bytes(), format: NotaryFormat::Jws, lenient, strict, what }
}

fn cose(strict: &'static str, change: impl FnOnce(&mut Cose)) -> Broken {
    cose_but(strict, strict, change)
}

fn cose_but(strict: &'static str, lenient: &'static str, change: impl FnOnce(&mut Cose)) -> Broken {
    let mut cose = Cose::new();
    change(&mut cose);
    let what = format!("{:?}", cose.protected);
    Broken { bytes: cose.bytes(), format: NotaryFormat::Cose, lenient, strict, what }
}

fn raw(format: NotaryFormat, code: &'static str, bytes: Vec<u8>) -> Broken {
    let what = String::from_utf8_lossy(&bytes).into_owned();
    Broken { bytes, format, lenient: code, strict: code, what }
}

const AUTHORITY: &str = "notary.x509.signingAuthority";
const NOON: &str = "2026-11-20T12:00:00Z";

/// The rules about what is signed, in JWS.
fn signed_jws() -> Vec<Broken> {
    let set = |code, changes: Value| jws(code, |jws| jws.set(changes));
    let mut all = vec![
        set("accepted", json!({})),
        set("accepted", json!({ "crit": [TIME, SCHEME] })),
        set("accepted", json!({ "kid": "1", "other": { "b": [1, 2.5] } })),
        set("accepted", json!({ SCHEME: AUTHORITY, TIME: null, AUTHENTIC: NOON, "crit": [SCHEME, AUTHENTIC] })),
        set("accepted", json!({ EXPIRY: "2026-11-20T16:01:21Z", "crit": [EXPIRY, SCHEME] })),
        set("accepted", json!({ TIME: "2026-11-20T23:59:59+23:59" })),
        set("algorithm-not-allowed", json!({ "alg": null })),
        set("content-type", json!({ "cty": null })),
        set("content-type", json!({ "cty": "application/json" })),
        set("critical-list-absent", json!({ "crit": null })),
        set("critical-list-absent", json!({ "crit": [] })),
        set("critical-attribute-absent", json!({ "crit": [SCHEME, "x"] })),
        set("critical-attribute-absent", json!({ "crit": [SCHEME, EXPIRY] })),
        set("critical-attribute-absent", json!({ SCHEME: null })),
        set("critical-list-twice", json!({ "crit": [SCHEME, TIME, SCHEME] })),
        set("json", json!({ "crit": SCHEME })),
        set("json", json!({ "crit": [1] })),
        set("json", json!({ "alg": 1 })),
        set("signing-scheme", json!({ SCHEME: null, "crit": [TIME] })),
        set("signing-scheme", json!({ SCHEME: "notary.x509.other" })),
        set("signing-scheme", json!({ SCHEME: "" })),
        set("signing-scheme-not-critical", json!({ "crit": [TIME] })),
        set("signing-time-absent", json!({ TIME: null })),
        set("authentic-signing-time-present", json!({ AUTHENTIC: NOON })),
        set("authentic-signing-time-present", json!({ AUTHENTIC: NOON, TIME: null })),
        set("authentic-signing-time-absent", json!({ SCHEME: AUTHORITY, TIME: null })),
        set("signing-time-present", json!({ SCHEME: AUTHORITY, AUTHENTIC: NOON, "crit": [SCHEME, AUTHENTIC] })),
        set("signing-time-present", json!({ SCHEME: AUTHORITY })),
        set("authentic-signing-time-not-critical", json!({ SCHEME: AUTHORITY, TIME: null, AUTHENTIC: NOON })),
        set("expiry-not-critical", json!({ EXPIRY: "2027-11-20T16:01:20Z" })),
        set("expiry-not-after-signing", json!({ EXPIRY: "2026-11-20T16:01:20Z", "crit": [SCHEME, EXPIRY] })),
        set("expiry-not-after-signing", json!({ EXPIRY: "2026-11-20T17:01:20+01:00", "crit": [SCHEME, EXPIRY] })),
        set("plugin-attribute-not-critical", json!({ PLUGIN: "p" })),
        set("plugin-attribute-not-critical", json!({ PLUGIN: "p", PLUGIN_VERSION: "1.0.0", "crit": [SCHEME, PLUGIN] })),
        set("plugin-attribute-form", json!({ PLUGIN: " ", "crit": [SCHEME, PLUGIN] })),
        set("plugin-attribute-form", json!({ PLUGIN: 1, "crit": [SCHEME, PLUGIN] })),
        set("plugin-version-alone", json!({ PLUGIN_VERSION: "1.0.0", "crit": [SCHEME, PLUGIN_VERSION] })),
        set("plugin-version", json!({ PLUGIN: "p", PLUGIN_VERSION: "1", "crit": [SCHEME, PLUGIN, PLUGIN_VERSION] })),
        set("name-case", json!({ "Alg": "ES256" , "alg": null })),
        set("name-ambiguous", json!({ "ALG": "none" })),
        set("name-ambiguous", json!({ "io.cncf.notary.Expiry": NOON, EXPIRY: NOON })),
        jws_but("critical-list-registered-name", "accepted", |jws| jws.set(json!({ "crit": [SCHEME, "alg"] }))),
    ];
    for time in [
        "2026-11-20T16:01:20.5Z",
        "2026-11-20T16:01:20.0Z",
        "2026-11-20T16:01:20",
        "2026-11-20 16:01:20Z",
        "2026-11-20t16:01:20z",
        "2026-11-20T16:01:60Z",
        "2026-11-20T24:00:00Z",
        "2026-02-29T16:01:20Z",
        "2026-11-20T16:01:20+24:00",
        "2026-11-20T16:01:20+01:60",
        "2026-11-20T16:01:20+0100",
        "2026-11-20T16:01:20+01:00[UTC]",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-23:59",
        "-026-11-20T16:01:20Z",
        "２026-11-20T16:01:20Z",
        "",
    ] {
        all.push(set("time", json!({ TIME: time })));
    }
    for name in ["none", "HS256", "RS256", "RS512", "EdDSA", "ES256K", "es256", "ES521", ""] {
        all.push(set("algorithm-not-allowed", json!({ "alg": name })));
    }
    all
}

/// The rules about the envelope, in JWS.
fn outer_jws() -> Vec<Broken> {
    let certificate = Maker::of(NotaryAlgorithm::Es256).certificate_text();
    let member = |code, name: &str, value: Value| jws(code, |jws| jws.envelope[name] = value);
    let header = |code, name: &str, value: Value| {
        jws(code, |jws| {
            jws.header().insert(name.to_owned(), value);
        })
    };
    let other_case = |name: &str, other: &str| {
        let mut jws = Jws::new();
        let text = String::from_utf8(jws.bytes()).unwrap();
        jws.envelope = serde_json::from_str(&text.replace(&format!("\"{name}\":"), &format!("\"{other}\":"))).unwrap();
        jws
    };
    let renamed = |name, other| jws_but("name-case", "accepted", |jws| *jws = other_case(name, other));
    let doubled = |code, from: &str, to: &str| {
        let text = String::from_utf8(Jws::new().bytes()).unwrap();
        assert!(text.contains(from));
        raw(NotaryFormat::Jws, code, text.replacen(from, to, 1).into_bytes())
    };
    let protected = Jws::new().protected.to_string();
    vec![
        member("member-absent", "payload", Value::Null),
        member("member-absent", "signature", Value::Null),
        member("certificate-chain-absent", "header", Value::Null),
        member("json", "header", json!([])),
        member("json", "payload", json!({})),
        member("signature-absent", "signature", json!("")),
        member("base64", "signature", json!("AAA=")),
        member("base64", "signature", json!("AAB")),
        member("base64", "signature", json!("AA\nAA")),
        member("base64", "payload", json!("e30=")),
        member("base64", "payload", json!("e3+")),
        member("base64", "protected", json!("e30 ")),
        member("json", "protected", json!("ew")),
        member("json", "protected", json!(URL_SAFE_NO_PAD.encode("[]"))),
        member("json", "protected", json!(URL_SAFE_NO_PAD.encode(format!("{protected} {protected}")))),
        member("json", "protected", json!(URL_SAFE_NO_PAD.encode(protected.replacen('{', "{\"alg\":\"none\",", 1)))),
        member("json", "protected", json!(URL_SAFE_NO_PAD.encode(protected.replacen('{', "{\"\\u0061lg\":\"\",", 1)))),
        jws_but("unknown-member", "accepted", |jws| jws.envelope["extra"] = json!(1)),
        jws_but("unknown-member", "accepted", |jws| jws.envelope["signatures"] = json!([])),
        jws_but("unknown-member", "accepted", |jws| drop(jws.header().insert("kid".to_owned(), json!("1")))),
        header("certificate-chain-absent", "x5c", json!([])),
        header("json", "x5c", json!(certificate)),
        header("base64", "x5c", json!([certificate, "-_8="])),
        header("base64", "x5c", json!(["+/8"])),
        header("?limit", "x5c", json!(vec![&certificate; 11])),
        header("?limit", "x5c", json!(["A".repeat(88_000)])),
        header("base64", TOKEN, json!("AAA")),
        header("timestamp-empty", TOKEN, json!("")),
        header("json", AGENT, json!(1)),
        header("header-in-both", "alg", json!("none")),
        header("header-in-both", SCHEME, json!("notary.x509")),
        jws("header-in-both", |jws| jws.set(json!({ "x5c": [] }))),
        renamed(AGENT, "io.cncf.notary.SigningAgent"),
        renamed("x5c", "X5C"),
        renamed("payload", "Payload"),
        renamed("signature", "\u{17f}ignature"),
        doubled("name-ambiguous", "{", "{\"PAYLOAD\":\"\","),
        doubled("name-ambiguous", "\"x5c\":", "\"X5c\":[],\"x5c\":"),
        doubled("json", "{", "{\"payload\":\"e30\","),
        doubled("json", "\"x5c\":", "\"x5c\":[],\"x5c\":"),
        raw(NotaryFormat::Jws, "json", [&Jws::new().bytes()[..], b"{}"].concat()),
        raw(NotaryFormat::Jws, "json", [b"\xef\xbb\xbf", &Jws::new().bytes()[..]].concat()),
        raw(NotaryFormat::Jws, "json", b"eyJhbGciOiJFUzI1NiJ9.e30.AAAA".to_vec()),
        raw(NotaryFormat::Jws, "json", Vec::new()),
        raw(NotaryFormat::Jws, "?limit", vec![b' '; (1 << 20) + 1]),
    ]
}

/// The rules about what is signed, in COSE.
fn signed_cose() -> Vec<Broken> {
    let set = |code, changes: Vec<(Data, Option<Data>)>| cose(code, |cose| cose.set(changes));
    let crit = |names: &[&str]| (Data::Integer(2), Some(texts(names)));
    let at = |name: &str, seconds| (text(name), Some(epoch(seconds)));
    let none = |name: &str| (text(name), None);
    let is = |name: &str, value: &str| (text(name), Some(text(value)));
    let mut all = vec![
        set("accepted", vec![]),
        set("accepted", vec![(Data::Integer(4), Some(Data::Bytes(vec![1])))]),
        set("accepted", vec![is(SCHEME, AUTHORITY), none(TIME), at(AUTHENTIC, 5), crit(&[SCHEME, AUTHENTIC])]),
        set("accepted", vec![at(TIME, -62_167_219_200)]),
        set("algorithm-not-allowed", vec![(Data::Integer(1), None)]),
        set("algorithm-not-allowed", vec![(Data::Integer(1), Some(text("ES256")))]),
        set("?hash-envelope", vec![(Data::Integer(258), Some(Data::Integer(-16))), (Data::Integer(3), None)]),
        set("?hash-envelope", vec![(Data::Integer(258), Some(Data::Integer(-16)))]),
        set("content-type", vec![(Data::Integer(3), None)]),
        set("content-type", vec![(Data::Integer(3), Some(text("application/json")))]),
        set("content-type", vec![(Data::Integer(3), Some(Data::Integer(50)))]),
        set("critical-list-absent", vec![(Data::Integer(2), None)]),
        set("critical-list-absent", vec![crit(&[])]),
        set("critical-attribute-absent", vec![crit(&[SCHEME, "x"])]),
        set("critical-attribute-absent", vec![none(SCHEME)]),
        set("critical-list-twice", vec![crit(&[SCHEME, SCHEME])]),
        set("header-value", vec![(Data::Integer(2), Some(text(SCHEME)))]),
        set("header-label", vec![(Data::Integer(2), Some(Data::Array(vec![Data::Bytes(vec![])])))]),
        set("header-label", vec![(Data::Bytes(vec![1]), Some(Data::Integer(1)))]),
        set("signing-scheme", vec![none(SCHEME), crit(&[TIME])]),
        set("signing-scheme", vec![is(SCHEME, "notary")]),
        set("header-value", vec![(text(SCHEME), Some(Data::Bytes(b"notary.x509".to_vec())))]),
        set("signing-scheme-not-critical", vec![crit(&[TIME])]),
        set("signing-time-absent", vec![none(TIME)]),
        set("authentic-signing-time-present", vec![at(AUTHENTIC, 5)]),
        set("authentic-signing-time-absent", vec![is(SCHEME, AUTHORITY), none(TIME)]),
        set("signing-time-present", vec![is(SCHEME, AUTHORITY), at(AUTHENTIC, 5), crit(&[SCHEME, AUTHENTIC])]),
        set("authentic-signing-time-not-critical", vec![is(SCHEME, AUTHORITY), none(TIME), at(AUTHENTIC, 5)]),
        set("expiry-not-critical", vec![at(EXPIRY, 2_000_000_000)]),
        set("expiry-not-after-signing", vec![at(EXPIRY, 1_795_190_480), crit(&[SCHEME, EXPIRY])]),
        set("plugin-attribute-not-critical", vec![is(PLUGIN, "p")]),
        set("plugin-attribute-form", vec![is(PLUGIN, ""), crit(&[SCHEME, PLUGIN])]),
        set("plugin-attribute-form", vec![(text(PLUGIN), Some(Data::Integer(1))), crit(&[SCHEME, PLUGIN])]),
        set("plugin-version-alone", vec![is(PLUGIN_VERSION, "1.0.0"), crit(&[SCHEME, PLUGIN_VERSION])]),
        set(
            "plugin-version",
            vec![is(PLUGIN, "p"), is(PLUGIN_VERSION, "1.0"), crit(&[SCHEME, PLUGIN, PLUGIN_VERSION])],
        ),
        cose_but("critical-list-registered-name", "accepted", |cose| {
            cose.set(vec![(Data::Integer(2), Some(Data::Array(vec![text(SCHEME), Data::Integer(1)])))]);
        }),
    ];
    // HMAC 256/256, RS256, EdDSA, ES256K, the reserved value 0, and the six that RFC 9864 gives other numbers.
    for number in [5, -257, -8, -47, 0, -9, -51, -52, i64::MAX, i64::MIN + 1] {
        all.push(set("algorithm-not-allowed", vec![(Data::Integer(1), Some(Data::Integer(number)))]));
    }
    for time in [
        Data::Integer(5),
        text("2026-11-20T16:01:20Z"),
        Data::Tagged(0, Box::new(text("2026-11-20T16:01:20Z"))),
        Data::Tagged(1, Box::new(text("5"))),
        Data::Tagged(1, Box::new(epoch(5))),
        epoch(-62_167_219_201),
        epoch(253_402_300_800),
        Data::Tagged(1, Box::new(Data::Raw([&[0x1b], &[0xff; 8][..]].concat()))),
    ] {
        all.push(set("time", vec![(text(TIME), Some(time))]));
    }
    let float = Data::Tagged(1, Box::new(Data::Raw([&[0xfb], &1.5_f64.to_be_bytes()[..]].concat())));
    all.push(set("?cbor-float", vec![(text(TIME), Some(float))]));
    all
}

/// The rules about the envelope, in COSE.
fn outer_cose() -> Vec<Broken> {
    let certificate = Data::Bytes(Maker::of(NotaryAlgorithm::Es256).certificate);
    let whole = |code, items: Vec<Data>| raw(NotaryFormat::Cose, code, sign1(items));
    let replaced = |code, place: usize, data: Data| {
        let mut items = Cose::new().items();
        items[place] = data;
        whole(code, items)
    };
    let unprotected =
        |code, key: Data, value: Option<Data>| cose(code, |cose| cose.set_unprotected(vec![(key, value)]));
    let chain = |code, value: Data| unprotected(code, Data::Integer(33), Some(value));
    let items = Cose::new().items();
    let untagged = Data::Array(items.clone()).encode();
    vec![
        chain("accepted", certificate.clone()),
        // The specification allows the certificates in the protected header.
        cose("accepted", |cose| {
            let (key, value) = cose.unprotected.remove(0);
            cose.set(vec![(key, Some(value))]);
        }),
        cose("accepted", |cose| {
            let (key, value) = cose.unprotected.remove(0);
            let critical = Data::Array(vec![text(SCHEME), Data::Integer(33)]);
            cose.set(vec![(key, Some(value)), (Data::Integer(2), Some(critical))]);
        }),
        cose("certificate-chain-absent", |cose| {
            let (key, _) = cose.unprotected.remove(0);
            cose.set(vec![(key, Some(Data::Array(vec![])))]);
        }),
        chain("certificate-chain-absent", Data::Array(vec![])),
        unprotected("certificate-chain-absent", Data::Integer(33), None),
        chain("header-value", Data::Array(vec![text("x")])),
        chain("header-value", text("x")),
        chain("?limit", Data::Array(vec![certificate.clone(); 11])),
        chain("?limit", Data::Bytes(vec![0; (64 << 10) + 1])),
        unprotected("timestamp-empty", text(TOKEN), Some(Data::Bytes(vec![]))),
        unprotected("header-value", text(TOKEN), Some(text("x"))),
        unprotected("header-value", text(AGENT), Some(Data::Integer(1))),
        unprotected("header-in-both", Data::Integer(1), Some(Data::Integer(-7))),
        unprotected("header-label", Data::Bytes(vec![]), Some(Data::Integer(1))),
        cose("header-in-both", |cose| cose.set(vec![(Data::Integer(33), Some(certificate.clone()))])),
        cose_but("unknown-member", "accepted", |cose| {
            cose.set_unprotected(vec![(Data::Integer(4), Some(Data::Bytes(vec![1])))]);
        }),
        replaced("cose-structure", 0, Data::Map(vec![])),
        replaced("cose-structure", 0, Data::Bytes(Data::Array(vec![]).encode())),
        replaced("cbor-form", 0, Data::Bytes(vec![])),
        replaced("algorithm-not-allowed", 0, Data::Bytes(vec![0xa0])),
        replaced("cose-structure", 1, Data::Array(vec![])),
        // A detached payload: null.
        replaced("cose-structure", 2, Data::Raw(vec![0xf6])),
        replaced("cose-structure", 3, text("AAA")),
        replaced("signature-absent", 3, Data::Bytes(vec![])),
        whole("cose-structure", items[..3].to_vec()),
        whole("cose-structure", [items.clone(), vec![Data::Bytes(vec![1])]].concat()),
        raw(NotaryFormat::Cose, "cose-tag", untagged.clone()),
        raw(NotaryFormat::Cose, "cose-tag", [&[0xd8, 98], &untagged[..]].concat()),
        raw(NotaryFormat::Cose, "cose-tag", [&[0xd9, 0xd9, 0xf7, 0xd2], &untagged[..]].concat()),
        raw(NotaryFormat::Cose, "cose-structure", vec![0xd2, 0x00]),
        raw(NotaryFormat::Cose, "?limit", vec![0; (1 << 20) + 1]),
    ]
}

/// CBOR with more than one reading, in the message and in the protected header.
fn cbor() -> Vec<Broken> {
    let protected = |code, edit: fn(Vec<u8>) -> Vec<u8>| {
        let mut items = Cose::new().items();
        let Data::Bytes(bytes) = &items[0] else { panic!() };
        items[0] = Data::Bytes(edit(bytes.clone()));
        raw(NotaryFormat::Cose, code, sign1(items))
    };
    let message = |code, edit: fn(Vec<u8>) -> Vec<u8>| raw(NotaryFormat::Cose, code, edit(Cose::new().bytes()));
    let replace = |bytes: Vec<u8>, from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    let mut all = vec![
        protected("cbor-key-twice", |bytes| [&[bytes[0] + 1, 1, 0x26], &bytes[1..]].concat()),
        protected("cbor-form", |bytes| [&[0xbf], &bytes[1..], &[0xff]].concat()),
        protected("cbor-form", |bytes| [&bytes[..], &[0]].concat()),
        protected("cbor-form", |bytes| bytes[..bytes.len() - 1].to_vec()),
        protected("cbor-not-shortest", |bytes| [&[0xb8, 5], &bytes[1..]].concat()),
        protected("cbor-not-shortest", |bytes| [&bytes[..1], &[0x18, 1], &bytes[2..]].concat()),
        message("cbor-not-shortest", |bytes| [&[0xd8, 18], &bytes[1..]].concat()),
        message("cbor-not-shortest", |bytes| [&[0xd2, 0x98, 4], &bytes[2..]].concat()),
        message("cbor-form", |bytes| [&[0xd2, 0x9f], &bytes[2..], &[0xff]].concat()),
        message("cbor-form", |bytes| [&bytes[..], &[0]].concat()),
        message("cbor-form", |bytes| bytes[..bytes.len() - 1].to_vec()),
        message("cbor-form", |_| Vec::new()),
        // An array, a map, text and bytes that claim more than there is.
        message("cbor-form", |_| [&[0xd2, 0x9b], &[0xff; 8][..]].concat()),
        message("cbor-form", |_| [&[0xd2, 0xbb], &[0xff; 8][..]].concat()),
        message("cbor-form", |_| [&[0xd2, 0x7b], &[0xff; 8][..]].concat()),
        message("cbor-form", |_| [&[0xd2, 0x5b], &[0xff; 8][..]].concat()),
        message("cbor-form", |_| vec![0xd2, 0x1c]),
        message("cbor-form", |_| vec![0xd2, 0x61, 0xff]),
        message("?limit", |_| [vec![0x81; 100], vec![0]].concat()),
        message("?limit", |_| [vec![0xc1; 100_000], vec![0]].concat()),
        message("?limit", |_| [&[0x9a, 0, 4, 0, 0], &[0; 262_144][..]].concat()),
    ];
    let mut twice = Cose::new();
    let entry = twice.unprotected[0].clone();
    twice.unprotected.push(entry);
    all.push(raw(NotaryFormat::Cose, "cbor-key-twice", twice.bytes()));
    // The keys 1 and 2 in the other order.
    let bytes = Cose::new().bytes();
    let critical = [&[2][..], &texts(&[SCHEME]).encode()].concat();
    let swapped = replace(bytes, &[&[1, 0x26][..], &critical].concat(), &[&critical[..], &[1, 0x26]].concat());
    let what = "keys in another order".to_owned();
    let format = NotaryFormat::Cose;
    all.push(Broken { bytes: swapped, format, lenient: "accepted", strict: "cbor-key-order", what });
    all
}

fn all() -> Vec<Broken> {
    [signed_jws(), outer_jws(), signed_cose(), outer_cose(), cbor()].into_iter().flatten().collect()
}

#[test]
fn each_rule_refuses_what_breaks_it() {
    let mut wrong = Vec::new();
    for Broken { bytes, format, lenient, strict, what } in all() {
        let found = (verdict(&read(format, &bytes)), verdict(&read_as_notation(format, &bytes)));
        if found != (strict.to_owned(), lenient.to_owned()) {
            let what: String = what.chars().take(400).collect();
            wrong.push(format!("{format}: {strict}, {lenient} expected, but {found:?}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The rules that need a key, a writer or a payload are broken in the other files of this test.
#[test]
fn every_rule_is_broken_by_a_test() {
    let elsewhere = [
        "algorithm-not-of-key",
        "attribute-name",
        "attribute-value",
        "key-not-allowed",
        "payload-descriptor",
        "payload-size",
        "signature",
        "timestamp-present",
        "unknown-critical-attribute",
        "verification-plugin",
    ];
    let broken = all();
    let here = broken.iter().map(|broken| broken.strict.trim_start_matches('?'));
    let codes: BTreeSet<_> =
        here.chain(elsewhere).filter(|code| !["accepted", "json", "limit"].contains(code)).collect();
    let rules: BTreeSet<_> = NotaryRule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes, rules);
    let page = include_str!("../../docs/notary.md");
    for rule in NotaryRule::ALL {
        let (code, clause) = (rule.code(), rule.clause());
        assert!(page.lines().any(|line| line.starts_with(&format!("| `{code}` |")) && line.contains(clause)), "{code}");
        assert!(!rule.clause().is_empty() && !rule.broken().is_empty());
        assert_eq!(rule.to_string(), rule.code());
    }
}

/// Attributes that are compared with each other are few: an envelope with as many as fit is could-not-tell, and a list of
/// critical ones that is longer than the header names one that is absent.
#[test]
fn many_attributes_are_bounded() {
    let names: Vec<String> = (0..256).map(|number| format!("n{number}")).collect();
    let mut jws = Jws::new();
    let mut cose = Cose::new();
    for name in &names {
        jws.protected[name] = json!("");
        cose.protected.push((text(name), text("")));
    }
    for (format, bytes) in [(NotaryFormat::Jws, jws.bytes()), (NotaryFormat::Cose, cose.bytes())] {
        assert_eq!(verdict(&read(format, &bytes)), "?limit");
        assert_eq!(verdict(&read_as_notation(format, &bytes)), "?limit");
    }
    let mut jws = Jws::new();
    let mut unprotected = Jws::new();
    for name in &names {
        jws.protected["crit"].as_array_mut().unwrap().push(json!(name));
        unprotected.header().insert(name.clone(), json!(""));
    }
    assert_eq!(verdict(&read(NotaryFormat::Jws, &jws.bytes())), "critical-attribute-absent");
    assert_eq!(verdict(&read_as_notation(NotaryFormat::Jws, &unprotected.bytes())), "?limit");
}

/// A limit may be lowered, and what is more than it is could-not-tell.
#[test]
fn each_limit_is_could_not_tell() {
    use bulla::envelope::NotaryEnvelope;
    use bulla::envelope::Strictness;

    let envelopes = [(NotaryFormat::Cose, Cose::new().bytes()), (NotaryFormat::Jws, Jws::new().bytes())];
    for (format, bytes) in envelopes {
        let with = |change: fn(&mut Limits)| {
            let limits = Limits::DEFAULT.with(change);
            verdict(&NotaryEnvelope::parse(format, &bytes, &limits, Strictness::Strict))
        };
        assert_eq!(with(|_| ()), "accepted");
        assert_eq!(with(|limits| limits.envelope.certificate_chain = 0), "?limit");
        assert_eq!(with(|limits| limits.envelope.certificate_bytes = 10), "?limit");
        assert_eq!(with(|limits| limits.evidence.signature_bytes = 10), "?limit");
        assert_eq!(with(|limits| limits.envelope.header_parameters = 4), "?limit");
        assert_eq!(with(|limits| limits.envelope.header_parameters = 5), "accepted");
        assert!(["?limit", "?json"].contains(&&*with(|limits| limits.json.depth = 1)), "{format}");
        assert!(["?limit", "?json"].contains(&&*with(|limits| limits.json.values = 5)), "{format}");
    }
}
