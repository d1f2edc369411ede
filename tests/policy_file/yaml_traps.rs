//! Thirty traps of YAML: text that means something else than it seems is an error with its position.

use crate::found;
use crate::with_block;

/// A file, and the code and position of the first error.
const TRAPS: &[(&str, &str, &str)] = &[
    ("aliases", "a: &x 1\nb: *x\n", "1:4 yaml-anchor"),
    ("an alias without its anchor", "a: *x\n", "1:4 yaml-alias"),
    ("a wildcard that begins with `*`", "match: [*.example.com/**]\n", "1:9 yaml-alias"),
    ("merge keys", "a: { b: c }\nd:\n  <<: { e: f }\n", "3:3 yaml-merge-key"),
    ("tags", "a: !!str 12\n", "1:4 yaml-tag"),
    ("tags of one's own", "a: !secret x\n", "1:4 yaml-tag"),
    ("Norway", "country: no\n", "1:10 yaml-boolean"),
    ("on and off", "a: On\n", "1:4 yaml-boolean"),
    ("one letter", "a: y\n", "1:4 yaml-boolean"),
    ("a boolean as a key", "on: x\n", "1:1 yaml-boolean"),
    ("true", "a: TRUE\n", "1:4 yaml-boolean"),
    ("an empty value", "a:\nb: x\n", "1:2 yaml-null"),
    ("null", "a: null\n", "1:4 yaml-null"),
    ("a tilde", "a: [~]\n", "1:5 yaml-null"),
    ("a flow mapping without a space after the colon", "a: { b:c }\n", "1:10 yaml-null"),
    ("keys that stand twice", "a: b\na: c\n", "2:1 yaml-duplicate-key"),
    ("keys that stand twice, one of them quoted", "a: b\n\"a\": c\n", "2:1 yaml-duplicate-key"),
    ("keys that stand twice in a flow mapping", "x: { a: b, a: c }\n", "1:12 yaml-duplicate-key"),
    ("a list as a key", "[a]: b\n", "1:1 yaml-key"),
    ("a mapping as a key", "? { a: b }\n: c\n", "1:3 yaml-key"),
    ("tabs", "a:\n\tb: c\n", "2:1 yaml-tab"),
    ("tabs after text", "a: b\t# c\n", "1:5 yaml-tab"),
    ("directives", "%YAML 1.1\n---\na: b\n", "1:1 yaml-directive"),
    ("a byte order mark", "\u{feff}a: b\n", "1:1 yaml-byte-order-mark"),
    ("a hidden character", "a: b # \u{202e} c\n", "1:8 yaml-character"),
    ("a control character", "a: \u{1b}[31m\n", "1:4 yaml-character"),
    ("a line end of old computers", "a: b\rc: d\n", "1:5 yaml-character"),
    ("a second document", "a: b\n---\nc: d\n", "2:1 yaml-second-document"),
    ("a text that goes on", "a: b\n  c\n", "1:4 yaml-lines"),
    ("a quoted text that goes on", "a: \"b\n  c\"\n", "1:4 yaml-lines"),
    ("bad indentation", "a:\n    b: c\n  d: e\n", "3:3 yaml-syntax"),
    ("a colon in a text", "a: b: c\n", "1:5 yaml-syntax"),
    ("a text that begins with `@`", "a: @b\n", "1:4 yaml-syntax"),
    ("an open quote", "a: \"b\n", "1:4 yaml-syntax"),
    ("an open bracket", "a: [b\n", "2:1 yaml-syntax"),
    ("nothing", "", "1:1 yaml-empty"),
    ("comments alone", "# a\n", "1:1 yaml-empty"),
    ("a document without content", "---\n...\n", "2:1 yaml-null"),
];

#[test]
fn each_trap_is_an_error_with_its_position() {
    let mut wrong = Vec::new();
    for (trap, text, want) in TRAPS {
        let errors = found(text.as_bytes());
        let first = errors.iter().find(|error| error.problem.code().starts_with("yaml-"));
        let got = first.map(|error| format!("{} {}", error.position, error.problem.code()));
        if got.as_deref() != Some(*want) {
            wrong.push(format!("{trap}: wanted {want}, got {got:?}: {}", crate::shown(&errors)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_not_utf_8_are_an_error_with_their_position() {
    let errors = found(b"a: b\nc: \xe9\n");
    assert_eq!(crate::shown(&errors), "2:4: yaml-utf-8: the file is not UTF-8\n");
    let utf_16 = "a: b".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert!(crate::shown(&found(&utf_16)).contains("yaml-character"));
}

/// What looks like a number or a date without quotes is no text, in each place where a text is wanted.
#[test]
fn a_number_or_a_date_is_quoted_where_a_text_is_wanted() {
    for text in [
        "0755",
        "0o755",
        "0x1f",
        "0b11",
        "1_000",
        "1e10",
        "1.10",
        "12",
        "-1",
        "+1",
        ".5",
        "1.",
        ".inf",
        "-.INF",
        ".nan",
        "12:30:45",
        "2027-01-31",
        "2027-01-31T10:00:00Z",
        "1.5e3",
        "01",
    ] {
        let block = |value: &str| with_block(&format!("  - {{ match: [r.example/a], refuse: {{ reason: {value} }} }}"));
        let errors = found(block(text).as_bytes());
        let [error] = errors.as_slice() else { panic!("{text}: {}", crate::shown(&errors)) };
        assert_eq!((error.problem.code(), error.position.to_string().as_str()), ("quote-it", "5:47"), "{text}");
        assert_eq!(error.problem.hint(), format!("quote it: \"{text}\""));
        assert_eq!(crate::errors(&block(&format!("\"{text}\""))), [""; 0], "{text}");
    }
    for text in ["1.2.3", "v1", "90d", "1e", "e1", "a-1", "0x", "2027-01", "1-2", "1 2", "::a", "noo"] {
        let block = with_block(&format!("  - {{ match: [r.example/a], refuse: {{ reason: {text} }} }}"));
        assert_eq!(crate::errors(&block), [""; 0], "{text}");
    }
}

#[test]
fn what_is_plain_yaml_is_read() {
    for text in [
        "---\na: b\n",
        "a: b\n...\n",
        "a: b\r\nc: d\r\n",
        "a: 'it''s'\n",
        "a: \"\\u00e9 \\\"b\\\"\"\n",
        "a: |\n  b\n  c\n",
        "a: >-\n  b\n  c\n",
        "a: größe # comment\n",
        "? a\n: b\n",
        "a: [b, c,]\n",
        "- a\n-  - b\n",
        "a",
    ] {
        let read = bulla::yaml::read(text.as_bytes(), &bulla::limits::Limits::DEFAULT);
        assert!(read.errors.is_empty() && read.root.is_some(), "{text}: {:?}", read.errors);
    }
}
