//! What the benchmarks share: how they are called, how they measure, and the table they print.

#![allow(dead_code, reason = "each benchmark uses its part of this")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

use std::cell::Cell;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

/// How a benchmark was called.
pub(crate) struct Options {
    /// Whether to measure something small, only to see that the benchmark works.
    pub(crate) quick: bool,
    /// How often each measurement is made.
    pub(crate) rounds: usize,
    /// Measurements whose names do not contain this are left out.
    only: Option<String>,
    /// What the benchmark itself asked for.
    own: Vec<(&'static str, String)>,
}

impl Options {
    /// Reads the command line. `own` are the options, each with a value, that this benchmark alone has. Ends the process
    /// where the command line makes no sense.
    pub(crate) fn read(default_rounds: usize, own: &[(&'static str, &str)]) -> Self {
        let mut options = Self { quick: false, rounds: 0, only: None, own: Vec::new() };
        let mut words: VecDeque<String> = std::env::args().skip(1).collect();
        while let Some(word) = words.pop_front() {
            let known = own.iter().find(|(name, _)| *name == word);
            match (word.as_str(), known) {
                // Cargo says so to every benchmark.
                ("--bench", _) => {}
                ("--quick", _) => options.quick = true,
                ("--rounds", _) => options.rounds = parsed(&word, words.pop_front().as_deref()),
                ("--only", _) => options.only = Some(parsed(&word, words.pop_front().as_deref())),
                (_, Some((name, _))) => options.own.push((name, parsed(&word, words.pop_front().as_deref()))),
                _ => {
                    eprintln!("usage: [--quick] [--rounds N] [--only TEXT]");
                    for (name, value) in own {
                        eprintln!("       [{name} {value}]");
                    }
                    std::process::exit(2);
                }
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 1 } else { default_rounds };
        }
        options
    }

    /// The value of an option that this benchmark alone has.
    pub(crate) fn own<T: FromStr>(&self, name: &str) -> Option<T> {
        self.own.iter().find(|(own, _)| *own == name).map(|(_, value)| parsed(name, Some(value)))
    }

    /// `full`, or `small` where the benchmark is to be quick.
    pub(crate) fn size(&self, full: usize, small: usize) -> usize {
        if self.quick { small } else { full }
    }

    /// Whether a measurement is asked for.
    pub(crate) fn wants(&self, what: &str) -> bool {
        self.only.as_ref().is_none_or(|only| what.contains(only))
    }
}

fn parsed<T: FromStr>(option: &str, value: Option<&str>) -> T {
    let value = value.and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| {
        eprintln!("{option}: its value is missing or makes no sense");
        std::process::exit(2);
    })
}

/// What a measurement is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

impl Unit {
    /// What values about as large as `value` are divided by, and what that is called.
    fn scale(self, value: f64) -> (f64, &'static str) {
        match self {
            Self::Seconds if value < 1e-3 => (1e-6, "µs"),
            Self::Seconds if value < 1.0 => (1e-3, "ms"),
            Self::Seconds => (1.0, "s"),
            Self::Bytes if value.abs() < 1e6 => (1e3, "kB"),
            Self::Bytes => (1e6, "MB"),
        }
    }
}

/// What came of one measurement, made once or several times.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    unit: Unit,
    sorted: Vec<f64>,
}

impl Sample {
    pub(crate) fn new(unit: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        assert!(!sorted.is_empty(), "something was measured");
        sorted.sort_by(f64::total_cmp);
        Self { unit, sorted }
    }

    pub(crate) fn seconds(values: impl IntoIterator<Item = f64>) -> Self {
        Self::new(Unit::Seconds, values)
    }

    pub(crate) fn bytes(value: f64) -> Self {
        Self::new(Unit::Bytes, [value])
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.sorted.len() / 2;
        if self.sorted.len() % 2 == 1 {
            self.sorted[middle]
        } else {
            (self.sorted[middle - 1] + self.sorted[middle]) / 2.0
        }
    }

    /// The median, and from where to where the values go.
    pub(crate) fn shown(&self) -> String {
        let (scale, unit) = self.unit.scale(self.median());
        let number = |value: f64| format!("{:.*}", if value / scale < 10.0 { 2 } else { 1 }, value / scale);
        let median = format!("{} {unit}", number(self.median()));
        match self.sorted.as_slice() {
            [_] => median,
            [least, .., most] => format!("{median} ({}..{})", number(*least), number(*most)),
            [] => unreachable!("something was measured"),
        }
    }
}

/// Makes the measurements in turn, all of them once in each round, so that a machine that becomes slower becomes slower for
/// all of them. Returns what came of each.
pub(crate) fn alternate<const N: usize>(
    rounds: usize,
    mut measurements: [&mut dyn FnMut() -> Duration; N],
) -> [Sample; N] {
    let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..rounds {
        for (measurement, values) in measurements.iter_mut().zip(&mut values) {
            settle();
            values.push(measurement().as_secs_f64());
        }
    }
    values.map(Sample::seconds)
}

/// Waits until the disk holds what was written so far: what one measurement left to be written would be written at the
/// expense of the next. Where there is no such program, nothing is waited for.
pub(crate) fn settle() {
    drop(Command::new("sync").stdin(Stdio::null()).status());
}

/// What a measurement is compared with.
pub(crate) enum Baseline {
    /// What came of it.
    Measured { name: String, sample: Sample },
    /// Why there is none.
    Skipped(String),
}

impl Baseline {
    pub(crate) fn measured(name: impl Into<String>, sample: Sample) -> Self {
        Self::Measured { name: name.into(), sample }
    }
}

/// Prints its rows as they come, and knows in the end whether one was over its limit.
pub(crate) struct Table {
    quick: bool,
    is_over: bool,
}

impl Table {
    pub(crate) fn begin(title: &str, options: &Options) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, NonZeroUsize::get);
        println!("{title}: {cores} processors, the median (least..most) of {} rounds", options.rounds);
        if options.quick {
            println!("quick: small, and only to see that it works; the figures and limits mean nothing");
        }
        println!();
        row(["what", "ours", "baseline", "ratio", "limit", ""]);
        row(["---", "---", "---", "---:", "---:", "---"]);
        Self { quick: options.quick, is_over: false }
    }

    /// A row with a limit, which ours divided by the baseline must not be over; or without one, for information.
    pub(crate) fn row(&mut self, what: &str, ours: &Sample, baseline: &Baseline, limit: Option<f64>) {
        let (baseline, ratio) = match baseline {
            Baseline::Measured { name, sample } => {
                (format!("{name}: {}", sample.shown()), Some(ours.median() / sample.median()))
            }
            Baseline::Skipped(reason) => (format!("SKIPPED: {reason}"), None),
        };
        let verdict = match (ratio, limit) {
            (Some(ratio), Some(limit)) if ratio > limit => {
                self.is_over = true;
                "OVER"
            }
            (Some(_), Some(_)) => "ok",
            _ => "",
        };
        let shown = |number: Option<f64>| number.map_or_else(String::new, |number| format!("{number:.2}"));
        row([what, &ours.shown(), &baseline, &shown(ratio), &shown(limit), verdict]);
    }

    /// A row of one measurement, for information.
    pub(crate) fn note(&mut self, what: &str, ours: &Sample) {
        row([what, &ours.shown(), "", "", "", ""]);
    }

    /// A row of something that could not be measured.
    pub(crate) fn skipped(&mut self, what: &str, reason: &str) {
        row([what, "", &format!("SKIPPED: {reason}"), "", "", ""]);
    }

    /// What the benchmark ends with: a failure where a limit was exceeded, unless it was only to be quick.
    pub(crate) fn end(self) -> ExitCode {
        if self.is_over && !self.quick { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

fn row([what, ours, baseline, ratio, limit, verdict]: [&str; 6]) {
    println!("| {what:<62} | {ours:<26} | {baseline:<60} | {ratio:>6} | {limit:>6} | {verdict:<4} |");
}

/// The folders of a benchmark, all in one temporary folder. They are removed together when the benchmark is over, and not
/// one by one: some file systems are slow to make files while they remember others that were removed.
pub(crate) struct Scratch {
    _root: tempfile::TempDir,
    path: Utf8PathBuf,
    made: Cell<usize>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("runtime-testing-bench-").tempdir();
        let root = root.expect("a temporary folder");
        let path = root.path().canonicalize().expect("the folder was just made");
        let path = Utf8PathBuf::from_path_buf(path).expect("the temporary folder is UTF-8");
        Self { _root: root, path, made: Cell::new(0) }
    }

    /// Whether its files are kept in memory (tmpfs). Where the system does not say, they are taken not to be.
    pub(crate) fn is_in_memory(&self) -> bool {
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let mounted = mounts.lines().filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((Utf8Path::new(words.next()?), words.next()?))
        });
        let around = mounted.filter(|(folder, _)| self.path.starts_with(folder));
        around.max_by_key(|(folder, _)| folder.as_str().len()).is_some_and(|(_, kind)| kind == "tmpfs")
    }

    /// A new and empty folder.
    pub(crate) fn folder(&self) -> Utf8PathBuf {
        let folder = self.path.join(self.made.get().to_string());
        self.made.set(self.made.get() + 1);
        std::fs::create_dir(&folder).expect("a new folder");
        folder
    }
}

/// Writes a file, with all folders on the way.
pub(crate) fn write(path: &Utf8Path, content: impl AsRef<[u8]>) {
    let folder = path.parent().expect("the path of a file has a folder");
    std::fs::create_dir_all(folder).expect("a new folder");
    std::fs::write(path, content).expect("a new file");
}

/// A program that `PATH` leads to.
pub(crate) fn find_program(name: &str) -> Option<Utf8PathBuf> {
    let path = std::env::var_os("PATH")?;
    let programs = std::env::split_paths(&path).map(|folder: PathBuf| folder.join(name));
    programs.filter(|program| program.is_file()).find_map(|program| Utf8PathBuf::from_path_buf(program).ok())
}

/// Runs a Python program with arguments, and returns what it printed.
///
/// # Errors
///
/// The last line that it printed to its standard error, where it did not succeed.
pub(crate) fn python(interpreter: &Utf8Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(interpreter)
        .args(["-c", program])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.trim_end().lines().next_back().unwrap_or("it failed and said nothing").to_owned())
}

/// A number as people write it: 10,000.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How long something takes.
pub(crate) fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = what();
    (result, started.elapsed())
}
