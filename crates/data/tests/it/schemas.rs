use runtime_testing_data::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use runtime_testing_data::{SampleData, schema_of};
use runtime_testing_models::{TableContract, TypeWord};

use crate::folder::Folder;

#[track_caller]
fn check(name: &str, content: &str, expected: &[Field]) {
    let folder = Folder::new();
    let path = folder.write(name, content);
    assert_eq!(schema_of(&path).expect("a table"), Schema::new(expected.to_vec()));
}

#[test]
fn text_formats_show_their_schema() {
    check(
        "a.csv",
        "a,b,c,d,e,f\n1,1.5,x,true,2024-01-31,2024-01-31T10:00Z\n2,,,,,\n",
        &[
            Field::new("a", DataType::Int64, false),
            Field::new("b", DataType::Float64, true),
            Field::new("c", DataType::Utf8, true),
            Field::new("d", DataType::Boolean, true),
            Field::new("e", DataType::Date32, true),
            Field::new("f", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        ],
    );
    check("a.csv", "a\n", &[Field::new("a", DataType::Null, false)]);
    let fields = vec![Field::new("y", DataType::Utf8, true)].into();
    check(
        "a.json",
        r#"[{"x": [1], "s": {"y": "a"}}]"#,
        &[
            Field::new("s", DataType::Struct(fields), false),
            Field::new("x", DataType::List(Field::new_list_field(DataType::Int64, true).into()), false),
        ],
    );
}

#[test]
fn binary_formats_declare_their_schema() {
    let contract = TypeWord::ALL
        .into_iter()
        .fold(TableContract::default(), |contract, word| contract.with_column(word.as_str(), word));
    let sample = SampleData::from_contract(&contract);
    let names: &[&str] = if cfg!(feature = "parquet") {
        &["a.arrow", "a.arrows", "a.parquet"]
    } else {
        &["a.arrow", "a.arrows"]
    };
    for name in names {
        let folder = Folder::new();
        let path = sample.write(&folder.path().join(name)).unwrap();
        assert_eq!(schema_of(&path).unwrap().fields(), sample.batch().schema().fields(), "{name}");
    }
}

#[track_caller]
fn check_error(name: &str, content: &str, expected: &str) {
    let folder = Folder::new();
    let path = folder.write(name, content);
    let message = schema_of(&path).expect_err("a file without a schema").to_string();
    assert_eq!(message.replace(path.as_str(), name), expected);
}

#[test]
fn what_has_no_schema() {
    check_error("a.pkl", "x", "`a.pkl` is no table: its format is opaque");
    check_error("a.json", "[1]", "`a.json` is no table: its format is json");
    check_error(
        "a.json",
        r#"{"a": [1, "x"]}"#,
        "column `a` of `a.json` is list<mixed>, for which Arrow has no type",
    );
    check_error(
        "a.csv",
        "a,a\n1\n",
        "`a.csv` cannot be read as csv: line 1: duplicate column name `a`; \
         line 2: row has 1 field, the header has 2",
    );
    check_error(
        "a.json",
        r#"[{"a": 1}, {"a": "x"}]"#,
        "column `a` of `a.json` is mixed, for which Arrow has no type",
    );
    let folder = Folder::new();
    let path = folder.path().join("nowhere.csv");
    assert_eq!(schema_of(&path).unwrap_err().to_string(), format!("`{path}` does not exist"));
}
