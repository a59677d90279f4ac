//! What the runs say of every step and every edge.

mod byte_equal;
pub(crate) mod isolate_cause;
mod similar_names;
pub(crate) mod verdict;
