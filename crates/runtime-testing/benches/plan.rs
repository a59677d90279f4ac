//! What happens before the first script is started: specs are loaded, and a test is planned.
//!
//! Run with `cargo bench --package runtime-testing --bench plan`. What is measured is said in `docs/benchmarks.md`.

mod common;
#[path = "common/names.rs"]
mod names;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    CancelHandle, Event, PipelineDag, PipelineTestingSpecBuilder, RuntimeTester, ScriptExecutionSpec,
    StepName, TesterSettings, Validation,
};

use common::{Baseline, Options, Scratch, Table, alternate, find_program, grouped, python, timed, write};
use names::name;

fn main() -> ExitCode {
    let options = Options::read(5, &[]);
    let scratch = Scratch::new();
    let python = Python::find();
    let mut table = Table::begin("plan", &options);
    let width = options.size(100, 10);
    saved_specs(&options, &scratch, &mut table, &python, width * options.size(50, 10), width);
    let steps = options.size(100_000, 1_000);
    large_dag(&options, &scratch, &mut table, &python, steps);
    table.end()
}

/// The interpreter of the baselines, and what it calls itself; or why there is none.
struct Python(Result<(Utf8PathBuf, String), String>);

impl Python {
    fn find() -> Self {
        let found = find_program("python3").ok_or_else(|| "python3 is not installed".to_owned());
        Self(found.and_then(|interpreter| {
            let version = python(&interpreter, "import platform; print(platform.python_version())", &[])?;
            Ok((interpreter, format!("Python {}", version.trim())))
        }))
    }

    /// How long the program says that it took for what counts.
    fn measure(&self, program: &str, argument: &Utf8Path) -> Duration {
        let Ok((interpreter, _)) = &self.0 else { unreachable!("it is there where it is to measure") };
        let printed = python(interpreter, program, &[argument.as_str()]);
        let printed = printed.unwrap_or_else(|error| panic!("the Python program failed: {error}"));
        Duration::from_secs_f64(printed.trim().parse().expect("it prints a number of seconds"))
    }
}

/// Measures ours against what a Python program says of itself.
fn compare(
    options: &Options,
    table: &mut Table,
    what: &str,
    python: &Python,
    [ours, baseline]: [&mut dyn FnMut() -> Duration; 2],
    (module, limit): (&str, f64),
) {
    match &python.0 {
        Ok((_, version)) => {
            let [ours, baseline] = alternate(options.rounds, [ours, baseline]);
            let baseline = Baseline::measured(format!("{module}, {version}"), baseline);
            table.row(what, &ours, &baseline, Some(limit));
        }
        Err(reason) => {
            let [ours] = alternate(options.rounds, [ours]);
            table.row(what, &ours, &Baseline::Skipped(reason.clone()), None);
        }
    }
}

const LOAD_JSON: &str = r"
import json, os, sys, time

folder = sys.argv[1]
paths = sorted(os.path.join(folder, file) for file in os.listdir(folder) if file.endswith('.json'))
started = time.perf_counter()
loaded = []
for path in paths:
    with open(path, encoding='utf-8') as file:
        loaded.append(json.load(file))
print(time.perf_counter() - started)
";

/// From saved specs to the first run, against loading the same files and doing nothing with them.
fn saved_specs(
    options: &Options,
    scratch: &Scratch,
    table: &mut Table,
    python: &Python,
    steps: usize,
    width: usize,
) {
    let what = format!("{} saved specs: loaded and planned, to the first run", grouped(steps));
    if !options.wants(&what) {
        return;
    }
    let Some(program) = find_program("true") else {
        table.skipped(&what, "there is no program `true`");
        return;
    };
    let project = scratch.folder();
    let builder = PipelineTestingSpecBuilder::new(project.join("workspace"));
    let dag = save_specs(&project, &builder, &program, steps, width);
    let mut ours = || until_first_run(&project, &builder, &dag);
    let mut baseline = || python.measure(LOAD_JSON, builder.specs_dir());
    compare(options, table, &what, python, [&mut ours, &mut baseline], ("json.load", 0.5));
}

/// Saves the specs of layers of steps, each of which reads what two steps of the layer before write, and those of the first
/// layer a file of the user's own each.
fn save_specs(
    project: &Utf8Path,
    builder: &PipelineTestingSpecBuilder,
    program: &Utf8Path,
    steps: usize,
    width: usize,
) -> PipelineDag {
    let output = |step: usize| Utf8PathBuf::from(format!("output/step_{step:06}.csv"));
    let mut specs = Vec::new();
    let mut edges = Vec::new();
    for step in 0..steps {
        let mut spec = ScriptExecutionSpec::new(name("true"), step_name(step));
        spec.script_path = Some(program.to_owned());
        if step < width {
            let own = Utf8PathBuf::from(format!("data/orders_{step:06}.csv"));
            write(&project.join(&own), "order_id,amount\n1,9.5\n2,4.0\n");
            spec.input_paths = [(name("orders"), own)].into();
        } else {
            let before = (step / width - 1) * width;
            let [left, right] = [0, 1].map(|offset| before + (step + offset) % width);
            spec.input_paths = [(name("left"), output(left)), (name("right"), output(right))].into();
            edges.extend([left, right].map(|from| (step_name(from), step_name(step))));
        }
        spec.output_paths = [(name("rows"), output(step))].into();
        spec.environ_vars = ScriptExecutionSpec::default_environ_vars();
        spec.job_args = ScriptExecutionSpec::default_job_args();
        specs.push(spec);
    }
    builder.store().save_new(&specs).expect("the specs can be saved");
    PipelineDag::build((0..steps).map(step_name), edges).expect("the graph has no cycle")
}

fn step_name(step: usize) -> StepName {
    name(format!("step_{step:06}"))
}

/// How long it takes until the first run is started; then the test is canceled.
fn until_first_run(project: &Utf8Path, builder: &PipelineTestingSpecBuilder, dag: &PipelineDag) -> Duration {
    let first_run: Arc<OnceLock<Instant>> = Arc::default();
    let cancel = CancelHandle::new();
    let reporter = {
        let (first_run, cancel) = (Arc::clone(&first_run), cancel.clone());
        move |event: &Event<'_>| {
            if let Event::RunStarted { .. } = event {
                first_run.get_or_init(Instant::now);
                cancel.cancel();
            }
        }
    };
    let started = Instant::now();
    let pipeline = builder.build_from_dag(dag, Validation::Required).expect("the specs are complete");
    let settings = TesterSettings { base_folder: Some(project.to_owned()), ..TesterSettings::default() };
    let tester =
        RuntimeTester::new(pipeline).with_settings(settings).with_reporter(reporter).with_cancel(cancel);
    let report = tester.test_pipeline().expect("the test can be carried out");
    assert_eq!(report.script_results.len(), dag.steps().len());
    first_run.get().expect("a run was started").duration_since(started)
}

const SORT_GRAPH: &str = r"
import graphlib, json, sys, time

with open(sys.argv[1], encoding='utf-8') as file:
    graph = json.load(file)
started = time.perf_counter()
order = list(graphlib.TopologicalSorter(graph).static_order())
print(time.perf_counter() - started)
assert len(order) == len(graph)
";

/// A DAG built, checked and ordered, against the same graph ordered by Python's own module.
fn large_dag(options: &Options, scratch: &Scratch, table: &mut Table, python: &Python, steps: usize) {
    // Each step waits for two others that stand before it, but for the first.
    let waits_for = |step: usize| [step / 2, step / 3 + 1].into_iter().filter(move |from| *from < step);
    let mut edges: Vec<(usize, usize)> =
        (0..steps).flat_map(|to| waits_for(to).map(move |from| (from, to))).collect();
    edges.sort_unstable_by_key(|(from, to)| (*to, *from));
    edges.dedup();
    let what =
        format!("a DAG of {} steps and {} edges, built and ordered", grouped(steps), grouped(edges.len()));
    if !options.wants(&what) {
        return;
    }
    let names: Vec<StepName> = (0..steps).map(step_name).collect();
    let mut graph: serde_json::Map<String, serde_json::Value> =
        names.iter().map(|name| (name.to_string(), serde_json::json!([]))).collect();
    for (from, to) in &edges {
        let waits_for = graph[names[*to].as_str()].as_array_mut().expect("a list");
        waits_for.push(names[*from].as_str().into());
    }
    let file = scratch.folder().join("graph.json");
    write(&file, serde_json::to_vec(&graph).expect("a graph of names"));
    let edges: Vec<(StepName, StepName)> =
        edges.into_iter().map(|(from, to)| (names[from].clone(), names[to].clone())).collect();
    let mut ours = || {
        let (steps, edges) = (names.clone(), edges.clone());
        let (dag, took) = timed(|| {
            let dag = PipelineDag::build(steps, edges).expect("the graph has no cycle");
            assert_eq!(dag.topological_order().len(), names.len());
            dag
        });
        drop(dag);
        took
    };
    let mut baseline = || python.measure(SORT_GRAPH, &file);
    compare(options, table, &what, python, [&mut ours, &mut baseline], ("graphlib", 0.25));
}
