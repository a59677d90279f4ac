//! One run of one script, of whatever kind.

pub(crate) mod executable;
pub(crate) mod function;
#[cfg(feature = "arrow")]
mod function_tables;
pub(crate) mod python;
pub(crate) mod runner;

pub use function::FunctionParams;
#[cfg(feature = "arrow")]
pub use function_tables::FunctionTableError;
