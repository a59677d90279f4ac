//! The same files by other readers: pandas, pyarrow and DuckDB; and what a contract asks for as SQL. Where readers do not agree with this crate, `docs/readers.md`
//! says why. Without an interpreter that has them, the test is ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, ExitCode};

use camino::Utf8Path;
use libtest_mimic::Arguments;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use runtime_testing_data::profile_file;
use serde::Deserialize;

mod constraints;
#[path = "../../../runtime-testing/tests/common/packages.rs"]
mod packages;
#[path = "../../../runtime-testing/tests/common/tools.rs"]
mod tools;

/// Reads each file that its folder lists with each reader, all rows, and prints what they make of it, a line for each.
const READERS: &str = include_str!("readers.py");

const NAMES: [&str; 3] = ["pandas", "pyarrow", "duckdb"];

/// Columns of which all readers are to say the same, whatever else is in the file: a name and what its cells are.
const PLAIN: [(&str, &str); 7] = [
    ("integer", "-?[1-9][0-9]{0,17}"),
    ("small", "[0-9]"),
    ("float", "-?[1-9][0-9]{0,5}\\.[0-9]{1,12}"),
    ("exponent", "[1-9]\\.[0-9]e-?[1-9]"),
    ("boolean", "true|false"),
    ("text", "[a-f]{5,9}"),
    ("quoted", "\"x[a-f ,;|\n]{0,5}(\"\")?[,;\t]y\""),
];

/// Columns that not all of them read alike. `~` stands before cells of which there is one, in the last row.
const ODD: [(&str, &str); 40] = [
    ("integers and empty cells", "[1-9]||7"),
    ("floats and empty cells", "[1-9]\\.5|"),
    ("text and empty cells", "[a-f]{5}|"),
    ("text and quoted empty cells", "[a-f]{5}|\"\""),
    ("empty cells only", ""),
    ("integers and NA", "[1-9]|NA"),
    ("floats and NaN", "[1-9]\\.5|NaN"),
    ("integers and None", "[1-9]|None"),
    ("integers and none", "[1-9]|none"),
    ("text and NA", "[a-f]{5}|NA"),
    ("quoted integers", "\"[1-9]\""),
    ("leading zeros", "00[1-9]"),
    ("a leading zero in the last row", "[1-9]~007"),
    ("plus signs", "\\+[1-9]"),
    ("blanks around integers", " [1-9] "),
    ("integers beyond 64 signed bits", "9223372036854775808"),
    ("an integer beyond 64 signed bits in the last row", "[1-9]~9223372036854775808"),
    ("a float in the last row", "[1-9]~2.5"),
    ("text in the last row", "[1-9]~n/a?"),
    ("floats without digits before the point", "\\.[1-9]"),
    ("infinity", "[1-9]\\.5|inf"),
    ("groups of thousands", "\"[1-9],000\""),
    ("hexadecimal integers", "0x[1-9]F"),
    ("booleans in capitals", "TRUE|FALSE"),
    ("booleans with one capital", "True|False"),
    ("booleans in letters", "t|f"),
    ("booleans and integers", "true|1"),
    ("dates", "20[0-9]{2}-0[1-9]-[12][0-9]"),
    ("days that do not exist", "2024-02-30"),
    ("dates with slashes", "[12][1-9]/0[1-9]/2024"),
    ("timestamps", "20[0-9]{2}-0[1-9]-[12][0-9] 1[0-9]:[0-5][0-9]:[0-5][0-9]"),
    ("timestamps with T", "20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9]"),
    ("timestamps without seconds", "20[0-9]{2}-0[1-9]-[12][0-9] 1[0-9]:[0-5][0-9]"),
    ("timestamps with fractions", "2024-0[1-9]-[12][0-9] 10:00:00\\.[0-9]{6}"),
    ("timestamps with Z", "2024-0[1-9]-[12][0-9]T1[0-9]:00:00Z"),
    ("timestamps with offsets", "2024-0[1-9]-[12][0-9]T1[0-9]:00:00\\+02:00"),
    ("timestamps with and without a zone", "2024-0[1-9]-10T1[0-9]:00:00Z?"),
    ("dates and timestamps", "2024-0[1-9]-10( 10:00:00)?"),
    ("times of day", "1[0-9]:[0-5][0-9]:[0-5][0-9]"),
    ("quotes within text", "[1-9]\" pipe"),
];

/// Files that are odd as a whole.
const FILES: [(&str, &str); 12] = [
    ("a header alone", "a,b\n"),
    ("no line end behind the last row", "a,b\n1,x\n2,y"),
    ("blank lines", "a,b\n1,x\n\n2,y\n\n"),
    ("CRLF", "a,b\r\n1,x\r\n2,y\r\n"),
    ("lone CR", "a,b\r1,x\r2,y\r"),
    ("a byte order mark", "\u{feff}a,b\n1,x\n"),
    ("a row too short", "a,b\n1,2\n3\n4,5\n"),
    ("a row too long", "a,b\n1,2\n3,4,5\n6,7\n"),
    ("names that stand twice", "a,a\n1,2\n"),
    ("text behind a quoted cell", "a,b\n1,\"x\"y\n2,z\n"),
    ("a quote that is not closed", "a,b\n1,\"x\n2,y\n"),
    ("no header", "1,2.5\n3,4.5\n"),
];

/// What somebody makes of a file: the rows, and the type and the number of nulls of each column. Or nothing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Reading {
    rows: u64,
    columns: Vec<(String, u64)>,
}

/// A file, and the names of its columns, which say what is in them. One name where the file is odd as a whole.
struct Sample {
    text: String,
    about: Vec<&'static str>,
    delimiter: char,
}

fn runner() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

/// A table with some plain columns and an odd one.
fn table(runner: &mut TestRunner, odd: (&'static str, &'static str), rows: usize, delimiter: char) -> Sample {
    let picked = prop::sample::subsequence(&PLAIN, 1..=4).new_tree(runner).expect("a choice").current();
    let columns: Vec<(&'static str, &'static str)> = picked.into_iter().chain([odd]).collect();
    // The usual cells of each column, and the one in the last row if that is another.
    let cells = columns.iter().map(|(_, pattern)| {
        let (usual, last) =
            pattern.split_once('~').map_or((*pattern, None), |(usual, last)| (usual, Some(last)));
        (prop::string::string_regex(&format!("({usual})")).expect("a regular expression"), last)
    });
    let cells: Vec<_> = cells.collect();
    let mut text = columns.iter().enumerate().map(|(at, _)| format!("c{at}")).collect::<Vec<_>>().join(",");
    for row in 1..=rows {
        let cells = cells.iter().map(|(usual, last)| match last {
            Some(last) if row == rows => (*last).to_owned(),
            _ => usual.new_tree(runner).expect("a text").current(),
        });
        text.push('\n');
        text.push_str(&cells.collect::<Vec<String>>().join(","));
    }
    text.push('\n');
    // Only what stands between cells: quoted cells have delimiters of all kinds.
    let mut quoted = false;
    let text = text.chars().map(|letter| {
        quoted ^= letter == '"' && !odd.1.contains("pipe");
        if letter == ',' && !quoted { delimiter } else { letter }
    });
    Sample { text: text.collect(), about: columns.iter().map(|(name, _)| *name).collect(), delimiter }
}

fn samples() -> Vec<Sample> {
    let mut runner = runner();
    let mut samples = Vec::new();
    for (at, odd) in ODD.into_iter().enumerate() {
        for (rows, delimiter) in [(12, ','), (40, [';', '|', '\t'][at % 3])] {
            samples.push(table(&mut runner, odd, rows, delimiter));
        }
    }
    // Large enough for several threads.
    samples.push(table(&mut runner, ("text in the last row", "-?[1-9][0-9]{9}~n/a?"), 100_000, ','));
    let whole = |(about, text): (&'static str, &str)| Sample {
        text: text.to_owned(),
        about: vec![about],
        delimiter: ',',
    };
    samples.extend(FILES.map(whole));
    samples
}

/// What this crate makes of a file, in the words of `readers.py`. Nothing where something is wrong with it.
fn ours(path: &Utf8Path) -> Option<Reading> {
    let profile = profile_file(path).expect("a file that can be read");
    let schema = profile.schema.filter(|_| profile.findings.is_empty())?;
    let columns = schema.columns.into_iter().map(|column| {
        let word = match &*column.data_type.to_string() {
            "timestamp[us]" => "timestamp".to_owned(),
            "timestamp[us, UTC]" => "timestamp, UTC".to_owned(),
            other => other.to_owned(),
        };
        (word, column.nulls.expect("text is read as a whole"))
    });
    Some(Reading { rows: schema.rows, columns: columns.collect() })
}

/// A column as the page shows it: its type, with `?` where it holds nulls.
fn shown_column((word, nulls): &(String, u64)) -> String {
    format!("`{word}{}`", if *nulls > 0 { "?" } else { "" })
}

/// A file as the page shows it.
fn shown_file(reading: Option<&Reading>) -> String {
    reading.map_or("an error".to_owned(), |reading| {
        let columns: Vec<String> = reading.columns.iter().map(shown_column).collect();
        format!("{} rows of {}", reading.rows, columns.join(", "))
    })
}

/// What is read differently, and what we and the others make of it: `same` where one agrees.
type Disagreements = BTreeMap<&'static str, [String; 4]>;

fn compare(
    sample: &Sample,
    ours: Option<&Reading>,
    theirs: &[Option<Reading>; 3],
    found: &mut Disagreements,
) {
    let mut disagree = |about, ours: String, at: usize, theirs: String| {
        let same = || "same".to_owned();
        found.entry(about).or_insert_with(|| [ours, same(), same(), same()])[1 + at] = theirs;
    };
    let odd = sample.about.last().expect("a name");
    for (at, theirs) in theirs.iter().enumerate() {
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if sample.about.len() > 1 => {
                let shape = |reading: &Reading| (reading.rows, reading.columns.len());
                assert_eq!(
                    shape(ours),
                    shape(theirs),
                    "rows and columns of {:?}, by {}",
                    sample.about,
                    NAMES[at]
                );
                let columns = ours.columns.iter().zip(&theirs.columns).zip(&sample.about);
                for ((ours, theirs), about) in columns.filter(|((ours, theirs), _)| ours != theirs) {
                    assert_ne!(
                        shown_column(ours),
                        shown_column(theirs),
                        "nulls of {about}, by {}",
                        NAMES[at]
                    );
                    disagree(about, shown_column(ours), at, shown_column(theirs));
                }
            }
            (ours, theirs) if ours == theirs.as_ref() => {}
            (ours, theirs) => disagree(odd, shown_file(ours), at, shown_file(theirs.as_ref())),
        }
    }
}

/// The rows of the tables in `docs/readers.md`, without the last column, which says why.
fn documented() -> BTreeSet<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/readers.md");
    let page = std::fs::read_to_string(page).expect("the page is in the repository");
    let rows = page.lines().filter(|line| line.matches(" | ").count() == 5);
    let rows = rows.filter(|line| !line.starts_with("| what") && !line.starts_with("| ---"));
    rows.map(|row| row[..row.rfind(" | ").expect("a last column")].to_owned()).collect()
}

fn main() -> ExitCode {
    let trial = tools::trial(
        "where_readers_disagree_is_known",
        || packages::python_with("pandas, pyarrow and DuckDB"),
        |python| where_readers_disagree_is_known(&python),
    );
    let constraints = tools::trial(
        "constraints_are_what_sql_says",
        || packages::python_with("DuckDB"),
        |python| constraints::constraints_are_what_sql_says(&python),
    );
    libtest_mimic::run(&Arguments::from_args(), vec![trial, constraints]).exit_code()
}

fn where_readers_disagree_is_known(python: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = Utf8Path::from_path(folder.path()).expect("the temporary folder has a UTF-8 name");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("files can be written");
        path
    };
    let samples = samples();
    let mut list = String::new();
    for (at, sample) in samples.iter().enumerate() {
        let path = write(&format!("{at}.csv"), &sample.text);
        let delimiter =
            if sample.delimiter == '\t' { "tab".to_owned() } else { sample.delimiter.to_string() };
        list.push_str(&format!("{path} {delimiter}\n"));
    }
    let list = write("list", &list);
    let output =
        Command::new(python).args(["-c", READERS, list.as_str()]).output().expect("Python can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let theirs: Vec<[Option<Reading>; 3]> =
        printed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(theirs.len(), samples.len());
    let mut found = Disagreements::new();
    for (at, (sample, theirs)) in samples.iter().zip(theirs).enumerate() {
        let ours = ours(&folder.join(format!("{at}.csv")));
        compare(sample, ours.as_ref(), &theirs, &mut found);
    }
    let found: BTreeSet<String> =
        found.into_iter().map(|(about, readings)| format!("| {about} | {}", readings.join(" | "))).collect();
    let documented = documented();
    let new: Vec<&String> = found.difference(&documented).collect();
    let gone: Vec<&String> = documented.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "docs/readers.md lacks {new:#?}\nand has without need {gone:#?}"
    );
}
