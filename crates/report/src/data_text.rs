//! Data files in words: what they hold, and what they differ in.

use std::collections::HashMap;

use runtime_testing_models::dag::text::one_line;
use runtime_testing_models::{Column, DataProfile, Difference, FileProfile, TableSchema};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::TextOptions;
use crate::folded::folded;
use crate::paint::{Paint, Tone};

/// How wide the text is made.
const WIDTH: usize = 80;

/// The widest that a column's name and its type are shown.
const WIDEST_NAME: usize = 28;
const WIDEST_TYPE: usize = 24;

/// Renders what is known of a file or folder: for each file a line with its format and size, a line for each column, and
/// what keeps it from being read: a name that promises something else, or what is wrong in it.
///
/// A type that may be null has a `?`; behind the number of nulls stands the row that decided the type. Lines are 80
/// characters wide, with long names, types and values cut: the serialized profile has all of them.
///
/// ```
/// use runtime_testing_models::{Column, DataProfile, FileFormat, FileProfile, TableSchema};
/// use runtime_testing_report::{TextOptions, render_profile_text};
///
/// let schema = TableSchema { columns: vec![Column::new("id", "int64")], rows: 2 };
/// let file = FileProfile {
///     path: "ids.csv".into(),
///     format: FileFormat::Csv,
///     compression: None,
///     promised: None,
///     delimiter: None,
///     byte_order_mark: false,
///     one_line: false,
///     partition_columns: Vec::new(),
///     bytes: 7,
///     schema: Some(schema),
///     findings: vec![],
/// };
/// let profile = DataProfile { is_folder: false, files: vec![file] };
/// let text = render_profile_text(&profile, TextOptions::default());
/// assert_eq!(text, "ids.csv: csv, 2 rows, 1 column, 7 bytes\n  column  type    nulls\n  id      int64?      -\n");
/// ```
pub fn render_profile_text(profile: &DataProfile, options: TextOptions) -> String {
    let paint = Paint { color: options.color };
    let mut groups: Vec<Vec<&FileProfile>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for file in &profile.files {
        match known.get(&kind_of(file)) {
            Some(group) => groups[*group].push(file),
            None => {
                known.insert(kind_of(file), groups.len());
                groups.push(vec![file]);
            }
        }
    }
    let groups: Vec<Vec<&FileProfile>> = groups
        .into_iter()
        .flat_map(|group| {
            if group.len() < MANY { group.into_iter().map(|file| vec![file]).collect() } else { vec![group] }
        })
        .collect();
    let most_columns = if groups.len() == 1 { usize::MAX } else { MOST_COLUMNS };
    let blocks: Vec<String> = groups
        .iter()
        .take(MOST_BLOCKS)
        .map(|group| match group.as_slice() {
            [file] => file_block(file, most_columns, paint),
            files => files_block(files, most_columns, paint),
        })
        .collect();
    if blocks.is_empty() {
        return "no data files\n".to_owned();
    }
    let more: usize = groups.iter().skip(MOST_BLOCKS).map(Vec::len).sum();
    let more = if more > 0 { format!("\nand {}\n", counted(more, "more file")) } else { String::new() };
    blocks.join("\n") + &more
}

/// From so many files on that are alike, and so many groups of files that are not, all are told in one.
const MANY: usize = 4;
const MOST_BLOCKS: usize = 20;

/// The most columns that are shown of each of several tables.
const MOST_COLUMNS: usize = 40;

/// What files have in common that are told in one: all but their names, rows and nulls.
fn kind_of(file: &FileProfile) -> String {
    let columns = file.schema.iter().flat_map(|schema| &schema.columns);
    let mut columns: Vec<String> =
        columns.map(|column| format!("{:?} {}", column.name, column.data_type)).collect();
    columns.sort_unstable();
    let findings: Vec<&str> = file.findings.iter().map(|finding| finding.message.as_str()).collect();
    format!("{:?} {:?} {:?} {columns:?} {findings:?}", file.kind(), file.promised, file.schema.is_some())
}

/// Files that are alike, with the rows and nulls of all of them.
fn files_block(files: &[&FileProfile], most_columns: usize, paint: Paint) -> String {
    let (first, last) = (files[0], files[files.len() - 1]);
    let mut all = first.clone();
    all.path = format!("{} … {}", first.path, last.path).into();
    all.bytes = files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes));
    if let Some(schema) = &mut all.schema {
        let schemas = || files.iter().filter_map(|file| file.schema.as_ref());
        schema.rows = schemas().fold(0, |sum, schema| sum.saturating_add(schema.rows));
        let mut nulls: HashMap<&str, (bool, Option<u64>)> = HashMap::new();
        for column in schemas().flat_map(|schema| &schema.columns) {
            let (nullable, all) = nulls.entry(&column.name).or_insert((false, Some(0)));
            *nullable |= column.nullable;
            *all = all.zip(column.nulls).map(|(all, own)| all.saturating_add(own));
        }
        for column in &mut schema.columns {
            (column.nullable, column.nulls) = nulls[column.name.as_str()];
            (column.deciding_row, column.deciding_value) = (None, None);
        }
    }
    let block = file_block(&all, most_columns, paint);
    let (head, rest) = block.split_once('\n').unwrap_or((&block, ""));
    format!("{head}, in {} files\n{rest}", files.len())
}

/// Renders the differences of data from what is expected, each with its file: the verdict that an edge would get, or `not
/// compared` where nothing breaks and there is a file of which that is all that is known; then the differences of each file,
/// those that break an edge as `break` and the others as `note`.
///
/// ```
/// use runtime_testing_models::Difference;
/// use runtime_testing_report::{TextOptions, render_differences_text};
///
/// let text = render_differences_text([("a.csv", &Difference::NoRows)], TextOptions::default());
/// assert_eq!(text, "breaking: 1 break, 0 notes\n\na.csv\n  break  there are no rows\n");
/// assert_eq!(render_differences_text([], TextOptions::default()), "identical\n");
/// ```
pub fn render_differences_text<'a>(
    differences: impl IntoIterator<Item = (&'a str, &'a Difference)>,
    options: TextOptions,
) -> String {
    let paint = Paint { color: options.color };
    let differences: Vec<(&str, &Difference)> = differences.into_iter().collect();
    let breaks = differences.iter().filter(|(_, difference)| difference.is_breaking()).count();
    let notes = differences.len() - breaks;
    let is_gap = |(_, difference): &(_, &Difference)| matches!(difference, Difference::NotCompared { .. });
    let (word, tone) = match (breaks, notes) {
        (0, 0) => return format!("{}\n", paint.paint(Tone::Good, "identical")),
        (0, _) if differences.iter().any(is_gap) => ("not compared", Tone::Odd),
        (0, _) => ("compatible", Tone::Good),
        _ => ("breaking", Tone::Bad),
    };
    let verdict = paint.paint(tone, word);
    let mut text = format!("{verdict}: {}, {}\n", counted(breaks, "break"), counted(notes, "note"));
    let mut last: Option<String> = None;
    for folded in folded(differences) {
        let file = folded.places();
        if last.as_ref() != Some(&file) {
            text.push_str(&format!("\n{}\n", paint.paint(Tone::Strong, &one_line(&file))));
            last = Some(file);
        }
        let is_breaking = folded.difference.is_breaking();
        let (word, tone) = if is_breaking { ("break", Tone::Bad) } else { ("note ", Tone::Odd) };
        let lines = wrapped(&one_line(&folded.text()), WIDTH - 9);
        text.push_str(&format!("  {}  {}\n", paint.paint(tone, word), lines.join("\n         ")));
    }
    text
}

fn file_block(file: &FileProfile, most_columns: usize, paint: Paint) -> String {
    let mut facts = vec![file.kind().to_string()];
    if let Some(schema) = &file.schema {
        facts.push(counted(usize::try_from(schema.rows).unwrap_or(usize::MAX), "row"));
        facts.push(counted(schema.columns.len(), "column"));
    }
    facts.push(counted(usize::try_from(file.bytes).unwrap_or(usize::MAX), "byte"));
    let path = paint.paint(Tone::Strong, &one_line(file.path.as_str()));
    let mut text = format!("{path}: {}\n", facts.join(", "));
    let misnamed = file.promised.map(|promised| Difference::Misnamed { promised, found: file.kind() });
    let unreadable = file.findings.iter().map(|finding| Difference::Unreadable { finding: finding.clone() });
    for difference in misnamed.into_iter().chain(unreadable) {
        let lines = wrapped(&one_line(&difference.to_string()), WIDTH - 4);
        text.push_str(&format!("  {}\n", paint.paint(Tone::Bad, &lines.join("\n    "))));
    }
    if let Some(schema) = file.schema.as_ref().filter(|schema| !schema.columns.is_empty()) {
        text.push_str(&column_table(schema, most_columns, paint));
    }
    text
}

/// A row of a table: name, type, nulls, and the row that decided the type.
type Row = [String; 4];

fn column_table(schema: &TableSchema, most_columns: usize, paint: Paint) -> String {
    let rows: Vec<Row> = schema.columns.iter().take(most_columns).map(column_row).collect();
    let is_decided = rows.iter().any(|row| !row[3].is_empty());
    let heading =
        ["column", "type", "nulls", if is_decided { "deciding row" } else { "" }].map(str::to_owned);
    let width = |place: usize| {
        let cells = rows.iter().chain([&heading]).map(|row| row[place].width());
        cells.max().unwrap_or_default()
    };
    let (names, types, nulls) = (width(0), width(1), width(2));
    let rest = WIDTH.saturating_sub(2 + names + 2 + types + 2 + nulls + 2);
    let line = |[name, data_type, count, decided]: &Row| {
        let line = format!(
            "  {}  {}  {}  {}",
            padded(name, names),
            padded(data_type, types),
            " ".repeat(nulls - count.width()) + count,
            cut(decided, rest)
        );
        line.trim_end().to_owned()
    };
    let mut text = format!("{}\n", paint.paint(Tone::Quiet, &line(&heading)));
    for row in &rows {
        text.push_str(&line(row));
        text.push('\n');
    }
    let more = schema.columns.len().saturating_sub(most_columns);
    if more > 0 {
        text.push_str(&format!("  and {}\n", counted(more, "more column")));
    }
    text
}

fn column_row(column: &Column) -> Row {
    let mark = if column.nullable { "?" } else { "" };
    let data_type = cut(&one_line(&column.data_type.to_string()), WIDEST_TYPE - mark.len());
    let decided = match (column.deciding_row, &column.deciding_value) {
        (Some(row), Some(value)) => format!("{row}: {}", one_line(&format!("{value:?}"))),
        (Some(row), None) => row.to_string(),
        (None, _) => String::new(),
    };
    [
        cut(&one_line(&column.name), WIDEST_NAME),
        format!("{data_type}{mark}"),
        column.nulls.map_or_else(|| "-".to_owned(), |nulls| nulls.to_string()),
        decided,
    ]
}

/// The text, or as much of it as has room, with a mark for what is cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or_default();
        if taken > width {
            break;
        }
        shown.push(character);
    }
    shown.push('…');
    shown
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The lines of a text, broken between words. A word that is longer than a line is broken too.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(text, width).into_iter().map(|line| line.into_owned()).collect()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::{Compression, DataFinding, FileFormat, NotCompared};

    use super::*;

    fn column(name: &str, data_type: &str, nulls: Option<u64>, decided: Option<(u64, &str)>) -> Column {
        Column {
            nullable: nulls != Some(0),
            nulls,
            deciding_row: decided.map(|(row, _)| row),
            deciding_value: decided.map(|(_, value)| value.to_owned()),
            ..Column::new(name, data_type)
        }
    }

    fn file(path: &str, columns: Option<Vec<Column>>, findings: Vec<DataFinding>) -> FileProfile {
        let schema = columns.map(|columns| TableSchema { columns, rows: 12_000 });
        let format = if schema.is_some() { FileFormat::Csv } else { FileFormat::Opaque };
        FileProfile {
            path: path.into(),
            format,
            compression: None,
            promised: None,
            delimiter: None,
            byte_order_mark: false,
            one_line: false,
            partition_columns: Vec::new(),
            bytes: 1,
            schema,
            findings,
        }
    }

    fn shown(files: Vec<FileProfile>) -> String {
        let text = render_profile_text(&DataProfile { is_folder: true, files }, TextOptions::default());
        assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
        text
    }

    #[test]
    fn columns_stand_below_each_other() {
        let long = "struct<first: int64, second: list<text>>";
        let columns = vec![
            column("id", "int64", Some(0), None),
            column("quantity", "text", Some(12), Some((5001, "n/a?"))),
            column("\u{540d}\u{524d}", "text", None, None),
            column(&"long_".repeat(10), long, Some(1_234_567), Some((1, &"v".repeat(80)))),
        ];
        let unreadable = DataFinding::unreadable(format!("row has {} fields", "many ".repeat(20)), Some(2));
        let files = vec![
            file("a.csv", Some(columns), vec![]),
            file("model.pkl", None, vec![]),
            file("b.csv", Some(vec![]), vec![unreadable]),
        ];
        insta::assert_snapshot!(shown(files));
        assert_eq!(shown(vec![]), "no data files\n");
    }

    #[test]
    fn names_that_promise_something_else_are_told() {
        let promised = Some(FileFormat::Csv.into());
        let misnamed = FileProfile {
            format: FileFormat::Json,
            compression: Some(Compression::Gzip),
            promised,
            ..file("j.csv", None, vec![])
        };
        assert_eq!(
            shown(vec![misnamed]),
            "j.csv: json in gzip, 1 byte\n  the name promises csv, the content is json in gzip\n"
        );
    }

    #[test]
    fn a_terminal_cannot_be_driven_by_a_file() {
        let columns = vec![column("a\u{1b}[31m\n", "te\txt", Some(0), Some((1, "\u{202e}x\r")))];
        let finding = DataFinding::unreadable("bad\u{7}", None);
        insta::assert_snapshot!(shown(vec![file("\u{1b}]0;x.csv", Some(columns), vec![finding])]));
    }

    #[test]
    fn differences_stand_with_their_files() {
        let changed = Difference::TypeChanged {
            column: "amount".to_owned(),
            expected: "float64".to_owned(),
            found: "text".to_owned(),
            row: Some(5001),
            value: Some("not available before the end of the month".to_owned()),
        };
        let extra = Difference::ExtraColumn { column: "no\nte".to_owned(), found: "text".to_owned() };
        let all = [("a.csv", &changed), ("a.csv", &extra), ("b.csv", &Difference::MissingFile)];
        insta::assert_snapshot!(render_differences_text(all, TextOptions::default()));
        let notes = render_differences_text(
            [("a.csv", &extra)],
            TextOptions { color: true, ..TextOptions::default() },
        );
        assert!(notes.starts_with("\u{1b}[1m\u{1b}[32mcompatible\u{1b}[0m: 0 breaks, 1 note\n"), "{notes:?}");
        let gap = Difference::NotCompared { reason: NotCompared::NoTable };
        let gaps = render_differences_text([("a.csv", &extra), ("b.pkl", &gap)], TextOptions::default());
        assert!(gaps.starts_with("not compared: 0 breaks, 2 notes\n"), "{gaps:?}");
        let broken = render_differences_text([("a.csv", &changed), ("b.pkl", &gap)], TextOptions::default());
        assert!(broken.starts_with("breaking: 1 break, 1 note\n"), "{broken:?}");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(cut("\u{540d}\u{524d}\u{540d}", 5), "\u{540d}\u{524d}…");
        assert_eq!(cut("\u{540d}\u{524d}\u{540d}", 4), "\u{540d}…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
