//! Signing configs: read strictly, and the services that a client selects from them.

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::sigstore::ClientTrustConfig;
use bulla::trust::sigstore::ServiceSelectionError;
use bulla::trust::sigstore::ServiceSelector;
use bulla::trust::sigstore::SigningConfig;
use bulla::trust::sigstore::SigningConfigError;
use bulla::trust::sigstore::SigstoreInstance;
use serde_json::Value;
use serde_json::json;

use crate::vectors;

fn config(logs: &Value, selector: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogUrls": logs,
        "rekorTlogConfig": selector,
        "tsaUrls": [{
            "url": "https://tsa.example/api/v1/timestamp", "majorApiVersion": 1, "operator": "one.example",
            "validFor": {"start": "2025-07-04T00:00:00Z"},
        }],
        "tsaConfig": {"selector": "ANY"},
    })
}

/// A log of this name: version, operator, start and end.
fn log(name: &str, version: u32, operator: &str, start: &str, end: Option<&str>) -> Value {
    let period = match end {
        Some(end) => json!({"start": start, "end": end}),
        None => json!({"start": start}),
    };
    json!({"url": format!("https://{name}.example"), "majorApiVersion": version, "operator": operator, "validFor": period})
}

fn parse(config: &Value) -> Result<SigningConfig, SigningConfigError> {
    SigningConfig::parse(config.to_string().as_bytes(), &Limits::DEFAULT)
}

fn logs() -> Value {
    json!([
        log("old", 1, "a", "2021-01-01T00:00:00Z", None),
        log("over", 2, "a", "2024-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
        log("later", 2, "a", "2027-01-01T00:00:00Z", None),
        log("first", 2, "a", "2025-01-01T00:00:00Z", None),
        log("newest", 2, "a", "2026-01-01T00:00:00Z", None),
        log("other", 1, "b", "2026-02-01T00:00:00Z", None),
        log("third", 3, "c", "2026-03-01T00:00:00Z", None),
    ])
}

/// The hosts that are selected for versions 1 and 2.
fn selected(selector: &Value, supported: &[u32], at: &str) -> Result<Vec<String>, ServiceSelectionError> {
    let config = parse(&config(&logs(), selector)).unwrap();
    let selected = config.transparency_logs().select(supported, Time::parse(at).unwrap())?;
    Ok(selected.iter().map(|one| one.url().replace("https://", "").replace(".example", "")).collect())
}

const NOW: &str = "2026-11-26T12:00:00Z";

#[test]
fn one_service_of_an_operator_is_selected_the_highest_version_and_newest_first() {
    let (all, any) = (json!({"selector": "ALL"}), json!({"selector": "ANY"}));
    let exact = |count: u32| json!({"selector": "EXACT", "count": count});
    assert_eq!(selected(&all, &[1, 2], NOW).unwrap(), ["newest", "other"]);
    assert_eq!(selected(&all, &[1, 2, 3], NOW).unwrap(), ["third", "newest", "other"]);
    assert_eq!(selected(&any, &[2, 1], NOW).unwrap(), ["newest"]);
    assert_eq!(selected(&any, &[1], NOW).unwrap(), ["other"]);
    assert_eq!(selected(&exact(1), &[1, 2], NOW).unwrap(), ["newest"]);
    assert_eq!(selected(&exact(2), &[1, 2], NOW).unwrap(), ["newest", "other"]);
    assert_eq!(selected(&exact(3), &[1, 2], NOW), Err(ServiceSelectionError::TooFew { found: 2, wanted: 3 }));
    for selector in [all, any] {
        assert_eq!(selected(&selector, &[4], NOW), Err(ServiceSelectionError::TooFew { found: 0, wanted: 1 }));
        assert_eq!(selected(&selector, &[], NOW), Err(ServiceSelectionError::TooFew { found: 0, wanted: 1 }));
        assert!(selected(&selector, &[1, 2], "2020-12-31T23:59:59Z").is_err());
    }
}

#[test]
fn validity_periods_include_both_ends() {
    let all = json!({"selector": "ALL"});
    assert_eq!(selected(&all, &[2], "2026-01-01T00:00:00Z").unwrap(), ["newest"]);
    assert_eq!(selected(&all, &[2], "2025-12-31T23:59:59Z").unwrap(), ["first"]);
    let only = json!([log("over", 2, "a", "2024-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z"))]);
    let group = parse(&config(&only, &all)).unwrap();
    let count = |at: &str| group.transparency_logs().select(&[2], Time::parse(at).unwrap()).map(|all| all.len());
    assert_eq!(count("2026-01-01T00:00:00Z"), Ok(1));
    assert!(count("2026-01-01T00:00:01Z").is_err());
    assert!(count("2023-12-31T23:59:59Z").is_err());
}

#[test]
fn a_config_without_services_selects_nothing() {
    let empty = parse(&json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {},
    }));
    let empty = empty.unwrap();
    assert_eq!(empty.transparency_logs().selector(), None);
    assert_eq!(empty.timestamp_authorities().select(&[1], Time::EPOCH), Ok(Vec::new()));
    let Some(suite) = vectors::suite("peer-goldens") else { return };
    let bytes = std::fs::read(suite.join("shared/signing_config.empty.json")).unwrap();
    assert_eq!(SigningConfig::parse(&bytes, &Limits::DEFAULT).unwrap(), empty);
}

#[test]
fn each_fault_of_a_config_is_refused_by_its_reason() {
    let all = json!({"selector": "ALL"});
    let good = config(&logs(), &all);
    assert_eq!(parse(&good).unwrap().transparency_logs().selector(), Some(ServiceSelector::All));
    let fault = |pointer: &str, value: Value| {
        let mut bad = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = bad.pointer_mut(parent).unwrap();
        match parent.as_array_mut() {
            Some(array) => array[key.parse::<usize>().unwrap()] = value,
            None => parent[key] = value,
        }
        parse(&bad).unwrap_err()
    };
    let first = "/rekorTlogUrls/0";
    let service = |field: &str, value: Value| fault(&format!("{first}/{field}"), value);
    assert!(matches!(
        fault("/mediaType", json!("application/vnd.dev.sigstore.signingconfig.v0.1+json")),
        SigningConfigError::MediaType { .. }
    ));
    assert!(matches!(fault("/extra", json!(1)), SigningConfigError::Json { .. }));
    assert!(matches!(service("extra", json!(1)), SigningConfigError::Json { .. }));
    assert!(matches!(service("majorApiVersion", json!(0)), SigningConfigError::Json { .. }));
    assert!(matches!(service("majorApiVersion", json!("1")), SigningConfigError::Json { .. }));
    assert!(matches!(
        service("majorApiVersion", Value::Null),
        SigningConfigError::Missing { field: "majorApiVersion", .. }
    ));
    assert!(matches!(service("validFor", Value::Null), SigningConfigError::Missing { field: "validFor.start", .. }));
    assert!(matches!(service("validFor", json!({"end": "2026-01-01T00:00:00Z"})), SigningConfigError::Missing { .. }));
    assert!(matches!(service("validFor", json!({"start": "yesterday"})), SigningConfigError::Period { index: 0, .. }));
    assert!(matches!(
        service("validFor", json!({"start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"})),
        SigningConfigError::Period { .. }
    ));
    assert!(matches!(service("url", json!("")), SigningConfigError::Missing { field: "url", .. }));
    for url in [
        "rekor.example",
        "ftp://rekor.example",
        "https://",
        "https:///x",
        "https://:80",
        "https://a:b@rekor.example",
        "https://rekor.example/a b",
        "https://rekor.example\\@x",
        "https://rekör.example",
        "HTTPS://rekor.example",
    ] {
        assert!(matches!(service("url", json!(url)), SigningConfigError::Url { .. }), "{url}");
    }
    for selector in [json!({}), json!({"selector": "any"}), json!({"selector": "UNDEFINED"}), Value::Null] {
        assert!(matches!(fault("/rekorTlogConfig", selector), SigningConfigError::Selector { .. }));
    }
    for selector in
        [json!({"selector": "EXACT"}), json!({"selector": "EXACT", "count": 0}), json!({"selector": "ANY", "count": 2})]
    {
        assert!(matches!(fault("/rekorTlogConfig", selector), SigningConfigError::Count { .. }));
    }
    let few = Limits::DEFAULT.with(|limits| limits.transparency.trusted_root_entries = 6);
    let small = Limits::DEFAULT.with(|limits| limits.transparency.trusted_root_bytes = 100);
    for limits in [few, small] {
        let error = SigningConfig::parse(good.to_string().as_bytes(), &limits).unwrap_err();
        assert!(matches!(error, SigningConfigError::Limit { .. }) && error.is_limit());
    }
    let text = good.to_string();
    let exact = Limits::DEFAULT.with(|limits| {
        limits.transparency.trusted_root_entries = 7;
        limits.transparency.trusted_root_bytes = text.len() as u64;
    });
    assert!(SigningConfig::parse(text.as_bytes(), &exact).is_ok());
    assert!(SigningConfig::parse(format!("{text} ").as_bytes(), &exact).unwrap_err().is_limit());
    let twice = good.to_string().replacen("\"tsaConfig\"", "\"tsaUrls\":[],\"tsaConfig\"", 1);
    assert!(matches!(SigningConfig::parse(twice.as_bytes(), &Limits::DEFAULT), Err(SigningConfigError::Json { .. })));
}

#[test]
fn a_client_trust_config_has_a_trusted_root_and_a_signing_config() {
    let root: Value = serde_json::from_slice(SigstoreInstance::PublicGood.trusted_root_json()).unwrap();
    let client = json!({
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root, "signingConfig": config(&logs(), &json!({"selector": "ANY"})),
    });
    let parse = |client: &Value| ClientTrustConfig::parse(client.to_string().as_bytes(), &Limits::DEFAULT);
    let read = parse(&client).unwrap();
    assert_eq!(read.trusted_root.transparency_logs().len(), 2);
    assert_eq!(read.signing_config.timestamp_authorities().services()[0].operator(), "one.example");
    let with = |key: &str, value: Value| {
        let mut changed = client.clone();
        changed[key] = value;
        parse(&changed).unwrap_err()
    };
    assert!(matches!(with("trustedRoot", json!({})), SigningConfigError::TrustedRoot { .. }));
    assert!(matches!(with("signingConfig", json!({})), SigningConfigError::Json { .. }));
    assert!(matches!(with("signingConfig", Value::Null), SigningConfigError::Json { .. }));
    assert!(matches!(with("extra", json!(1)), SigningConfigError::Json { .. }));
    assert!(matches!(with("mediaType", json!("x")), SigningConfigError::MediaType { .. }));
}
