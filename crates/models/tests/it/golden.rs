//! Serialized forms are public API: a difference here needs a note in the changelog.

use runtime_testing_models::{JobValue, PipelineTestReport, ScriptExecutionSpec};

use crate::fixture;
use crate::report::full_report;

fn read(name: &str) -> String {
    std::fs::read_to_string(fixture("golden").join(name)).expect("a golden file")
}

#[test]
fn a_spec_that_the_original_wrote_loads_and_survives() {
    let text = read("spec_original.json");
    let spec = ScriptExecutionSpec::parse(&text).unwrap();
    assert_eq!(spec.step_name, "XGBoostTraining_eu");
    assert_eq!(spec.environ_vars["REGION"], "Köln");
    assert_eq!(spec.job_args["seed"], JobValue::Number("12345678901234567890123".parse().unwrap()));
    assert_eq!(spec.job_args["gamma"], JobValue::Number("1e-05".parse().unwrap()));
    assert_eq!(spec.job_args["early_stopping"], JobValue::Null);
    assert_eq!(spec.user_notes.as_deref(), Some("Erste Fassung — überprüft"));

    // What is written again has the same bytes.
    let written = spec.to_json();
    assert_eq!(ScriptExecutionSpec::parse(&written).unwrap(), spec);
    assert_eq!(written.trim_end(), text.trim_end());
}

#[test]
fn a_spec_with_all_keys_is_written_byte_for_byte() {
    let text = read("spec_extended.json");
    let spec = ScriptExecutionSpec::parse(&text).unwrap();
    assert_eq!(spec.to_json(), text);
}

#[test]
fn a_full_report_has_this_form() {
    let report = full_report();
    check("report.json", &(report.to_json() + "\n"));
    assert_eq!(serde_json::from_str::<PipelineTestReport>(&read("report.json")).unwrap(), report);
}

#[test]
fn its_snapshot_has_this_form() {
    check("report_snapshot.json", &format!("{}\n", full_report().snapshot()));
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` writes it anew.
#[track_caller]
pub(crate) fn check(name: &str, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(fixture("golden").join(name), text).unwrap();
    }
    assert_eq!(
        text,
        read(name),
        "`{name}` differs; if that is meant, run with UPDATE_GOLDEN=1 and say so in the changelog"
    );
}
