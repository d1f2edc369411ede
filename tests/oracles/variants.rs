//! A bundle of ours in which something was changed: who reads it, and why where one does and the other does not.

use bulla::envelope::base64;
use serde_json::Value;
use serde_json::json;

/// One change.
pub struct Variant {
    pub what: &'static str,
    pub text: String,
    pub ours: bool,
    pub theirs: bool,
    /// The reason why the two differ.
    pub reason: &'static str,
}

/// Every change.
pub fn all(bundle: &Value) -> Vec<Variant> {
    let groups = [versions, material, content, spelling, keys, text];
    groups.iter().flat_map(|group| group(bundle)).collect()
}

const DUPLICATE: &str = "duplicate keys are refused wherever they stand";
const ENTRIES: &str = "we count log entries and do not read them: they decide nothing with a key";
const NULL: &str = "null is an absent field in the JSON form of protocol buffers";

fn both_read(what: &'static str, text: String) -> Variant {
    Variant { what, text, ours: true, theirs: true, reason: "" }
}

fn both_refuse(what: &'static str, text: String) -> Variant {
    Variant { what, text, ours: false, theirs: false, reason: "" }
}

fn only_we_read(what: &'static str, text: String, reason: &'static str) -> Variant {
    Variant { what, text, ours: true, theirs: false, reason }
}

fn only_the_oracle_reads(what: &'static str, text: String, reason: &'static str) -> Variant {
    Variant { what, text, ours: false, theirs: true, reason }
}

fn versions(bundle: &Value) -> Vec<Variant> {
    let with = |media_type: &str| set(bundle, "/mediaType", json!(media_type));
    vec![
        both_read("as it is", bundle.to_string()),
        both_read("the other name of 0.3", with("application/vnd.dev.sigstore.bundle+json;version=0.3")),
        both_read("0.1 with a key", with("application/vnd.dev.sigstore.bundle+json;version=0.1")),
        both_read("0.2 with a key", with("application/vnd.dev.sigstore.bundle+json;version=0.2")),
        both_refuse("0.4", with("application/vnd.dev.sigstore.bundle.v0.4+json")),
        both_refuse("a parameter", with("application/vnd.dev.sigstore.bundle.v0.3+json;a=b")),
        both_refuse("capitals", with("application/vnd.dev.Sigstore.bundle.v0.3+json")),
        both_refuse("empty media type", with("")),
        only_the_oracle_reads(
            "no media type",
            set(bundle, "/mediaType", Value::Null),
            "it takes 0.1 for granted; the version must be stated",
        ),
    ]
}

fn material(bundle: &Value) -> Vec<Variant> {
    let with = |material: Value| set(bundle, "/verificationMaterial", material);
    let entries = |entries: Value| set(bundle, "/verificationMaterial/tlogEntries", entries);
    let beside = |field: &str| with_field(bundle, r#""verificationMaterial":{"#, field);
    let entry = |index: &str| {
        json!({
            "logIndex": index,
            "logId": {"keyId": base64::encode(&[0; 32])},
            "integratedTime": "1700000000",
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "canonicalizedBody": "e30=",
        })
    };
    let ignored = "the key is the operator's: what stands beside the envelope decides nothing";
    vec![
        both_refuse("no material", with(Value::Null)),
        only_we_read("empty material", with(json!({})), ignored),
        both_read("a key without a hint", with(json!({"publicKey": {}}))),
        both_refuse("a hint that is a number", with(json!({"publicKey": {"hint": 1}}))),
        both_read("a certificate that is none", with(json!({"certificate": {"rawBytes": "AAAA"}}))),
        both_refuse("a certificate that is no base64", with(json!({"certificate": {"rawBytes": "A"}}))),
        both_read("an empty chain", with(json!({"x509CertificateChain": {"certificates": []}}))),
        both_read("a log entry", entries(json!([entry("1")]))),
        only_we_read("a log index below zero", entries(json!([entry("-1")])), ENTRIES),
        only_we_read("an empty log entry", entries(json!([{}])), ENTRIES),
        only_we_read("log entries null", beside(r#""tlogEntries":null"#), NULL),
        both_read("timestamps null", beside(r#""timestampVerificationData":null"#)),
        both_read("32 log entries", entries(json!(vec![entry("1"); 32]))),
        only_the_oracle_reads("33 log entries", entries(json!(vec![entry("1"); 33])), "our limit is 32"),
    ]
}

fn content(bundle: &Value) -> Vec<Variant> {
    let sig = &bundle["dsseEnvelope"]["signatures"][0]["sig"];
    let digest = json!({"algorithm": "SHA2_256", "digest": base64::encode(&[0; 32])});
    let message = json!({"messageDigest": digest, "signature": sig});
    let mut file = bundle.clone();
    file.as_object_mut().unwrap().remove("dsseEnvelope");
    let set = |field: &str, value: Value| set(bundle, field, value);
    let signatures = |list: Value| set("/dsseEnvelope/signatures", list);
    let several = "DSSE allows several; what is counted are keys";
    vec![
        both_refuse("no content", file.to_string()),
        only_the_oracle_reads(
            "a message signature",
            self::set(&file, "/messageSignature", message.clone()),
            "it signs a file, not an image",
        ),
        only_the_oracle_reads("both", set("/messageSignature", message), "one of the two would be ignored"),
        both_refuse("no signatures", signatures(json!([]))),
        both_refuse("no list of signatures", signatures(Value::Null)),
        only_the_oracle_reads(
            "an empty signature",
            signatures(json!([{"sig": ""}])),
            "no key makes an empty signature",
        ),
        only_we_read("two signatures", signatures(json!([{"sig": sig}, {"sig": sig}])), several),
        both_read("a key id", signatures(json!([{"sig": sig, "keyid": "a"}]))),
        only_we_read("a key id null", signatures(json!([{"sig": sig, "keyid": null}])), NULL),
        both_refuse("a key id that is a number", signatures(json!([{"sig": sig, "keyid": 1}]))),
        both_read("an empty payload type", set("/dsseEnvelope/payloadType", json!(""))),
        both_refuse("no payload type", set("/dsseEnvelope/payloadType", Value::Null)),
        both_refuse("no payload", set("/dsseEnvelope/payload", Value::Null)),
    ]
}

fn spelling(bundle: &Value) -> Vec<Variant> {
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    assert!(payload.ends_with('=') && payload.contains(['+', '/']), "it tells nothing about spelling: {payload}");
    let with = |payload: &str| set(bundle, "/dsseEnvelope/payload", json!(payload));
    let bare = payload.trim_end_matches('=');
    vec![
        both_read("URL alphabet", with(&payload.replace('+', "-").replace('/', "_"))),
        both_refuse("both alphabets", with(&format!("-_+/{payload}"))),
        only_the_oracle_reads("no padding", with(bare), "one spelling of each value: every writer pads"),
        both_refuse("too much padding", with(&format!("{payload}="))),
        both_refuse("stray bits", with("e31=")),
        both_refuse("a line end in base64", with(&format!("{payload}\n"))),
        both_refuse("a space in base64", with(&format!(" {payload}"))),
    ]
}

fn keys(bundle: &Value) -> Vec<Variant> {
    let outside = |field: &str| with_field(bundle, "{", field);
    let media_type = r#""mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json""#;
    let envelope = format!(r#""dsseEnvelope":{}"#, bundle["dsseEnvelope"]);
    vec![
        both_refuse("snake case", bundle.to_string().replace("payloadType", "payload_type")),
        both_read("an unknown field", outside(r#""unknown":1"#)),
        only_the_oracle_reads("an unknown field twice", outside(r#""unknown":1,"unknown":2"#), DUPLICATE),
        both_refuse("mediaType twice", outside(media_type)),
        only_the_oracle_reads("dsseEnvelope twice", outside(&envelope), DUPLICATE),
        both_refuse("payload twice", with_field(bundle, r#""dsseEnvelope":{"#, r#""payload":"e30=""#)),
        both_refuse("sig twice", with_field(bundle, r#""signatures":[{"#, r#""sig":"e30=""#)),
    ]
}

fn text(bundle: &Value) -> Vec<Variant> {
    let nested =
        |depth: usize| with_field(bundle, "{", &format!(r#""unknown":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
    vec![
        both_read("nested 40 deep", nested(40)),
        only_the_oracle_reads("nested 100 deep", nested(100), "our limit is 64"),
        both_refuse("nested 200 deep", nested(200)),
        both_refuse("half a surrogate pair", with_field(bundle, "{", r#""unknown":"\ud800""#)),
        both_refuse("a mark at the start", format!("\u{feff}{bundle}")),
        both_refuse("more after the end", format!("{bundle}{{}}")),
        both_read("white space after the end", format!("{bundle}\n \t")),
        both_refuse("a list", format!("[{bundle}]")),
        both_refuse("nothing", String::new()),
    ]
}

/// The bundle with the value at this place set; null takes the field away.
fn set(bundle: &Value, place: &str, value: Value) -> String {
    let mut bundle = bundle.clone();
    let (parent, field) = place.rsplit_once('/').unwrap();
    let parent = bundle.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(field)),
        value => drop(parent.insert(field.to_owned(), value)),
    }
    bundle.to_string()
}

/// The bundle with one more field, right after the first place where this stands.
fn with_field(bundle: &Value, after: &str, field: &str) -> String {
    let text = bundle.to_string();
    let at = text.find(after).unwrap() + after.len();
    format!("{}{field},{}", &text[..at], &text[at..])
}
