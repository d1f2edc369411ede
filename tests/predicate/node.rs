//! How strictly a predicate is read.

use bulla::limits::Limits;
use bulla::predicate::JsonNode;
use bulla::predicate::PredicateError;
use bulla::predicate::PredicateProblem;

fn node(text: &str) -> JsonNode<'_> {
    JsonNode::parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

/// The code and path of the error of `read` about `text`.
fn broken<T: std::fmt::Debug>(text: &str, read: impl Fn(JsonNode<'_>) -> Result<T, PredicateError>) -> String {
    let error = read(node(text)).unwrap_err();
    assert!(!error.is_limit(), "{error}");
    format!("{} {}", error.code(), error.path())
}

#[test]
fn an_error_names_the_json_pointer() {
    let deep = |node: JsonNode<'_>| node.object()?.required_object("a/b")?.required("c~d")?.text().map(|_| ());
    assert_eq!(broken("[]", deep), "wrong-type ");
    assert_eq!(broken("{}", deep), "missing /a~1b");
    assert_eq!(broken(r#"{"a/b":null}"#, deep), "missing /a~1b");
    assert_eq!(broken(r#"{"a/b":[]}"#, deep), "wrong-type /a~1b");
    assert_eq!(broken(r#"{"a/b":{}}"#, deep), "missing /a~1b/c~0d");
    assert_eq!(broken(r#"{"a/b":{"c~d":1}}"#, deep), "wrong-type /a~1b/c~0d");
    let second =
        |node: JsonNode<'_>| node.object()?.required("list")?.items()?.nth(1).unwrap().filled_text().map(|_| ());
    assert_eq!(broken(r#"{"list":["a",""]}"#, second), "empty /list/1");
    assert_eq!(broken(r#"{"list":{"a":1}}"#, second), "wrong-type /list");
    let time = |node: JsonNode<'_>| node.object()?.optional_time("at");
    assert_eq!(broken(r#"{"at":"yesterday"}"#, time), "malformed /at");
    assert_eq!(broken(r#"{"at":7}"#, time), "wrong-type /at");
}

/// Go's `encoding/json` reads `Result` as `result`, and keeps the later of the two (threats: json-keys-differ-by-case).
#[test]
fn keys_that_differ_in_case_are_refused() {
    for text in [r#"{"Result":1}"#, r#"{"result":1,"RESULT":2}"#, r#"{"RESULT":2,"result":1}"#, "{\"re\u{17f}ult\":1}"]
    {
        assert_eq!(broken(text, |node| node.object()?.optional("result").map(|_| ())), "ambiguous-key ", "{text}");
    }
    // Other fields, and the keys of maps, are data.
    let other = node(r#"{"result":1,"Other":2,"other":3}"#);
    assert_eq!(other.object().unwrap().required("result").unwrap().json(), "1");
    assert_eq!(other.object().unwrap().entries().count(), 3);
}

#[test]
fn what_two_readers_understand_differently_is_no_predicate() {
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1}{}"#, "{\"a\":\"\\ud800\"}", "\u{feff}{}", "{\"a\":01}", "", "{a:1}"] {
        let error = JsonNode::parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err();
        assert!(!error.is_limit() && error.code() == "not-json", "{text:?}: {error}");
    }
}

#[test]
fn more_than_a_limit_is_could_not_tell() {
    let limits = Limits::DEFAULT.with(|limits| {
        limits.json.depth = 3;
        limits.json.predicate_depth = 3;
        limits.json.string_bytes = 4;
        limits.json.values = 5;
    });
    let read = |text: &str| JsonNode::parse(text.as_bytes(), &limits).map(|_| ());
    for text in ["[[[1]]]", "\"1234\"", "[1,2,3]"] {
        read(text).unwrap();
    }
    for text in ["[[[[1]]]]", "[\"1\\u0032345\"]", "[[],[],[],[],[],[],[]]"] {
        let error = read(text).unwrap_err();
        assert!(error.is_limit() && error.code() == "too-large", "{text}: {error}");
        assert!(matches!(error.problem(), PredicateProblem::Json(_)));
    }
}

/// `0001-01-01T00:00:00Z` is the time that Go programs write where they have none.
#[test]
fn a_zero_time_is_no_time() {
    for zero in ["", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-12-31T23:59:59Z"] {
        assert_eq!(node(&format!("\"{zero}\"")).time().unwrap(), None, "{zero}");
    }
    let time = node("\"0002-01-01T00:00:00Z\"").time().unwrap().unwrap();
    assert_eq!(time.to_string(), "0002-01-01T00:00:00Z");
    assert!(node("\"2026-01-02\"").time().is_err());
}

/// A value is found without recursion, whatever its depth.
#[test]
fn deep_values_are_read() {
    let deep = format!("{{\"a\":{}1{},\"b\":\"x\"}}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(node(&deep).object().unwrap().required_text("b").unwrap(), "x");
}
