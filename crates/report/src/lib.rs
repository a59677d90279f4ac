//! Renders a finished report for people and for CI.
//!
//! Every renderer is a pure function of the report: it reads no clock, no file and no terminal. Whether there is color is
//! up to the caller.
//!
//! | function | what it renders |
//! | --- | --- |
//! | [`render_text`] | a whole report, for a terminal or a log |
//! | [`render_step_text`] | the result for one step |
//! | [`render_edge_text`] | the result for one edge |
//! | [`AssertPassed`] | `report.assert_passed()`, which panics with the text |
//! | [`render_html`] | a whole report as one HTML page, with the graph to look around in |
//! | [`render_plan_text`] | what a test would do |
//! | [`render_dag_text`], [`render_dag_mermaid`], [`render_dag_dot`], [`render_dag_svg`] | the steps and edges alone |
//! | [`render_csv`] | a row for each step and edge, for spreadsheets |
//! | [`render_junit`] | a whole report as JUnit XML, for CI systems |
//! | [`render_markdown`] | a whole report as Markdown, for pull requests and job summaries |
//! | [`SnapshotFilters`] | what is to be left out of a snapshot of rendered text |
//! | [`render_profile_text`] | what data files hold |
//! | [`render_differences_text`] | what data files differ in |
//!
//! ```
//! use runtime_testing_models::PipelineTestReport;
//! use runtime_testing_report::{TextOptions, render_text};
//!
//! let text = render_text(&PipelineTestReport::default(), TextOptions::default());
//! assert!(text.starts_with("FAIL"), "a report of nothing is no pass");
//! ```
//!
//! # Limitations
//!
//! The page draws any graph, and one of many thousand steps slowly.

mod assert_passed;
mod csv;
mod dag_dot;
mod dag_mermaid;
mod dag_svg;
mod dag_text;
mod data_text;
mod folded;
mod graph;
mod html;
mod junit;
mod layout;
mod markdown;
mod mermaid;
mod paint;
mod plan_text;
mod printed;
mod snapshot_filters;
mod text;
mod text_options;
mod text_page;
mod words;

pub use assert_passed::AssertPassed;
pub use csv::render_csv;
pub use dag_dot::render_dag_dot;
pub use dag_mermaid::render_dag_mermaid;
pub use dag_svg::render_dag_svg;
pub use dag_text::render_dag_text;
pub use data_text::{render_differences_text, render_profile_text};
pub use html::render_html;
pub use junit::render_junit;
pub use markdown::{MarkdownOptions, render_markdown};
pub use plan_text::render_plan_text;
pub use snapshot_filters::SnapshotFilters;
pub use text::{render_edge_text, render_step_text, render_text};
pub use text_options::TextOptions;
