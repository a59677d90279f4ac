//! CSV and TSV: the types of the columns from all rows, in one pass, on several threads, and without an allocation a cell.
//!
//! The rules are Python's where readers differ: a quote counts at the start of a cell only, blank lines are no rows,
//! and a lone carriage return ends a line.

mod batches;
mod blocks;
mod column;
mod delimiter;
mod ends;
mod lines;
mod parallel;
mod part;
mod records;
mod rows;
mod shapes;
mod table;
mod value;

pub(crate) use batches::CsvBatches;
pub(crate) use delimiter::Delimiter;
pub(crate) use table::profile;
