//! Logical types: what a column holds, whatever format it is in.

pub(crate) mod fit;
pub(crate) mod join;
pub(crate) mod logical;
mod parser;
