//! A project to test in: scripts, data and specs in a temporary folder.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{
    LogicalName, PipelineDag, PipelineTestReport, PipelineTestingSpec, ScriptExecutionSpec, ScriptName,
    ScriptTestResult, StepName,
};
use runtime_testing_tester::{RuntimeTester, TestError, TesterSettings};

/// Copies the rows of a CSV file from the only input to the only output.
pub(crate) const COPY: &str = "
def main(input_paths, output_paths, environ_vars, job_args):
    (source,), (target,) = input_paths.values(), output_paths.values()
    with open(source) as file, open(target, 'w') as out:
        out.write(file.read())
";

pub(crate) fn step(name: &str) -> StepName {
    StepName::new(name).expect("a valid name")
}

pub(crate) fn script(name: &str) -> ScriptName {
    ScriptName::new(name).expect("a valid name")
}

pub(crate) struct Space {
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) specs: Vec<ScriptExecutionSpec>,
    pub(crate) edges: Vec<(StepName, StepName)>,
}

impl Space {
    /// An empty project with a file `data/raw.csv`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8Path::from_path(folder.path()).expect("a UTF-8 path").to_owned();
        let space = Self { _folder: folder, root, specs: Vec::new(), edges: Vec::new() };
        space.write("data/raw.csv", "id,amount\n1,2.5\n2,3.5\n")
    }

    pub(crate) fn write(self, path: &str, content: &str) -> Self {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        std::fs::write(path, content).expect("a new file");
        self
    }

    /// Adds a step whose script has this content. Inputs and outputs are `name=path`.
    pub(crate) fn step(self, name: &str, content: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        let mut space = self.write(&format!("workspace/scripts/{name}.py"), content);
        space.specs.push(spec(name, name, inputs, outputs));
        space
    }

    pub(crate) fn edge(mut self, from: &str, to: &str) -> Self {
        self.edges.push((step(from), step(to)));
        self
    }

    /// Changes the spec that was added last.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut ScriptExecutionSpec)) -> Self {
        change(self.specs.last_mut().expect("a spec"));
        self
    }

    /// Root steps are run on sample data where their inputs do not exist.
    pub(crate) fn with_sample_data(mut self) -> Self {
        self.specs.iter_mut().for_each(|spec| spec.sample_data = Some(true));
        self
    }

    pub(crate) fn pipeline(&self) -> PipelineTestingSpec {
        let steps = self.specs.iter().map(|spec| spec.step_name.clone());
        let dag = PipelineDag::build(steps, self.edges.iter().cloned()).expect("a valid DAG");
        let mut pipeline = PipelineTestingSpec::new(dag).with_workspace_root("workspace");
        for spec in &self.specs {
            pipeline.script_specs.insert(spec.step_name.clone(), spec.clone());
        }
        pipeline
    }

    pub(crate) fn settings(&self) -> TesterSettings {
        TesterSettings { base_folder: Some(self.root.clone()), ..TesterSettings::default() }
    }

    pub(crate) fn tester(&self) -> RuntimeTester {
        RuntimeTester::new(self.pipeline()).with_settings(self.settings())
    }

    pub(crate) fn test(&self) -> Result<PipelineTestReport, TestError> {
        self.tester().test_pipeline()
    }

    pub(crate) fn passes(&self) -> PipelineTestReport {
        let report = self.test().expect("the test can be carried out");
        assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
        report
    }

    /// Tests a single step that must fail, and returns its result.
    pub(crate) fn fails(&self) -> ScriptTestResult {
        let mut report = self.test().expect("the test can be carried out");
        assert!(!report.pipeline_success(), "it passed");
        report.script_results.shift_remove_index(0).expect("a step").1
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).expect("a readable file")
    }
}

pub(crate) fn spec(
    step_name: &str,
    script_name: &str,
    inputs: &[&str],
    outputs: &[&str],
) -> ScriptExecutionSpec {
    let mut spec = ScriptExecutionSpec::new(script(script_name), step(step_name));
    let paths = |list: &[&str]| {
        let entry = |text: &&str| {
            let (name, path) = text.split_once('=').expect("name=path");
            (LogicalName::new(name).expect("a valid name"), Utf8PathBuf::from(path))
        };
        list.iter().map(entry).collect()
    };
    spec.input_paths = paths(inputs);
    spec.output_paths = paths(outputs);
    spec
}
