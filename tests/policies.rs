//! The policies of docs/policies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests stop where they fail"
)]

use std::fs;
use std::path::Path;

use bulla::limits::Limits;
use bulla::policy_file::document::PolicyDocument;

#[test]
fn every_policy_of_the_documentation_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies");
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|it| it == "yaml") {
            count += 1;
            if let Err(errors) = PolicyDocument::parse(&fs::read(&path).unwrap(), &Limits::DEFAULT) {
                errors.iter().for_each(|error| wrong.push(format!("{}:{error}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 15);
}
