//! What the engine adds to the work of the steps: steps that do next to nothing, and many of them.
//!
//! Run with `cargo bench --package runtime-testing --bench engine`. What is measured is said in `docs/benchmarks.md`.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod common;
#[path = "common/names.rs"]
mod names;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::OnceCell;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    FunctionParams, PipelineDag, PipelineTestingSpec, RuntimeTester, RuntimeTestingConfiguration,
    ScriptExecutionSpec, StepName, TesterSettings, WorkingDirectory,
};

use common::{Baseline, Options, Sample, Scratch, Table, alternate, find_program, grouped, timed, write};
use names::name;

/// How many runs are made at once, by us and by the baseline.
const JOBS: usize = 2;
/// How many entries the base folder has that working directories are views of.
const BASE_ENTRIES: usize = 50;
/// What a working directory of so many entries may cost a run.
const MOST_FOR_A_WORKING_DIRECTORY: Duration = Duration::from_millis(1);
/// The first word on the command line of the process whose memory is measured. The number of steps and a folder follow.
const MEMORY: &str = "--measure-memory-of";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, steps, folder] = words.as_slice()
        && word == MEMORY
    {
        let steps = steps.parse().expect("a number of steps");
        println!("{}", Memory::measure(steps, Utf8Path::new(folder)).to_line());
        return ExitCode::SUCCESS;
    }
    let options = Options::read(3, &[("--functions", "N")]);
    let scratch = Scratch::new();
    let functions = options.own("--functions").unwrap_or_else(|| options.size(100_000, 1_000));
    let mut table = Table::begin("engine", &options);
    programs(&options, &scratch, &mut table, "wide", &Graph::wide(options.size(10_000, 200)));
    let layers = options.size(100, 10);
    programs(&options, &scratch, &mut table, "layered", &Graph::layered(layers, layers));
    working_directories(&options, &scratch, &mut table, options.size(2_000, 200));
    write_bytes(&options, &scratch, &mut table, functions);
    memory(&options, &scratch, &mut table, &[options.size(1_000, 100), functions]);
    table.end()
}

/// Steps and what each waits for.
struct Graph {
    steps: Vec<StepName>,
    waits_for: Vec<Vec<usize>>,
}

impl Graph {
    /// Steps that wait for nothing.
    fn wide(steps: usize) -> Self {
        Self { steps: (0..steps).map(step_name).collect(), waits_for: vec![Vec::new(); steps] }
    }

    /// Layers of `width` steps, each of which waits for two or three of the layer before.
    fn layered(layers: usize, width: usize) -> Self {
        let mut graph = Self::wide(layers * width);
        for (step, waits_for) in graph.waits_for.iter_mut().enumerate().skip(width) {
            let before = (step / width - 1) * width;
            let offsets: &[usize] = if step.is_multiple_of(2) { &[0, 1, 5] } else { &[0, 1] };
            waits_for.extend(offsets.iter().map(|offset| before + (step + offset) % width));
        }
        graph
    }

    fn dag(&self) -> PipelineDag {
        let name = |step: usize| self.steps[step].clone();
        let edges = self
            .waits_for
            .iter()
            .enumerate()
            .flat_map(|(to, waits_for)| waits_for.iter().map(move |from| (name(*from), name(to))));
        PipelineDag::build(self.steps.iter().cloned(), edges).expect("the graph has no cycle")
    }
}

fn step_name(step: usize) -> StepName {
    name(format!("step_{step:06}"))
}

/// A tester of the flow of a graph, and of nothing else.
fn tester(graph: &Graph, folder: &Utf8Path, spec: impl Fn(usize) -> ScriptExecutionSpec) -> RuntimeTester {
    let mut pipeline = PipelineTestingSpec::new(graph.dag()).with_workspace_root("workspace");
    for (at, step) in graph.steps.iter().enumerate() {
        pipeline.script_specs.insert(step.clone(), spec(at));
    }
    let configuration = RuntimeTestingConfiguration {
        test_individual_scripts: false,
        test_data_compatibility: false,
        ..RuntimeTestingConfiguration::new(pipeline)
    };
    let settings = TesterSettings {
        base_folder: Some(folder.to_owned()),
        jobs: JOBS.try_into().expect("more than none"),
        ..TesterSettings::default()
    };
    RuntimeTester::new(configuration).with_settings(settings)
}

/// How long a test takes in which all is well.
fn test(tester: &RuntimeTester) -> Duration {
    let (report, took) = timed(|| tester.test_pipeline());
    let report = report.expect("the test can be carried out");
    assert!(report.pipeline_success(), "{:?}", report.errors().first());
    took
}

/// Programs that do nothing, against ninja.
fn programs(options: &Options, scratch: &Scratch, table: &mut Table, kind: &str, graph: &Graph) {
    let steps = graph.steps.len();
    let what = format!("{kind}: {} programs that do nothing, {JOBS} at once", grouped(steps));
    if !options.wants(&what) {
        return;
    }
    let Some(program) = find_program("true") else {
        table.skipped(&what, "there is no program `true`");
        return;
    };
    let mut ours = || test(&program_tester(graph, &scratch.folder(), &program));
    let Some(ninja) = find_program("ninja") else {
        let [ours] = alternate(options.rounds, [&mut ours]);
        table.row(&what, &ours, &Baseline::Skipped("ninja is not installed".to_owned()), None);
        return;
    };
    let build = ninja_file(graph, &program);
    let mut baseline = || {
        let folder = scratch.folder();
        write(&folder.join("build.ninja"), &build);
        let mut command = Command::new(&ninja);
        command.arg(format!("-j{JOBS}")).current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null());
        let (status, took) = timed(|| command.status());
        assert!(status.expect("ninja starts").success(), "ninja failed");
        took
    };
    let [ours, baseline] = alternate(options.rounds, [&mut ours, &mut baseline]);
    let limit = if scratch.is_in_memory() { 0.8 } else { 1.0 };
    table.row(&what, &ours, &Baseline::measured("ninja", baseline), Some(limit));
}

/// A tester of steps that each run `program`.
fn program_tester(graph: &Graph, folder: &Utf8Path, program: &Utf8Path) -> RuntimeTester {
    tester(graph, folder, |step| {
        let name = &graph.steps[step];
        let mut spec = ScriptExecutionSpec::new(name.cast(), name.clone());
        spec.script_path = Some(program.to_owned());
        // Without it, all that wait for the same would be the same run, which is made once.
        spec.job_args.insert("step".to_owned(), name.as_str().into());
        spec
    })
}

/// Programs with a working directory of their own, which is made of links, against the same in the base folder.
fn working_directories(options: &Options, scratch: &Scratch, table: &mut Table, steps: usize) {
    let what = format!("wide: {} working directories of {BASE_ENTRIES} entries", grouped(steps));
    if !options.wants(&what) {
        return;
    }
    let Some(program) = find_program("true") else {
        table.skipped(&what, "there is no program `true`");
        return;
    };
    let graph = Graph::wide(steps);
    let in_directory = |working_directory: WorkingDirectory| {
        let folder = scratch.folder();
        for entry in 0..BASE_ENTRIES {
            write(&folder.join(format!("entry_{entry}.txt")), "1");
        }
        let tester = program_tester(&graph, &folder, &program);
        let settings = TesterSettings { working_directory, ..tester.settings().clone() };
        test(&tester.with_settings(settings))
    };
    let allowed = MOST_FOR_A_WORKING_DIRECTORY * u32::try_from(steps).expect("a few thousand");
    let mut ours = || in_directory(WorkingDirectory::Own);
    let mut baseline = || in_directory(WorkingDirectory::Base) + allowed;
    let [ours, baseline] = alternate(options.rounds, [&mut ours, &mut baseline]);
    table.row(&what, &ours, &Baseline::measured("in the base folder, and 1 ms a run", baseline), Some(1.0));
}

/// The same commands in the same order. Nothing is ever written to the outputs, so all of them are always to be made.
fn ninja_file(graph: &Graph, program: &Utf8Path) -> String {
    let mut text = format!("rule run\n  command = {program} --step $out\n");
    for (step, waits_for) in graph.steps.iter().zip(&graph.waits_for) {
        let inputs = waits_for.iter().fold(String::new(), |mut inputs, from| {
            write!(inputs, " {}", graph.steps[*from]).expect("a text can be written to");
            inputs
        });
        writeln!(text, "build {step}: run{inputs}").expect("a text can be written to");
    }
    text
}

/// A tester of functions that each write one byte.
fn byte_writers(steps: usize, folder: &Utf8Path) -> RuntimeTester {
    let graph = Graph::wide(steps);
    let spec = |step: usize| {
        let mut spec = ScriptExecutionSpec::new(name("write_byte"), graph.steps[step].clone());
        spec.output_paths = [(name("byte"), format!("output/{}.bin", graph.steps[step]).into())].into();
        spec
    };
    tester(&graph, folder, spec).with_function(name("write_byte"), |params: &FunctionParams| {
        fs::write(&params.output_paths["byte"], "1")?;
        Ok(())
    })
}

/// Functions that each write one byte, against a loop that makes the same folders and files.
fn write_bytes(options: &Options, scratch: &Scratch, table: &mut Table, steps: usize) {
    let what = format!("wide: {} functions that write a byte, {JOBS} at once", grouped(steps));
    if !options.wants(&what) {
        return;
    }
    let left: OnceCell<Left> = OnceCell::new();
    let mut ours = || {
        let folder = scratch.folder();
        let took = test(&byte_writers(steps, &folder));
        left.get_or_init(|| Left::find(&folder));
        took
    };
    let mut baseline = || {
        let folder = scratch.folder();
        timed(|| left.get().expect("ours was first").make(&folder)).1
    };
    let [ours, baseline] = alternate(options.rounds, [&mut ours, &mut baseline]);
    let left = left.into_inner().expect("a test was made");
    let name = format!("a loop, {} folders, {} files", grouped(left.folders()), grouped(left.files()));
    table.row(&what, &ours, &Baseline::measured(name, baseline), Some(3.0));
}

/// The folders and files that a test left, each folder before what is in it.
#[derive(Default)]
struct Left {
    /// A path, and what is in the file there; nothing for a folder.
    entries: Vec<(Utf8PathBuf, Option<Vec<u8>>)>,
}

impl Left {
    fn find(folder: &Utf8Path) -> Self {
        let mut left = Self::default();
        left.add(folder, folder);
        left
    }

    fn add(&mut self, root: &Utf8Path, folder: &Utf8Path) {
        let entries = folder.read_dir_utf8().expect("a folder").map(|entry| entry.expect("an entry"));
        let mut paths: Vec<Utf8PathBuf> = entries.map(|entry| entry.path().to_owned()).collect();
        // As a loop over the steps would make them.
        paths.sort();
        for path in paths {
            let below = path.strip_prefix(root).expect("a path below the folder").to_owned();
            if path.is_dir() {
                self.entries.push((below, None));
                self.add(root, &path);
            } else {
                self.entries.push((below, Some(fs::read(&path).expect("a file"))));
            }
        }
    }

    fn make(&self, folder: &Utf8Path) {
        for (below, content) in &self.entries {
            let path = folder.join(below);
            match content {
                Some(content) => fs::write(path, content).expect("a new file"),
                None => fs::create_dir(path).expect("a new folder"),
            }
        }
    }

    fn folders(&self) -> usize {
        self.entries.iter().filter(|(_, content)| content.is_none()).count()
    }

    fn files(&self) -> usize {
        self.entries.len() - self.folders()
    }
}

/// The memory that a test takes for itself, against what it may take.
fn memory(options: &Options, scratch: &Scratch, table: &mut Table, sizes: &[usize]) {
    for steps in sizes {
        let what = format!("memory: {} functions that write a byte", grouped(*steps));
        if !options.wants(&what) {
            continue;
        }
        let output = Command::new(std::env::current_exe().expect("this program has a path"))
            .args([MEMORY, &steps.to_string(), scratch.folder().as_str()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("this program starts");
        assert!(output.status.success(), "the measurement of memory failed");
        let memory = Memory::of_line(&String::from_utf8_lossy(&output.stdout));
        let allowed = Sample::bytes(200.0 * *steps as f64 + 20e6);
        let allowed = Baseline::measured("200 bytes a step and 20 MB", allowed);
        table.row(&what, &Sample::bytes(memory.own()), &allowed, Some(1.0));
        table.note("  not counted: the pipeline's specs", &Sample::bytes(memory.specs));
        table.note("  not counted: the report", &Sample::bytes(memory.report));
        if memory.resident > 0.0 {
            table.note("  most that was ever resident, with all of these", &Sample::bytes(memory.resident));
        }
    }
}

/// Bytes that were allocated.
struct Memory {
    /// For the pipeline and its specs, before the test.
    specs: f64,
    /// At most, during the test, all included.
    peak: f64,
    /// For the report, after the test.
    report: f64,
    /// What the system saw, where it says so.
    resident: f64,
}

impl Memory {
    /// What the tester itself had at most.
    fn own(&self) -> f64 {
        self.peak - self.specs - self.report
    }

    fn measure(steps: usize, folder: &Utf8Path) -> Self {
        COUNTS.store(true, Ordering::Relaxed);
        let tester = byte_writers(steps, folder);
        let specs = ALLOCATED.load(Ordering::Relaxed);
        PEAK.store(specs, Ordering::Relaxed);
        let report = tester.test_pipeline().expect("the test can be carried out");
        let peak = PEAK.load(Ordering::Relaxed);
        assert!(report.pipeline_success(), "{:?}", report.errors().first());
        // Lines such as `VmHWM:   12345 kB`.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        let resident = resident.and_then(|kibibytes| kibibytes.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0;
        let before = ALLOCATED.load(Ordering::Relaxed);
        drop(report);
        let report = before - ALLOCATED.load(Ordering::Relaxed);
        Self { specs: specs as f64, peak: peak as f64, report: report as f64, resident }
    }

    fn to_line(&self) -> String {
        format!("{} {} {} {}", self.specs, self.peak, self.report, self.resident)
    }

    fn of_line(line: &str) -> Self {
        let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        let [specs, peak, report, resident] = numbers[..] else { panic!("four numbers, not {line:?}") };
        Self { specs, peak, report, resident }
    }
}

/// The allocator of the system, which counts where it is told to.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATED: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: isize) {
    if COUNTS.load(Ordering::Relaxed) {
        let allocated = ALLOCATED.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK.fetch_max(allocated, Ordering::Relaxed);
    }
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one hands everything on")]
// SAFETY: every call is handed to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
