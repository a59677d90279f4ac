//! Folders whose paths have keys, and folders that are kept by a table format.

use runtime_testing_data::{Expected, compare, digest_path, profile_path, read_batches, write_batches};
use runtime_testing_models::{DataProfile, DigestOptions};

use crate::folder::{Folder, shown};

fn profile(folder: &Folder, name: &str) -> DataProfile {
    profile_path(&folder.path().join(name)).expect("what was just written")
}

fn told(folder: &Folder, sample: &str, found: &str) -> Vec<String> {
    let differences = compare(&Expected::Inferred(&profile(folder, sample)), &profile(folder, found));
    let mark = |breaks| if breaks { "! " } else { "" };
    let told = differences.iter();
    told.map(|told| format!("{}{}: {}", mark(told.difference.is_breaking()), told.file, told.difference))
        .collect()
}

#[test]
fn keys_are_columns() {
    let folder = Folder::new();
    folder.write("hive/year=2024/month=01/a.csv", "id\n1\n2\n");
    folder.write("hive/year=2025/month=__HIVE_DEFAULT_PARTITION__/a.csv", "id\n3\n");
    let files: Vec<String> = profile(&folder, "hive").files.iter().map(shown).collect();
    assert_eq!(
        files,
        [
            "year=2024/month=01/a.csv: csv, 2 rows\n  id: int64\n  year: int64\n  month: int64",
            "year=2025/month=__HIVE_DEFAULT_PARTITION__/a.csv: csv, 1 rows\n  id: int64\n  year: int64\n  month: int64?, 1 nulls",
        ]
    );
    folder.write("flat.csv", "id,year,month\n1,2024,1\n2,2024,1\n3,2025,\n");
    assert_eq!(told(&folder, "hive", "hive"), [""; 0]);
    let digest = |name| digest_path(&folder.path().join(name), &DigestOptions::default()).expect("a table");
    assert_eq!(digest("hive"), digest("flat.csv"));
    let rows = read_batches(&folder.path().join("hive")).expect("a table");
    assert_eq!(
        rows.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
        ["id", "year", "month"]
    );
    assert_eq!(rows.map(|batch| batch.expect("rows").num_rows()).sum::<usize>(), 3);
}

#[test]
fn a_column_of_the_sample_can_be_a_key() {
    let folder = Folder::new();
    folder.write("flat/a.csv", "id,year\n1,2024\n2,2025\n");
    folder.write("hive/year=2024/a.csv", "id\n1\n");
    folder.write("hive/year=2025/a.csv", "id\n2\n");
    folder.write("renamed/yr=2024/a.csv", "id\n1\n");
    folder.write("retyped/year=last/a.csv", "id\n1\n");
    let missing: Vec<String> =
        told(&folder, "flat", "hive").into_iter().filter(|told| told.starts_with('!')).collect();
    assert_eq!(missing, [""; 0]);
    assert_eq!(
        told(&folder, "hive", "renamed"),
        [
            "! yr=2024/a.csv: column `year` (int64) is missing; was it renamed to `yr`?",
            "yr=2024/a.csv: extra column `yr` (int64)",
        ]
    );
    assert_eq!(
        told(&folder, "hive", "retyped"),
        ["! year=last/a.csv: column `year`: expected int64, found text"]
    );
}

#[test]
fn keys_are_columns_in_every_format() {
    let folder = Folder::new();
    let csv = folder.write("a.csv", "id\n1\n");
    for format in ["arrow", "ndjson", "tsv"] {
        let rows = read_batches(&csv).expect("a table");
        let schema = rows.schema();
        let path = folder.path().join(format!("{format}/day=2024-01-31/a.{format}"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        write_batches(&path, &schema, rows).expect("a table that can be written");
        let profile = profile(&folder, format);
        let columns = &profile.files[0].schema.as_ref().expect("a table").columns;
        let columns: Vec<String> =
            columns.iter().map(|column| format!("{}: {}", column.name, column.data_type)).collect();
        assert!(columns.contains(&"day: date".to_owned()), "{format}: {columns:?}");
        let rows = read_batches(&folder.path().join(format))
            .expect("a table")
            .next()
            .expect("a batch")
            .expect("rows");
        assert_eq!(rows.num_columns(), 2, "{format}");
    }
}

#[test]
fn table_formats_are_named() {
    let folder = Folder::new();
    for (name, mark, says) in [
        ("delta", "_delta_log/00000000000000000000.json", "a Delta Lake table"),
        ("iceberg", "metadata/v1.metadata.json", "an Iceberg table"),
        ("hudi", ".hoodie/hoodie.properties", "a Hudi table"),
    ] {
        folder.write(&format!("{name}/{mark}"), "{}\n");
        folder.write(&format!("{name}/part-0.csv"), "id\n1\n");
        let profile = profile(&folder, name);
        assert_eq!(profile.files.len(), 1);
        assert!(profile.files[0].findings[0].message.contains(says), "{:?}", profile.files[0].findings);
    }
}
