use std::io::Write as _;
use std::process::{Command, Stdio};

use runtime_testing_report::render_junit;

use crate::samples;

#[test]
fn each_report_as_junit() {
    for (name, report) in samples::all() {
        insta::assert_snapshot!(format!("junit_{name}"), render_junit(&report));
    }
}

#[test]
fn xml_holds_no_character_that_it_may_not() {
    let xml = render_junit(&samples::hostile());
    let is_allowed = |character: char| matches!(character, '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(xml.chars().find(|character| !is_allowed(*character)), None);
    assert!(!xml.contains("<script>") && !xml.contains("\u{1b}"));
}

#[test]
fn a_pipeline_that_did_not_pass_has_a_case_that_did_not() {
    for (name, report) in samples::all() {
        let xml = render_junit(&report);
        let is_bad = xml.contains("<failure ") || xml.contains("<error ");
        assert_eq!(is_bad, !report.pipeline_success(), "{name}");
    }
    assert!(render_junit(&samples::canceled()).contains("the test was canceled"));
}

/// Checks what comes on standard input against the schema.
const VALIDATE: &str = "
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
document = etree.fromstring(sys.stdin.buffer.read())
if not schema.validate(document):
    sys.exit(str(schema.error_log))
";

fn validate(python: &str, xml: &str) -> Result<(), String> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/junit/junit.xsd");
    let mut child = Command::new(python)
        .args(["-c", VALIDATE, schema])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Needs an interpreter with the packages of CI. A machine without one does not check; CI has one and says so.
#[test]
fn reports_follow_the_schema_of_the_common_readers() {
    let Ok(python) = std::env::var("RUNTIME_TESTING_PANDAS_PYTHON") else {
        assert!(
            std::env::var_os("RUNTIME_TESTING_REQUIRE_PANDAS").is_none(),
            "no interpreter with lxml was named"
        );
        return;
    };
    for (name, report) in samples::all() {
        validate(&python, &render_junit(&report)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let good = render_junit(&samples::failing_each_way());
    for (what, broken) in [
        ("an attribute of its own", good.replacen("<testcase ", "<testcase color=\"red\" ", 1)),
        ("a failure without a type", good.replace(" type=\"exception\"", "")),
        ("a time that is none", good.replacen("time=\"0.300\"", "time=\"fast\"", 1)),
        ("a case that stands twice", good.replace("ends_by_exited", "load")),
    ] {
        assert_ne!(broken, good, "{what}");
        assert!(validate(&python, &broken).is_err(), "{what} is let pass");
    }
}
