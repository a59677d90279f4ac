//! CSV and TSV: the types of the columns from all rows, in one pass and without an allocation a cell.
//!
//! The rules are Python's where readers differ: a quote counts at the start of a cell only, blank lines are no rows,
//! and a lone carriage return ends a line.

mod batches;
mod cell;
mod column;
mod nulls;
mod records;
mod table;
mod value;

pub(crate) use batches::CsvBatches;
pub(crate) use cell::{Cell, classify};
pub(crate) use column::shown;
pub(crate) use nulls::NullWords;
pub(crate) use table::{Delimiter, profile};
pub(crate) use value::microseconds;
