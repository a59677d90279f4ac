//! The report as one HTML file.

mod page;
mod run_view;
mod view;

pub use page::render_html;
