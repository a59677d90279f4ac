//! What it takes to profile a large CSV file, every row of it, beside the fastest readers there are.
//!
//! Run with `cargo bench --package runtime-testing-data --bench profile`. What is measured is said in `docs/benchmarks.md`.

#[path = "../../runtime-testing/benches/common/mod.rs"]
mod common;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_data::{
    Expected, ProfileOptions, compare_values, profile_file, profile_file_with, profile_path,
};
use runtime_testing_models::{DataContract, FileProfile};

use common::{Baseline, Options, Sample, Scratch, Table, alternate, grouped, python, timed};

/// Names a file that a process is to profile, to tell how much memory that took.
const MEASURED_FILE: &str = "RUNTIME_TESTING_MEASURED_FILE";

/// How much memory a profile may take.
const MEMORY_LIMIT: f64 = 64e6;

fn main() -> ExitCode {
    if let Ok(path) = std::env::var(MEASURED_FILE) {
        print_growth(Utf8Path::new(&path));
        return ExitCode::SUCCESS;
    }
    let options = Options::read(5, &[]);
    let scratch = Scratch::new();
    let mut table = Table::begin("profile", &options);
    let folder = scratch.folder();
    let rows = options.size(3_000_000, 30_000);
    let orders = folder.join("orders.csv");
    write_orders(&orders, rows);
    let bytes = std::fs::metadata(&orders).expect("the file was just written").len();
    let what = format!("{} rows, {} MB", grouped(rows), bytes / 1_000_000);
    speed(&options, &mut table, &orders, &what);
    constraints(&options, &mut table, &orders, &what);
    memory(&options, &mut table, &orders, &format!("memory: {what}"));
    let endless = folder.join("endless.csv");
    for (name, write) in [("one cell", write_cell as fn(&Utf8Path, u64)), ("one line", write_line)] {
        let what = format!("memory: {name} of {} MB", bytes / 1_000_000);
        if options.wants(&what) {
            write(&endless, bytes);
            memory(&options, &mut table, &endless, &what);
        }
    }
    table.end()
}

const POLARS: &str = r"
import sys, time, polars

polars.read_csv(sys.argv[1])
started = time.perf_counter()
table = polars.read_csv(sys.argv[1])
print(time.perf_counter() - started)
";

const DUCKDB: &str = r"
import sys, time, duckdb

connection = duckdb.connect()
connection.execute('set enable_progress_bar = false')
query = 'select unnest(columns) from sniff_csv(?, sample_size = -1)'
started = time.perf_counter()
columns = connection.execute(query, [sys.argv[1]]).fetchall()
print(time.perf_counter() - started)
for (column,) in columns:
    print(column['name'], column['type'])
";

/// The time for all rows, against `read_csv` of polars and `sniff_csv` of DuckDB.
fn speed(options: &Options, table: &mut Table, orders: &Utf8Path, what: &str) {
    let one = ProfileOptions::default().with_jobs(NonZeroUsize::MIN);
    let mut ours = || timed(|| profile_file(orders).expect("the file was just written")).1;
    for (module, program, limit) in [("polars", POLARS, 1.0), ("duckdb", DUCKDB, 0.25)] {
        let what = format!("{module}: {what}");
        if !options.wants(&what) {
            continue;
        }
        let reader = match Reader::find(module, program) {
            Ok(reader) => reader,
            Err(reason) => {
                let [ours] = alternate(options.rounds, [&mut ours]);
                table.row(&what, &ours, &Baseline::Skipped(reason), None);
                continue;
            }
        };
        let mut baseline = || reader.measure(orders).0;
        let [ours, baseline] = alternate(options.rounds, [&mut ours, &mut baseline]);
        let what_of_it = if module == "duckdb" { "sniff_csv" } else { "read_csv" };
        let name = format!("{module} {} {what_of_it}", reader.version);
        table.row(&what, &ours, &Baseline::measured(name, baseline), Some(limit));
        let profile = profile_file(orders).expect("the file was just written");
        let theirs = reader.measure(orders).1;
        if !theirs.is_empty() {
            assert_eq!(types(&profile), theirs, "the types of all rows, by DuckDB on the right");
        }
    }
    let what = format!("one thread: {what}");
    if options.wants(&what) {
        let mut alone = || timed(|| profile_file_with(orders, &one).expect("the file was just written")).1;
        let [sample] = alternate(options.rounds, [&mut alone]);
        table.note(&what, &sample);
    }
}

/// A contract that asks something of every column of the orders.
const EVERY_COLUMN: &str = r#"{"columns": {
    "order_id": {"type": "integer", "minimum": 0, "max_null_fraction": 0},
    "amount": {"type": "float", "minimum": 0, "maximum": 1000, "max_null_fraction": 0.1},
    "quantity": {"type": "integer", "minimum": 0, "maximum": 99},
    "customer": {"type": "integer", "minimum": 0, "max_null_fraction": 0},
    "city": {"type": "text", "pattern": "[A-Z][a-z]+ [0-9]+"},
    "placed_at": {"type": "timestamp", "minimum": "2000-01-01T00:00:00", "maximum": "2040-01-01T00:00:00"},
    "weight": {"type": "float", "minimum": 0, "maximum": 1},
    "paid": {"type": "boolean", "values": [true, false]}
}}"#;

/// A contract on one column.
const ONE_UNIQUE: &str = r#"{"columns": {"order_id": {"type": "integer", "unique": true}}}"#;

const DISTINCT: &str = r"
import sys, time, duckdb

connection = duckdb.connect()
connection.execute('set enable_progress_bar = false')
started = time.perf_counter()
connection.execute('select count(distinct order_id), count(*) from read_csv(?)', [sys.argv[1]]).fetchall()
print(time.perf_counter() - started)
";

/// The time for a profile and what is asked of values, against that of the profile alone and against a query of DuckDB.
fn constraints(options: &Options, table: &mut Table, orders: &Utf8Path, what: &str) {
    let mut profile = || timed(|| profile_file(orders).expect("the file was just written")).1;
    let checked = |contract: &str| {
        let contract: DataContract = contract.parse().expect("a contract");
        timed(|| {
            let options = ProfileOptions::default();
            let found = profile_path(orders).expect("the file was just written");
            let told = compare_values(&Expected::Contract(&contract), orders, &found, &options);
            let told = told.expect("the file can be read");
            assert!(told.iter().all(|told| !told.difference.is_breaking()), "{told:?}");
        })
        .1
    };
    let row = format!("constraints on all columns: {what}");
    if options.wants(&row) {
        let [ours, baseline] = alternate(options.rounds, [&mut || checked(EVERY_COLUMN), &mut profile]);
        table.row(&row, &ours, &Baseline::measured("the profile".to_owned(), baseline), Some(1.3));
    }
    let row = format!("unique: {what}");
    if options.wants(&row) {
        match Reader::find("duckdb", DISTINCT) {
            Ok(reader) => {
                let mut baseline = || reader.measure(orders).0;
                let [ours, baseline] =
                    alternate(options.rounds, [&mut || checked(ONE_UNIQUE), &mut baseline]);
                let name = format!("duckdb {} count(distinct)", reader.version);
                table.row(&row, &ours, &Baseline::measured(name, baseline), Some(1.0));
            }
            Err(reason) => {
                let [ours] = alternate(options.rounds, [&mut || checked(ONE_UNIQUE)]);
                table.row(&row, &ours, &Baseline::Skipped(reason), None);
            }
        }
    }
}

/// A reader of another language.
struct Reader {
    interpreter: Utf8PathBuf,
    version: String,
    program: &'static str,
}

impl Reader {
    /// Finds it, or says why there is none.
    fn find(module: &str, program: &'static str) -> Result<Self, String> {
        let variable = "RUNTIME_TESTING_PANDAS_PYTHON";
        let interpreter = std::env::var(variable).map_err(|_| format!("{variable} is not set"))?;
        let interpreter = Utf8PathBuf::from(interpreter);
        let version = python(&interpreter, &format!("import {module}; print({module}.__version__)"), &[]);
        let version = version.map_err(|error| format!("{module} is not installed: {error}"))?;
        Ok(Self { interpreter, version: version.trim().to_owned(), program })
    }

    /// How long it says that it took, and what else it prints.
    fn measure(&self, path: &Utf8Path) -> (Duration, Vec<String>) {
        let printed = python(&self.interpreter, self.program, &[path.as_str()]);
        let printed = printed.unwrap_or_else(|error| panic!("the Python program failed: {error}"));
        let mut lines = printed.lines();
        let seconds = lines.next().and_then(|line| line.parse().ok()).expect("it prints a number of seconds");
        (Duration::from_secs_f64(seconds), lines.map(str::to_owned).collect())
    }
}

/// The columns and their types as DuckDB calls them.
fn types(profile: &FileProfile) -> Vec<String> {
    let schema = profile.schema.as_ref().expect("a table");
    let columns = schema.columns.iter().map(|column| {
        let data_type = column.data_type.to_string();
        let word = match &*data_type {
            "int64" => "BIGINT",
            "float64" => "DOUBLE",
            "text" => "VARCHAR",
            "boolean" => "BOOLEAN",
            "timestamp[us]" => "TIMESTAMP",
            other => other,
        };
        format!("{} {word}", column.name)
    });
    columns.collect()
}

/// How much the memory of a process grows that profiles a file, against a fixed number of bytes.
fn memory(options: &Options, table: &mut Table, path: &Utf8Path, what: &str) {
    if !options.wants(what) {
        return;
    }
    if !cfg!(target_os = "linux") {
        table.skipped(what, "the system does not say how much memory a process had");
        return;
    }
    let this = std::env::current_exe().expect("a process knows its program");
    let output =
        Command::new(this).env(MEASURED_FILE, path).output().expect("a program that was started before");
    let printed = String::from_utf8_lossy(&output.stdout);
    let growth = printed.trim().parse().expect("the process prints a number of bytes");
    let baseline = Baseline::measured("at most", Sample::bytes(MEMORY_LIMIT));
    table.row(what, &Sample::bytes(growth), &baseline, Some(1.0));
}

/// Profiles a file, and prints by how many bytes the most memory that this process ever had has grown.
#[allow(clippy::print_stdout, reason = "the process that asks reads it")]
fn print_growth(path: &Utf8Path) {
    let before = most_memory();
    let profile = profile_file(path).expect("a file that can be read");
    assert!(profile.bytes > 0, "the file was just written");
    println!("{}", most_memory() - before);
}

/// The most bytes that were ever resident.
fn most_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system tells of processes");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the system tells the most");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number of kilobytes");
    kilobytes * 1024.0
}

/// Numbers that look as if they were random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// An integer, a decimal, two integers, text, a timestamp, a float with twelve digits and a boolean, so many times.
fn write_orders(path: &Utf8Path, rows: usize) {
    const CITIES: [&str; 8] = ["Berlin", "Graz", "Oslo", "Porto", "Lyon", "Gent", "Krakow", "Aarhus"];
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut file = BufWriter::new(File::create(path).expect("a new file"));
    let mut write = |line: String| file.write_all(line.as_bytes()).expect("room for the file");
    write("order_id,amount,quantity,customer,city,placed_at,weight,paid\n".to_owned());
    for row in 0..rows {
        let mut below = |limit| numbers.below(limit);
        write(format!(
            "{row},{}.{:02},{},{},{} {},20{:02}-{:02}-{:02} {:02}:{:02}:{:02},0.{:012},{}\n",
            below(1000),
            below(100),
            below(100),
            below(1_000_000),
            CITIES[below(8) as usize],
            below(1000),
            below(30),
            1 + below(12),
            1 + below(28),
            below(24),
            below(60),
            below(60),
            below(1_000_000_000_000),
            below(2) == 0,
        ));
    }
    file.flush().expect("room for the file");
}

/// A header, and one cell in quotes with so many bytes.
fn write_cell(path: &Utf8Path, bytes: u64) {
    write_again_and_again(path, "a\n\"", "some text, and a line end\n", bytes);
}

/// A header that never ends.
fn write_line(path: &Utf8Path, bytes: u64) {
    write_again_and_again(path, "a", ",column", bytes);
}

fn write_again_and_again(path: &Utf8Path, beginning: &str, text: &str, bytes: u64) {
    let mut file = BufWriter::new(File::create(path).expect("a new file"));
    file.write_all(beginning.as_bytes()).expect("room for the file");
    for _ in 0..bytes / text.len() as u64 {
        file.write_all(text.as_bytes()).expect("room for the file");
    }
    file.flush().expect("room for the file");
}
