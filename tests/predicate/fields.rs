//! Any predicate by JSON Pointer, with numbers that are compared exactly.

use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::predicate::DecimalNumber;
use bulla::predicate::FieldComparison;
use bulla::predicate::FieldLiteral;
use bulla::predicate::JsonPointer;
use bulla::predicate::JsonPointerError;
use bulla::predicate::PredicateFields;

const DOCUMENT: &str = r#"{
    "": 0, "a/b": 1, "m~n": 8, "decision": "approved", "ok": true, "none": null, "quoted": "7", "list": ["x", {"n": 7.50}],
    "big": 9007199254740993, "tenth": 0.1, "huge": 1e300, "deep": {"Other": 1}
}"#;

fn number(text: &str) -> DecimalNumber {
    DecimalNumber::parse(text).unwrap_or_else(|| panic!("{text}"))
}

fn text(text: &str) -> FieldLiteral {
    FieldLiteral::Text(text.to_owned())
}

fn passes(pointer: &str, test: &FieldComparison) -> bool {
    let fields = PredicateFields::read(DOCUMENT.as_bytes(), &Limits::DEFAULT).unwrap();
    fields.passes(&JsonPointer::parse(pointer).unwrap(), test).unwrap()
}

/// RFC 6901 section 5, as far as the values are here.
#[test]
fn a_pointer_finds_a_value() {
    let fields = PredicateFields::read(DOCUMENT.as_bytes(), &Limits::DEFAULT).unwrap();
    let get = |pointer: &str| fields.get(&JsonPointer::parse(pointer).unwrap()).unwrap().map(|node| node.json());
    for (pointer, value) in
        [("/", "0"), ("/a~1b", "1"), ("/m~0n", "8"), ("/list/0", "\"x\""), ("/list/1/n", "7.50"), ("/ok", "true")]
    {
        assert_eq!(get(pointer), Some(value), "{pointer}");
    }
    for nothing in
        ["/none", "/none/x", "/missing", "/list/2", "/list/01", "/list/-", "/list/+0", "/decision/0", "/ok/x"]
    {
        assert_eq!(get(nothing), None, "{nothing}");
    }
    for (wrong, why) in [
        ("", JsonPointerError::Slash),
        ("decision", JsonPointerError::Slash),
        ("/a~", JsonPointerError::Escape),
        ("/a~2b", JsonPointerError::Escape),
        (&"/a".repeat(65), JsonPointerError::TooLong),
    ] {
        assert_eq!(JsonPointer::parse(wrong), Err(why), "{wrong}");
    }
    // A key that another reader takes for the segment is no absence.
    let error = fields.get(&JsonPointer::parse("/deep/other").unwrap()).unwrap_err();
    assert_eq!(error.code(), "ambiguous-key");
}

#[test]
fn a_value_passes_a_test_of_its_own_type_only() {
    let equals = |pointer: &str, value: FieldLiteral| passes(pointer, &FieldComparison::Equals(value));
    assert!(equals("/decision", text("approved")) && !equals("/decision", text("Approved")));
    assert!(!equals("/decision", text("approve")) && !equals("/missing", text("approved")));
    assert!(equals("/ok", text("true")) && !equals("/ok", text("false")) && !equals("/ok", text("True")));
    assert!(equals("/list/1/n", FieldLiteral::Number(number("7.5"))));
    assert!(!equals("/quoted", FieldLiteral::Number(number("7"))) && !equals("/list/1/n", text("7.50")));
    assert!(!equals("/none", text("null")) && !equals("/list", text("x")) && !equals("/deep", text("{}")));
    let one_of = FieldComparison::OneOf(NonEmpty::collect([text("waived"), text("approved")]).unwrap());
    assert!(passes("/decision", &one_of) && !passes("/quoted", &one_of) && !passes("/missing", &one_of));
    for (pointer, exists) in [("/ok", true), ("/list", true), ("/none", false), ("/missing", false)] {
        assert_eq!(passes(pointer, &FieldComparison::Exists), exists, "{pointer}");
    }
    for (test, pointer, want) in [
        (FieldComparison::AtMost(number("7.5")), "/list/1/n", true),
        (FieldComparison::AtMost(number("7.49")), "/list/1/n", false),
        (FieldComparison::AtLeast(number("7.5")), "/list/1/n", true),
        (FieldComparison::AtLeast(number("7.500001")), "/list/1/n", false),
        (FieldComparison::AtMost(number("100")), "/quoted", false),
        (FieldComparison::AtLeast(number("0")), "/missing", false),
        (FieldComparison::AtMost(number("100")), "/none", false),
        (FieldComparison::AtMost(number("9007199254740992")), "/big", false),
        (FieldComparison::AtMost(number("0.1")), "/tenth", true),
        (FieldComparison::AtMost(number("99999")), "/huge", false),
    ] {
        assert_eq!(passes(pointer, &test), want, "{pointer} {test:?}");
    }
}

#[test]
fn numbers_are_compared_digit_by_digit() {
    let sorted = [
        "-1e3",
        "-10.01",
        "-10",
        "-0.5",
        "0",
        "1e-999999999",
        "0.09",
        "0.1",
        "1",
        "1.0000000000000000001",
        "9",
        "10",
        "1e400",
    ];
    for (at, one) in sorted.iter().enumerate() {
        for (other_at, other) in sorted.iter().enumerate() {
            assert_eq!(number(one).cmp(&number(other)), at.cmp(&other_at), "{one} {other}");
        }
    }
    for (one, other) in [("1", "1.0"), ("1", "10e-1"), ("0", "-0"), ("0", "0e5"), ("100", "1E+2"), ("0.00120", "12e-4")]
    {
        assert_eq!(number(one), number(other));
    }
    for wrong in [
        "",
        "-",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "1_0",
        " 1",
        "1e1234567890",
        "--1",
        "1e--1",
        "1e1.5",
    ] {
        assert!(DecimalNumber::parse(wrong).is_none(), "{wrong}");
    }
}
