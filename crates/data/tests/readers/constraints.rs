//! What a contract asks of values, by this crate and as SQL by DuckDB.

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use runtime_testing_data::{Expected, ProfileOptions, compare_values, profile_path_with};
use runtime_testing_models::{DataContract, Difference};
use serde_json::json;

const QUERIES: &str = include_str!("constraints.py");

const CASES: usize = 60;

/// A folder, a contract, and what the contract asks for as SQL that counts the rows which are not so.
struct Case {
    folder: Utf8PathBuf,
    format: &'static str,
    contract: String,
    queries: Vec<(String, String)>,
}

fn pick<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).expect("a value").current()
}

/// Parts of a table in folders that tell the year of their rows.
fn hive(runner: &mut TestRunner, folder: &Utf8Path) -> Case {
    let cell = |some: &'static str| prop_oneof![4 => prop::string::string_regex(some).expect("a regular expression"), 1 => Just(String::new())];
    let row = (cell("[1-9]{1,2}"), cell("-?[1-9]\\.[1-9]"), cell("[AB][a-c]"), cell("2024-0[1-9]-1[0-9]"));
    let years =
        pick(runner, &prop::sample::subsequence(vec!["2023", "2024", "__HIVE_DEFAULT_PARTITION__"], 1..=3));
    // Of few rows, some keep to all of it.
    let sizes = if pick(runner, &prop::bool::ANY) { 1..3 } else { 1..30 };
    for year in years {
        let rows = pick(runner, &prop::collection::vec(row.clone(), sizes.clone()));
        let lines = rows.into_iter().map(|(id, amount, city, day)| format!("{id},{amount},{city},{day}\n"));
        let text = format!("id,amount,city,day\n{}", lines.collect::<String>());
        std::fs::create_dir_all(folder.join(format!("year={year}"))).expect("a folder");
        std::fs::write(folder.join(format!("year={year}/part.csv")), text).expect("a file");
    }
    let (least, most) = pick(runner, &(1..30_i64, 30..99_i64));
    let amount = pick(runner, &(-90..90_i64)) as f64 / 10.0;
    let day = pick(runner, &prop::string::string_regex("2024-0[1-9]-1[0-9]").expect("a regular expression"));
    let contract = json!({
        "columns": {
            "id": {"type": "integer", "minimum": least, "maximum": most, "unique": true},
            "amount": {"type": "float", "minimum": amount, "max_null_fraction": 0.2},
            "city": {"type": "text", "values": ["Aa", "Bb", "Bc"], "pattern": "A.|.b", "nullable": false},
            "day": {"type": "date", "maximum": day},
            "year": {"type": "integer", "minimum": 2024},
        },
        "unique": [["year", "city"]],
    });
    let where_ = |condition: String| format!("count(*) filter (where {condition})");
    let queries = [
        ("id minimum", where_(format!("id < {least}"))),
        ("id maximum", where_(format!("id > {most}"))),
        ("id unique", "count(id) - count(distinct id)".to_owned()),
        ("amount minimum", where_(format!("amount < {amount}"))),
        (
            "amount nulls",
            format!("case when {0} > 0.2 * count(*) then {0} else 0 end", where_("amount is null".into())),
        ),
        ("city values", where_("city not in ('Aa', 'Bb', 'Bc')".to_owned())),
        ("city pattern", where_("not regexp_full_match(city, 'A.|.b')".to_owned())),
        ("city nulls", where_("city is null".to_owned())),
        ("day maximum", where_(format!("day > date '{day}'"))),
        ("year minimum", where_("year < 2024".to_owned())),
        (
            "year`, `city unique",
            "count(*) filter (where year is not null and city is not null)
             - count(distinct (year, city)) filter (where year is not null and city is not null)"
                .to_owned(),
        ),
    ];
    let queries = queries.map(|(name, query)| (name.to_owned(), query)).into();
    Case { folder: folder.to_owned(), format: "csv", contract: contract.to_string(), queries }
}

/// A struct with a number, and a list of such.
type NestedRow = (Option<Option<i64>>, Option<Vec<Option<Option<i64>>>>);

/// Lines with a struct and a list of structs in them.
fn nested(runner: &mut TestRunner, folder: &Utf8Path) -> Case {
    let number = prop::option::weighted(0.9, 1..9_i64);
    let items = prop::collection::vec(prop::option::weighted(0.9, number.clone()), 0..4);
    let row = (prop::option::weighted(0.8, number), prop::option::weighted(0.8, items));
    for name in ["0", "1"] {
        let rows = pick(runner, &prop::collection::vec(row.clone(), 1..9));
        let line = |(x, items): NestedRow| {
            let items = items
                .map(|items| items.into_iter().map(|item| item.map(|y| json!({"y": y}))).collect::<Vec<_>>());
            json!({"s": x.map(|x| json!({"x": x, "z": "t"})), "l": items}).to_string() + "\n"
        };
        // Both columns have the types that the contract asks for, whatever the rest holds.
        let first = "{\"s\": {\"x\": 1, \"z\": \"t\"}, \"l\": [{\"y\": 1}]}\n".to_owned();
        let text = first + &rows.into_iter().map(line).collect::<String>();
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(folder.join(format!("{name}.ndjson")), text).expect("a file");
    }
    let contract = json!({"columns": {
        "s": {"type": "struct", "nullable": false, "fields": {"x": {"type": "integer", "nullable": false}, "z": "text"}},
        "l": {"type": "list", "items": {"type": "struct", "nullable": false, "fields": {"y": {"type": "integer", "nullable": false}}}},
    }});
    let any_item = |condition: &str| {
        format!("count(*) filter (where len(list_filter(l, lambda item: {condition})) > 0)")
    };
    let queries = [
        ("s nulls", "count(*) filter (where s is null)".to_owned()),
        ("s.x nulls", "count(*) filter (where s is not null and s.x is null)".to_owned()),
        ("l[] nulls", any_item("item is null")),
        ("l[].y nulls", any_item("item is not null and item.y is null")),
    ];
    let queries = queries.map(|(name, query)| (name.to_owned(), query)).into();
    Case { folder: folder.to_owned(), format: "ndjson", contract: contract.to_string(), queries }
}

/// What this crate finds: how many rows are not as they should be, by column and constraint.
fn ours(case: &Case) -> BTreeMap<String, u64> {
    let contract: DataContract = case.contract.parse().expect("a contract");
    let options = ProfileOptions::default().for_contract(&contract);
    let found = profile_path_with(&case.folder, &options).expect("data");
    let told = compare_values(&Expected::Contract(&contract), &case.folder, &found, &options).expect("rows");
    let breaking = told.into_iter().filter(|told| told.difference.is_breaking());
    let named = breaking.map(|told| match told.difference {
        Difference::Constraint { column, constraint, rows, .. } => {
            let word = constraint.split(' ').next().expect("a word");
            (format!("{column} {}", if word == "nullable" { "nulls" } else { word }), rows)
        }
        Difference::TooManyNulls { column, nulls, .. } => (format!("{column} nulls"), nulls),
        Difference::NullsFound { column, nulls: Some(nulls) } => (format!("{column} nulls"), nulls),
        other => panic!("{other} in {}", case.folder),
    });
    named.collect()
}

pub(crate) fn constraints_are_what_sql_says(python: &str) {
    let mut runner = super::runner();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = Utf8Path::from_path(folder.path()).expect("the temporary folder has a UTF-8 name");
    let cases: Vec<Case> = (0..CASES)
        .map(|at| match at % 2 {
            0 => hive(&mut runner, &folder.join(at.to_string())),
            _ => nested(&mut runner, &folder.join(at.to_string())),
        })
        .collect();
    let line = |case: &Case| {
        let queries: serde_json::Map<String, serde_json::Value> =
            case.queries.iter().map(|(name, query)| (name.clone(), query.as_str().into())).collect();
        json!({"folder": case.folder.as_str(), "format": case.format, "queries": queries}).to_string() + "\n"
    };
    let list = folder.join("cases");
    std::fs::write(&list, cases.iter().map(line).collect::<String>()).expect("a file");
    let output =
        Command::new(python).args(["-c", QUERIES, list.as_str()]).output().expect("Python can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let theirs: Vec<BTreeMap<String, u64>> =
        printed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(theirs.len(), CASES);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        assert_eq!(&ours(case), theirs, "{}", case.contract);
        theirs.keys().for_each(|name| *seen.entry(name).or_default() += 1);
    }
    // Each of the queries counts rows in some case and none in another.
    for (name, _) in cases.iter().take(2).flat_map(|case| &case.queries) {
        assert!((1..CASES / 2).contains(&seen.get(name.as_str()).copied().unwrap_or(0)), "{name}: {seen:?}");
    }
}
