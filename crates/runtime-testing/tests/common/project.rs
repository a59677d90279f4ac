//! A tester for a folder with a pipeline file and a test workspace.

use camino::Utf8Path;
use runtime_testing::{PipelineFile, PipelineTestingSpecBuilder, RuntimeTester, TesterSettings, Validation};

pub(crate) fn tester(folder: &Utf8Path, settings: TesterSettings) -> RuntimeTester {
    let text = std::fs::read_to_string(folder.join("pipeline.json")).expect("a pipeline file");
    let dag = PipelineFile::parse(&text).expect("a valid pipeline file").into_dag();
    let builder = PipelineTestingSpecBuilder::new(folder.join("test_workspace"));
    let spec = builder.build_from_dag(&dag, Validation::Required).expect("complete specs");
    let settings = TesterSettings { base_folder: Some(folder.to_owned()), ..settings };
    RuntimeTester::new(spec).with_settings(settings)
}
