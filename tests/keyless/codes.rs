//! `docs/keyless.md` lists every code of a keyless signature.

use std::collections::BTreeSet;

/// The codes in the function `code` of a source.
fn codes(source: &str) -> BTreeSet<&str> {
    let body = source.split("fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
    body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn the_page_lists_the_codes_of_keyless_signatures() {
    let page = include_str!("../../docs/keyless.md");
    let section = page.split("\n## Codes\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed = |text: &'static str| -> BTreeSet<&str> { text.split('`').skip(1).step_by(2).collect() };
    let mut all = codes(include_str!("../../src/trust/keyless/fault.rs"));
    assert!(all.len() > 10, "the codes were not read");
    let (own, rest) = section.split_once("Could-not-tell are").unwrap();
    assert_eq!(all, listed(own), "left: src, right: the page");
    // A name of another kind, or several names, fit no pattern, which has its own code.
    all = codes(include_str!("../../src/x509/fulcio/error.rs"));
    all.retain(|code| !["identity-name-count", "identity-name-kind"].contains(code));
    let fulcio = rest.split_once("of the extensions of Fulcio").unwrap().1;
    assert_eq!(all, listed(fulcio), "left: src, right: the page");
}
