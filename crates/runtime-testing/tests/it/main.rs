//! Whole tests through the public API.

mod defects;
mod layering;
mod pipelines;
mod workbench;
