//! A pipeline of Python scripts that use pandas, against the least time that its runs can take.
//!
//! Run with `cargo bench --package runtime-testing --bench pipeline`, with `RUNTIME_TESTING_PANDAS_PYTHON` set to an
//! interpreter that has pandas. What is measured is said in `docs/benchmarks.md`.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod common;
#[path = "common/names.rs"]
mod names;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    Event, Isolation, LogicalName, PipelineDag, PipelineTestingSpec, RuntimeTester,
    RuntimeTestingConfiguration, ScriptExecutionSpec, TesterSettings, WorkingDirectory,
};
use serde_json::{Value, json};

use common::{Baseline, Options, Sample, Scratch, Table, python, settle, timed, write};
use names::name;

/// Names the interpreter.
const INTERPRETER: &str = "RUNTIME_TESTING_PANDAS_PYTHON";

/// The steps, each after those that it is fed by: a chain of two, a fan-out of three, a join, a chain of two.
const STEPS: [(&str, &[&str]); 8] = [
    ("a", &[]),
    ("b", &["a"]),
    ("c", &["b"]),
    ("d", &["b"]),
    ("e", &["b"]),
    ("f", &["c", "d", "e"]),
    ("g", &["f"]),
    ("h", &["g"]),
];

/// What a step does that has something to do.
const BUSY: &str = r"
import time

import pandas as pd


def main(input_paths, output_paths, environ_vars, job_args):
    begun = time.process_time()
    rows = pd.concat([pd.read_csv(path) for path in input_paths.values()])
    while time.process_time() - begun < job_args.cpu_seconds:
        pass
    for path in output_paths.values():
        rows.head(100).to_csv(path, index=False)
";

/// What a step does that has nothing to do but the import.
const IDLE: &str = r#"
import pandas as pd


def main(input_paths, output_paths, environ_vars, job_args):
    for path in output_paths.values():
        with open(path, "w") as file:
            file.write("order_id,amount\n1,9.5\n")
"#;

/// How long a run may take that has nothing to do but an import that is made already.
const IDLE_RUN_SECONDS: f64 = 0.025;

fn main() -> ExitCode {
    let options = Options::read(5, &[]);
    let mut table = Table::begin("pipeline", &options);
    let interpreter = match interpreter() {
        Ok(interpreter) => interpreter,
        Err(reason) => {
            table.skipped("8 scripts that use pandas", &reason);
            return table.end();
        }
    };
    let scratch = Scratch::new();
    let bench = Bench {
        scratch: &scratch,
        interpreter: &interpreter,
        processors: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        cpu_seconds: if options.quick { 0.02 } else { 0.2 },
    };
    bench.measure(&options, &mut table);
    table.end()
}

/// The interpreter, if there is one that has pandas.
fn interpreter() -> Result<Utf8PathBuf, String> {
    let interpreter =
        std::env::var(INTERPRETER).map_err(|_| format!("{INTERPRETER} names no interpreter"))?;
    let interpreter = Utf8PathBuf::from(interpreter);
    python(&interpreter, "import pandas", &[]).map_err(|error| format!("{interpreter}: {error}"))?;
    Ok(interpreter)
}

/// What is run and how, of the kinds that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    script: &'static str,
    individual: bool,
    jobs: usize,
    isolation: Isolation,
    /// What is left out, to see what it costs.
    without: Without,
}

/// The part of a run that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    Observation,
    WorkingDirectory,
}

impl Without {
    fn what(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Observation => ", not observed",
            Self::WorkingDirectory => ", in the base folder",
        }
    }
}

impl Kind {
    /// All of them, those with a limit first.
    fn all(quick: bool) -> Vec<Self> {
        let mut kinds = Vec::new();
        for isolation in [Isolation::Forked, Isolation::Fresh] {
            for script in [BUSY, IDLE] {
                for individual in [false, true] {
                    // The scripts that do nothing show what a run costs, for which one number of jobs is enough.
                    let jobs = if script == BUSY && !quick { 2..=3 } else { 2..=2 };
                    let without = Without::Nothing;
                    kinds.extend(jobs.map(|jobs| Self { script, individual, jobs, isolation, without }));
                }
            }
        }
        let costs = [Without::Observation, Without::WorkingDirectory];
        for without in if quick { &costs[..0] } else { &costs } {
            let (jobs, isolation, without) = (2, Isolation::Forked, *without);
            kinds.extend([BUSY, IDLE].map(|script| Self {
                script,
                individual: true,
                jobs,
                isolation,
                without,
            }));
        }
        kinds
    }

    /// The same with everything.
    fn whole(self) -> Self {
        Self { without: Without::Nothing, ..self }
    }

    /// How many runs there are. The root is run once for both.
    fn runs(self) -> usize {
        if self.individual { 2 * STEPS.len() - 1 } else { STEPS.len() }
    }

    fn what(self) -> String {
        let script = if self.script == BUSY { "busy" } else { "idle" };
        let scope = if self.individual { "flow and individual" } else { "flow" };
        let without = self.without.what();
        format!("{script}, {scope}: {} runs, {} at once, {}{without}", self.runs(), self.jobs, self.isolation)
    }

    /// For busy scripts against a runner without any cost of its own, for idle ones against the bound.
    fn limit(self) -> Option<f64> {
        (self.isolation == Isolation::Forked).then_some(match (self.script == BUSY, self.individual) {
            (true, false) => 1.06,
            (true, true) => 1.10,
            (false, false) => 0.80,
            (false, true) => 0.65,
        })
    }
}

/// What does not depend on us, measured in one round.
struct Given {
    /// An interpreter that does nothing, started and waited for.
    start: f64,
    /// One import of pandas.
    import: f64,
    /// How long each `main` takes, by the place of its step.
    mains: Vec<f64>,
    /// All runs one after another in one interpreter, with its start and its import: of the flow, and of all.
    in_one_interpreter: [f64; 2],
}

impl Given {
    /// The least that runs can take: what cannot be done at the same time, and what there is to do in all.
    fn bound(&self, kind: Kind, processors: usize) -> f64 {
        if kind.script == IDLE {
            return self.start + self.import + IDLE_RUN_SECONDS * kind.runs() as f64;
        }
        let runs = self.runs(kind);
        let work: f64 = runs.iter().map(|run| run.work).sum();
        let longest = runs.iter().map(|run| run.way).fold(0.0, f64::max);
        self.start + self.import + longest.max(work / kind.jobs.min(processors) as f64)
    }

    /// What busy runs take that are started in the order of their ways, the longest first, and cost nothing beyond
    /// their work. As many as there are at once share the processors evenly.
    fn scheduled(&self, kind: Kind, processors: usize) -> f64 {
        let runs = self.runs(kind);
        let mut left: Vec<f64> = runs.iter().map(|run| run.work).collect();
        let mut running: Vec<usize> = Vec::new();
        let mut is_done = vec![false; runs.len()];
        let mut now = 0.0;
        loop {
            while running.len() < kind.jobs {
                let may_start = |at: &usize| {
                    !is_done[*at]
                        && !running.contains(at)
                        && runs[*at].waits_for.iter().all(|before| is_done[*before])
                };
                let ready = (0..runs.len()).filter(may_start);
                let Some(next) = ready.max_by(|one, other| runs[*one].way.total_cmp(&runs[*other].way))
                else {
                    break;
                };
                running.push(next);
            }
            let Some(first) =
                running.iter().copied().min_by(|one, other| left[*one].total_cmp(&left[*other]))
            else {
                return self.start + self.import + now;
            };
            // Of each one's work, so much is done until the first of them has ended.
            let done = left[first];
            now += done * (running.len() as f64 / processors as f64).max(1.0);
            for run in &running {
                left[*run] -= done;
            }
            running.retain(|run| *run != first);
            is_done[first] = true;
        }
    }

    /// The runs of busy scripts. Those of the flow come first, at the places of their steps.
    fn runs(&self, kind: Kind) -> Vec<Run> {
        let mut runs: Vec<Run> = STEPS
            .iter()
            .zip(&self.mains)
            .map(|((_, waits_for), work)| Run {
                work: *work,
                waits_for: waits_for.iter().map(|step| place(step)).collect(),
                way: *work,
            })
            .collect();
        for at in (0..runs.len()).rev() {
            let way = runs[at].way;
            for before in runs[at].waits_for.clone() {
                runs[before].way = runs[before].way.max(runs[before].work + way);
            }
        }
        if kind.individual {
            // The root's run serves for both.
            let alone =
                self.mains[1..].iter().map(|work| Run { work: *work, waits_for: Vec::new(), way: *work });
            runs.extend(alone);
        }
        runs
    }
}

/// A run of a busy script.
struct Run {
    work: f64,
    /// The places of the runs that must have ended before.
    waits_for: Vec<usize>,
    /// The work from here to an end, by the longest way.
    way: f64,
}

fn place(step: &str) -> usize {
    STEPS.iter().position(|(other, _)| *other == step).expect("a step of the pipeline")
}

struct Bench<'a> {
    scratch: &'a Scratch,
    interpreter: &'a Utf8Path,
    processors: usize,
    cpu_seconds: f64,
}

impl Bench<'_> {
    fn measure(&self, options: &Options, table: &mut Table) {
        let kinds: Vec<Kind> =
            Kind::all(options.quick).into_iter().filter(|kind| options.wants(&kind.what())).collect();
        let mut given = Vec::new();
        let mut walls: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
        for _ in 0..options.rounds {
            settle();
            given.push(self.given());
            for (kind, walls) in kinds.iter().zip(&mut walls) {
                settle();
                walls.push(self.test(*kind).as_secs_f64());
            }
        }
        let sample = |of: &dyn Fn(&Given) -> f64| Sample::seconds(given.iter().map(of));
        table.note("the start of an interpreter", &sample(&|given| given.start));
        table.note("one import of pandas", &sample(&|given| given.import));
        table.note(
            "one main, the median of all steps",
            &sample(&|given| Sample::seconds(given.mains.iter().copied()).median()),
        );
        for (at, scope) in ["flow", "flow and individual"].into_iter().enumerate() {
            let what = format!("busy, {scope}: one after another in one interpreter");
            table.note(&what, &sample(&|given| given.in_one_interpreter[at]));
        }
        for (kind, taken) in kinds.iter().zip(&walls) {
            let ours = Sample::seconds(taken.iter().copied());
            let bound = Baseline::measured("bound", sample(&|given| given.bound(*kind, self.processors)));
            if kind.without != Without::Nothing {
                let whole = kinds.iter().position(|other| *other == kind.whole());
                let Some(whole) = whole.map(|at| Sample::seconds(walls[at].iter().copied())) else {
                    continue;
                };
                table.row(&kind.whole().what(), &whole, &Baseline::measured(kind.what(), ours), None);
            } else if kind.script == BUSY && kind.isolation == Isolation::Forked {
                let scheduled = sample(&|given| given.scheduled(*kind, self.processors));
                let scheduled = Baseline::measured("no cost", scheduled);
                table.row(&kind.what(), &ours, &scheduled, kind.limit());
                table.row("  the same", &ours, &bound, None);
            } else {
                table.row(&kind.what(), &ours, &bound, kind.limit());
            }
        }
    }

    /// Measures what does not depend on us.
    fn given(&self) -> Given {
        let interpreter = self.interpreter;
        let mut nothing = Command::new(interpreter);
        nothing.args(["-c", "pass"]).stdin(Stdio::null());
        let (status, start) = timed(|| nothing.status());
        assert!(status.is_ok_and(|status| status.success()), "the interpreter does not work");
        let import =
            "import time; started = time.perf_counter(); import pandas; print(time.perf_counter() - started)";
        let import = python(interpreter, import, &[]).expect("pandas can be imported");
        let [flow, all] = [false, true].map(|individual| {
            let folder = self.scratch.folder();
            let calls = self.calls(&folder, individual).to_string();
            let (seconds, took) = timed(|| python(interpreter, CALL_ALL, &[&calls]));
            let seconds = seconds.unwrap_or_else(|error| panic!("the scripts do not work: {error}"));
            let seconds: Vec<f64> = serde_json::from_str(&seconds).expect("it prints a list of numbers");
            (seconds, took.as_secs_f64())
        });
        Given {
            start: start.as_secs_f64(),
            import: import.trim().parse().expect("it prints a number of seconds"),
            mains: flow.0,
            in_one_interpreter: [flow.1, all.1],
        }
    }

    /// How long a test takes.
    fn test(&self, kind: Kind) -> Duration {
        let folder = self.scratch.folder();
        self.write_project(&folder, kind.script);
        let names = STEPS.iter().map(|(step, _)| *step);
        let edges = STEPS.iter().flat_map(|(to, waits_for)| waits_for.iter().map(|from| (*from, *to)));
        let dag = PipelineDag::from_names(names, edges).expect("the graph has no cycle");
        let mut pipeline = PipelineTestingSpec::new(dag).with_workspace_root("workspace");
        for (step, waits_for) in STEPS {
            let mut spec = ScriptExecutionSpec::new(name(step), name(step));
            spec.input_paths = inputs(step, waits_for).into_iter().collect();
            spec.output_paths = [(output_name(step), output(step))].into();
            spec.job_args = [("cpu_seconds".to_owned(), json!(self.cpu_seconds).into())].into();
            pipeline.script_specs.insert(name(step), spec);
        }
        let configuration = RuntimeTestingConfiguration {
            test_individual_scripts: kind.individual,
            test_data_compatibility: false,
            ..RuntimeTestingConfiguration::new(pipeline)
        };
        let settings = TesterSettings {
            base_folder: Some(folder),
            python: self.interpreter.to_owned(),
            isolation: kind.isolation,
            jobs: kind.jobs.try_into().expect("more than none"),
            observe: kind.without != Without::Observation,
            working_directory: match kind.without {
                Without::WorkingDirectory => WorkingDirectory::Base,
                _ => WorkingDirectory::Own,
            },
            ..TesterSettings::default()
        };
        let planned = Arc::new(AtomicUsize::new(0));
        let reporter = {
            let planned = Arc::clone(&planned);
            move |event: &Event<'_>| {
                if let Event::Planned { runs, .. } = event {
                    planned.store(*runs, Ordering::Relaxed);
                }
            }
        };
        let tester = RuntimeTester::new(configuration).with_settings(settings).with_reporter(reporter);
        let (report, took) = timed(|| tester.test_pipeline());
        let report = report.expect("the test can be carried out");
        assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
        assert_eq!(planned.load(Ordering::Relaxed), kind.runs(), "the runs that the bound is made for");
        took
    }

    /// The scripts, and data of its own for every step.
    fn write_project(&self, folder: &Utf8Path, script: &str) {
        for (step, waits_for) in STEPS {
            write(&folder.join(format!("workspace/scripts/{step}.py")), script);
            for path in inputs(step, waits_for).into_values() {
                write(&folder.join(path), "order_id,amount\n1,9.5\n2,4.0\n");
            }
        }
    }

    /// The same runs, for [`CALL_ALL`]: those of the flow first.
    fn calls(&self, folder: &Utf8Path, individual: bool) -> Value {
        self.write_project(folder, BUSY);
        let mut calls = Vec::new();
        for is_flow in [true, false] {
            for (step, waits_for) in STEPS {
                if !is_flow && (!individual || waits_for.is_empty()) {
                    continue;
                }
                let fed = waits_for.iter().map(|from| (output_name(from), output(from)));
                let own = inputs(step, waits_for);
                let inputs = if is_flow && !waits_for.is_empty() { fed.collect() } else { own };
                let absolute = |path: &Utf8Path| folder.join(path).into_string();
                let inputs: Vec<Value> =
                    inputs.iter().map(|(name, path)| json!([name.as_str(), absolute(path)])).collect();
                let target = if is_flow { output(step) } else { format!("alone/rows_{step}.csv").into() };
                let target = folder.join(target);
                std::fs::create_dir_all(target.parent().expect("a file has a folder")).expect("a new folder");
                calls.push(json!({
                    "script": absolute(format!("workspace/scripts/{step}.py").as_ref()),
                    "inputs": inputs,
                    "outputs": [[output_name(step).as_str(), target]],
                    "cpu_seconds": self.cpu_seconds,
                }));
            }
        }
        calls.into()
    }
}

/// Calls scripts one after another, as a simple runner would, and prints how long each `main` took.
const CALL_ALL: &str = r#"
import argparse, importlib.util, json, os, sys, time

seconds = []
for call in json.loads(sys.argv[1]):
    name = os.path.splitext(os.path.basename(call["script"]))[0]
    spec = importlib.util.spec_from_file_location(name, call["script"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    job_args = argparse.Namespace(cpu_seconds=call["cpu_seconds"])
    started = time.perf_counter()
    module.main(dict(call["inputs"]), dict(call["outputs"]), {}, job_args)
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds))
"#;

fn output_name(step: &str) -> LogicalName {
    name(format!("rows_{step}"))
}

fn output(step: &str) -> Utf8PathBuf {
    format!("output/rows_{step}.csv").into()
}

/// The inputs of a step, where its own data lies: one for each step that feeds it, or one for a root.
fn inputs(step: &str, waits_for: &[&str]) -> BTreeMap<LogicalName, Utf8PathBuf> {
    if waits_for.is_empty() {
        return [(name("orders"), format!("data/{step}/orders.csv").into())].into();
    }
    waits_for.iter().map(|from| (output_name(from), format!("data/{step}/rows_{from}.csv").into())).collect()
}
