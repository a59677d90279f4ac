use camino::Utf8Path;
use runtime_testing_data::{Expected, compare, profile_path};
use runtime_testing_models::DataProfile;

use crate::folder::shown_all;

/// The profile of what a pipeline among the fixtures has at a path.
fn profile(path: &str) -> DataProfile {
    let pipelines = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pipelines");
    profile_path(&pipelines.join(path)).expect("the fixtures lie in the repository")
}

#[test]
fn penguins() {
    insta::assert_snapshot!(shown_all(&profile("penguins/data")), @"
    penguins_raw.csv: csv, 344 rows
      studyName: text
      Sample Number: int64
      Species: text
      Region: text
      Island: text
      Stage: text
      Individual ID: text
      Clutch Completion: text
      Date Egg: date
      Culmen Length (mm): float64?, 2 nulls
      Culmen Depth (mm): float64?, 2 nulls
      Flipper Length (mm): int64?, 2 nulls
      Body Mass (g): int64?, 2 nulls
      Sex: text
      Delta 15 N (o/oo): float64?, 14 nulls
      Delta 13 C (o/oo): float64?, 13 nulls
      Comments: text
    samples/penguins.csv: csv, 24 rows
      penguin_id: text
      species: text
      island: text
      body_mass_g: int64
      sex: text
    samples/training_features.csv: csv, 30 rows
      penguin_id: text
      species: text
      sex: text
      bill_length_mm: float64
      bill_depth_mm: float64
      bill_ratio: float64
      flipper_length_mm: int64
      body_mass_kg: float64
    species.json: json_object, 1 rows
      Adelie Penguin (Pygoscelis adeliae): struct<code: text, name: text>
      Chinstrap penguin (Pygoscelis antarctica): struct<code: text, name: text>
      Gentoo penguin (Pygoscelis papua): struct<code: text, name: text>
    ");
}

#[test]
fn weather() {
    insta::assert_snapshot!(shown_all(&profile("flights/data/weather.csv")), @r#"
    weather.csv: csv, 336 rows
      origin: text
      year: int64
      month: int64
      day: int64
      hour: int64
      temp: float64
      dewp: float64
      humid: float64
      wind_dir: int64?, 5 nulls
      wind_speed: float64
      wind_gust: float64?, 234 nulls
      precip: float64, row 28 is "0.01"
      pressure: float64?, 48 nulls
      visib: float64, row 105 is "2.5"
      time_hour: timestamp[us, UTC]
    "#);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_written_by_pandas() {
    insta::assert_snapshot!(shown_all(&profile("flights/data/samples/weather.parquet")), @r"
    weather.parquet: parquet, 48 rows
      origin: text?
      observed_at: timestamp[ns, UTC]?
      wind_direction: int64?
      pressure_hpa: float64?, 13 nulls
      temperature_c: float64?
      wind_speed_kmh: float64?
      wind_gust_kmh: float64?, 32 nulls
      precipitation_mm: float64?
      visibility_km: float64?
    ");
    let (train, val) =
        (profile("flights/data/samples/train.parquet"), profile("flights/data/samples/val.parquet"));
    assert_eq!(compare(&Expected::Inferred(&train), &val), []);
}

#[test]
fn one_table_differs_from_another_in_its_columns() {
    let (sample, found) = (
        profile("penguins/data/samples/training_features.csv"),
        profile("penguins/data/samples/penguins.csv"),
    );
    let told: Vec<String> = compare(&Expected::Inferred(&sample), &found)
        .iter()
        .map(|told| told.difference.to_string())
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    column `bill_length_mm` (float64) is missing
    column `bill_depth_mm` (float64) is missing
    column `bill_ratio` (float64) is missing
    column `flipper_length_mm` (int64) is missing
    column `body_mass_kg` (float64) is missing; was it renamed to `body_mass_g`?
    extra column `island` (text)
    extra column `body_mass_g` (int64)
    ");
}
