//! What differs within a column, told by its path: `address.zip` is a field of a struct, `tags[]` are the items of a
//! list, and `prices{}` the values of a map.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use runtime_testing_models::{Column, Difference};

use super::rename::renamed;
use super::table::{deciding, missing_column, promoted};
use crate::types::fit::{self, Fit};
use crate::types::join::{Typing, one_type};
use runtime_testing_models::{LogicalType, path_name};

/// The characters by which a path goes on.
const STEPS: [char; 3] = ['.', '[', '{'];

/// The names by which paths could begin and that other columns begin with: beside a column `a.b`, the field of `a` is
/// `"a".b`.
#[derive(Debug)]
pub(super) struct TakenNames<'a> {
    names: Vec<&'a str>,
    /// What they begin with, once somebody has asked.
    beginnings: OnceCell<HashSet<&'a str>>,
}

impl<'a> TakenNames<'a> {
    pub(super) fn of(names: impl Iterator<Item = &'a str>) -> Self {
        Self { names: names.collect(), beginnings: OnceCell::new() }
    }

    fn contains(&self, name: &str) -> bool {
        let [one, two, three] = STEPS.map(|step| step as u8);
        let end = |name: &str| memchr::memchr3(one, two, three, name.as_bytes());
        let beginnings = || self.names.iter().filter_map(|name| Some(&name[..end(name)?])).collect();
        self.beginnings.get_or_init(beginnings).contains(name)
    }
}

/// How the type of a column, which is that of `own` if there is one, differs from that of a sample.
pub(super) fn types(
    name: &str,
    expected: &LogicalType,
    found: &LogicalType,
    own: Option<&Column>,
    taken: &TakenNames<'_>,
    typing: Typing,
) -> Vec<Difference> {
    // What the two differ in then is a matter of nulls.
    if expected == found || *expected == LogicalType::Null || *found == LogicalType::Null {
        return Vec::new();
    }
    let path = Path::of(name, own, taken, typing);
    let mut list = Vec::new();
    add(expected, found, &path, &mut list);
    if list.is_empty() && fit::to_sample(expected, found) == Fit::Promotes {
        // Of fields that share a name, only the first is looked at.
        list.push(promoted(&path.told(), expected.to_string(), found));
    }
    list
}

/// The types of the values of two objects in JSON, each of which has one type for all of them: their keys are data.
pub(super) fn types_of_data<'a>(
    expected: impl Iterator<Item = &'a LogicalType>,
    found: impl Iterator<Item = &'a LogicalType>,
    typing: Typing,
) -> Option<(LogicalType, LogicalType)> {
    (typing == Typing::Values).then(|| one_type(expected.cloned()).zip(one_type(found.cloned()))).flatten()
}

/// How the values of a single object differ whose keys are data.
pub(super) fn differences_of_data((expected, found): &(LogicalType, LogicalType)) -> Vec<Difference> {
    let (name, rest) = (String::new(), "{}".to_owned());
    let path = Path { column: "", own: None, name, rest, typing: Typing::Values };
    breaking(expected, found, &path)
}

/// What breaks of how the values of an object differ.
fn breaking(expected: &LogicalType, found: &LogicalType, path: &Path<'_>) -> Vec<Difference> {
    let mut list = Vec::new();
    add(expected, found, path, &mut list);
    list.retain(Difference::is_breaking);
    list
}

/// A column, or something within it.
pub(super) struct Path<'a> {
    column: &'a str,
    /// The column as a file has it, if the row that decided its type is the one that decided the type here: not that of one
    /// field of several.
    pub(super) own: Option<&'a Column>,
    /// How the column is called in longer paths.
    name: String,
    /// What follows the column.
    rest: String,
    pub(super) typing: Typing,
}

impl<'a> Path<'a> {
    pub(super) fn of(
        column: &'a str,
        own: Option<&'a Column>,
        taken: &TakenNames<'_>,
        typing: Typing,
    ) -> Self {
        let name = path_name(column, taken.contains(column)).into_owned();
        Self { column, own, name, rest: String::new(), typing }
    }

    pub(super) fn within(&self, step: &str, own: Option<&'a Column>) -> Self {
        let Self { column, name, rest, typing, .. } = self;
        Self { column, own, name: name.clone(), rest: format!("{rest}{step}"), typing: *typing }
    }

    pub(super) fn field(&self, name: &str) -> Self {
        self.within(&format!(".{}", path_name(name, false)), None)
    }

    /// Columns by themselves are told by their names as they are, inner ones by paths.
    pub(super) fn told(&self) -> String {
        if self.rest.is_empty() { self.column.to_owned() } else { format!("{}{}", self.name, self.rest) }
    }
}

/// Adds how what was found differs. What a struct, a list or a map has inside is told by its own path.
fn add(expected: &LogicalType, found: &LogicalType, path: &Path<'_>, list: &mut Vec<Difference>) {
    use LogicalType::{List, Map, Struct};

    match (expected, found) {
        (expected, found) if expected == found => {}
        (List(items), List(found)) => add(items, found, &path.within("[]", path.own), list),
        (Map(keys, values), Map(found_keys, found)) if keys == found_keys => {
            add(values, found, &path.within("{}", None), list);
        }
        (Struct(fields), Struct(found)) => add_fields(fields, found, path, list),
        // In JSON a map is an object with more keys than are kept.
        (Map(_, values), Struct(found)) if path.typing == Typing::Values => {
            match one_type(found.iter().map(|(_, field)| field.clone())) {
                Some(found) => add(values, &found, &path.within("{}", None), list),
                None => list.extend(difference(expected, &LogicalType::Struct(found.clone()), path)),
            }
        }
        (Struct(fields), Map(_, found)) if path.typing == Typing::Values => {
            match one_type(fields.iter().map(|(_, field)| field.clone())) {
                Some(values) => add(&values, found, &path.within("{}", None), list),
                None => list.extend(difference(
                    expected,
                    &LogicalType::Map(LogicalType::Text.into(), found.clone()),
                    path,
                )),
            }
        }
        _ => list.extend(difference(expected, found, path)),
    }
}

/// How a type differs that has nothing inside to compare.
fn difference(expected: &LogicalType, found: &LogicalType, path: &Path<'_>) -> Option<Difference> {
    match fit::to_sample(expected, found) {
        Fit::Same => None,
        Fit::Promotes => Some(promoted(&path.told(), expected.to_string(), found)),
        Fit::Changed => {
            let (row, value) = deciding(path.own);
            Some(Difference::TypeChanged {
                column: path.told(),
                expected: expected.to_string(),
                found: found.to_string(),
                row,
                value,
            })
        }
    }
}

type Field = (String, LogicalType);

/// Adds how the fields of a struct differ, by the rules for columns.
fn add_fields(expected: &[Field], found: &[Field], path: &Path<'_>, list: &mut Vec<Difference>) {
    // Of fields that share a name, the first counts.
    let by_name: HashMap<&str, &LogicalType> =
        found.iter().rev().map(|(name, words)| (name.as_str(), words)).collect();
    let (both, missing): (Vec<&Field>, Vec<&Field>) =
        expected.iter().partition(|(name, _)| by_name.contains_key(name.as_str()));
    let known: HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let (old, extra): (Vec<&Field>, Vec<&Field>) =
        found.iter().partition(|(name, _)| known.contains(name.as_str()));
    let told = |(name, _): &&Field| path.field(name).told();
    let of_data =
        types_of_data(expected.iter().map(|field| &field.1), found.iter().map(|field| &field.1), path.typing);
    let begun = list.len();
    list.extend(missing_fields(&missing, &extra, path, of_data.is_some()));
    for (name, expected) in both.iter().copied() {
        add(expected, by_name[name.as_str()], &path.field(name), list);
    }
    if let Some(of_data) = of_data {
        // Where no value of a key that both have shows it, the others may.
        if !list[begun..].iter().any(Difference::is_breaking) {
            list.extend(breaking(&of_data.0, &of_data.1, &path.within("{}", None)));
        }
    }
    list.extend(
        extra.iter().map(|field| Difference::ExtraColumn { column: told(field), found: field.1.to_string() }),
    );
    if path.typing != Typing::Values && names(&both) != names(&old) {
        list.push(Difference::ColumnOrder {
            expected: both.iter().map(told).collect(),
            found: old.iter().map(told).collect(),
        });
    }
}

fn names<'a>(fields: &[&'a Field]) -> Vec<&'a str> {
    fields.iter().map(|(name, _)| name.as_str()).collect()
}

fn missing_fields(missing: &[&Field], extra: &[&Field], path: &Path<'_>, are_data: bool) -> Vec<Difference> {
    let fits = |place: usize, new: usize| fit::to_sample(&missing[place].1, &extra[new].1) != Fit::Changed;
    let candidates = renamed(&names(missing), &names(extra), fits);
    let differences = missing.iter().zip(candidates).map(|((name, expected), renamed)| {
        let renamed = renamed.map(|name| path.field(&name).told());
        missing_column(path.field(name).told(), expected, renamed, are_data)
    });
    differences.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runtime_testing_models::{DataProfile, FileProfile, TableSchema};

    use super::*;
    use crate::compare::testing::{check, file, folder, single, table};
    use crate::compare::{Expected, compare};

    /// Compares tables of one column each.
    #[track_caller]
    fn check_types(sample: &str, found: &str, differences: &[&str]) {
        let (sample, found) = (of_type(sample), of_type(found));
        check(&Expected::Inferred(&sample), &found, differences);
        check(&Expected::Inferred(&sample), &sample, &[]);
        check(&Expected::Inferred(&found), &found, &[]);
    }

    fn of_type(data_type: &str) -> DataProfile {
        single(table("a.arrow", &[("a", data_type)], 1))
    }

    #[test]
    fn fields() {
        check_types(
            "struct<geo: struct<lat: float64>, zip: text>",
            "struct<geo: struct<lat: float64>, zip: int64>",
            &["! a.arrow: column `a.zip`: expected text, found int64"],
        );
        check_types(
            "struct<geo: struct<lat: float64, lon: int64>, x: int64, zip: text>",
            "struct<geo: struct<lat: int64, lon: text>, name: text, zip: text>",
            &[
                "! a.arrow: column `a.x` (int64) is missing",
                "a.arrow: column `a.geo.lat`: expected float64, found int64, which will do",
                "! a.arrow: column `a.geo.lon`: expected int64, found text",
                "a.arrow: extra column `a.name` (text)",
            ],
        );
        check_types(
            "struct<>",
            "struct<b: struct<c: int64>>",
            &["a.arrow: extra column `a.b` (struct<c: int64>)"],
        );
        check_types(
            "struct<x: text>",
            "struct<x: null>",
            &["a.arrow: column `a.x`: expected text, found null, which will do"],
        );
    }

    #[test]
    fn fields_are_renamed_within_their_struct() {
        check_types(
            "struct<s: struct<zip: text>, t: struct<b: int64>>",
            "struct<s: struct<zip.code: text>, t: struct<b: int64, zip: text>>",
            &[
                r#"! a.arrow: column `a.s.zip` (text) is missing; was it renamed to `a.s."zip.code"`?"#,
                r#"a.arrow: extra column `a.s."zip.code"` (text)"#,
                "a.arrow: extra column `a.t.zip` (text)",
            ],
        );
        check_types(
            "struct<zip: text>",
            "struct<zap: int64>",
            &["! a.arrow: column `a.zip` (text) is missing", "a.arrow: extra column `a.zap` (int64)"],
        );
    }

    #[test]
    fn the_order_of_fields() {
        check_types(
            "list<struct<b: int64, c: text, d: int64>>",
            "list<struct<c: text, x: text, b: int64>>",
            &[
                "! a.arrow: column `a[].d` (int64) is missing",
                "a.arrow: extra column `a[].x` (text)",
                "a.arrow: the columns come as `a[].c`, `a[].b`, not as `a[].b`, `a[].c`",
            ],
        );
    }

    #[test]
    fn items_and_values() {
        check_types("list<int64>", "list<text>", &["! a.arrow: column `a[]`: expected int64, found text"]);
        check_types(
            "list<list<struct<price: float64>>>",
            "list<list<struct<price: text>>>",
            &["! a.arrow: column `a[][].price`: expected float64, found text"],
        );
        check_types(
            "map<text, struct<x: int64, y: list<date>>>",
            "map<text, struct<x: float64, y: list<text>>>",
            &[
                "a.arrow: column `a{}.x`: expected int64, found float64, which will do",
                "! a.arrow: column `a{}.y[]`: expected date, found text",
            ],
        );
        // What differs in its keys differs as a whole.
        check_types(
            "struct<m: map<text, int64>>",
            "struct<m: map<int64, text>>",
            &["! a.arrow: column `a.m`: expected map<text, int64>, found map<int64, text>"],
        );
    }

    #[test]
    fn what_became_something_else_differs_as_a_whole() {
        check_types(
            "struct<b: struct<c: int64>>",
            "struct<b: list<int64>>",
            &["! a.arrow: column `a.b`: expected struct<c: int64>, found list<int64>"],
        );
        check_types(
            "list<struct<c: int64>>",
            "list<null>",
            &["a.arrow: column `a[]`: expected struct<c: int64>, found null, which will do"],
        );
        check_types(
            "struct<c: int64>",
            "text",
            &["! a.arrow: column `a`: expected struct<c: int64>, found text"],
        );
    }

    #[test]
    fn fields_that_share_a_name() {
        check_types(
            "struct<b: int64, b: int64>",
            "struct<b: int64, b: text>",
            &["a.arrow: column `a`: expected struct<b: int64, b: int64>, found struct<b: int64, b: text>, \
               which will do"],
        );
    }

    #[test]
    fn paths_are_no_names_of_columns() {
        let of = |zip: &str| {
            let address = format!("struct<zip: {zip}>");
            let columns =
                [("a.zip", zip), ("a", &*address), ("b.c", &*address), ("d", &*address), ("e.zip", zip)];
            single(table("a.arrow", &columns, 1))
        };
        check(
            &Expected::Inferred(&of("text")),
            &of("int64"),
            &[
                "! a.arrow: column `a.zip`: expected text, found int64",
                r#"! a.arrow: column `"a".zip`: expected text, found int64"#,
                r#"! a.arrow: column `"b.c".zip`: expected text, found int64"#,
                "! a.arrow: column `d.zip`: expected text, found int64",
                "! a.arrow: column `e.zip`: expected text, found int64",
            ],
        );
    }

    /// A JSON file of one column, whose type a row decided.
    fn decided(path: &str, data_type: &str) -> FileProfile {
        let column = Column {
            nullable: false,
            deciding_row: Some(7),
            deciding_value: Some("[x]".to_owned()),
            ..Column::new("a", data_type)
        };
        let schema = TableSchema { columns: vec![column], rows: 9 };
        file(path, crate::format_of_extension(path.as_ref()), Some(schema))
    }

    #[test]
    fn the_row_that_decided_is_told_where_it_is_certain() {
        let check = |sample: &str, found: &str, expected: &str| {
            let sample = single(table("a.json", &[("a", sample)], 9));
            check(&Expected::Inferred(&sample), &single(decided("a.json", found)), &[expected]);
        };
        check("int64", "text", r#"! a.json: column `a`: expected int64, found text; row 7 is "[x]""#);
        check(
            "list<int64>",
            "list<mixed>",
            r#"! a.json: column `a[]`: expected int64, found mixed; row 7 is "[x]""#,
        );
        check("struct<b: int64>", "struct<b: mixed>", "! a.json: column `a.b`: expected int64, found mixed");
        check(
            "list<struct<b: int64>>",
            "list<struct<b: text>>",
            "! a.json: column `a[].b`: expected int64, found text",
        );
    }

    #[test]
    fn the_part_that_breaks_within_is_told() {
        let sample = single(table("a.json", &[("a", "struct<b: int64, c: int64, d: int64>")], 9));
        let found = |types: [&str; 4]| {
            let files = types.iter().zip(0..);
            folder(&files.map(|(part, place)| decided(&format!("{place}.json"), part)).collect::<Vec<_>>())
        };
        check(
            &Expected::Inferred(&sample),
            &found(["struct<b: int64>", "struct<b: text, c: float64>", "struct<c: int64>", "null"]),
            &[
                "0.json: column `a.c`: expected int64, found float64, which will do",
                "! 1.json: column `a.d` (int64) is missing",
                "! 1.json: column `a.b`: expected int64, found text",
            ],
        );
        let sound = "struct<b: int64, c: int64, d: int64>";
        check(
            &Expected::Inferred(&sample),
            &found([sound, "list<int64>", sound, "null"]),
            &[
                r#"! 1.json: column `a`: expected struct<b: int64, c: int64, d: int64>, found list<int64>; row 7 is "[x]""#,
            ],
        );
    }

    fn any_words() -> impl Strategy<Value = LogicalType> {
        let leaf =
            prop::sample::select(vec!["null", "int64", "float64", "decimal(9,2)", "text", "date", "mixed"]);
        leaf.prop_map(LogicalType::from).prop_recursive(3, 16, 3, |inner| {
            let name = prop::sample::select(vec!["b", "c", "d.e"]).prop_map(str::to_owned);
            prop_oneof![
                1 => inner.clone().prop_map(|item| LogicalType::List(item.into())),
                1 => inner.clone().prop_map(|value| LogicalType::Map(LogicalType::Text.into(), value.into())),
                3 => prop::collection::vec((name, inner), 0..4).prop_map(LogicalType::Struct),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// However far apart, what is told within weighs what the whole does.
        #[test]
        fn differences_within_weigh_what_the_type_does(sample in any_words(), found in any_words()) {
            prop_assume!(sample != LogicalType::Null && found != LogicalType::Null);
            let expected = fit::to_sample(&sample, &found);
            let (sample, found) = (of_type(&sample.to_string()), of_type(&found.to_string()));
            let told = compare(&Expected::Inferred(&sample), &found);
            let fit = match told.iter().map(|told| told.difference.is_breaking()).max() {
                None => Fit::Same,
                Some(false) => Fit::Promotes,
                Some(true) => Fit::Changed,
            };
            prop_assert_eq!(fit, expected, "{:?}", told);
        }
    }
}
