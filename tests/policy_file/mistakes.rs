//! The mistakes that people make, and what they are told: the whole text, with line, column and hint.

use crate::found;
use crate::with_block;

/// The errors of a file, each with its hint.
fn told(text: &str) -> String {
    let line = |error: &bulla::policy_file::PolicyFileError| format!("{error}\n  {}\n", error.problem.hint());
    found(text.as_bytes()).iter().map(line).collect()
}

/// A block for `r.example/a` with these lines, which are indented.
fn block(lines: &str) -> String {
    let indented: String = lines.trim_matches('\n').lines().map(|line| format!("    {line}\n")).collect();
    with_block(&format!("  - match: [r.example/a]\n{indented}"))
}

#[test]
fn fields_that_are_not_known_name_the_nearest_one() {
    for (field, text) in [
        ("treshold: 2", "signature has no field `treshold`\n  did you mean `at-least`?"),
        ("threshold: 2", "signature has no field `threshold`\n  did you mean `at-least`?"),
        ("atLeast: 1", "signature has no field `atLeast`\n  did you mean `at-least`?"),
        ("at_least: 1", "signature has no field `at_least`\n  did you mean `at-least`?"),
        ("max-aeg: 1d", "signature has no field `max-aeg`\n  did you mean `max-age`?"),
        ("BY: [x]", "signature has no field `BY`\n  did you mean `by`?"),
        ("signers: [x]", "signature has no field `signers`\n  did you mean `by`?"),
        ("type: x", "signature has no field `type`\n  did you mean `time`?"),
        (
            "colour: red",
            "signature has no field `colour`\n  its fields are `by`, `at-least`, `about`, `max-age`, `time`",
        ),
    ] {
        let got = told(&block(&format!("require:\n  - signature: {{ by: [release], {field} }}")));
        assert_eq!(got, format!("7:37: unknown-field: {text}\n"), "{field}");
    }
}

#[test]
fn each_mistake_says_where_it_is_and_what_helps() {
    let mut wrong = Vec::new();
    for (text, want) in [
        (
            block("require:\n  - signature: { by: release }"),
            "7:26: wrong-type: a text stands here, and a list is wanted\n  write it in brackets: [entry]\n",
        ),
        (
            block("require:\n  - signature: { by: [release, security] }"),
            "7:26: at-least-missing: `by` has 2 names: `at-least` must say how many of them sign\n  \
             write `at-least: 2` for all of them, or `at-least: 1` for any one\n",
        ),
        (
            block("require:\n  - signature: { by: [release], at-least: 2 }"),
            "7:47: at-least-too-high: `at-least` is 2, and `by` has 1 name\n  \
             write at most `at-least: 1`, or add names to `by`\n",
        ),
        (
            block("require:\n  - signature: { by: [release], at-least: \"1\" }"),
            "7:47: quoted: \"1\" is a text, and a whole number is wanted\n  write 1 without quotes\n",
        ),
        (
            block("require:\n  - signature: [release]"),
            "7:20: wrong-type: a list stands here, and a mapping is wanted\n  \
             write fields: `{ field: value }`; a colon needs a space after it\n",
        ),
        (
            block("require:\n  signature: { by: [release] }"),
            "7:7: wrong-type: a mapping stands here, and a list is wanted\n  \
             begin each entry with `- `, or write them in brackets: [entry, entry]\n",
        ),
        (
            block("require:\n  - signature: { by: [release] }\n    sbom: { by: [release] }"),
            "8:9: exactly-one: requirement has exactly one of `signature`, `annotation`, `provenance`, `sbom`, `scan`, \
             `test`, `vsa`, `statement`, `any`, `all`, found 2\n  keep one of them\n",
        ),
        (
            block("require:\n  - scan: { by: [release], highest-allowed: high, database-max-age: 7d }"),
            "7:15: missing-field: scan has no `max-age`\n  write `max-age: 30d`\n",
        ),
        (
            block("require:\n  - sbom: { by: [release], max-age: 90 }"),
            "7:41: invalid-value: `90` is not an age such as 90d or 12h, or none (at most 36500d)\n  \
             a number and `d` for days or `h` for hours: 90d\n",
        ),
        (
            block("require:\n  - sbom: { by: [release], max-age: 3 months }"),
            "7:41: invalid-value: `3 months` is not an age such as 90d or 12h, or none (at most 36500d)\n  \
             a number and `d` for days or `h` for hours: 90d\n",
        ),
        (
            block("require:\n  - sbom: { by: [release], time: trusted }"),
            "7:32: missing-beside: `time` needs `max-age` beside it\n  write `max-age` too, or remove `time`\n",
        ),
        (
            block("require:\n  - scan: { by: [release], highest-allowed: hihg, max-age: 1d, database-max-age: 1d }"),
            "7:49: unknown-word: `hihg` is not one of `none`, `negligible`, `low`, `medium`, `high`, `critical`\n  \
             did you mean `high`?\n",
        ),
        (
            block("require:\n  - provenance: { builders: [gha], source: \"https://github.com/acme/app\" }"),
            "7:48: invalid-value: `https://github.com/acme/app` is not a source repository such as github.com/acme/app, \
             without scheme and .git\n  HOST/OWNER/REPO: github.com/acme/app\n",
        ),
        (
            block("require:\n  - provenance: { builders: [gha], by: [release] }"),
            "7:40: missing-beside: `by` needs `from: [signed-index]` beside it\n  \
             write `from: [signed-index]` too, or remove `by`\n",
        ),
        (
            block("require:\n  - statement: { by: [release], type: x, max-age: none, fields: [{ at: /a, equals: yes }] }"),
            "7:88: yaml-boolean: `yes` is a boolean in YAML, and no field takes one\n  quote it if it is a text: \"yes\"\n",
        ),
        (
            block("require:\n  - statement: { by: [release], type: x, max-age: none, fields: [{ at: /a }] }"),
            "7:70: exactly-one: field has exactly one of `equals`, `one-of`, `at-most`, `at-least`, `exists`, found 0\n  \
             write one of them\n",
        ),
        (
            block("accept-unsigned: { reason: not signed upstream, owner: platform }"),
            "6:22: missing-field: accept-unsigned has no `until`\n  write `until: 2027-12-31`\n",
        ),
        (
            block("accept-unsigned: { reason: no, owner: platform, until: 2027-02-28 }"),
            "6:32: yaml-boolean: `no` is a boolean in YAML, and no field takes one\n  quote it if it is a text: \"no\"\n",
        ),
        (
            block("accept-unsigned: { reason: x, owner: platform, until: 28.02.2027 }"),
            "6:59: invalid-value: `28.02.2027` is not a date such as 2027-01-31 (from 2000-01-01 on)\n  \
             year, month and day: 2027-01-31\n",
        ),
        (
            block("refuse: { reason: x }\nrequire: [{ signature: { by: [release] } }]"),
            "7:5: conflicting-fields: `require` cannot stand beside `refuse`\n  remove `require` or `refuse`\n",
        ),
        (block("signed-tag: same"), "5:5: missing-field: image has no `require`\n  write `require: [{ signature: { by: [NAME] } }]`\n6:5: missing-beside: `signed-tag` needs `signed-name` beside it\n  write `signed-name` too, or remove `signed-tag`\n"),
        (
            block("require: [{ signature: { by: [release] } }]\nexceptions: [{ repository: r.example/a, waives: [sbom], reason: x, owner: x, until: 2027-01-31 }]"),
            "7:54: waives-nothing: the block does not require `sbom`, so nothing is waived\n  remove it from `waives`\n",
        ),
        (
            block("require: [{ signature: { by: [release] } }]\nexceptions: [{ repository: r.example/a, waives: [signature], reason: x, owner: x, until: 2027-01-31 }]"),
            "7:54: waives-without-digests: an exception that waives `signature` names the images by their `digests`\n  \
             add `digests: [sha256:…]`, or sign the images\n",
        ),
        (
            with_block("  - match: [*.example.com/**]\n    refuse: { reason: x }"),
            "5:13: yaml-alias: `*` begins an alias in YAML, and aliases are not allowed\n  \
             quote the text, or write the value out\n",
        ),
        (
            with_block("  - match: r.example/a\n    refuse: { reason: x }"),
            "5:12: wrong-type: a text stands here, and a list is wanted\n  write it in brackets: [entry]\n",
        ),
        (
            with_block("  - match: [r.example/a]\n    refuse: {reason:x}"),
            "6:13: missing-field: refuse has no `reason`\n  write `reason: \"why\"`\n6:14: unknown-field: refuse has no field `reason:x`\n  \
             did you mean `reason`?\n6:22: yaml-null: a value is missing\n  write a value; a colon needs a space after it\n",
        ),
        (
            "bulla-policy: 2\nidentities: { a: { keys: [{ file: a.pub }] } }\nimages: [{ match: [r.example/a], refuse: { reason: x } }]\n"
                .to_owned(),
            "1:15: unknown-version: the policy language `2` is not known: this version of bulla reads 1\n  \
             write 1, or use a version of bulla that reads the other one\n",
        ),
        (
            "bulla-policy: 1\nidentities: { a: { keys: [a.pub] } }\nimages: [{ match: [r.example/a], refuse: { reason: x } }]\n"
                .to_owned(),
            "2:27: wrong-type: a text stands here, and a mapping is wanted\n  \
             write fields: `{ field: value }`; a colon needs a space after it\n",
        ),
        (
            "bulla-policy: 1\nidentities: { a: { keys: [{ path: a.pub }] } }\nimages: [{ match: [r.example/a], refuse: { reason: x } }]\n"
                .to_owned(),
            "2:27: exactly-one: key has exactly one of `file`, `pem`, found 0\n  write one of them\n2:29: unknown-field: key has no field `path`\n  \
             did you mean `file`?\n",
        ),
        (
            "identities: { 7: { keys: [{ file: a.pub, key-id: 12345678e1 }] } }\n".to_owned(),
            "1:1: missing-field: policy has no `bulla-policy`\n  write `bulla-policy: 1`\n\
             1:1: missing-field: policy has no `images`\n  write `images: …`\n\
             1:15: quote-it: `7` is a number in YAML, and a text is wanted\n  quote it: \"7\"\n",
        ),
        ("bulla-policy:1\n".to_owned(), "1:1: wrong-type: a text stands here, and a mapping is wanted\n  \
             write fields: `{ field: value }`; a colon needs a space after it\n"),
    ] {
        let got = told(&text);
        if got != want {
            wrong.push(format!("{text}\nwanted {want}\ngot    {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_errors_of_a_file_are_found_in_their_order() {
    let text = "bulla-policy: 1\nexpires: soon\nidentities:\n  a: { keys: [{ file: ../a.pub, until: no }] }\n  b: { keyless: {} }\n\
        images:\n  - { match: [], refuse: { reason: 12 } }\n  - &x { math: [r.example/a] }\n";
    let found = found(text.as_bytes());
    let codes: Vec<_> = found.iter().map(|error| format!("{} {}", error.position, error.problem.code())).collect();
    assert_eq!(
        codes,
        [
            "2:10 invalid-value",
            "4:23 invalid-value",
            "4:40 yaml-boolean",
            "5:17 missing-field",
            "5:17 missing-field",
            "5:17 exactly-one",
            "7:14 empty",
            "7:36 quote-it",
            "8:5 yaml-anchor",
            "8:5 missing-field",
            "8:5 missing-field",
            "8:10 unknown-field",
        ]
    );
}
