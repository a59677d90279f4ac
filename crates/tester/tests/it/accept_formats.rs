//! What was accepted is kept to by the same data and broken by other, whatever the format and the types.

use std::sync::Arc;

use runtime_testing_builder::spec_store::SpecStore;
use runtime_testing_data::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationSecondArray, Float32Array,
    Int8Array, Int64Array, ListArray, MapBuilder, NullArray, RecordBatch, StringArray, StringBuilder,
    StructArray, Time64MicrosecondArray, TimestampMillisecondArray, new_null_array,
};
use runtime_testing_data::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use runtime_testing_data::write_batches;
use runtime_testing_models::{EdgeVerdict, PipelineTestReport, RuntimeTestingConfiguration, TypeWord};
use runtime_testing_tester::{FunctionParams, RuntimeTester};

use crate::space::{Space, script, spec, step};

/// A column of each type, the second half of them with a null in it. Text formats get what they can hold.
fn columns(extension: &str) -> Vec<(String, ArrayRef)> {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for _ in 0..2 {
        map.keys().append_value("k");
        map.values().append_value("v");
        map.append(true).unwrap();
    }
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)]), Some([Some(2)])]);
    let fields = Arc::new(Field::new("a", DataType::Int64, true));
    let structs = StructArray::from(vec![(fields, Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    let all: Vec<(&str, ArrayRef)> = vec![
        ("boolean", Arc::new(BooleanArray::from(vec![true, false]))),
        ("integer", Arc::new(Int8Array::from(vec![1, 2]))),
        ("float", Arc::new(Float32Array::from(vec![0.5, 1.5]))),
        ("text", Arc::new(StringArray::from(vec!["x", "y"]))),
        ("date", Arc::new(Date32Array::from(vec![1, 2]))),
        ("timestamp", Arc::new(TimestampMillisecondArray::from(vec![1, 2]))),
        ("nothing", Arc::new(NullArray::new(2))),
        ("list", Arc::new(list)),
        ("struct", Arc::new(structs)),
        ("decimal", Arc::new(Decimal128Array::from(vec![1, 2]).with_precision_and_scale(9, 2).unwrap())),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![1, 2]))),
        ("duration", Arc::new(DurationSecondArray::from(vec![1, 2]))),
        ("binary", Arc::new(BinaryArray::from_vec(vec![b"a", b"b"]))),
        ("map", Arc::new(map.finish())),
    ];
    let held = match extension {
        "csv" | "tsv" => 7,
        "json" | "ndjson" => 9,
        _ => all.len(),
    };
    let mut columns = Vec::new();
    for (name, array) in all.into_iter().take(held) {
        let with_null = runtime_testing_data::arrow::compute::concat(&[
            &array.slice(0, 1),
            &new_null_array(array.data_type(), 1),
        ]);
        columns.push((name.to_owned(), array));
        columns.push((format!("{name} or null"), with_null.unwrap()));
    }
    columns
}

/// A step that writes the columns, and one that looks at none of them.
struct Project {
    space: Space,
    extension: &'static str,
}

impl Project {
    fn new(extension: &'static str) -> Self {
        let mut space = Space::new().edge("make", "take");
        let path = format!("rows=output/rows.{extension}");
        space.specs.push(spec("make", "make", &["raw=data/raw.csv"], &[&path]));
        space.specs.push(spec("take", "take", &[&path], &["note=output/note.txt"]));
        let store = SpecStore::in_workspace(space.root.join("workspace"));
        for spec in &space.specs {
            store.save(spec).unwrap();
        }
        Self { space, extension }
    }

    /// Tests with the saved specs. The columns that are left out are not written.
    fn test(&self, left_out: Option<String>) -> (RuntimeTester, PipelineTestReport) {
        let store = SpecStore::in_workspace(self.space.root.join("workspace"));
        let mut pipeline = self.space.pipeline();
        for (name, spec) in &mut pipeline.script_specs {
            *spec = store.load(name).unwrap();
        }
        let extension = self.extension;
        let make = move |params: &FunctionParams| {
            let columns = columns(extension).into_iter().filter(|(name, _)| left_out.as_ref() != Some(name));
            let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
                .map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array))
                .unzip();
            let schema = Arc::new(Schema::new(fields));
            let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
            Ok(write_batches(&params.output_paths["rows"], &schema, [Ok(batch)])?)
        };
        let take = |params: &FunctionParams| Ok(std::fs::write(&params.output_paths["note"], "seen")?);
        let tester = RuntimeTester::new(RuntimeTestingConfiguration::new(pipeline))
            .with_settings(self.space.settings())
            .with_function(script("make"), make)
            .with_function(script("take"), take);
        let report = tester.test_pipeline().unwrap();
        (tester, report)
    }
}

#[track_caller]
fn check(extension: &'static str, words: &[TypeWord]) {
    let project = Project::new(extension);
    let (tester, report) = project.test(None);
    assert!(report.pipeline_success(), "{extension}: {:?}", report.errors());
    let accepted = tester.accept(&report, &[step("take")]).unwrap();
    let contract = accepted.changes[0].contract.tables().next().unwrap();
    assert_eq!(contract.columns.len(), columns(extension).len());
    for word in words {
        let name = word.as_str();
        // In JSON, keys are data where all values are of one type.
        let is_data = *word == TypeWord::Struct && extension.ends_with("json");
        let word = if is_data { &TypeWord::Map } else { word };
        let (some, all) = (&contract.columns[&format!("{name} or null")], &contract.columns[name]);
        assert_eq!((some.data_type.word(), some.nullable), (*word, true), "{extension}");
        assert_eq!((all.data_type.word(), all.nullable), (*word, false), "{extension}");
    }
    let said: Vec<String> = accepted.changes[0].remarks.iter().map(ToString::to_string).collect();
    assert!(said[0].starts_with("nothing: it shows no value"), "{said:?}");

    let (tester, report) = project.test(None);
    let edge = &report.data_flow_results["make->take"];
    assert_eq!(edge.verdict, EdgeVerdict::Identical, "{extension}: {:?} {:?}", edge.issues, edge.notes);
    assert!(report.pipeline_success());
    assert_eq!(tester.accept(&report, &[]).unwrap().changes, [], "twice is once");

    for (column, _) in columns(extension).into_iter().step_by(5) {
        let (_, report) = project.test(Some(column.clone()));
        let edge = &report.data_flow_results["make->take"];
        assert_eq!(edge.verdict, EdgeVerdict::Breaking);
        let issue = edge.issues[0].to_string();
        assert!(issue.contains(&format!("column `{column}`")) && issue.contains("is missing"), "{issue}");
    }
}

#[test]
fn tables_in_text() {
    use TypeWord::{Boolean, Date, Float, Integer, List, Struct, Text, Timestamp};
    for extension in ["csv", "tsv"] {
        check(extension, &[Boolean, Integer, Float, Text, Date, Timestamp]);
    }
    for extension in ["json", "ndjson"] {
        // JSON has no times of its own.
        check(extension, &[Boolean, Integer, Float, Text, List, Struct]);
    }
}

#[test]
fn tables_that_declare_their_types() {
    let words: Vec<TypeWord> = TypeWord::ALL.into_iter().filter(|word| *word != TypeWord::Any).collect();
    for extension in ["arrow", "feather"] {
        check(extension, &words);
    }
    if cfg!(feature = "parquet") {
        check("parquet", &words);
    }
}
