//! The public behavior of the DAG crate.

mod file;
mod graph;
