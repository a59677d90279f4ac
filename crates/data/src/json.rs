//! JSON and NDJSON: the types of the columns from all rows, read value by value.
//!
//! The values are read here and not by `serde_json`: any crate of a user's build can switch on its features
//! `preserve_order` and `arbitrary_precision`, which change what it hands over; and every finding has its line.

mod document;
mod json_type;
mod lexer;
mod lines;
mod object;
mod parts;
mod plain;
mod rows;
mod scan;
#[cfg(test)]
mod testing;
mod threads;
mod values;

pub(crate) use document::{Document, profile_document};
pub(crate) use lines::profile_lines;
