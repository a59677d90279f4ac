use regex::Regex;
use runtime_testing_models::PipelineTestReport;
use runtime_testing_report::{
    MarkdownOptions, SnapshotFilters, TextOptions, render_junit, render_markdown, render_text,
};

use crate::samples;

/// The same test, made at another time on another machine.
fn elsewhere(report: &PipelineTestReport) -> PipelineTestReport {
    let json = serde_json::to_string(report).unwrap();
    let json = json
        .replace("/home/ann/orders", "/builds/7/R&D_(copy)/or.ders")
        .replace("20260115T093000123456-a1b2", "20260301T000000000000-Zz9Q");
    let json = json.replace("0x7f3a12bc9d10", "0x55d0c0ffee00");
    let mut report: PipelineTestReport = serde_json::from_str(&json).unwrap();
    for run in report.script_results.values_mut().flat_map(|result| &mut result.runs) {
        run.resources.wall_seconds = run.resources.wall_seconds * 3.0 + 0.5;
        run.command = run.command.replace("python", "/opt/python-3.12/bin/python");
    }
    report
}

fn filtered(text: &str, report: &PipelineTestReport) -> String {
    let project = report.workspace.parent().expect("it lies in the project");
    let filters = SnapshotFilters::of(report).with_folder(project, "[project]");
    filters.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, replacement).into_owned()
    })
}

#[test]
fn the_text_of_a_report_is_the_same_everywhere() {
    let renderers: [fn(&PipelineTestReport) -> String; 3] = [
        |report| render_text(report, TextOptions::default()),
        |report| render_markdown(report, MarkdownOptions::default()),
        render_junit,
    ];
    for (name, mut report) in samples::all() {
        report.workspace = "/home/ann/orders/test_workspace".into();
        for run in report.script_results.values_mut().flat_map(|result| &mut result.runs) {
            let printed = "<Model at 0x7f3a12bc9d10> in /home/ann/orders/test_workspace/data\n\
                 \x20 File \"/home/ann/orders/scripts/train.py\", line 3, in main\n\
                 repeat: 3 epochs\n";
            run.stderr.text.push_str(printed);
        }
        let other = elsewhere(&report);
        for render in renderers {
            let (here, there) = (render(&report), render(&other));
            assert!(here != there || report.script_results.is_empty(), "{name}: nothing to filter");
            assert_eq!(filtered(&here, &report), filtered(&there, &other), "{name}");
        }
    }
}

#[test]
fn what_has_changed_still_shows() {
    let (passing, failing) = (samples::passing(), samples::failing_each_way());
    let text = |report| filtered(&render_text(report, TextOptions::default()), report);
    assert_ne!(text(&passing), text(&failing));
    insta::assert_snapshot!("filtered_text", text(&failing));
    insta::assert_snapshot!("filtered_junit", filtered(&render_junit(&failing), &failing));
}

#[test]
fn only_whole_paths_are_filtered() {
    let mut report = PipelineTestReport { workspace: "/app/test".into(), ..PipelineTestReport::default() };
    report.run_id = None;
    let text = "/app/test/a /opt/app/test /app/test-old s3://x/app/test '/app/test' /app/b (/app) limit 1.25 s 0xDEADBEEF";
    assert_eq!(
        filtered(text, &report),
        "[workspace]/a /opt/app/test [project]/test-old s3://x/app/test '[workspace]' [project]/b ([project]) limit 1.25 s 0xDEADBEEF"
    );
}
