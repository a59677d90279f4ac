//! What the tests of faults run: a copy of their scripts, and a pipeline of some of them.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    Isolation, PipelineDag, PipelineTestingSpec, RuntimeTester, ScriptExecutionSpec, TesterSettings,
};
use serde_json::Value;

use crate::workbench::{Copy, fixtures};

/// What is in the file outside.
pub(super) const OUTSIDE: &str = "id,secret\n1,kept\n";

/// A copy of the scripts with a file outside of it that nothing may change.
pub(super) struct Space {
    pub(super) copy: Copy,
    pub(super) settings: TesterSettings,
}

impl Space {
    pub(super) fn new(jobs: usize, isolation: Isolation) -> Self {
        let copy = Copy::of(&fixtures("faults"));
        let settings = TesterSettings {
            base_folder: Some(copy.path.clone()),
            jobs: NonZeroUsize::new(jobs).expect("some jobs"),
            isolation,
            timeout: Duration::from_secs(120),
            grace: Duration::from_millis(300),
            ..TesterSettings::default()
        };
        let space = Self { copy, settings };
        for folder in [space.copy.path.join("left"), space.outside()] {
            std::fs::create_dir(folder).expect("a new folder");
        }
        std::fs::write(space.outside().join("kept.csv"), OUTSIDE).expect("a new file");
        space
    }

    /// The temporary folder that all is in.
    pub(super) fn folder(&self) -> &Utf8Path {
        self.copy.path.parent().expect("the copy lies in a folder")
    }

    pub(super) fn outside(&self) -> Utf8PathBuf {
        self.folder().join("outside")
    }

    pub(super) fn disk(&self) -> Utf8PathBuf {
        self.folder().join("disk")
    }

    /// A copy of all of it on a file system of 4 MiB, which lasts as long as this process.
    pub(super) fn on_small_disk(&self) -> Utf8PathBuf {
        let disk = self.disk();
        std::fs::create_dir(&disk).expect("a new folder");
        let script = "mount -t tmpfs -o size=4m none \"$1\" && cp -a \"$0\" \"$1\"";
        let status = Command::new("sh").args(["-c", script, self.copy.path.as_str(), disk.as_str()]).status();
        assert!(status.is_ok_and(|status| status.success()), "a file system can be mounted");
        disk.join("copy")
    }

    pub(super) fn tester(&self, model: &[Value]) -> RuntimeTester {
        let pipeline = pipeline(model, &self.copy.path);
        RuntimeTester::new(pipeline).with_settings(self.settings.clone())
    }
}

/// The member of a step's model that is a text.
pub(super) fn text<'a>(model: &'a Value, key: &str) -> Option<&'a str> {
    model.get(key).map(|value| value.as_str().expect("a text"))
}

pub(super) fn name(model: &Value) -> &str {
    text(model, "step").expect("each step has a name")
}

/// The pipeline of the steps of a model, in the test workspace of this folder.
pub(super) fn pipeline(model: &[Value], base: &Utf8Path) -> PipelineTestingSpec {
    let edges = model.iter().filter_map(|step| Some((text(step, "after")?, name(step))));
    let dag = PipelineDag::from_names(model.iter().map(name), edges).expect("a DAG");
    let workspace = base.join("test_workspace");
    let mut pipeline = PipelineTestingSpec::new(dag).with_workspace_root(&workspace);
    for step in model {
        let script = text(step, "script").unwrap_or(name(step));
        let rows = || "rows".parse().expect("a name");
        let mut spec =
            ScriptExecutionSpec::new(script.parse().expect("a name"), name(step).parse().expect("a name"));
        spec.script_path = text(step, "file").map(|file| workspace.join("scripts").join(file));
        let own = text(step, "input").unwrap_or("data/rows.csv").into();
        let input = text(step, "after").map_or(own, |step| format!("output/{step}/rows.csv").into());
        let output = text(step, "output").map_or_else(|| format!("output/{}", name(step)), str::to_owned);
        spec.input_paths.insert(rows(), input);
        spec.output_paths.insert(rows(), output.into());
        // Bystanders on one input would share a run if nothing told them apart.
        spec.job_args.insert("step".to_owned(), name(step).into());
        spec.timeout_seconds = step["timeout"].as_f64();
        for (name, value) in step["environ"].as_object().into_iter().flatten() {
            let value = value.as_str().expect("a text").replace("<base>", base.as_str());
            spec.environ_vars.insert(name.clone(), value);
        }
        pipeline.script_specs.insert(spec.step_name.clone(), spec);
    }
    pipeline
}

/// The steps to test with these settings: all of them, or the one that the variable `FAULT` names and its bystanders.
pub(super) fn chosen(jobs: usize, isolation: Isolation) -> Vec<Value> {
    let json = std::fs::read_to_string(fixtures("faults/faults.json")).expect("a model");
    let all: Vec<Value> = serde_json::from_str(&json).expect("a model in JSON");
    let fault = std::env::var("FAULT").ok();
    let mut kept = BTreeSet::new();
    all.into_iter()
        .filter(|step| step["jobs"].as_u64().is_none_or(|only| only == jobs as u64))
        .filter(|step| text(step, "isolation").is_none_or(|only| only == isolation.as_str()))
        .filter(|step| {
            let is_wanted = fault.as_deref().is_none_or(|fault| name(step) == fault || is_healthy(step));
            is_wanted
                && text(step, "after").is_none_or(|after| kept.contains(after))
                && kept.insert(name(step).to_owned())
        })
        .collect()
}

fn is_healthy(step: &Value) -> bool {
    step["script"] == "bystander"
}

/// The steps that have nothing to do with any fault.
pub(super) fn bystanders(model: &[Value]) -> Vec<Value> {
    let is_one = |step: &Value| name(step) == "source" || name(step).starts_with("healthy_");
    model.iter().filter(|step| is_one(step)).cloned().collect()
}
