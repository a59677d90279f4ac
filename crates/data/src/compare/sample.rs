//! The rules for data that the consumer itself has.

use std::collections::HashSet;

use runtime_testing_models::{
    Column, DataProfile, Difference, FileFormat, FileProfile, NotCompared, TableSchema,
};

use super::counterpart::{Counterpart, counterparts, missing_files};
use super::fit::{self, Fit};
use super::rename::renamed;
use super::table::{Found, column_order, extra_column, has_order, is_null, promoted, type_changed, words};
use super::{Differences, file, rows};

/// Holds what was found against a sample, file by file.
pub(super) fn compare(sample: &DataProfile, found: &DataProfile, list: &mut Differences) {
    let counterparts = counterparts(sample, found);
    // Parts of one table may be empty as long as one of them is not.
    let mut parts = Vec::new();
    let mut all_sound = true;
    for (file, counterpart) in found.files.iter().zip(&counterparts) {
        let mut differences = file::unsound(file);
        if let Some(expected) = counterpart.expected() {
            differences.retain(|difference| !file::is_misnamed_alike(expected, file, difference));
        }
        all_sound &= differences.is_empty();
        let Some(expected) = counterpart.expected() else {
            if differences.is_empty() {
                differences.push(Difference::ExtraFile);
            }
            list.add(&file.path, differences);
            continue;
        };
        if file.promised.is_none() && tells_its_format(expected) {
            differences.extend(file::format_changed(expected, file));
        }
        if differences.is_empty() {
            differences.extend(content_differences(expected, file));
            match (counterpart, &file.schema) {
                (Counterpart::File(_), Some(schema)) if schema.rows == 0 => {
                    differences.extend(no_rows(expected))
                }
                (_, Some(schema)) => parts.push((file, schema)),
                (_, None) => {}
            }
        }
        list.add(&file.path, differences);
    }
    // What cannot be read may well have the rows that are missing.
    if all_sound && sample.files.iter().any(may_have_rows) {
        rows::at_least(None, &parts, list);
    }
    missing_files(sample, found, &counterparts, list);
}

/// Whether a file of the sample has rows, as far as is known: one that cannot be read does not show that it has none.
fn may_have_rows(expected: &FileProfile) -> bool {
    !expected.findings.is_empty() || expected.schema.as_ref().is_some_and(|schema| schema.rows > 0)
}

/// Whether the format of a file of the sample is known: of one that is no table although its name promises one, only
/// what it is not is known.
fn tells_its_format(expected: &FileProfile) -> bool {
    expected.findings.is_empty() || expected.format != FileFormat::Opaque
}

/// There are no rows where the sample has some.
fn no_rows(expected: &FileProfile) -> Option<Difference> {
    may_have_rows(expected).then_some(Difference::NoRows)
}

fn content_differences(expected: &FileProfile, found: &FileProfile) -> Vec<Difference> {
    let not_compared = |reason| vec![Difference::NotCompared { reason }];
    if let Some(finding) = expected.findings.first() {
        return not_compared(NotCompared::SampleUnreadable { finding: finding.clone() });
    }
    if let Some(difference) = file::no_longer_a_table(expected, found) {
        return vec![difference];
    }
    match (&expected.schema, &found.schema) {
        (Some(sample), Some(schema)) if rows::is_blank(sample) && !rows::is_blank(schema) => {
            not_compared(NotCompared::SampleBlank)
        }
        (Some(sample), Some(schema)) if !rows::is_blank(schema) => {
            let found = Found::new(schema);
            let pairs = Pairs::of(sample, &found);
            let mut differences = missing_columns(&pairs);
            differences.extend(types(&pairs));
            differences.extend(nullability(&pairs, &found));
            differences.extend(pairs.extra.iter().map(|column| extra_column(column)));
            if has_order(expected.format) {
                let names: Vec<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
                differences.extend(column_order(&names, &found));
            }
            differences
        }
        _ => Vec::new(),
    }
}

/// The columns of the sample and those that were found.
struct Pairs<'a> {
    /// Columns of the sample that are there.
    both: Vec<(&'a Column, &'a Column)>,
    missing: Vec<&'a Column>,
    /// Columns that the sample does not have.
    extra: Vec<&'a Column>,
}

impl<'a> Pairs<'a> {
    fn of(sample: &'a TableSchema, found: &Found<'a>) -> Self {
        let (mut both, mut missing) = (Vec::new(), Vec::new());
        for (place, expected) in sample.columns.iter().enumerate() {
            match found.column_near(&expected.name, place) {
                Some(column) => both.push((expected, column)),
                None => missing.push(expected),
            }
        }
        let extra =
            if both.len() == found.schema.columns.len() { Vec::new() } else { unknown(sample, found) };
        Self { both, missing, extra }
    }
}

fn unknown<'a>(sample: &TableSchema, found: &Found<'a>) -> Vec<&'a Column> {
    let names: HashSet<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
    found.schema.columns.iter().filter(|column| !names.contains(column.name.as_str())).collect()
}

/// Columns of the sample that are not there.
fn missing_columns(pairs: &Pairs<'_>) -> Vec<Difference> {
    let names: Vec<&str> = pairs.missing.iter().map(|column| column.name.as_str()).collect();
    let fits = |place: usize, column: &Column| {
        fit::to_sample(&words(pairs.missing[place]), &words(column)) != Fit::Changed
    };
    let candidates = renamed(&names, &pairs.extra, fits);
    let differences = pairs.missing.iter().zip(candidates).map(|(column, renamed)| {
        Difference::MissingColumn { column: column.name.clone(), expected: column.data_type.clone(), renamed }
    });
    differences.collect()
}

/// Columns of another type. Nulls alone are no type: what they differ in is a matter of nullability.
fn types(pairs: &Pairs<'_>) -> Vec<Difference> {
    let difference = |(expected, column): &(&Column, &Column)| {
        if expected.data_type == column.data_type || is_null(expected) || is_null(column) {
            return None;
        }
        match fit::to_sample(&words(expected), &words(column)) {
            Fit::Same => None,
            Fit::Promotes => Some(promoted(column, &expected.data_type)),
            Fit::Changed => Some(type_changed(column, &expected.data_type)),
        }
    };
    pairs.both.iter().filter_map(difference).collect()
}

/// Columns that may hold nulls where those of the sample do not, or the other way round; and those of which one side
/// shows nothing but nulls.
fn nullability(pairs: &Pairs<'_>, found: &Found<'_>) -> Vec<Difference> {
    let difference = |(expected, column): &(&Column, &Column)| {
        if found.has_no_type(column) {
            None
        } else if expected.nullable != column.nullable {
            Some(Difference::Nullability {
                column: column.name.clone(),
                expected_nullable: expected.nullable,
                found_nullable: column.nullable,
            })
        } else if is_null(expected) != is_null(column) {
            Some(promoted(column, &expected.data_type))
        } else {
            None
        }
    };
    pairs.both.iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::{FileFormat, FileProfile};

    use crate::compare::Expected;
    use crate::compare::testing::{check, columns, file, folder, single, table};
    use crate::findings::finding;

    const ORDERS: [(&str, &str); 2] = [("amount", "float64"), ("name", "text")];

    #[track_caller]
    fn check_columns(sample: &[(&str, &str)], found: &[(&str, &str)], differences: &[&str]) {
        let sample = single(table("sample.csv", sample, 3));
        check(&Expected::Inferred(&sample), &single(table("a.csv", found, 5)), differences);
        check(&Expected::Inferred(&sample), &sample, &[]);
    }

    #[test]
    fn missing_and_extra_columns() {
        check_columns(&ORDERS, &ORDERS, &[]);
        check_columns(&ORDERS, &ORDERS[..1], &["! a.csv: column `name` (text) is missing"]);
        check_columns(&ORDERS[..1], &ORDERS, &["a.csv: extra column `name` (text)"]);
        check_columns(
            &ORDERS,
            &[("total", "int64"), ("name", "text")],
            &[
                "! a.csv: column `amount` (float64) is missing; was it renamed to `total`?",
                "a.csv: extra column `total` (int64)",
            ],
        );
    }

    #[test]
    fn types() {
        check_columns(
            &[("a", "int64"), ("b", "float64"), ("c", "int64"), ("d", "date")],
            &[("a", "float64"), ("b", "int64"), ("c", "text"), ("d", "timestamp[us]")],
            &[
                "a.csv: column `a`: float64 promotes to int64",
                "a.csv: column `b`: int64 promotes to float64",
                "! a.csv: column `c`: expected int64, found text",
                "! a.csv: column `d`: expected date, found timestamp[us]",
            ],
        );
    }

    #[test]
    fn nullability() {
        check_columns(&[("a", "int64")], &[("a", "int64?")], &["a.csv: column `a` may hold nulls"]);
        check_columns(&[("a", "int64?")], &[("a", "int64")], &["a.csv: column `a` holds no nulls"]);
        check_columns(
            &[("a", "int64")],
            &[("a", "float64?")],
            &["a.csv: column `a`: float64 promotes to int64", "a.csv: column `a` may hold nulls"],
        );
    }

    #[test]
    fn nulls_alone_are_no_type() {
        check_columns(&[("a", "int64")], &[("a", "null?")], &["a.csv: column `a` may hold nulls"]);
        check_columns(&[("a", "null?")], &[("a", "int64")], &["a.csv: column `a` holds no nulls"]);
        check_columns(&[("a", "int64?")], &[("a", "null?")], &["a.csv: column `a`: null promotes to int64"]);
        check_columns(&[("a", "null?")], &[("a", "text?")], &["a.csv: column `a`: text promotes to null"]);
    }

    #[test]
    fn order() {
        check_columns(
            &[("a", "int64"), ("b", "int64"), ("c", "int64")],
            &[("c", "int64"), ("x", "int64"), ("a", "int64")],
            &[
                "! a.csv: column `b` (int64) is missing; was it renamed to `x`?",
                "a.csv: extra column `x` (int64)",
                "a.csv: the columns come as `c`, `a`, not as `a`, `c`",
            ],
        );
        let sample = single(table("a.ndjson", &ORDERS, 1));
        let reversed = single(table("a.ndjson", &[ORDERS[1], ORDERS[0]], 1));
        check(&Expected::Inferred(&sample), &reversed, &[]);
    }

    #[test]
    fn rows() {
        let full = single(table("a.csv", &ORDERS, 3));
        let header = single(table("a.csv", &[("amount", "null"), ("name", "null")], 0));
        check(&Expected::Inferred(&full), &header, &["! a.csv: there are no rows"]);
        check(&Expected::Inferred(&header), &header, &[]);
        check(
            &Expected::Inferred(&header),
            &full,
            &[
                "a.csv: column `amount`: float64 promotes to null",
                "a.csv: column `name`: text promotes to null",
            ],
        );
        let blank = single(table("a.json", &[], 0));
        check(
            &Expected::Inferred(&single(table("a.json", &ORDERS, 3))),
            &blank,
            &["! a.json: there are no rows"],
        );
        check(&Expected::Inferred(&blank), &blank, &[]);
        let full = single(table("a.json", &ORDERS, 3));
        check(&Expected::Inferred(&blank), &full, &["a.json: not compared: the sample has no columns"]);
    }

    #[test]
    fn formats() {
        let csv = single(table("a.csv", &ORDERS, 3));
        let json = single(table("a.json", &ORDERS[..1], 3));
        let opaque = single(file("a.pkl", FileFormat::Opaque, None));
        check(&Expected::Inferred(&csv), &json, &["! a.json: expected the format csv, found json"]);
        check(&Expected::Inferred(&csv), &opaque, &["! a.pkl: expected the format csv, found opaque"]);
        check(&Expected::Inferred(&opaque), &csv, &["! a.csv: expected the format opaque, found csv"]);
        check(&Expected::Inferred(&opaque), &opaque, &[]);
        let disguised = single(file("b.csv", FileFormat::Json, None));
        check(
            &Expected::Inferred(&csv),
            &disguised,
            &["! b.csv: the name promises csv, the content is json"],
        );
    }

    #[test]
    fn files_that_cannot_be_read() {
        let csv = single(table("a.csv", &ORDERS, 3));
        let mut broken = single(table("a.csv", &ORDERS[..1], 0));
        broken.files[0].findings = vec![finding("the file is empty")];
        check(&Expected::Inferred(&csv), &broken, &["! a.csv: cannot be read: the file is empty"]);
        let told = "a.csv: not compared: the sample cannot be read: the file is empty";
        check(&Expected::Inferred(&broken), &csv, &[told]);
        let no_rows = single(table("a.csv", &ORDERS, 0));
        check(&Expected::Inferred(&broken), &no_rows, &[told, "! a.csv: there are no rows"]);
        let zip = single(FileProfile {
            findings: vec![finding("this is a ZIP archive")],
            ..file("a.csv", FileFormat::Opaque, None)
        });
        check(
            &Expected::Inferred(&zip),
            &csv,
            &["a.csv: not compared: the sample cannot be read: this is a ZIP archive"],
        );
    }

    #[test]
    fn a_sample_that_cannot_be_read_has_parts_too() {
        for columns in [Some(columns(&[("1", "int64")], 2)), None] {
            let mut broken = single(file("orders.csv", FileFormat::Csv, columns));
            broken.files[0].findings = vec![finding("no header")];
            check(
                &Expected::Inferred(&broken),
                &folder(&[table("p-0.csv", &ORDERS, 4), table("p-1.csv", &ORDERS, 5)]),
                &[
                    "p-0.csv: not compared: the sample cannot be read: no header",
                    "p-1.csv: not compared: the sample cannot be read: no header",
                ],
            );
        }
    }

    #[test]
    fn values_and_tables() {
        let value = single(file("a.json", FileFormat::Json, None));
        let rows = single(table("a.json", &ORDERS, 3));
        check(&Expected::Inferred(&value), &value, &[]);
        check(&Expected::Inferred(&rows), &value, &["! a.json: cannot be read: not a table"]);
        let expected = ["! a.json: cannot be read: a table, where a single value is expected"];
        check(&Expected::Inferred(&value), &rows, &expected);
    }

    #[test]
    fn files_are_matched_by_path() {
        let other = [("x", "boolean")];
        let model = file("model.pkl", FileFormat::Opaque, None);
        let sample = folder(&[table("a.csv", &ORDERS, 3), table("b.csv", &other, 3), model.clone()]);
        check(&Expected::Inferred(&sample), &sample, &[]);
        let found = folder(&[
            table("a.csv", &ORDERS[..1], 3),
            table("c.csv", &other, 3),
            file("notes.txt", FileFormat::Opaque, None),
        ]);
        check(
            &Expected::Inferred(&sample),
            &found,
            &[
                "! a.csv: column `name` (text) is missing",
                "c.csv: extra file",
                "! model.pkl: the file is missing",
                "notes.txt: extra file",
            ],
        );
        check(
            &Expected::Inferred(&folder(&[table("a.csv", &ORDERS, 3), table("b.csv", &other, 3)])),
            &folder(&[table("a.csv", &ORDERS, 3), model]),
            &["! b.csv: the file is missing", "model.pkl: extra file"],
        );
    }

    #[test]
    fn parts_of_one_table_come_in_any_number() {
        let whole = single(table("orders.csv", &ORDERS, 9));
        let part = |name: &str, rows| table(name, &ORDERS, rows);
        check(&Expected::Inferred(&whole), &folder(&[part("p-0.csv", 4), part("p-1.csv", 5)]), &[]);
        check(&Expected::Inferred(&whole), &folder(&[part("p-0.csv", 0), part("p-1.csv", 5)]), &[]);
        check(
            &Expected::Inferred(&whole),
            &folder(&[part("p-0.csv", 0), part("p-1.csv", 0)]),
            &["! p-0.csv: there are no rows"],
        );
        let mut broken = table("p-1.csv", &ORDERS, 0);
        broken.findings = vec![finding("the file is empty")];
        check(
            &Expected::Inferred(&whole),
            &folder(&[part("p-0.csv", 0), broken]),
            &["! p-1.csv: cannot be read: the file is empty"],
        );
        let parts = folder(&[part("p-0.csv", 4), part("p-1.csv", 5)]);
        check(&Expected::Inferred(&parts), &whole, &[]);
        check(
            &Expected::Inferred(&parts),
            &folder(&[part("p-0.csv", 0), part("p-1.csv", 9)]),
            &["! p-0.csv: there are no rows"],
        );
        check(
            &Expected::Inferred(&parts),
            &folder(&[table("p-0.csv", &ORDERS[..1], 4), table("p-7.csv", &ORDERS[..1], 4)]),
            &["! p-0.csv: column `name` (text) is missing", "! p-7.csv: column `name` (text) is missing"],
        );
    }

    #[test]
    fn tables_without_rows_keep_their_own_counterparts() {
        let sample = folder(&[table("a.csv", &[("x", "null")], 0), table("b.csv", &ORDERS, 3)]);
        check(&Expected::Inferred(&sample), &sample, &[]);
    }

    #[test]
    fn an_empty_sample_expects_nothing() {
        let found = single(table("a.csv", &ORDERS, 3));
        check(&Expected::Inferred(&folder(&[])), &found, &[]);
        check(&Expected::Inferred(&found), &folder(&[]), &[]);
    }
}
