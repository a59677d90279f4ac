//! What of the library others build on: its names, the types of its main calls, and that they can be shared by threads.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    BuildError, CancelHandle, DagError, DataCompatibilityResult, DataError, DataProfile, Digest,
    DigestOptions, Event, Expected, FileDifference, PipelineDag, PipelineTestReport, PipelineTestingSpec,
    PipelineTestingSpecBuilder, PlanError, ProfileOptions, ReportSnapshot, RuntimeTester,
    RuntimeTestingConfiguration, SampleData, SaveSpecError, ScriptExecutionSpec, ScriptMainParams,
    ScriptName, ScriptTestResult, SelectError, Selection, SpecStore, StepName, TestError, TesterSettings,
    TextOptions, Validation, compare, digest_path, end_running_scripts, profile_path, profile_path_with,
    render_text,
};

/// Every name that the facade exports, with the feature it needs. The facade names each, so its source has them all.
#[test]
fn names_are_those_that_were_agreed_on() {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).expect("a file");
    let mut names = Vec::new();
    let mut feature = "";
    let mut rest = source.as_str();
    while let Some(line) = rest.lines().next() {
        let length = if line.starts_with("pub ") { rest.find(';').expect("an end") + 1 } else { line.len() };
        let (statement, after) = rest.split_at(length);
        rest = after.strip_prefix('\n').unwrap_or(after);
        if let Some(condition) = statement.strip_prefix("#[cfg(feature = \"") {
            feature = condition.split('"').next().expect("a feature");
        } else if let Some(used) = statement.strip_prefix("pub use ") {
            let (_, list) =
                used.trim_end_matches(';').split_once("::").unwrap_or(("", used.trim_end_matches(';')));
            for name in list.trim_matches(|character| "{} \n".contains(character)).split(',') {
                let name = name.trim().rsplit(" as ").next().expect("a name");
                if !name.is_empty() {
                    names.push(format!("{feature:8} {name}").trim_end().to_owned());
                }
            }
            feature = "";
        } else if !statement.trim().is_empty() && !statement.starts_with("//") && !statement.starts_with('#')
        {
            feature = "";
        }
    }
    assert!(names.len() > 100, "the source is not understood any more: {names:?}");
    names.sort();
    insta::assert_snapshot!("names", names.join("\n"));
}

#[test]
fn main_types_can_be_shared_by_threads() {
    fn check<T: Send + Sync + 'static>() {}

    check::<PipelineDag>();
    check::<Selection>();
    check::<ScriptExecutionSpec>();
    check::<PipelineTestingSpec>();
    check::<RuntimeTestingConfiguration>();
    check::<PipelineTestReport>();
    check::<ReportSnapshot>();
    check::<SpecStore>();
    check::<PipelineTestingSpecBuilder>();
    check::<RuntimeTester>();
    check::<TesterSettings>();
    check::<CancelHandle>();
    check::<Event<'static>>();
    check::<SampleData>();
    check::<ProfileOptions>();
    check::<DataProfile>();
    for_errors();

    fn for_errors() {
        fn check<T: std::error::Error + Send + Sync + 'static>() {}

        check::<DagError>();
        check::<SelectError>();
        check::<BuildError>();
        check::<SaveSpecError>();
        check::<PlanError>();
        check::<TestError>();
        check::<DataError>();
    }
}

/// It need not be run: that it compiles is what is tested.
#[test]
fn main_calls_have_the_types_that_were_agreed_on() {
    let _: fn(&PipelineDag, &Selection) -> Result<PipelineDag, SelectError> = PipelineDag::select;
    let _: fn(&PipelineDag) -> Vec<&StepName> = PipelineDag::topological_order;
    let _: fn(
        &PipelineTestingSpecBuilder,
        &PipelineDag,
        Validation,
    ) -> Result<PipelineTestingSpec, BuildError> = PipelineTestingSpecBuilder::build_from_dag;
    let _: fn(
        &PipelineTestingSpecBuilder,
        &PipelineDag,
        Validation,
    ) -> Result<PipelineTestingSpec, BuildError> = PipelineTestingSpecBuilder::load_from_dag;
    let _: fn(&RuntimeTester) -> Result<PipelineTestReport, TestError> = RuntimeTester::test_pipeline;
    let _: fn(&RuntimeTester, &PipelineDag) -> Result<PipelineTestReport, TestError> =
        RuntimeTester::test_pipeline_flow;
    let _: fn(&RuntimeTester, &ScriptName, Option<&SampleData>) -> Result<ScriptTestResult, TestError> =
        RuntimeTester::test_script;
    let _: fn(
        &RuntimeTester,
        &ScriptExecutionSpec,
        &ScriptMainParams,
    ) -> Result<ScriptTestResult, TestError> = RuntimeTester::test_script_with_spec;
    let _: fn(
        &RuntimeTester,
        &ScriptExecutionSpec,
        &ScriptExecutionSpec,
    ) -> Result<DataCompatibilityResult, TestError> = RuntimeTester::test_data_compatibility_with_specs;
    let _: fn(&PipelineTestReport) -> bool = PipelineTestReport::pipeline_success;
    let _: fn(&PipelineTestReport) -> Vec<String> = PipelineTestReport::errors;
    let _: fn(&PipelineTestReport) -> ReportSnapshot = PipelineTestReport::snapshot;
    let _: fn(&PipelineTestReport) -> String = PipelineTestReport::to_json;
    let _: fn(&PipelineTestReport, TextOptions) -> String = render_text;
    let _: fn(&Utf8Path) -> Result<DataProfile, DataError> = profile_path;
    let _: fn(&Utf8Path, &ProfileOptions) -> Result<DataProfile, DataError> = profile_path_with;
    let _: fn(&Expected<'_>, &DataProfile) -> Vec<FileDifference> = compare;
    let _: fn() = end_running_scripts;
    let _: fn(&Utf8Path, &DigestOptions) -> Result<Digest, runtime_testing::ReadTableError> = digest_path;
    let _: fn(&SampleData, &Utf8Path) -> Result<Utf8PathBuf, runtime_testing::WriteTableError> =
        SampleData::write;
}
