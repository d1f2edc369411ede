//! JUnit XML.

use bulla::redact::Secrets;
use bulla::report::CheckResult;
use bulla::report::CheckedImage;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::report::write_junit;

fn check(requirement: &str, result: CheckResult) -> RequirementCheck {
    let place = PolicyPlace { column: None, file: "p<&>.yaml".to_owned(), line: Some(12) };
    RequirementCheck { place, requirement: requirement.to_owned(), result }
}

fn written(images: &[CheckedImage], secrets: &Secrets) -> String {
    let mut out = Vec::new();
    write_junit(&mut out, "verify", "2027-01-02T00:00:00Z", images, secrets).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_result_has_its_element_and_is_counted() {
    let unmet = CheckResult::Unmet { code: "no-signature", message: "no signature by release".to_owned() };
    let unknown = CheckResult::Undetermined { code: "unread", message: "a list was not read".to_owned() };
    let waived = CheckResult::Waived { message: "replaced in Q1".to_owned() };
    let checks = vec![check("a", CheckResult::Met), check("b", unmet), check("c", unknown), check("d", waived)];
    let image = CheckedImage { checks, digest: None, name: Some("h/app".to_owned()), reference: "h/app:1".to_owned() };
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"bulla verify\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\">
  <testsuite name=\"h/app:1\" timestamp=\"2027-01-02T00:00:00Z\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\">
    <properties>
      <property name=\"name\" value=\"h/app\"/>
    </properties>
    <testcase name=\"a\" classname=\"p&lt;&amp;&gt;.yaml\" file=\"p&lt;&amp;&gt;.yaml\" line=\"12\"/>
    <testcase name=\"b\" classname=\"p&lt;&amp;&gt;.yaml\" file=\"p&lt;&amp;&gt;.yaml\" line=\"12\">
      <failure type=\"no-signature\" message=\"no signature by release\">no signature by release</failure>
    </testcase>
    <testcase name=\"c\" classname=\"p&lt;&amp;&gt;.yaml\" file=\"p&lt;&amp;&gt;.yaml\" line=\"12\">
      <error type=\"unread\" message=\"a list was not read\">a list was not read</error>
    </testcase>
    <testcase name=\"d\" classname=\"p&lt;&amp;&gt;.yaml\" file=\"p&lt;&amp;&gt;.yaml\" line=\"12\">
      <skipped message=\"waived: replaced in Q1\"/>
    </testcase>
  </testsuite>
</testsuites>
";
    assert_eq!(written(&[image], &Secrets::default()), expected);
}

#[test]
fn foreign_text_cannot_leave_its_attribute_and_shows_no_secret() {
    let secrets = Secrets::default();
    secrets.add("of-this-test-alone-5521");
    let message = "\"/><testcase name='x'/>\u{0}\u{1b}[31m\u{fffe}]]>&#1; of-this-test-alone-5521".to_owned();
    let checks = vec![check("a\"\n", CheckResult::Unmet { code: "no-signature", message })];
    let image = CheckedImage { checks, digest: None, name: None, reference: "a\"><x/>".to_owned() };
    let written = written(&[image], &secrets);
    assert_eq!(written.matches("<testcase").count(), 1, "{written}");
    assert!(!written.contains("<x/>") && !written.contains("5521"), "{written}");
    assert!(written.contains("\\u{0}\\u{1b}[31m\\u{fffe}]]&gt;&amp;#1; ***"), "{written}");
    assert!(written.chars().all(|c| c == '\n' || !c.is_control()), "{written}");
}
