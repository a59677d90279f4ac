//! The report as one HTML file.

mod layout;
mod page;
mod view;

pub use page::render_html;
