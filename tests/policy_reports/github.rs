//! Annotations of GitHub Actions.

use bulla::report::CheckResult;
use bulla::report::CheckedImage;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::report::annotations;

fn image(reference: &str, file: &str, result: CheckResult) -> CheckedImage {
    let place = PolicyPlace { column: None, file: file.to_owned(), line: Some(7) };
    let check = RequirementCheck { place, requirement: "baseline[0].signature".to_owned(), result };
    CheckedImage { checks: vec![check], digest: None, name: None, reference: reference.to_owned() }
}

#[test]
fn foreign_text_cannot_end_a_command_or_begin_another() {
    let message = "50 % of\r\n::add-mask::x ##[error]y".to_owned();
    let refused = CheckResult::Unmet { code: "no-signature", message };
    let found = annotations(&[image("a\n::stop-commands::b", "my,policy:1.yaml", refused)]);
    assert_eq!(
        found.lines,
        ["::error file=my%2Cpolicy%3A1.yaml,line=7,title=bulla%3A no-signature::a\\u{a}::stop-commands::b: \
          baseline[0].signature: 50 %25 of\\u{d}\\u{a}::add-mask::x ## [error]y"]
    );
    assert_eq!(found.left_out, 0);
}

#[test]
fn refusals_come_first_and_ten_are_the_most() {
    let waived = || image("w", "p.yaml", CheckResult::Waived { message: "replaced in Q1".to_owned() });
    let unknown = || image("u", "p.yaml", CheckResult::Undetermined { code: "unread", message: "not read".to_owned() });
    let images: Vec<_> = [waived(), image("m", "p.yaml", CheckResult::Met)]
        .into_iter()
        .chain((0..9).map(|_| unknown()))
        .chain([waived(), waived()])
        .collect();
    let found = annotations(&images);
    let kinds: Vec<_> = found.lines.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(kinds, [&["::error"; 9][..], &["::warning"]].concat());
    assert_eq!(found.left_out, 2);
}
