//! x
#![allow(missing_docs)]
mod arrow_ipc;
mod arrow_table;
mod compare;
mod csv_text;
mod files;
mod findings;
mod format;
mod json_text;
mod parquet_file;
mod profile;
mod schema;
mod text_reader;
mod type_words;

pub use arrow;
pub use compare::{Expected, FileDifference, compare};
pub use files::{DataError, data_files};
pub use format::format_of_extension;
pub use profile::{profile_file, profile_path};
pub use schema::{SchemaError, schema_of};
