//! Profiles of NDJSON, Parquet and Arrow IPC, and the comparison of wide tables.
//!
//! Run with `cargo bench --package runtime-testing-data --all-features --bench formats`, with
//! `RUNTIME_TESTING_PANDAS_PYTHON` set to an interpreter that has numpy, polars and pyarrow. What is measured is said in
//! `docs/benchmarks.md`.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../../runtime-testing/benches/common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::process::{Command, ExitCode};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use common::{Baseline, Options, Sample, Scratch, Table, alternate, grouped, python, timed};
use runtime_testing_data::{Expected, compare, profile_file};
use runtime_testing_models::{Column, DataProfile, FileFormat, FileProfile, TableSchema};

/// Names the interpreter.
const INTERPRETER: &str = "RUNTIME_TESTING_PANDAS_PYTHON";

/// The first word on the command line of the process whose memory is measured. The file that it profiles follows.
const MEMORY: &str = "--measure-memory-of";

/// The same of a comparison of two tables. The number of their columns follows.
const MEMORY_OF_COMPARISON: &str = "--measure-memory-of-comparison";

/// What a profile or a comparison may take, whatever the data.
const MOST_MEMORY: f64 = 64e6;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, what] = words.as_slice()
        && [MEMORY, MEMORY_OF_COMPARISON].contains(&word.as_str())
    {
        let before = resident_at_most();
        if word == MEMORY {
            profiled(Utf8Path::new(what));
        } else {
            let columns = what.parse().expect("a number of columns");
            // With the profiles themselves.
            let (sample, found) = (wide(columns, 0), wide(columns, 1));
            assert!(!compare(&Expected::Inferred(&sample), &found).is_empty());
        }
        println!("{}", resident_at_most() - before);
        return ExitCode::SUCCESS;
    }
    let options = Options::read(5, &[]);
    let scratch = Scratch::new();
    let folder = scratch.folder();
    let python = std::env::var(INTERPRETER).map(Utf8PathBuf::from);
    let python = python.map_err(|_| format!("{INTERPRETER} does not name an interpreter"));
    let mut table = Table::begin("formats", &options);
    ndjson(&options, &folder, &mut table, python.as_deref());
    binary(&options, &folder, &mut table, python.as_deref());
    wide_tables(&options, &mut table);
    table.end()
}

type Interpreter<'a> = Result<&'a Utf8Path, &'a String>;

const READ_NDJSON: &str = r"
import sys, time
import polars

with open(sys.argv[1], 'rb') as file:
    head = file.read(100_000)
polars.read_ndjson(head[:head.rindex(b'\n')])
started = time.perf_counter()
rows = len(polars.read_ndjson(sys.argv[1]))
print(time.perf_counter() - started)
";

/// A profile of all rows, against reading the file into a data frame. And the same rows as one array, without baseline.
fn ndjson(options: &Options, folder: &Utf8Path, table: &mut Table, python: Interpreter<'_>) {
    let rows = options.size(3_000_000, 30_000);
    let what = format!("NDJSON, {} rows", grouped(rows));
    if options.wants(&what) {
        let lines = folder.join("orders.ndjson");
        write_orders(&lines, rows, ["", "\n", "\n"]);
        measure_file(options, table, (&what, &lines), python, ("polars.read_ndjson", READ_NDJSON), 1);
    }
    let what = format!("JSON, one array of {} rows", grouped(rows));
    if options.wants(&what) {
        let array = folder.join("orders.json");
        write_orders(&array, rows, ["[", ",\n", "]\n"]);
        let [ours] = alternate(options.rounds, [&mut || profiled(&array)]);
        table.note(&what, &ours);
        memory(table, &what, [MEMORY, array.as_str()]);
    }
}

/// Orders as JSON objects: integers, a decimal, text, a timestamp, a float of twelve digits, and a boolean.
fn write_orders(path: &Utf8Path, rows: usize, [begin, between, end]: [&str; 3]) {
    const STORES: [&str; 6] =
        ["north market", "south", "harbour street 7", "old mill", "central station", "garden"];
    let mut file = BufWriter::new(std::fs::File::create(path).expect("a new file"));
    let mut line = begin.to_owned();
    // A generator of Lehmer's kind, so that every machine reads the same file.
    let mut state = 42_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for id in 1..=rows {
        let (amount, cents, quantity, customer) = (random(1000), random(100), random(100), random(1_000_000));
        let (store, score, flag) = (STORES[random(6) as usize], random(1_000_000_000) * 997, random(2) == 1);
        let (month, day, hour, minute, second) =
            (random(12) + 1, random(28) + 1, random(24), random(60), random(60));
        write!(
            line,
            "{{\"order_id\":{id},\"amount\":{amount}.{cents:02},\"quantity\":{quantity},\"customer_id\":{customer},\
             \"store\":\"{store}\",\"ordered_at\":\"2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}\",\
             \"score\":0.{score:012},\"returned\":{flag}}}{}",
            if id == rows { end } else { between },
        )
        .expect("a string takes everything");
        file.write_all(line.as_bytes()).expect("room on the disk");
        line.clear();
    }
    file.flush().expect("room on the disk");
}

const WRITE_BINARY: &str = r"
import sys
import numpy, pyarrow, pyarrow.parquet

rows = int(sys.argv[1])
random = numpy.random.default_rng(1)
columns = {f'c{place}': random.random(rows) for place in range(16)}
table = pyarrow.table(columns)
pyarrow.parquet.write_table(table, sys.argv[2], row_group_size=max(rows // 128, 1))
with pyarrow.ipc.new_file(sys.argv[3], table.schema) as file:
    file.write_table(table, max_chunksize=max(rows // 128, 1))
";

const READ_METADATA: &str = r"
import sys, time
import pyarrow.parquet

times = []
for _ in range(50):
    started = time.perf_counter()
    pyarrow.parquet.read_metadata(sys.argv[1])
    times.append(time.perf_counter() - started)
print(sorted(times)[25])
";

const READ_BATCHES: &str = r"
import sys, time
import pyarrow

times = []
for _ in range(50):
    started = time.perf_counter()
    with pyarrow.memory_map(sys.argv[1]) as source:
        file = pyarrow.ipc.open_file(source)
        rows = 0
        nulls = [0] * len(file.schema)
        for place in range(file.num_record_batches):
            batch = file.get_batch(place)
            rows += batch.num_rows
            for column in range(batch.num_columns):
                nulls[column] += batch.column(column).null_count
    times.append(time.perf_counter() - started)
print(sorted(times)[25])
";

/// Profiles from metadata, against what pyarrow takes for the same.
fn binary(options: &Options, folder: &Utf8Path, table: &mut Table, python: Interpreter<'_>) {
    let rows = options.size(8_000_000, 80_000);
    let names = [
        (
            format!("Parquet, {} rows of 16 columns", grouped(rows)),
            "pyarrow.parquet.read_metadata",
            READ_METADATA,
        ),
        (
            format!("Arrow IPC, {} rows of 16 columns", grouped(rows)),
            "pyarrow.ipc, rows and nulls",
            READ_BATCHES,
        ),
    ];
    if !names.iter().any(|(what, ..)| options.wants(what)) {
        return;
    }
    let files = [folder.join("numbers.parquet"), folder.join("numbers.arrow")];
    let written = python.map_err(String::clone).and_then(|interpreter| {
        let [parquet, arrow] = [files[0].as_str(), files[1].as_str()];
        common::python(interpreter, WRITE_BINARY, &[&rows.to_string(), parquet, arrow])
    });
    for ((what, baseline, program), file) in names.iter().zip(&files) {
        match &written {
            _ if !options.wants(what) => {}
            Err(reason) => table.skipped(what, reason),
            Ok(_) => measure_file(options, table, (what, file), python, (*baseline, *program), 50),
        }
    }
}

/// Measures the median of so many profiles of a file, and its memory, against a Python program that prints a time.
fn measure_file(
    options: &Options,
    table: &mut Table,
    (what, file): (&str, &Utf8Path),
    interpreter: Interpreter<'_>,
    (name, program): (&str, &str),
    times: usize,
) {
    let mut ours = || {
        let mut each: Vec<Duration> = (0..times).map(|_| profiled(file)).collect();
        each.sort_unstable();
        each[times / 2]
    };
    let size = std::fs::metadata(file).expect("the file is there").len() / 1_000_000;
    let row = format!("{what}, {size} MB");
    match interpreter {
        Ok(interpreter) => {
            let mut baseline = || {
                let printed = python(interpreter, program, &[file.as_str()]);
                let printed = printed.unwrap_or_else(|error| panic!("the Python program failed: {error}"));
                Duration::from_secs_f64(printed.trim().parse().expect("it prints a number of seconds"))
            };
            let [ours, baseline] = alternate(options.rounds, [&mut ours, &mut baseline]);
            table.row(&row, &ours, &Baseline::measured(name, baseline), Some(1.0));
        }
        Err(reason) => {
            let [ours] = alternate(options.rounds, [&mut ours]);
            table.row(&row, &ours, &Baseline::Skipped(reason.clone()), None);
        }
    }
    memory(table, what, [MEMORY, file.as_str()]);
}

fn profiled(path: &Utf8Path) -> Duration {
    let (profile, took) = timed(|| profile_file(path).expect("the file is there"));
    assert!(profile.schema.is_some() && profile.findings.is_empty());
    took
}

/// What a profile or a comparison adds to the memory of a process, measured in a process of its own.
fn memory(table: &mut Table, what: &str, words: [&str; 2]) {
    let what = format!("{what}: memory");
    if resident_at_most() == 0.0 {
        table.skipped(&what, "this system does not say");
        return;
    }
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program).args(words).output().expect("this program starts");
    assert!(output.status.success(), "the measurement of memory failed");
    let bytes = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number of bytes");
    table.row(
        &what,
        &Sample::bytes(bytes),
        &Baseline::measured("64 MB", Sample::bytes(MOST_MEMORY)),
        Some(1.0),
    );
}

/// The most memory that was resident so far, in bytes; zero where the system does not say.
fn resident_at_most() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kilobytes.unwrap_or_default() * 1024.0
}

/// The comparison of two tables, against reading their profiles from JSON.
fn wide_tables(options: &Options, table: &mut Table) {
    let columns = options.size(10_000, 1_000);
    for (what, changed) in [("alike", 0), ("every tenth column renamed, every tenth of another type", 1)] {
        let what = format!("two tables of {} columns compared, {what}", grouped(columns));
        if !options.wants(&what) {
            continue;
        }
        let (sample, found) = (wide(columns, 0), wide(columns, changed));
        let texts = [&sample, &found].map(|profile| serde_json::to_string(profile).expect("plain data"));
        let mut ours = || {
            let (differences, took) = timed(|| compare(&Expected::Inferred(&sample), &found));
            assert_eq!(differences.is_empty(), changed == 0);
            took
        };
        let mut baseline = || {
            let parse =
                |text: &String| serde_json::from_str::<DataProfile>(text).expect("what was just written");
            timed(|| texts.each_ref().map(parse)).1
        };
        let [ours, baseline] = alternate(options.rounds.max(5), [&mut ours, &mut baseline]);
        table.row(&what, &ours, &Baseline::measured("serde_json, both profiles", baseline), Some(1.0));
        if changed > 0 {
            memory(table, &what, [MEMORY_OF_COMPARISON, &columns.to_string()]);
        }
    }
}

/// A table of many columns, some of which are others if it is changed.
fn wide(columns: usize, changed: usize) -> DataProfile {
    let column = |place: usize| {
        let (renamed, retyped) = (changed > 0 && place % 10 == 3, changed > 0 && place % 10 == 7);
        let name = format!("{}_{place:05}", if renamed { "measure" } else { "measurement" });
        let mut column = Column::new(name, if retyped { "text" } else { "float64" });
        column.nulls = Some(place as u64 % 7);
        column
    };
    let schema = TableSchema { columns: (0..columns).map(column).collect(), rows: 1_000_000 };
    let file = FileProfile {
        path: "wide.parquet".into(),
        format: FileFormat::Parquet,
        compression: None,
        promised: None,
        delimiter: None,
        byte_order_mark: false,
        one_line: false,
        partition_columns: Vec::new(),
        bytes: 1_000_000_000,
        schema: Some(schema),
        findings: Vec::new(),
    };
    DataProfile { is_folder: false, files: vec![file] }
}
