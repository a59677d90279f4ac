use runtime_testing_report::render_junit;

use crate::samples;

#[test]
fn each_report_as_junit() {
    for (name, report) in samples::all() {
        insta::assert_snapshot!(format!("junit_{name}"), render_junit(&report));
    }
}

#[test]
fn each_report_as_csv() {
    for (name, report) in samples::all() {
        let table = runtime_testing_report::render_csv(&report);
        let rows = csv::Reader::from_reader(table.as_bytes()).into_records();
        let rows: Vec<csv::StringRecord> = rows.collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), report.script_results.len() + report.data_flow_results.len(), "{name}");
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{name}");
        insta::assert_snapshot!(format!("csv_{name}"), table);
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
