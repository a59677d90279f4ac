//! JUnit reports against the schema that common readers of it share.

use std::io::Write as _;
use std::process::{Command, Stdio};

use runtime_testing_report::render_junit;

use crate::samples;

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

pub(crate) fn reports_follow_the_schema_of_the_common_readers(python: &str) {
    for (name, report) in samples::all() {
        validate(python, &render_junit(&report)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let good = render_junit(&samples::failing_each_way());
    for (what, broken) in [
        ("an attribute of its own", good.replacen("<testcase ", "<testcase color=\"red\" ", 1)),
        ("a failure without a type", good.replace(" type=\"exception\"", "")),
        ("a time that is none", good.replacen("time=\"0.300\"", "time=\"fast\"", 1)),
        ("a case that stands twice", good.replace("ends_by_exited", "load")),
    ] {
        assert_ne!(broken, good, "{what}");
        assert!(validate(python, &broken).is_err(), "{what} is let pass");
    }
}
