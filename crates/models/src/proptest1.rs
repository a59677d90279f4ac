//! Strategies of proptest 1: specs as people and programs write them, with all that is hard on files.
//!
//! ```
//! use proptest::prelude::*;
//! use runtime_testing_models::ScriptExecutionSpec;
//! use runtime_testing_models::proptest1::specs;
//!
//! proptest!(|(spec in specs())| {
//!     prop_assert_eq!(ScriptExecutionSpec::parse(&spec.to_json()).unwrap(), spec);
//! });
//! ```

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
pub use runtime_testing_dag::proptest1::{dags, names, step_names};

use crate::{
    ColumnContract, ContractType, DataContract, FileContract, FilesContract, Isolation, JobValue,
    LogicalName, OutputBinding, PathKind, PathSpec, Permission, ResourceLimits, ScriptExecutionSpec,
    ScriptName, TableContract, TypeWord, WorkingDirectory,
};

/// Names of scripts: see [`names`].
pub fn script_names() -> impl Strategy<Value = ScriptName> + Clone {
    names()
}

/// Names of inputs and outputs: see [`names`].
pub fn logical_names() -> impl Strategy<Value = LogicalName> + Clone {
    names()
}

/// Values of `job_args`: each kind of JSON, nested up to three levels, with numbers that no float holds.
pub fn job_values() -> impl Strategy<Value = JobValue> {
    const NUMBERS: [&str; 9] =
        ["0", "-0", "1.10", "1e400", "-1E-7", "9223372036854775808", "0.1", "-9223372036854775808", "1e2"];
    let number = |text: &str| JobValue::Number(text.parse().expect("a number as JSON writes it"));
    let leaf = prop_oneof![
        Just(JobValue::Null),
        any::<bool>().prop_map(JobValue::Bool),
        any::<i64>().prop_map(move |value| number(&value.to_string())),
        select(&NUMBERS).prop_map(number),
        texts().prop_map(JobValue::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(JobValue::Array),
            map(texts(), inner, 3).prop_map(JobValue::Object),
        ]
    })
}

/// Contracts of tables and of folders.
pub fn contracts() -> impl Strategy<Value = DataContract> {
    let file = prop_oneof![
        1 => Just(FileContract::Present),
        1 => Just(FileContract::Optional),
        2 => table_contracts().prop_map(|table| FileContract::Table(TableContract { null_values: None, ..table })),
    ];
    let files = (map("[a-c*]{1,3}\\.(csv|bst)", file, 3), permissions(), option::of(vec(texts(), 0..3)));
    prop_oneof![
        3 => table_contracts().prop_map(DataContract::Table),
        1 => files.prop_map(|(files, extra_files, null_values)| {
            DataContract::Files(FilesContract { files, extra_files, null_values })
        }),
    ]
}

fn permissions() -> impl Strategy<Value = Permission> {
    select(&[Permission::Allow, Permission::Forbid])
}

/// Contracts of up to four columns, of every type.
pub fn table_contracts() -> impl Strategy<Value = TableContract> {
    let rows = || option::of(prop_oneof![0..5_u64, Just(u64::MAX)]);
    let settings = (
        permissions(),
        (rows(), rows())
            .prop_filter("in order", |(least, most)| most.is_none_or(|most| least.unwrap_or(0) <= most)),
        option::of(permissions()),
        option::of(select(&[',', ';', '|'])),
        option::of(vec(texts(), 0..3)),
        any::<bool>(),
    );
    (map(texts(), column_contracts(true), 4), settings).prop_map(|(columns, settings)| {
        let (extra_columns, (min_rows, max_rows), empty_files, delimiter, null_values, is_unique) = settings;
        let names: Vec<String> = columns.keys().cloned().collect();
        let unique = if is_unique && !names.is_empty() { vec![names] } else { Vec::new() };
        TableContract {
            columns,
            extra_columns,
            min_rows,
            max_rows,
            unique,
            empty_files,
            delimiter,
            null_values,
        }
    })
}

fn column_contracts(is_outer: bool) -> BoxedStrategy<ColumnContract> {
    let exact = select(&["timestamp[us, UTC]", "time[ms]", "duration[s]", "decimal(9,2)"]);
    let data_type = prop_oneof![
        4 => select(&TypeWord::ALL).prop_map(ContractType::Word),
        1 => exact.prop_map(|text| ContractType::from_text(text).expect("a type with its unit")),
    ];
    let plain = (data_type, any::<bool>(), any::<bool>()).prop_map(|(data_type, nullable, optional)| {
        ColumnContract { nullable, optional, ..ColumnContract::new(data_type) }
    });
    if !is_outer {
        return plain.boxed();
    }
    let inner = || option::of(column_contracts(false));
    let constraints =
        (any::<bool>(), option::of(0..9_i64), vec(texts(), 0..3), option::of(select(&["0", "0.5", "1"])));
    (plain, inner(), constraints)
        .prop_map(|(mut column, inner, (unique, least, values, fraction))| {
            match (column.data_type.word(), inner) {
                (TypeWord::Struct, Some(inner)) => column.fields = [("x".to_owned(), inner)].into(),
                (TypeWord::List, Some(inner)) => column.items = Some(inner.into()),
                (TypeWord::Map, Some(inner)) => column.map_values = Some(inner.into()),
                (TypeWord::Integer, _) => column.constraints.minimum = least.map(JobValue::from),
                (TypeWord::Text, _) => {
                    column.constraints.values = values.into_iter().map(JobValue::String).collect();
                }
                _ => {}
            }
            column.constraints.unique = unique && column.data_type.word() == TypeWord::Integer;
            column.constraints.max_null_fraction =
                fraction.map(|fraction| fraction.parse().expect("a number"));
            column
        })
        .boxed()
}

/// Specs with every field, set or not. Whatever refers to an input or output names one that is there.
pub fn specs() -> impl Strategy<Value = ScriptExecutionSpec> {
    let paths = || map(logical_names(), paths(), 3);
    let run = (
        option::of(self::paths()),
        map(variable_names(), texts_without_nul(), 3),
        map(texts(), job_values(), 3),
        option::of(prop_oneof![1e-3..1e3_f64, Just(1e9), Just(f64::MIN_POSITIVE)]),
        option::of(self::paths()),
        option::of(select(&Isolation::ALL)),
        option::of(select(&WorkingDirectory::ALL)),
        option::of(any::<bool>()),
        (option::of(1e-3..1e9_f64), option::of(1e-3..1e9_f64)),
    );
    let remarks = (option::of(texts()), option::of(texts()), option::of(texts()));
    let names = (script_names(), step_names());
    (names, paths(), paths(), run, remarks).prop_flat_map(|(names, inputs, outputs, run, remarks)| {
        let (script_name, step_name) = names;
        let (
            script_path,
            environ_vars,
            job_args,
            timeout_seconds,
            python,
            isolation,
            working_directory,
            sample_data,
            (wall_seconds, peak_memory_mib),
        ) = run;
        let limits = ResourceLimits { wall_seconds, peak_memory_mib };
        let (last_updated, user_notes, schema) = remarks;
        let binding = (step_names(), logical_names());
        let binding = binding.prop_map(|(step, output)| OutputBinding { step, output });
        let said = (
            aliases(&inputs),
            aliases(&outputs),
            some_of(&inputs, binding),
            some_of(&inputs, contracts()),
            some_of(&outputs, contracts()),
            some_names(&inputs),
            some_names(&outputs),
            some_names(&inputs),
        );
        said.prop_map(
            move |(
                input_path_specs,
                output_path_specs,
                bindings,
                input_schemas,
                output_schemas,
                optional_inputs,
                optional_outputs,
                mutable_inputs,
            )| {
                ScriptExecutionSpec {
                    schema: schema.clone(),
                    script_name: script_name.clone(),
                    step_name: step_name.clone(),
                    script_path: script_path.clone(),
                    input_paths: inputs.clone(),
                    output_paths: outputs.clone(),
                    environ_vars: environ_vars.clone(),
                    job_args: job_args.clone(),
                    last_updated: last_updated.clone(),
                    user_notes: user_notes.clone(),
                    input_path_specs,
                    output_path_specs,
                    bindings,
                    input_schemas,
                    output_schemas,
                    timeout_seconds,
                    python: python.clone(),
                    isolation,
                    working_directory,
                    optional_inputs,
                    optional_outputs,
                    mutable_inputs,
                    sample_data,
                    limits,
                }
            },
        )
    })
}

/// Any text: none at all, plain, and of any characters.
fn texts() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[a-z_]{0,8}", any::<String>()]
}

fn texts_without_nul() -> impl Strategy<Value = String> + Clone {
    texts().prop_map(|text| text.replace('\0', "0"))
}

fn variable_names() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[A-Z][A-Z_]{0,8}", texts_without_nul()]
        .prop_map(|name| name.replace('=', "_"))
        .prop_filter("a variable has a name", |name| !name.is_empty())
}

/// Paths, relative and absolute. One may be blank while a spec is being drafted.
fn paths() -> impl Strategy<Value = Utf8PathBuf> + Clone {
    prop_oneof![
        4 => "(/|\\.\\./)?[a-z]{1,6}(/[a-z ]{1,6}){0,3}(\\.[a-z]{1,4})?",
        1 => Just(String::new()),
        1 => texts_without_nul(),
    ]
    .prop_map(Utf8PathBuf::from)
}

fn map<K: Eq + std::hash::Hash + std::fmt::Debug, V: std::fmt::Debug>(
    keys: impl Strategy<Value = K>,
    values: impl Strategy<Value = V>,
    most: usize,
) -> impl Strategy<Value = IndexMap<K, V>> {
    vec((keys, values), 0..=most).prop_map(|entries| entries.into_iter().collect())
}

/// A value for some of the names, in their order.
fn some_of<V: Clone + std::fmt::Debug, S: Strategy<Value = V>>(
    names: &IndexMap<LogicalName, Utf8PathBuf>,
    values: S,
) -> impl Strategy<Value = IndexMap<LogicalName, V>> + use<V, S> {
    let names: Vec<LogicalName> = names.keys().cloned().collect();
    vec(option::of(values), names.len()).prop_map(move |values| {
        let pairs = names.iter().cloned().zip(values);
        pairs.filter_map(|(name, value)| Some((name, value?))).collect()
    })
}

/// Some of the names, in their order.
fn some_names(names: &IndexMap<LogicalName, Utf8PathBuf>) -> impl Strategy<Value = Vec<LogicalName>> + use<> {
    some_of(names, Just(())).prop_map(|names| names.into_keys().collect())
}

fn aliases(
    paths: &IndexMap<LogicalName, Utf8PathBuf>,
) -> impl Strategy<Value = IndexMap<LogicalName, PathSpec>> + use<> {
    let paths = paths.clone();
    let said = (any::<bool>(), any::<bool>(), vec(texts(), 0..3), option::of(select(&PathKind::ALL)));
    some_of(&paths, said).prop_map(move |said| {
        let spec = |(name, (is_named, has_path, aliases, kind)): (LogicalName, (bool, bool, _, _))| {
            let path = has_path.then(|| paths[&name].clone());
            let logical_name = is_named.then(|| name.clone());
            (name, PathSpec { logical_name, path, aliases, kind })
        };
        said.into_iter().map(spec).collect()
    })
}
