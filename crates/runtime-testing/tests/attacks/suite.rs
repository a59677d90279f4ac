//! Each attack in a pipeline of four steps: `source` feeds `attack` and `victim`, and `attack` feeds `victim`; `bystander` has nothing to
//! do with them.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::Trial;
use runtime_testing::{
    Isolation, PipelineDag, PipelineTestReport, PipelineTestingSpec, RuntimeTester, ScriptExecutionSpec,
    StepStatus, TesterSettings, TextOptions, render_text,
};
use serde_json::Value;

use crate::workbench::{Copy, fixtures};

/// How many attacks there are. Change it with them: one that is lost is noticed.
const ATTACKS: usize = 119;

/// No attack may hold up a test for longer, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file of the user's beside the base folder, which nothing may change.
const KEPT: &str = "kept\n";

pub(crate) fn trials() -> Vec<Trial> {
    let text = std::fs::read_to_string(fixtures("attacks/attacks.json")).expect("a model");
    let attacks: Vec<Value> = serde_json::from_str(&text).expect("a model in JSON");
    let found = attacks.len();
    let mut trials = vec![Trial::test("number_of_attacks", move || {
        assert_eq!(found, ATTACKS, "attacks in fixtures/attacks/attacks.json");
        Ok(())
    })];
    for attack in attacks {
        for isolation in Isolation::ALL {
            if attack["isolation"].as_str().is_some_and(|only| only != isolation.as_str()) {
                continue;
            }
            let attack = attack.clone();
            let name = format!("{}::{isolation}", text_of(&attack, "name"));
            trials.push(Trial::test(name, move || {
                Space::new(isolation).check(&attack);
                Ok(())
            }));
        }
    }
    trials
}

fn text_of<'a>(attack: &'a Value, key: &str) -> &'a str {
    attack[key].as_str().expect("a text")
}

/// One text, or each of several.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().expect("a text")).collect(),
        Value::Null => Vec::new(),
        one => vec![one.as_str().expect("a text")],
    }
}

struct Space {
    copy: Copy,
    settings: TesterSettings,
}

impl Space {
    fn new(isolation: Isolation) -> Self {
        let copy = Copy::of(&fixtures("attacks"));
        let settings = TesterSettings {
            base_folder: Some(copy.path.clone()),
            jobs: NonZeroUsize::MIN,
            isolation,
            timeout: Duration::from_secs(20),
            grace: Duration::from_millis(300),
            ..TesterSettings::default()
        };
        let space = Self { copy, settings };
        std::fs::create_dir(space.workspace()).expect("a new folder");
        std::fs::write(space.kept(), KEPT).expect("a new file");
        space
    }

    fn workspace(&self) -> Utf8PathBuf {
        self.copy.path.join("test_workspace")
    }

    fn kept(&self) -> Utf8PathBuf {
        self.copy.path.parent().expect("the copy lies in a folder").join("kept.txt")
    }

    fn check(&self, attack: &Value) {
        let name = text_of(attack, "name");
        let victim = attack["victim_script"].as_str().unwrap_or("copies");
        let started = Instant::now();
        let report = self.test(name, victim);
        let took = started.elapsed();
        let shown = render_text(&report, TextOptions::default());
        assert!(took < PATIENCE, "it took {took:?}");
        assert!(report.script_results["bystander"].success(), "another step:\n{shown}");
        for step in ["attack", "victim"] {
            let status = &report.script_results[step].status;
            let allowed = texts(&attack[step]);
            assert!(allowed.contains(&status.as_str()), "{step} is {status:?} and not {allowed:?}:\n{shown}");
            let failure = attack[format!("{step}_failure")].as_str();
            if let (Some(failure), StepStatus::Failed { failure: found }) = (failure, status) {
                assert_eq!(found.as_str(), failure, "{step}:\n{shown}");
            }
            let notes: Vec<&str> =
                report.script_results[step].notes.iter().map(|note| note.as_str()).collect();
            let of_isolation = &attack[format!("notes_{}", self.settings.isolation)][step];
            for note in texts(&attack["notes"][step]).into_iter().chain(texts(of_isolation)) {
                assert!(notes.contains(&note), "{step} has no note {note}, but {notes:?}:\n{shown}");
            }
        }
        for text in texts(&attack["text_lacks"]) {
            assert!(!shown.contains(text), "{shown}");
        }
        assert_eq!(std::fs::read_to_string(self.kept()).expect("it is there"), KEPT, "a file of the user's");

        // What it has left behind is nothing for the next test.
        let scripts = self.copy.path.join("scripts");
        for script in texts(&attack["restores"]) {
            let file = format!("{script}.py");
            std::fs::copy(fixtures("attacks/scripts").join(&file), scripts.join(&file)).expect("a script");
        }
        let again = self.test("harmless", "copies");
        assert!(again.pipeline_success(), "the next test:\n{}", render_text(&again, TextOptions::default()));
        assert_eq!(std::fs::read_to_string(self.kept()).expect("it is there"), KEPT, "a file of the user's");
        let last = runtime_testing::last_report(&self.workspace()).expect("the last report");
        assert_eq!(last.expect("a report").run_id, again.run_id, "the last report is that of the last test");
    }

    fn test(&self, attack: &str, victim: &str) -> PipelineTestReport {
        let edges = [("source", "attack"), ("source", "victim"), ("attack", "victim")];
        let dag = PipelineDag::from_names(["source", "attack", "victim", "bystander"], edges).expect("a DAG");
        let mut pipeline = PipelineTestingSpec::new(dag).with_workspace_root(self.workspace());
        for (step, script, inputs, output) in [
            ("source", "source", &[("raw", "data/rows.csv")][..], ("rows", "output/rows.csv")),
            ("attack", attack, &[("rows", "output/rows.csv")], ("out", "output/out.csv")),
            (
                "victim",
                victim,
                &[("rows", "output/rows.csv"), ("out", "output/out.csv")],
                ("result", "output/result.csv"),
            ),
            ("bystander", "source", &[("raw", "data/rows.csv")], ("rows", "output/bystander.csv")),
        ] {
            let spec = self.spec(step, script, inputs, output);
            pipeline.script_specs.insert(spec.step_name.clone(), spec);
        }
        let tester = RuntimeTester::new(pipeline).with_settings(self.settings.clone());
        tester.test_pipeline().expect("the test can be carried out")
    }

    fn spec(
        &self,
        step: &str,
        script: &str,
        inputs: &[(&str, &str)],
        (output, path): (&str, &str),
    ) -> ScriptExecutionSpec {
        let mut spec =
            ScriptExecutionSpec::new(script.parse().expect("a name"), step.parse().expect("a name"));
        spec.script_path = Some(Utf8Path::new("scripts").join(script).with_extension("py"));
        for (name, path) in inputs {
            spec.input_paths.insert(name.parse().expect("a name"), (*path).into());
        }
        spec.output_paths.insert(output.parse().expect("a name"), path.into());
        spec
    }
}
