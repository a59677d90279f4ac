//! The report as one HTML file.

mod page;
mod view;

pub use page::render_html;
