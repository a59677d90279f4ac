//! Rules about a file as a whole.

use runtime_testing_models::{DataProfile, Difference, FileFormat, FileProfile, NotCompared};

use super::Differences;
use crate::findings::unreadable;

/// How many findings of one file are told.
const MOST_FINDINGS: usize = 3;

/// What is wrong with a file whatever is expected of it.
pub(super) fn unsound(file: &FileProfile) -> Vec<Difference> {
    let mut differences: Vec<Difference> = misnamed(file).into_iter().collect();
    differences.extend(told_findings(file));
    differences
}

/// Whether nothing is wrong with a file whatever is expected of it.
pub(super) fn is_sound(file: &FileProfile) -> bool {
    file.promised.is_none() && file.findings.is_empty()
}

/// What keeps the file from being read.
fn told_findings(file: &FileProfile) -> Vec<Difference> {
    let told = file.findings.iter().take(MOST_FINDINGS);
    told.map(|finding| Difference::Unreadable { finding: finding.clone() }).collect()
}

/// The name promises something else than the content is.
fn misnamed(file: &FileProfile) -> Option<Difference> {
    file.promised.map(|promised| Difference::Misnamed { promised, found: file.kind() })
}

/// The counterpart has a name that promises the same, and the same content: whoever reads it knows.
pub(super) fn is_misnamed_alike(
    expected: &FileProfile,
    found: &FileProfile,
    difference: &Difference,
) -> bool {
    matches!(difference, Difference::Misnamed { .. })
        && expected.promised == found.promised
        && expected.kind() == found.kind()
}

/// The file has another format than its counterpart. What one value of JSON is, is not known of one that cannot be read.
pub(super) fn format_changed(expected: &FileProfile, found: &FileProfile) -> Option<Difference> {
    let is_value = |file: &FileProfile| matches!(file.format, FileFormat::Json | FileFormat::JsonObject);
    let are_readable = expected.findings.is_empty() && found.findings.is_empty();
    let may_be_same = (is_value(expected) && is_value(found) && !are_readable) || is_line_of(expected, found);
    (expected.format != found.format && !may_be_same)
        .then_some(Difference::FormatChanged { expected: expected.format, found: found.format })
}

/// Whether a single object is one line of what has one object a line.
pub(super) fn is_line_of(lines: &FileProfile, found: &FileProfile) -> bool {
    lines.format == FileFormat::Ndjson && found.is_object() && found.one_line && found.schema.is_some()
}

/// What a reader of a table in text has to be told that it need not be told of its counterpart. Without one, what it
/// has to be told at all.
pub(super) fn text_differences(
    said: Option<char>,
    expected: Option<&FileProfile>,
    found: &FileProfile,
) -> Vec<Difference> {
    let delimiter = match (said.or_else(|| expected.and_then(delimiter)), delimiter(found)) {
        (Some(expected), Some(found)) if expected != found => {
            Some(Difference::Delimiter { expected: Some(expected), found })
        }
        (None, Some(_)) => found.delimiter.map(|found| Difference::Delimiter { expected: None, found }),
        _ => None,
    };
    let is_marked = found.byte_order_mark && !expected.is_some_and(|expected| expected.byte_order_mark);
    delimiter.into_iter().chain(is_marked.then_some(Difference::ByteOrderMark)).collect()
}

/// What a format of text is named for.
pub(super) fn usual_delimiter(file: &FileProfile) -> Option<char> {
    match file.format {
        FileFormat::Csv => Some(','),
        FileFormat::Tsv => Some('\t'),
        _ => None,
    }
}

/// What stands between the cells of a table in text. One column alone does not show it.
fn delimiter(file: &FileProfile) -> Option<char> {
    let usual = usual_delimiter(file)?;
    let has_several = file.schema.as_ref().is_some_and(|schema| schema.columns.len() > 1);
    has_several.then(|| file.delimiter.unwrap_or(usual))
}

/// One of two files is a table, and the other is none.
pub(super) fn no_longer_a_table(expected: &FileProfile, found: &FileProfile) -> Option<Difference> {
    let are_objects = expected.is_object() && found.is_object();
    let message = match (&expected.schema, &found.schema) {
        // The keys of an object are columns as long as they can be kept.
        (Some(_), None) | (None, Some(_)) if are_objects => {
            return Some(Difference::NotCompared { reason: NotCompared::ManyKeys });
        }
        (Some(_), None) => "not a table",
        // An empty array can be either.
        (None, Some(schema)) if expected.findings.is_empty() && !schema.columns.is_empty() => {
            "a table, where a single value is expected"
        }
        _ => return None,
    };
    Some(Difference::Unreadable { finding: unreadable(message) })
}

/// Adds what is wrong with files by themselves, and says whether that is nothing.
pub(super) fn add_unsound(found: &DataProfile, list: &mut Differences) -> bool {
    found.files.iter().for_each(|file| list.add(&file.path, unsound(file)));
    found.files.iter().all(is_sound)
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::FileFormat;

    use super::*;
    use crate::compare::testing::{columns, file};
    use crate::findings::unreadable_on;

    #[test]
    fn the_first_findings_are_told() {
        let mut broken = file("a.csv", FileFormat::Csv, None);
        broken.findings = (1..=4).map(|line| unreadable_on(line, "bad")).collect();
        let told: Vec<String> = unsound(&broken).iter().map(Difference::to_string).collect();
        assert_eq!(
            told,
            ["cannot be read: line 1: bad", "cannot be read: line 2: bad", "cannot be read: line 3: bad"]
        );
        assert_eq!(unsound(&file("a.csv", FileFormat::Csv, None)), []);
    }

    #[test]
    fn names_that_promise_something_else_come_first() {
        let mut broken = file("a.json", FileFormat::Csv, None);
        broken.findings = vec![unreadable("bad")];
        let told: Vec<String> = unsound(&broken).iter().map(Difference::to_string).collect();
        assert_eq!(told, ["the name promises json, the content is csv", "cannot be read: bad"]);
        assert_eq!(unsound(&file("part-0", FileFormat::Csv, None)), []);
    }

    #[test]
    fn formats_change() {
        let (json, ndjson) = (file("a", FileFormat::Json, None), file("b", FileFormat::Ndjson, None));
        let opaque = file("c", FileFormat::Opaque, None);
        assert_eq!(
            format_changed(&json, &ndjson),
            Some(Difference::FormatChanged { expected: FileFormat::Json, found: FileFormat::Ndjson })
        );
        assert!(format_changed(&opaque, &json).is_some() && format_changed(&json, &opaque).is_some());
        assert_eq!(format_changed(&opaque, &opaque), None);
        let object = file("d", FileFormat::JsonObject, None);
        assert!(format_changed(&json, &object).is_some() && format_changed(&object, &json).is_some());
        assert!(format_changed(&ndjson, &object).is_some() && format_changed(&object, &ndjson).is_some());
        let line = FileProfile { one_line: true, schema: Some(columns(&[], 1)), ..object.clone() };
        assert_eq!(format_changed(&ndjson, &line), None);
        assert!(format_changed(&line, &ndjson).is_some() && format_changed(&json, &line).is_some());
        let mut broken = json;
        broken.findings = vec![unreadable("the file is empty")];
        assert_eq!(format_changed(&broken, &object), None);
        assert_eq!(format_changed(&object, &broken), None);
    }

    #[test]
    fn tables_stay_tables() {
        let value = file("a.json", FileFormat::Json, None);
        let table = file("a.json", FileFormat::Json, Some(columns(&[("a", "int64")], 1)));
        let blank = file("a.json", FileFormat::Json, Some(columns(&[], 0)));
        let told =
            |expected, found| no_longer_a_table(expected, found).map(|difference| difference.to_string());
        assert_eq!(told(&table, &value).as_deref(), Some("cannot be read: not a table"));
        assert_eq!(
            told(&value, &table).as_deref(),
            Some("cannot be read: a table, where a single value is expected")
        );
        assert_eq!(told(&value, &blank), None);
        assert_eq!(told(&value, &value), None);
        let object = |schema| file("a.json", FileFormat::JsonObject, schema);
        let (few, many) = (object(table.schema.clone()), object(None));
        for (expected, found) in [(&few, &many), (&many, &few)] {
            let told = told(expected, found);
            assert_eq!(
                told.as_deref(),
                Some("not compared: one of the two objects has more keys than are kept, which are data")
            );
        }
        assert_eq!(told(&few, &few), None);
        assert_eq!(told(&many, &many), None);
        assert_eq!(told(&table, &blank), None);
    }
}
