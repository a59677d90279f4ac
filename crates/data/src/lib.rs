//! The data files that the steps of a pipeline exchange: what they hold, and what they differ in from what is expected.
//!
//! The crate has one reason to exist: to say of any file, without running anything, whether it can be read, which
//! columns it has, of which types, over *all* of its rows, and which row is to blame for a type. It knows nothing of
//! scripts or steps.
//!
//! | item | what it is |
//! | --- | --- |
//! | [`profile_path`], [`profile_file`] | the format, columns, rows and findings of a folder or file |
//! | [`profile_path_with`], [`profile_file_with`], [`ProfileOptions`] | the same with so many threads, other words for nulls, and a way to cancel |
//! | [`data_files`], [`format_of_extension`] | which files of a folder count, and what their names promise |
//! | [`nearest_path`] | what was meant by a path that does not exist |
//! | [`schema_of`] | a table's Arrow schema |
//! | [`compare`], [`compare_values`], [`Expected`], [`FileDifference`] | what data differs in from a contract or from a sample |
//! | [`without_table`] | the files of which no more than the formats are compared |
//! | [`observe_contract`], [`ObservedContract`], [`ContractRemark`], [`NoContract`] | the contract that says what data shows |
//! | [`observe_constraints`], [`ConstraintScope`] | the same with what its values show |
//! | [`read_batches`], [`read_batches_with`], [`Batches`], [`write_batches`] | tables as Arrow record batches, in any of the formats |
//! | [`digest_path`], [`digest_path_with`] | a hash of what data holds, whatever format it is in |
//! | [`SampleData`], [`SampleDataBuilder`] | small tables for steps that have no data |
//! | [`DataError`], [`ReadTableError`], [`WriteTableError`], [`ParseSampleError`], [`BuildSampleError`] | what can go wrong |
//!
//! ```
//! use runtime_testing_data::{Expected, compare, profile_path};
//! use runtime_testing_models::{TableContract, TypeWord};
//!
//! let folder = tempfile::tempdir()?;
//! let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
//! std::fs::write(&path, "id,quantity\n1,2\n2,n/a?\n3,4\n")?;
//!
//! let contract = TableContract::default()
//!     .with_column("id", TypeWord::Integer)
//!     .with_column("quantity", TypeWord::Integer)
//!     .into();
//! let differences = compare(&Expected::Contract(&contract), &profile_path(&path)?);
//! assert_eq!(
//!     differences[0].difference.to_string(),
//!     "column `quantity`: expected integer, found text; row 2 is \"n/a?\"",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! Both are off by default. `parquet` reads and writes Parquet, `compression` reads and writes CSV, TSV, JSON and NDJSON
//! that are compressed with gzip or Zstandard, and reads the rows of Arrow IPC whose batches are compressed, as those of
//! Feather files are. Without them such a text, or Parquet, is recognized and reported as one that this build cannot read;
//! compressed Arrow IPC is profiled, which its headers are enough for, and only its rows are refused.
//!
//! `proptest1`, off by default, adds strategies for schemas and record batches for tests with proptest 1, in a module of the
//! same name.
//!
//! # Limitations
//!
//! Parquet and Arrow IPC are not looked for in compressed files. CSV needs a header; that it is missing is told where the
//! first line shows it, and, above columns of text, where the rows do. In text formats a column has the types that text
//! shows: no decimals, times of day, durations, bytes or nested values in CSV, and nothing but JSON's own types in JSON.
//! Of a JSON value that is neither an array of objects nor an object of at most 2 MiB of keys only the syntax is checked. Of Parquet
//! and Arrow IPC a profile reads the metadata, and of the data nothing but columns whose nulls that does not tell: damage
//! within a page or a batch is found by [`read_batches`] at the earliest. JSON is read up to its first mistake, so that it is
//! cut off behind another mistake is not seen; CSV has no end that could be missing. Memory grows with the number of columns and of
//! different keys in JSON objects, not with the number of rows; of tables in JSON with more than 2 MiB of different keys
//! the rest is not read. Where rows are read, batches of Arrow IPC and pages of Parquet are held as a whole. Names of files
//! are UTF-8.

mod columnar;
mod compare;
mod constraints;
mod content;
mod csv;
mod digest;
mod error;
mod files;
mod findings;
mod json;
mod kind;
mod limits;
mod observe;
mod options;
mod profile;
#[cfg(feature = "proptest1")]
pub mod proptest1;
mod read;
mod sample;
mod tables;
mod text;
mod types;
mod write;

pub use arrow;
pub use compare::{Expected, FileDifference, compare, without_table};
pub use constraints::compare_values;
pub use constraints::seen::{ConstraintScope, observe_constraints};
pub use digest::{digest_path, digest_path_with};
pub use error::{DataError, ReadTableError};
pub use files::data_files;
pub use files::nearest::nearest_path;
pub use kind::name::{can_read, format_of_extension};
pub use observe::{ContractRemark, NoContract, ObservedContract, observe_contract};
pub use options::ProfileOptions;
pub use profile::{profile_file, profile_file_with, profile_path, profile_path_with};
pub use read::table_file::schema_of;
pub use read::{Batches, read_batches, read_batches_with};
pub use sample::{BuildSampleError, ParseSampleError, SampleData, SampleDataBuilder};
pub use write::{WriteTableError, write_batches};
